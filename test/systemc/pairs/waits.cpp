// Pairs on wait() and next_trigger(); the TypeScript twin is waits.ts.
#include "../native/pairs.h"

PROGRAM(wait_static_and_cycles) {
  sc_event e("e");
  thread("t", [&] {
    say("start");
    wait();
    say("one");
    wait(3);
    say("three more");
    wait(1);
    say("one more");
  }, {&e});
  thread("driver", [&] {
    for (int i = 0; i < 8; i++) {
      wait(ns(1));
      say("notify ", i);
      e.notify();
    }
  });
  sc_start();
}

PROGRAM(wait_dynamic_hides_static) {
  sc_event s("s"), d("d");
  thread("t", [&] {
    wait(d);
    say("dynamic");
    wait();
    say("static");
  }, {&s});
  thread("driver", [&] {
    for (sc_event* e : {&s, &s, &d, &d, &s}) {
      wait(ns(1));
      e->notify();
    }
  });
  sc_start();
}

PROGRAM(wait_zero_time) {
  for (int i = 0; i < 2; i++)
    thread(("t" + std::to_string(i)).c_str(), [i] {
      for (int k = 0; k < 3; k++) {
        say("thread ", i, " step ", k);
        wait(SC_ZERO_TIME);
      }
    });
  sc_start();
}

PROGRAM(wait_time_order) {
  int i = 0;
  for (int delay : {5, 3, 5, 1, 3, 5, 2, 1}) {
    thread(("t" + std::to_string(i)).c_str(), [i, delay] {
      for (int k = 0; k < 3; k++) {
        wait(ns(delay));
        say("thread ", i);
      }
    });
    i++;
  }
  sc_start();
}

PROGRAM(wait_or) {
  sc_event a("a"), b("b"), c("c");
  thread("t", [&] {
    for (int k = 0; k < 4; k++) {
      wait(a | b | c);
      say("woken a ", a.triggered(), " b ", b.triggered(), " c ", c.triggered());
    }
  });
  thread("driver", [&] {
    for (sc_event* e : {&b, &a, &c}) {
      wait(ns(1));
      e->notify(SC_ZERO_TIME);
    }
    wait(ns(1));
    a.notify(SC_ZERO_TIME);
    c.notify(SC_ZERO_TIME);
    wait(ns(1));
  });
  sc_start();
}

PROGRAM(wait_and) {
  sc_event a("a"), b("b"), c("c");
  thread("t", [&] {
    for (int k = 0; k < 2; k++) {
      wait(a & b & c);
      say("all");
    }
  });
  thread("driver", [&] {
    for (sc_event* e : {&b, &b, &a, &c, &c, &a, &b}) {
      wait(ns(1));
      say("notify ", e->basename());
      e->notify();
    }
  });
  sc_start();
}

PROGRAM(wait_event_or_timeout) {
  sc_event e("e");
  thread("t", [&] {
    for (int k = 0; k < 4; k++) {
      wait(ns(5), e);
      say("woken ", k, " by event ", e.triggered());
    }
  });
  thread("driver", [&] {
    wait(ns(3));
    e.notify();
    wait(ns(11));
    e.notify(SC_ZERO_TIME);
  });
  sc_start();
}

PROGRAM(wait_or_timeout) {
  sc_event a("a"), b("b");
  sc_event_or_list list = a | b;
  thread("t", [&] {
    for (int k = 0; k < 5; k++) {
      wait(ns(5), list);
      say("woken ", k, " a ", a.triggered(), " b ", b.triggered());
    }
  });
  thread("driver", [&] {
    wait(ns(2));
    b.notify();
    wait(ns(9));
    a.notify();
    wait(ns(4));
    a.notify();
    b.notify();
  });
  sc_start();
}

