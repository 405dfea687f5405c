// The C interface between JavaScript and a SystemC design: create clocks, signals and FIFOs, bind them to the ports of the
// design, run, read, write, trace, stop. Errors are kept as text (tb_error) and shown by a negative result.
#define SC_INCLUDE_DYNAMIC_PROCESSES
#include "binding.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

using namespace sc_core;

#define EXPORT(NAME) extern "C" __attribute__((used, export_name(#NAME)))

namespace {
std::string error_text;

/// Runs a call from JavaScript; whatever it throws becomes the error text.
template <class F> double guarded(F call) {
  error_text.clear();
  try {
    return call();
  } catch (const sc_report& report) {
    error_text = report.what();
  } catch (const std::exception& e) {
    error_text = e.what();
  } catch (...) {
    error_text = "unknown exception";
  }
  return -1;
}
double fail(const std::string& text) {
  error_text = text;
  return -1;
}

/// Something that a port can be bound to.
struct Endpoint {
  virtual ~Endpoint() {}
  virtual bool bind(sc_object*) { return false; }
  virtual double read() { return 0; }
  virtual bool write(double) { return false; }
  virtual void trace(sc_trace_file*, const std::string&) {}
};

template <class T> struct SignalEndpoint : Endpoint {
  sc_signal<T> signal;
  explicit SignalEndpoint(const char* name) : signal(name) {}
  bool bind(sc_object* port) override {
    if (auto* in = dynamic_cast<sc_in<T>*>(port)) in->bind(signal);
    else if (auto* out = dynamic_cast<sc_inout<T>*>(port)) out->bind(signal);
    else return false;
    return true;
  }
  double read() override { return double(signal.read()); }
  bool write(double value) override {
    signal.write(T(int64_t(value)));
    return true;
  }
  void trace(sc_trace_file* file, const std::string& name) override { sc_trace(file, signal, name); }
};

struct ClockEndpoint : Endpoint {
  sc_clock clock;
  ClockEndpoint(const char* name, double period_ps) : clock(name, sc_time(period_ps, SC_PS)) {}
  bool bind(sc_object* port) override {
    auto* in = dynamic_cast<sc_in<bool>*>(port);
    if (in) in->bind(clock);
    return in;
  }
  double read() override { return clock.read(); }
  void trace(sc_trace_file* file, const std::string& name) override { sc_trace(file, clock, name); }
};

struct FifoEndpoint : Endpoint {
  sc_fifo<uint32_t> fifo;
  FifoEndpoint(const char* name, int depth) : fifo(name, depth) {}
  bool bind(sc_object* port) override {
    if (auto* in = dynamic_cast<sc_fifo_in<uint32_t>*>(port)) in->bind(fifo);
    else if (auto* out = dynamic_cast<sc_fifo_out<uint32_t>*>(port)) out->bind(fifo);
    else return false;
    return true;
  }
};

std::vector<std::unique_ptr<Endpoint>> endpoints;
sc_module* top = 0;
sc_trace_file* trace_file = 0;

int add(Endpoint* endpoint) {
  endpoints.emplace_back(endpoint);
  return int(endpoints.size()) - 1;
}
FifoEndpoint* fifo_of(int id) { return dynamic_cast<FifoEndpoint*>(endpoints.at(id).get()); }

/// The DMA of a job: one word a clock into the design, one a clock out of it.
struct Dma {
  FifoEndpoint *in, *out;
  ClockEndpoint* clock;
  const uint32_t* source = 0;
  uint32_t* target = 0;
  int to_send = 0, to_receive = 0, sent = 0, received = 0;
  sc_event start;
  sc_time done;
  void send() {
    for (;;) {
      while (sent == to_send) wait(start);
      wait(clock->clock.posedge_event());
      in->fifo.write(source[sent]);
      sent++;
    }
  }
  void receive() {
    for (;;) {
      while (received == to_receive) wait(start);
      wait(clock->clock.posedge_event());
      target[received] = out->fifo.read();
      if (++received == to_receive) {
        done = sc_time_stamp();
        sc_pause();
      }
    }
  }
};
std::unique_ptr<Dma> dma;
}  // namespace

