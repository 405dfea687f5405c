// Interprets a network of processes, events, signals and FIFOs that is described by numbers, and traces every step. The
// TypeScript twin, with the meaning of the numbers, is ../network/interpreter.ts.
#include <memory>
#include <vector>

#include "pairs.h"

namespace {

struct Instruction { int op, a, b, c; };

struct Process {
  int index, budget;
  bool is_method, started = false;
  std::vector<Instruction> program;
  sc_process_handle handle;
};

struct Network {
  std::vector<std::unique_ptr<sc_event>> events;
  std::vector<std::unique_ptr<sc_signal<int, SC_UNCHECKED_WRITERS>>> signals;
  std::vector<std::unique_ptr<sc_signal<bool, SC_UNCHECKED_WRITERS>>> bools;
  std::vector<std::unique_ptr<sc_fifo<int>>> fifos;
  std::vector<std::unique_ptr<sc_clock>> clocks;
  std::vector<std::unique_ptr<Process>> processes;

  const sc_event& event(int reference) {
    const int i = reference % 100;
    switch (reference / 100) {
      case 0: return *events[i];
      case 1: return signals[i]->value_changed_event();
      case 2: return bools[i]->posedge_event();
      case 3: return bools[i]->negedge_event();
      case 4: return clocks[i]->posedge_event();
      case 5: return clocks[i]->negedge_event();
      case 6: return fifos[i]->data_written_event();
      default: return fifos[i]->data_read_event();
    }
  }

  /// wait() for a thread, next_trigger() for a method.
  template <class... What> void await(const Process& p, const What&... what) {
    if (p.is_method) next_trigger(what...);
    else wait(what...);
  }

  void run(Process& p) {
    p.started = true;
    int state = p.index + 1;
    auto mix = [&state](int value) { state = (state * 31 + value) & 0xffff; };
    for (int pc = 0; pc < int(p.program.size()); pc++) {
      if (p.budget-- <= 0) return;
      const Instruction& in = p.program[pc];
      trace_text << sc_time_stamp().value() << " " << sc_delta_count() << " " << p.index << " " << pc << " " << state
                 << "\n";
      switch (in.op) {
        case 0: mix(pc); break;
        case 1: if (p.is_method) next_trigger(); else wait(); break;
        case 2: if (!p.is_method) wait(in.a); break;
        case 3: await(p, ps(in.a)); break;
        case 4: await(p, event(in.a)); break;
        case 5: await(p, event(in.a) | event(in.b)); break;
        case 6: await(p, event(in.a) & event(in.b)); break;
        case 7: await(p, ps(in.a), event(in.b)); break;
        case 8: await(p, ps(in.c), event(in.a) | event(in.b)); break;
        case 9: await(p, ps(in.c), event(in.a) & event(in.b)); break;
        case 10: events[in.a]->notify(); break;
        case 11: events[in.a]->notify(SC_ZERO_TIME); break;
        case 12: events[in.a]->notify(ps(in.b)); break;
        case 13: events[in.a]->cancel(); break;
        case 14: signals[in.a]->write(state & 7); break;
        case 15: bools[in.a]->write(state & 1); break;
        case 16: if (p.is_method) mix(fifos[in.a]->nb_write(state)); else fifos[in.a]->write(state); break;
        case 17: {
          int value = 0;
          if (p.is_method) fifos[in.a]->nb_read(value); else value = fifos[in.a]->read();
          mix(value);
          break;
        }
        case 18: mix(fifos[in.a]->nb_write(state)); break;
        case 19: mix(fifos[in.a]->num_available() * 16 + fifos[in.a]->num_free()); break;
        case 20: processes[in.a]->handle.suspend(); break;
        case 21: processes[in.a]->handle.resume(); break;
        case 22: processes[in.a]->handle.reset(); break;
        case 23: if (processes[in.a]->started) processes[in.a]->handle.kill(); break;
        case 24: mix(signals[in.a]->read() * 2 + signals[in.a]->event()); break;
        case 25: mix(events[in.a]->triggered()); break;
        case 26: mix(bools[in.a]->read() * 4 + bools[in.a]->posedge() * 2 + bools[in.a]->negedge()); break;
        case 27: {
          const int child = p.index * 10 + 100 + in.b;
          trace_text << "spawn " << child << "\n";
          sc_event* e = events[in.a].get();
          sc_spawn_options options;
          if (in.c) options.spawn_method();
          options.set_sensitivity(e);
          const bool is_method = in.c;
          sc_spawn([child, e, is_method] {
            for (int k = 0; k < (is_method ? 1 : 3); k++) {
              trace_text << sc_time_stamp().value() << " " << sc_delta_count() << " child " << child << " " << k << "\n";
              if (!is_method) wait();
            }
          }, sc_gen_unique_name("child"), &options);
          break;
        }
      }
    }
  }
};

}  // namespace

const char* run_network(const int* n) {
  return run_traced([n]() mutable {
    Network net;
    for (int i = 0, count = *n++; i < count; i++) net.events.emplace_back(new sc_event());
    for (int i = 0, count = *n++; i < count; i++) net.signals.emplace_back(new sc_signal<int, SC_UNCHECKED_WRITERS>());
    for (int i = 0, count = *n++; i < count; i++) net.bools.emplace_back(new sc_signal<bool, SC_UNCHECKED_WRITERS>());
    for (int i = 0, count = *n++; i < count; i++) net.fifos.emplace_back(new sc_fifo<int>(*n++));
    for (int i = 0, count = *n++; i < count; i++)
      net.clocks.emplace_back(new sc_clock(sc_gen_unique_name("clock"), ps(*n++)));
    for (int i = 0, count = *n++; i < count; i++) {
      net.processes.emplace_back(new Process());
      Process* p = net.processes.back().get();
      p->index = i;
      p->is_method = *n++;
      sc_spawn_options options;
      if (p->is_method) options.spawn_method();
      if (*n++) options.dont_initialize();
      p->budget = *n++;
      for (int k = 0, statics = *n++; k < statics; k++) options.set_sensitivity(&net.event(*n++));
      const int reset = *n++, async = *n++, level = *n++;
      if (reset >= 0) {
        if (async) options.async_reset_signal_is(*net.bools[reset], level);
        else options.reset_signal_is(*net.bools[reset], level);
      }
      for (int k = 0, length = *n++; k < length; k++, n += 4) p->program.push_back({n[0], n[1], n[2], n[3]});
      Network* network = &net;
      p->handle = sc_spawn([network, p] { network->run(*p); }, sc_gen_unique_name("p"), &options);
    }
    for (int i = 0, count = *n++; i < count; i++) {
      sc_start(ps(*n++));
      trace_text << "slice " << sc_time_stamp().value() << " " << sc_delta_count() << "\n";
    }
  });
}