PROGRAM(wait_and_timeout) {
  sc_event a("a"), b("b");
  sc_event_and_list list = a & b;
  thread("t", [&] {
    for (int k = 0; k < 4; k++) {
      wait(ns(5), list);
      say("woken ", k);
    }
  });
  thread("driver", [&] {
    wait(ns(1));
    a.notify();
    wait(ns(1));
    b.notify();
    wait(ns(1));
    a.notify();
    wait(ns(10));
    b.notify();
  });
  sc_start();
}

PROGRAM(wait_timeout_meets_event) {
  sc_event e("e"), f("f");
  thread("t", [&] {
    wait(ns(5), e);
    say("first, by event ", e.triggered());
    wait(ns(5), e);
    say("second, by event ", e.triggered());
    wait(ns(5), e | f);
    say("third, e ", e.triggered(), " f ", f.triggered());
  });
  thread("u", [&] {
    e.notify(ns(5));
    wait(ns(6));
    e.notify(ns(4));
    f.notify(ns(9));
  });
  sc_start();
}

PROGRAM(wait_list_reused) {
  sc_event all[3];
  sc_event_or_list list;
  for (auto& e : all) list |= e;
  for (int i = 0; i < 2; i++)
    thread(("t" + std::to_string(i)).c_str(), [&list, i] {
      for (int k = 0; k < 3; k++) {
        wait(list);
        say("thread ", i, " woken ", k);
      }
    });
  thread("driver", [&] {
    for (auto& e : all) {
      wait(ns(1));
      e.notify();
    }
  });
  sc_start();
  say("size ", list.size());
}

PROGRAM(next_trigger_event) {
  sc_event s("s"), d("d");
  int runs = 0;
  method("m", [&] {
    say("run ", runs);
    if (runs++ == 1) next_trigger(d);
  }, {&s});
  thread("driver", [&] {
    for (sc_event* e : {&s, &s, &d, &d, &s}) {
      wait(ns(1));
      say("notify ", e->basename());
      e->notify();
    }
  });
  sc_start();
}

PROGRAM(next_trigger_forms) {
  sc_event a("a"), b("b");
  sc_event_or_list either = a | b;
  sc_event_and_list both = a & b;
  int runs = 0;
  method("m", [&] {
    say("run ", runs);
    switch (runs++) {
      case 0: next_trigger(ns(2)); break;
      case 1: next_trigger(either); break;
      case 2: next_trigger(both); break;
      case 3: next_trigger(ns(4), a); break;
      case 4: next_trigger(ns(4), either); break;
      case 5: next_trigger(ns(4), both); break;
      case 6: next_trigger(ns(100)); next_trigger(ns(1)); break;
      case 7: next_trigger(ns(1)); next_trigger(a); break;
      case 8: next_trigger(SC_ZERO_TIME); break;
    }
  });
  thread("driver", [&] {
    for (int k = 0; k < 12; k++) {
      wait(ns(3));
      (k % 3 == 0 ? b : a).notify();
      say("notify ", k % 3 == 0 ? "b" : "a");
    }
  });
  sc_start();
}

PROGRAM(next_trigger_static) {
  sc_event s("s"), d("d");
  method("m", [&] {
    say("run");
    next_trigger(d);
    next_trigger();
  }, {&s}, false);
  thread("driver", [&] {
    for (sc_event* e : {&d, &s, &d, &s}) {
      wait(ns(1));
      e->notify();
    }
  });
  sc_start();
}

PROGRAM(wait_in_method) {
  method("m", [&] {
    say("before");
    wait(ns(1));
  });
  sc_start();
}

PROGRAM(next_trigger_in_thread) {
  thread("t", [&] {
    wait(ns(1));
    say("before");
    next_trigger(ns(1));
  });
  sc_start();
}

PROGRAM(wait_no_cycles) {
  sc_event e("e");
  thread("t", [&] {
    say("before");
    wait(0);
  }, {&e});
  sc_start();
}

PROGRAM(wait_empty_list) {
  thread("t", [&] {
    say("before");
    sc_event_or_list none;
    wait(none);
  });
  sc_start();
}
