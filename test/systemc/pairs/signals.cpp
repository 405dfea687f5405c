// Pairs on signals, buffers and ports; the TypeScript twin is signals.ts.
#include "../native/pairs.h"

namespace {
struct Increment : sc_module {
  sc_in<int> a;
  sc_out<int> y;
  SC_CTOR(Increment) : a("a"), y("y") {
    SC_METHOD(add);
    sensitive << a;
  }
  void add() {
    say(name(), " ", a.read());
    y.write(a.read() + 1);
  }
};

struct Pair : sc_module {
  sc_in<int> a;
  sc_out<int> y;
  sc_signal<int> middle;
  Increment first, second;
  SC_CTOR(Pair) : a("a"), y("y"), middle("middle"), first("first"), second("second") {
    first.a(a);
    first.y(middle);
    second.a(middle);
    second.y(y);
  }
};

struct Edges : sc_module {
  sc_in<bool> clk;
  SC_CTOR(Edges) : clk("clk") {
    SC_METHOD(on_pos);
    sensitive << clk.pos();
    dont_initialize();
    SC_METHOD(on_neg);
    sensitive << clk.neg();
    dont_initialize();
    SC_METHOD(on_any);
    sensitive << clk.value_changed();
    dont_initialize();
    SC_THREAD(run);
    sensitive << clk;
  }
  void on_pos() { say("pos"); }
  void on_neg() { say("neg"); }
  void on_any() { say("any ", clk.read()); }
  void run() {
    for (;;) {
      wait();
      say("thread ", clk.read());
    }
  }
};

struct Initial : sc_module {
  sc_inout<int> y;
  SC_CTOR(Initial) : y("y") {
    y.initialize(42);
    SC_METHOD(show);
    sensitive << y;
  }
  void show() { say("y ", y.read()); }
};

template <class S> void writers(S& signal) {
  method("show", [&] { say("value ", signal.read()); }, {&signal.value_changed_event()});
  thread("first", [&] {
    signal.write(1);
    wait(ns(2));
    signal.write(3);
    wait(ns(2));
    signal.write(5);
  });
  thread("second", [&] {
    wait(ns(1));
    signal.write(2);
    wait(ns(3));
    say("conflict");
    signal.write(6);
  });
  sc_start();
}
}  // namespace

PROGRAM(signal_write_then_read) {
  sc_signal<int> s("s");
  thread("writer", [&] {
    s.write(7);
    say("same delta ", s.read());
    wait(SC_ZERO_TIME);
    say("next delta ", s.read());
  });
  thread("reader", [&] {
    for (int k = 0; k < 3; k++) {
      say("reader ", s.read());
      wait(SC_ZERO_TIME);
    }
  });
  sc_start();
}

PROGRAM(signal_last_write_wins) {
  sc_signal<int> s("s", 1);
  method("m", [&] { say("changed to ", s.read()); }, {&s.value_changed_event()}, false);
  thread("t", [&] {
    s.write(5);
    s.write(6);
    wait(ns(1));
    s.write(9);
    s.write(6);
    wait(ns(1));
    s.write(6);
    wait(ns(1));
    s.write(1);
  });
  sc_start();
}

PROGRAM(buffer_every_write) {
  sc_buffer<int> b("b");
  method("m", [&] { say("written ", b.read(), " event ", b.event()); }, {&b.value_changed_event()}, false);
  thread("t", [&] {
    for (int value : {1, 1, 2, 2}) {
      b.write(value);
      wait(ns(1));
    }
  });
  sc_start();
}

PROGRAM(signal_edges) {
  sc_signal<bool> clk("clk");
  Edges edges("edges");
  edges.clk(clk);
  thread("driver", [&] {
    for (bool value : {true, true, false, true, false}) {
      wait(ns(1));
      clk.write(value);
    }
  });
  sc_start();
}

PROGRAM(signal_event_flags) {
  sc_signal<bool> s("s");
  thread("t", [&] {
    for (int k = 0; k < 6; k++) {
      s.write(k % 3 == 1);
      say("event ", s.event(), " posedge ", s.posedge(), " negedge ", s.negedge(), " value ", s.read());
      wait(SC_ZERO_TIME);
    }
    wait(ns(1));
    say("event ", s.event());
  });
  sc_start();
}

PROGRAM(signal_ripple) {
  sc_signal<int> all[5];
  for (int i = 0; i < 4; i++)
    method(("m" + std::to_string(i)).c_str(), [&all, i] {
      say("stage ", i, " sees ", all[i].read());
      all[i + 1].write(all[i].read() + 1);
    }, {&all[i].value_changed_event()}, false);
  thread("driver", [&] {
    all[0].write(10);
    wait(ns(1));
    all[0].write(20);
  });
  sc_start();
  say("end ", all[4].read());
}

PROGRAM(signal_ports_hierarchy) {
  sc_signal<int> a("a"), y("y");
  Pair pair("pair");
  pair.a(a);
  pair.y(y);
  thread("driver", [&] {
    wait(ns(1));
    a.write(5);
    wait(ns(1));
    say("y ", y.read());
  });
  sc_start();
  say(pair.middle.name(), " ", pair.middle.read());
}

PROGRAM(signal_update_order) {
  sc_signal<int> all[4];
  for (int i = 0; i < 4; i++)
    method(("m" + std::to_string(i)).c_str(), [i] { say("signal ", i); }, {&all[i].value_changed_event()}, false);
  thread("t", [&] {
    for (int i : {2, 0, 3, 1}) all[i].write(1);
    wait(ns(1));
    for (int i : {3, 2, 1, 0}) all[i].write(2);
    all[2].write(3);
  });
  sc_start();
}

PROGRAM(signal_written_before_start) {
  sc_signal<int> s("s");
  s.write(3);
  say("before ", s.read());
  method("m", [&] { say("method ", s.read(), " event ", s.event()); }, {&s.value_changed_event()});
  sc_start();
}

PROGRAM(port_initialize) {
  sc_signal<int> s("s");
  Initial initial("initial");
  initial.y(s);
  sc_start();
}

PROGRAM(signal_two_drivers) {
  sc_signal<int> s("s");
  thread("first", [&] {
    s.write(1);
    wait(ns(1));
  });
  thread("second", [&] {
    wait(ns(1));
    say("second writes");
    s.write(2);
  });
  sc_start();
}

PROGRAM(signal_two_output_ports) {
  sc_signal<int> s("s");
  Increment one("one"), two("two");
  for (Increment* i : {&one, &two}) {
    i->a(s);
    i->y(s);
  }
  sc_start();
}

PROGRAM(signal_many_writers) {
  sc_signal<int, SC_MANY_WRITERS> s("s");
  writers(s);
}

PROGRAM(signal_unchecked_writers) {
  sc_signal<int, SC_UNCHECKED_WRITERS> s("s");
  writers(s);
}

PROGRAM(port_unbound) {
  Increment increment("increment");
  sc_signal<int> y("y");
  increment.y(y);
  sc_start();
}

PROGRAM(port_bound_twice) {
  Increment increment("increment");
  sc_signal<int> a("a"), b("b"), y("y");
  increment.a(a);
  increment.a(b);
  increment.y(y);
  sc_start();
}
