// Tracing (IEEE 1666-2011 clause 8.1). tracing.ts has the same programs in TypeScript, with comments.
#include "../native/pairs.h"
#include <fstream>

// Runs with a trace file; then the file, without date and version, belongs to the trace of the program.
static void traced(const std::function<void(sc_trace_file*)>& body, const char* name = "waves") {
  sc_trace_file* file = sc_create_vcd_trace_file(name);
  body(file);
  sc_close_vcd_trace_file(file);
  const std::string path = std::string(name) + ".vcd";
  std::ifstream in(path);
  std::stringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  const size_t at = text.find("$timescale");
  if (at != std::string::npos) trace_text << text.substr(at);
  std::remove(path.c_str());
}

PROGRAM(trace_signals) {
  sc_signal<bool> flag("flag");
  sc_signal<int> count("count");
  sc_buffer<unsigned char> byte("byte");
  sc_clock clk("clk", ns(10));
  traced([&](sc_trace_file* file) {
    sc_trace(file, clk, "clk");
    sc_trace(file, flag, "top.flag");
    sc_trace(file, count, "top.inner.count");
    sc_trace(file, byte, "top.b.byte");
    sc_trace(file, count, "again");
    method("m", [&] {
      count.write(count.read() - 3);
      flag.write(count.read() % 2 == 0);
      byte.write((unsigned char)(7 * (5 - count.read())));
    }, {&clk.posedge_event()}, false);
    sc_start(ns(62));
  });
}

PROGRAM(trace_variables) {
  bool flag = true;
  int value = -1;
  unsigned small = 3;
  traced([&](sc_trace_file* file) {
    sc_trace(file, flag, "flag");
    sc_trace(file, value, "value");
    sc_trace(file, small, "small", 4);
    sc_trace(file, value, "narrow", 5);
    thread("t", [&] {
      for (int i = 0; i < 6; i++) {
        value = 1000;
        wait(SC_ZERO_TIME);
        value = i * 5 - 9;
        flag = !flag;
        small = i * 4;
        wait(ns(i));
      }
    });
    sc_start(ns(40));
  });
}

PROGRAM(trace_integers) {
  sc_int<5> a = 3;
  sc_uint<12> b = 9;
  sc_bigint<70> c = -5;
  sc_biguint<65> d = 1;
  sc_uint<1> e = 0;
  traced([&](sc_trace_file* file) {
    sc_trace(file, a, "a");
    sc_trace(file, b, "b");
    sc_trace(file, c, "c");
    sc_trace(file, d, "d");
    sc_trace(file, e, "e");
    thread("t", [&] {
      for (int i = 0; i < 5; i++) {
        a = a * 3 - i;
        b = b * 17 + 1;
        c = c * -123456789;
        d = d * 65536 + i;
        e = i & 1;
        wait(ns(3));
      }
    });
    sc_start();
  });
}

PROGRAM(trace_fixed) {
  typedef sc_fixed<8, 4, SC_RND, SC_SAT> format;
  format a = 0.5;
  sc_ufixed<6, 2> b = 1.25;
  sc_fxval c(0.0);
  traced([&](sc_trace_file* file) {
    sc_trace(file, a, "a");
    sc_trace(file, b, "b");
    sc_trace(file, c, "c");
    thread("t", [&] {
      for (int i = 0; i < 6; i++) {
        c = a * a;
        a = a * -1.75;
        b = b + 0.3125;
        wait(ns(1));
      }
    });
    sc_start();
  });
}

PROGRAM(trace_reals) {
  double value = 0;
  const double values[] = {1, -1.5, 0.1, 1e-5, 123456789012345680.0, 1e16, 9999999999999998.0, 1.0 / 3, 2.5e-9, -0.0, 1e300};
  traced([&](sc_trace_file* file) {
    sc_trace(file, value, "value");
    thread("t", [&] {
      for (double next : values) {
        value = next;
        wait(ns(1));
      }
    });
    sc_start();
  });
}

PROGRAM(trace_time_and_event) {
  sc_time when = ns(1);
  sc_event e("e"), f("f");
  traced([&](sc_trace_file* file) {
    sc_trace(file, when, "when");
    sc_trace(file, e, "e");
    sc_trace(file, f, "f");
    thread("t", [&] {
      e.notify();
      wait(ns(2));
      when = sc_time_stamp();
      e.notify(SC_ZERO_TIME);
      wait(ns(2));
      f.notify(ns(3));
      wait(f);
      when = sc_time_stamp() * 1000.0;
      e.notify();
      wait(ns(1));
    });
    sc_start();
  });
}

PROGRAM(trace_enumeration) {
  static const char* names[] = {"idle", "load", "run", "store", "stop", 0};
  unsigned state = 0;
  traced([&](sc_trace_file* file) {
    sc_trace(file, state, "state", names);
    thread("t", [&] {
      for (int i = 0; i < 9; i++) {
        state = (state + 2) % 10;
        wait(ns(1));
      }
    });
    sc_start();
  });
}

