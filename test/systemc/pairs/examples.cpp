// Small systems after the behaviour of the programs in Accellera's examples/sysc. examples.ts has the same in TypeScript.
#include "../native/pairs.h"
#include <memory>
#include <vector>

namespace {
struct write_if : virtual sc_interface {
  virtual void put(char) = 0;
  virtual void clear() = 0;
};
struct read_if : virtual sc_interface {
  virtual char get() = 0;
  virtual int size() = 0;
};
struct Queue : sc_channel, write_if, read_if {
  explicit Queue(sc_module_name name) : sc_channel(name) {}
  void put(char c) override {
    if (count == 4) wait(taken);
    items[(first + count++) % 4] = c;
    stored.notify();
  }
  char get() override {
    if (count == 0) wait(stored);
    const char c = items[first];
    first = (first + 1) % 4;
    count--;
    taken.notify();
    return c;
  }
  void clear() override { first = count = 0; }
  int size() override { return count; }

private:
  char items[4];
  int first = 0, count = 0;
  sc_event stored, taken;
};
SC_MODULE(Writer) {
  sc_port<write_if> out;
  SC_CTOR(Writer) : out("out") { SC_THREAD(run); }
  void run() {
    for (const char* c = "hardware and software, together"; *c; c++) {
      out->put(*c);
      if (*c == ',') wait(ns(10));
    }
  }
};
SC_MODULE(Reader) {
  sc_port<read_if> in;
  SC_CTOR(Reader) : in("in") { SC_THREAD(run); }
  void run() {
    for (;;) {
      const char c = in->get();
      say(c, " ", in->size());
      if (c == 'w') wait(ns(3));
    }
  }
};
struct Link : sc_module {
  Queue queue;
  Writer writer;
  Reader reader;
  explicit Link(sc_module_name name) : sc_module(name), queue("queue"), writer("writer"), reader("reader") {
    writer.out(queue);
    reader.in(queue);
  }
};
}  // namespace
PROGRAM(example_fifo) {
  Link link("link");
  sc_start();
}

namespace {
SC_MODULE(Numbers) {
  sc_in<bool> clk;
  sc_out<int> a, b;
  int x = 134, y = 247;
  SC_CTOR(Numbers) : clk("clk"), a("a"), b("b") {
    SC_METHOD(run);
    dont_initialize();
    sensitive << clk.pos();
  }
  void run() {
    x -= 3;
    y += 5;
    a.write(x);
    b.write(y);
  }
};
struct Stage : sc_module {
  sc_in<bool> clk;
  sc_in<int> a, b;
  sc_out<int> c, d;
  SC_HAS_PROCESS(Stage);
  Stage(sc_module_name name, int kind) : sc_module(name), clk("clk"), a("a"), b("b"), c("c"), d("d"), kind_(kind) {
    SC_METHOD(run);
    dont_initialize();
    sensitive << clk.pos();
  }
  void run() {
    const int x = a.read(), y = b.read();
    c.write(kind_ == 1 ? x + y : kind_ == 2 ? x * y : x % 1000);
    d.write(kind_ == 1 ? x - y : kind_ == 2 ? (y == 0 ? 0 : x / y) : y * y);
  }
  int kind_;
};
SC_MODULE(Display) {
  sc_in<int> c, d;
  SC_CTOR(Display) : c("c"), d("d") {
    SC_METHOD(run);
    dont_initialize();
    sensitive << c << d;
  }
  void run() { say("result ", c.read(), " ", d.read()); }
};
}  // namespace
PROGRAM(example_pipe) {
  sc_clock clk("clk", ns(20), 0.5, ns(5));
  sc_signal<int> s0("s0"), s1("s1"), s2("s2"), s3("s3"), s4("s4"), s5("s5"), s6("s6"), s7("s7");
  Numbers numbers("numbers");
  Stage one("one", 1), two("two", 2), three("three", 3);
  Display display("display");
  numbers.clk(clk);
  numbers.a(s0);
  numbers.b(s1);
  one.clk(clk);
  one.a(s0);
  one.b(s1);
  one.c(s2);
  one.d(s3);
  two.clk(clk);
  two.a(s2);
  two.b(s3);
  two.c(s4);
  two.d(s5);
  three.clk(clk);
  three.a(s4);
  three.b(s5);
  three.c(s6);
  three.d(s7);
  display.c(s6);
  display.d(s7);
  sc_start(ns(400));
}

namespace {
class Barrier {
public:
  explicit Barrier(int parties) : parties_(parties) {}
  void arrive() {
    if (++here_ < parties_) wait(all_);
    else {
      here_ = 0;
      all_.notify();
    }
  }

private:
  const int parties_;
  int here_ = 0;
  sc_event all_;
};
}  // namespace
PROGRAM(example_barrier) {
  Barrier barrier(4);
  for (int i = 0; i < 4; i++)
    thread(("t" + std::to_string(i)).c_str(), [&barrier, i] {
      for (int round = 0; round < 3; round++) {
        wait(ns((i * 5 + round * 7) % 9));
        say(i, " arrives ", round);
        barrier.arrive();
        say(i, " goes on ", round);
      }
    });
  sc_start();
}

PROGRAM(example_performance) {
  sc_fifo<char> fifo("fifo", 8);
  unsigned random = 12345;
  auto next = [&random](unsigned limit) {
    random = random * 1664525u + 1013904223u;
    return (random >> 16) % limit;
  };
  int sent = 0, received = 0;
  sc_time idle = SC_ZERO_TIME, last = SC_ZERO_TIME;
  thread("producer", [&] {
    for (int burst = 0; burst < 30; burst++) {
      wait(ns(100 + next(100)));
      for (unsigned i = 1 + next(19); i > 0; i--) {
        fifo.write(char('a' + sent % 26));
        sent++;
      }
    }
  });
  thread("consumer", [&] {
    for (;;) {
      const sc_time before = sc_time_stamp();
      fifo.read();
      idle += sc_time_stamp() - before;
      received++;
      last = sc_time_stamp();
      wait(ns(10));
    }
  });
  sc_start();
  say(sent, " ", received, " ", idle, " ", last, " ", fifo.num_available(), " ", fifo.num_free());
}

PROGRAM(example_switch) {
  const int ports = 4;
  std::vector<std::unique_ptr<sc_fifo<int>>> in, out;
  for (int i = 0; i < ports; i++) {
    in.emplace_back(new sc_fifo<int>(("in" + std::to_string(i)).c_str(), 2));
    out.emplace_back(new sc_fifo<int>(("out" + std::to_string(i)).c_str(), 3));
  }
  sc_clock clk("clk", ns(8));
  int dropped = 0;
  for (int i = 0; i < ports; i++) {
    thread(("send" + std::to_string(i)).c_str(), [&in, i] {
      for (int k = 0; k < 6; k++) {
        in[i]->write(i * 1000 + k * 100 + (i * 3 + k * k) % 16);
        wait(ns(5 + i));
      }
    });
    thread(("receive" + std::to_string(i)).c_str(), [&out, i] {
      for (;;) {
        const int packet = out[i]->read();
        say("port ", i, " gets ", packet);
        wait(ns(11));
      }
    });
  }
  thread("switch", [&] {
    for (;;) {
      for (int i = 0; i < ports; i++) {
        int packet;
        if (!in[i]->nb_read(packet)) continue;
        for (int to = 0; to < ports; to++)
          if (packet % 100 >> to & 1 && !out[to]->nb_write(packet)) dropped++;
      }
      wait();
    }
  }, {&clk.posedge_event()}, false);
  sc_start(ns(400));
  say("dropped ", dropped);
}
