// The models of the SystemC benchmark in C++; models.ts has the same in TypeScript.
#define SC_INCLUDE_DYNAMIC_PROCESSES
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

using namespace sc_core;

namespace {
template <class F> void spawn_on(const char* name, const sc_event& e, bool is_method, F body) {
  sc_spawn_options options;
  if (is_method) options.spawn_method();
  options.dont_initialize();
  options.set_sensitivity(&e);
  sc_spawn(body, name, &options);
}

int thread_switch(int count) {
  sc_event a("a"), b("b");
  int turns = 0;
  auto player = [&](sc_event& mine, sc_event& other) {
    return [&] {
      while (turns < count) {
        turns++;
        other.notify(SC_ZERO_TIME);
        wait(mine);
      }
    };
  };
  sc_spawn(player(a, b), "pa");
  sc_spawn(player(b, a), "pb");
  sc_start();
  return turns;
}

int signal_to_method(int count) {
  const int size = 32;
  std::vector<std::unique_ptr<sc_signal<int>>> ring;
  for (int i = 0; i < size; i++) ring.emplace_back(new sc_signal<int>(("s" + std::to_string(i)).c_str()));
  int left = count;
  for (int i = 0; i < size; i++) {
    sc_signal<int>*mine = ring[i].get(), *next = ring[(i + 1) % size].get();
    spawn_on(("m" + std::to_string(i)).c_str(), mine->value_changed_event(), true,
             [&left, mine, next] { if (left-- > 0) next->write(mine->read() + 1); });
  }
  ring[0]->write(1);
  sc_start();
  return ring[count % size]->read();
}

int fifo_hand_over(int count) {
  sc_fifo<int> fifo("f", 16);
  int32_t sum = 0;
  sc_spawn([&] { for (int i = 0; i < count; i++) fifo.write(i); }, "producer");
  sc_spawn([&] { for (int i = 0; i < count; i++) sum = int32_t(uint32_t(sum) + uint32_t(fifo.read())); }, "consumer");
  sc_start();
  return sum;
}

int fifo_try_first(int count) {
  sc_fifo<int> fifo("f", 16);
  int32_t sum = 0;
  sc_spawn([&] { for (int i = 0; i < count; i++) if (!fifo.nb_write(i)) fifo.write(i); }, "producer");
  sc_spawn([&] {
    for (int i = 0, value; i < count; i++) {
      if (!fifo.nb_read(value)) fifo.read(value);
      sum = int32_t(uint32_t(sum) + uint32_t(value));
    }
  }, "consumer");
  sc_start();
  return sum;
}

int ten_clocked_threads(int count) {
  sc_clock clk("clk", sc_time(10, SC_NS));
  uint32_t sum = 0;
  for (int i = 0; i < 10; i++)
    spawn_on(("t" + std::to_string(i)).c_str(), clk.posedge_event(), false, [&sum, i] {
      for (;;) {
        sum += i;
        wait();
      }
    });
  sc_start(sc_time(10.0 * count, SC_NS));
  return int32_t(sum);
}

const int SIZE = 16, DEPTH = 64;
struct Row : std::array<int32_t, SIZE> {};
std::ostream& operator<<(std::ostream& os, const Row& row) { return os << row[0]; }

int array_16x16(int count) {
  sc_clock clk("clk", sc_time(10, SC_NS));
  sc_fifo<Row> west("west", 4), north("north", 4), results("results", 16);
  sc_fifo<int> jobs("jobs", 2);
  sc_signal<int> tiles("tiles");
  uint32_t check = 0;
  auto feeder = [](sc_fifo<Row>& out, int seed) {
    return [&out, seed] {
      for (int k = 0;; k++) {
        Row beat;
        for (int i = 0; i < SIZE; i++) beat[i] = ((k * 7 + i * seed) & 15) - 8;
        out.write(beat);
        wait();
      }
    };
  };
  const sc_event& edge = clk.posedge_event();
  spawn_on("feed_west", edge, false, feeder(west, 3));
  spawn_on("feed_north", edge, false, feeder(north, 5));
  spawn_on("controller", edge, false, [&] {
    for (int tile = 0;; tile++) {
      jobs.write(tile);
      wait();
    }
  });
  spawn_on("array", edge, false, [&] {
    int32_t acc[SIZE * SIZE];
    for (;;) {
      jobs.read();
      std::memset(acc, 0, sizeof acc);
      for (int k = 0; k < DEPTH; k++) {
        Row a = west.read(), b = north.read();
        for (int r = 0, at = 0; r < SIZE; r++)
          for (int c = 0; c < SIZE; c++, at++) acc[at] += a[r] * b[c];
        wait();
      }
      for (int r = 0; r < SIZE; r++) {
        Row row;
        std::memcpy(row.data(), acc + r * SIZE, sizeof row);
        results.write(row);
      }
    }
  });
  spawn_on("collector", edge, false, [&] {
    for (int row = 0;; row++) {
      Row values = results.read();
      for (int c = 0; c < SIZE; c++) check += uint32_t(values[c]);
      if (row % SIZE == SIZE - 1) tiles.write(tiles.read() + 1);
      wait();
    }
  });
  spawn_on("post", edge, false, [&] {
    for (;;) {
      check ^= uint32_t(tiles.read());
      wait();
    }
  });
  sc_start(sc_time(10.0 * count, SC_NS));
  return int32_t(check);
}
}  // namespace

extern "C" __attribute__((used)) int tandem_bench(const char* name, int count) {
  const struct { const char* name; int (*run)(int); } all[] = {
      {"thread_switch", thread_switch}, {"signal_to_method", signal_to_method}, {"fifo_hand_over", fifo_hand_over}, {"fifo_try_first", fifo_try_first},
      {"ten_clocked_threads", ten_clocked_threads}, {"array_16x16", array_16x16}};
  for (auto& model : all)
    if (!std::strcmp(model.name, name)) return model.run(count);
  return 0;
}

#ifndef __EMSCRIPTEN__
// The native program: NAME COUNT; prints the seconds of processor time and the result.
int sc_main(int argc, char** argv) {
  if (argc != 3) return 1;
  const std::clock_t start = std::clock();
  const int result = tandem_bench(argv[1], std::atoi(argv[2]));
  std::printf("%.9f %d\n", double(std::clock() - start) / CLOCKS_PER_SEC, result);
  return 0;
}
#endif