EXPORT(tb_error) const char* tb_error() { return error_text.c_str(); }
EXPORT(tb_constant) double tb_constant(int which) { return tandem_constant(which); }
EXPORT(tb_instantiate) double tb_instantiate() {
  return guarded([] {
    top = tandem_create_top("top");
    return 0;
  });
}
EXPORT(tb_clock) double tb_clock(const char* name, double period_ps) {
  return guarded([=] { return add(new ClockEndpoint(name, period_ps)); });
}
/// type: 0 bool, 1 int32, 2 uint32.
EXPORT(tb_signal) double tb_signal(const char* name, int type) {
  return guarded([=] {
    if (type == 0) return add(new SignalEndpoint<bool>(name));
    if (type == 1) return add(new SignalEndpoint<int>(name));
    return add(new SignalEndpoint<unsigned>(name));
  });
}
EXPORT(tb_fifo) double tb_fifo(const char* name, int depth) {
  return guarded([=] { return add(new FifoEndpoint(name, depth)); });
}
EXPORT(tb_bind) double tb_bind(const char* port, int id) {
  return guarded([=]() -> double {
    sc_object* object = sc_find_object((std::string("top.") + port).c_str());
    if (!object) return fail(std::string("the design has no port '") + port + "'");
    if (!endpoints.at(id)->bind(object))
      return fail(std::string("port '") + port + "' (" + object->kind() + ") is of another type");
    return 0;
  });
}
EXPORT(tb_run) double tb_run(double ps) {
  return guarded([=] {
    sc_start(sc_time(ps, SC_PS), SC_RUN_TO_TIME);
    return 0;
  });
}
EXPORT(tb_time) double tb_time() { return sc_time_stamp() / sc_time(1, SC_PS); }
EXPORT(tb_delta) double tb_delta() { return double(sc_delta_count()); }
EXPORT(tb_read) double tb_read(int id) { return endpoints.at(id)->read(); }
EXPORT(tb_write) double tb_write(int id, double value) {
  return guarded([=]() -> double { return endpoints.at(id)->write(value) ? 0 : fail("this cannot be written"); });
}
/// The number of words that found room (that were there).
EXPORT(tb_push) double tb_push(int id, const uint32_t* words, int count) {
  return guarded([=] {
    int done = 0;
    while (done < count && fifo_of(id)->fifo.nb_write(words[done])) done++;
    return done;
  });
}
EXPORT(tb_pop) double tb_pop(int id, uint32_t* words, int count) {
  return guarded([=] {
    int done = 0;
    while (done < count && fifo_of(id)->fifo.nb_read(words[done])) done++;
    return done;
  });
}
EXPORT(tb_trace_open) double tb_trace_open(const char* path) {
  return guarded([=] {
    trace_file = sc_create_vcd_trace_file(path);
    return 0;
  });
}
EXPORT(tb_trace) double tb_trace(int id, const char* name) {
  return guarded([=]() -> double {
    if (!trace_file) return fail("open a trace first");
    endpoints.at(id)->trace(trace_file, name);
    return 0;
  });
}
EXPORT(tb_trace_close) double tb_trace_close() {
  return guarded([] {
    if (trace_file) sc_close_vcd_trace_file(trace_file);
    trace_file = 0;
    return 0;
  });
}
EXPORT(tb_stop) double tb_stop() {
  return guarded([] {
    sc_stop();
    return 0;
  });
}

/// Prepares jobs: words go in and out through these FIFOs. Before the first run.
EXPORT(tb_dma) double tb_dma(int in, int out, int clock) {
  return guarded([=] {
    dma.reset(new Dma());
    dma->in = fifo_of(in);
    dma->out = fifo_of(out);
    dma->clock = dynamic_cast<ClockEndpoint*>(endpoints.at(clock).get());
    sc_spawn([] { dma->send(); }, "dma_send");
    sc_spawn([] { dma->receive(); }, "dma_receive");
    return 0;
  });
}
/// One job. Returns the clocks it took; an error if nothing moves any more before all words came out.
EXPORT(tb_job) double tb_job(const uint32_t* source, int to_send, uint32_t* target, int to_receive, double idle_clocks) {
  return guarded([=]() -> double {
    const sc_time period = dma->clock->clock.period(), began = sc_time_stamp();
    dma->source = source;
    dma->target = target;
    dma->sent = dma->received = 0;
    dma->to_send = to_send;
    dma->to_receive = to_receive;
    dma->start.notify(SC_ZERO_TIME);
    while (dma->received < to_receive) {
      const int before = dma->sent + dma->received;
      sc_start(period * idle_clocks, SC_RUN_TO_TIME);
      if (dma->sent + dma->received == before)
        return fail("the design stands still: " + std::to_string(dma->sent) + " of " + std::to_string(to_send) +
                    " words went in, " + std::to_string(dma->received) + " of " + std::to_string(to_receive) +
                    " came out");
    }
    if (dma->sent < to_send) return fail("all results came out before all words went in");
    return (dma->done - began) / period;
  });
}