static void counting(sc_trace_file* file, double step, int steps) {
  static int value;
  sc_trace(file, value, "value");
  thread("t", [step, steps] {
    for (int i = 0; i < steps; i++) {
      value++;
      wait(ps(step));
    }
  });
  sc_start();
}
PROGRAM(trace_unit_coarse) {
  traced([](sc_trace_file* file) {
    file->set_time_unit(1, SC_NS);
    counting(file, 2000, 3);
  });
}
PROGRAM(trace_unit_too_coarse) {
  traced([](sc_trace_file* file) {
    file->set_time_unit(1, SC_NS);
    counting(file, 700, 4);
  });
}
PROGRAM(trace_unit_fine) {
  traced([](sc_trace_file* file) {
    file->set_time_unit(10, SC_FS);
    counting(file, 25, 4);
  });
}
PROGRAM(trace_unit_not_ten) {
  traced([](sc_trace_file* file) { file->set_time_unit(3, SC_NS); });
}
PROGRAM(trace_resolution) {
  sc_set_time_resolution(100, SC_NS);
  traced([](sc_trace_file* file) { counting(file, 2.5e6, 3); });
}

static void rippling(sc_trace_file* file) {
  static sc_signal<int> a("a"), b("b"), c("c");
  static sc_event e("e");
  sc_trace(file, a, "a");
  sc_trace(file, b, "b");
  sc_trace(file, c, "c");
  sc_trace(file, e, "e");
  method("ab", [] { b.write(a.read() + 1); }, {&a.value_changed_event()});
  method("bc", [] { c.write(b.read() * 2); e.notify(SC_ZERO_TIME); }, {&b.value_changed_event()});
  thread("t", [] {
    for (int i = 0; i < 3; i++) {
      wait(ns(1));
      a.write(10 * i + 5);
    }
  });
  sc_start(ns(5));
}
PROGRAM(trace_deltas_lost) { traced(rippling); }
PROGRAM(trace_deltas) {
  traced([](sc_trace_file* file) {
    file->delta_cycles(true);
    rippling(file);
  });
}
PROGRAM(trace_deltas_fine) {
  traced([](sc_trace_file* file) {
    file->set_time_unit(100, SC_FS);
    file->delta_cycles(true);
    rippling(file);
  });
}
PROGRAM(trace_deltas_coarse) {
  traced([](sc_trace_file* file) {
    file->set_time_unit(1, SC_NS);
    file->delta_cycles(true);
    rippling(file);
  });
}

SC_MODULE(TracedInner) {
  sc_in<int> in;
  sc_out<bool> out;
  sc_in<int> later;
  SC_CTOR(TracedInner) : in("in"), out("out"), later("later") {
    SC_METHOD(run);
    sensitive << in;
  }
  void run() { out.write(in.read() > 2); }
};
PROGRAM(trace_ports) {
  sc_signal<int> count("count"), other("other");
  sc_signal<bool> flag("flag");
  TracedInner inner("inner");
  inner.in(count);
  inner.out(flag);
  inner.later(other);
  traced([&](sc_trace_file* file) {
    sc_trace(file, inner.later, "inner.later");
    sc_trace(file, inner.in, "inner.in");
    sc_trace(file, flag, "flag");
    sc_trace(file, inner.out, "inner.out");
    thread("t", [&] {
      for (int i = 0; i < 5; i++) {
        count.write(i);
        wait(ns(1));
      }
    });
    sc_start();
  });
}

PROGRAM(trace_names) {
  int value = 0;
  traced([&](sc_trace_file* file) {
    sc_trace(file, value, "mem[3].word[0]");
    sc_trace(file, value, "plain");
    sc_trace(file, value, "mem[1].word[0]");
    sc_start(ns(1));
  });
}

PROGRAM(trace_in_steps) {
  int value = 0;
  traced([&](sc_trace_file* file) {
    file->write_comment("before the header");
    sc_trace(file, value, "value");
    value = 1;
    sc_start(ns(1));
    value = 2;
    sc_start(ns(1));
    value = 3;
    file->write_comment("between the steps");
    sc_start(SC_ZERO_TIME);
    value = 4;
    sc_start(ns(2));
    value = 5;
  });
}

PROGRAM(trace_started_late) {
  int value = 7;
  sc_clock clk("clk", ns(4));
  sc_start(ns(9));
  traced([&](sc_trace_file* file) {
    sc_trace(file, value, "value");
    sc_trace(file, clk, "clk");
    sc_start(ns(9));
  });
}

PROGRAM(trace_two_files) {
  int value = 0;
  traced([&](sc_trace_file* outer) {
    traced([&](sc_trace_file* inner) {
      sc_trace(inner, value, "value");
      sc_trace(outer, value, "value");
      thread("t", [&] {
        for (int i = 0; i < 4; i++) {
          value++;
          wait(ns(1));
        }
      });
      sc_start(ns(2));
    }, "inner");
    sc_start(ns(5));
  });
}

PROGRAM(trace_nothing) {
  traced([](sc_trace_file*) {});
}
PROGRAM(trace_too_late) {
  int value = 0;
  traced([&](sc_trace_file* file) {
    sc_trace(file, value, "value");
    sc_start(ns(1));
    sc_trace(file, value, "other");
  });
}
PROGRAM(trace_unit_too_late) {
  traced([](sc_trace_file* file) {
    sc_start(ns(1));
    file->set_time_unit(1, SC_NS);
  });
}
PROGRAM(trace_without_name) {
  traced([](sc_trace_file*) {}, "");
}
