// Pairs on events; the TypeScript twin is events.ts.
#include "../native/pairs.h"

PROGRAM(event_delta_and_timed) {
  sc_event e("e");
  sc_spawn([&] { for (;;) { wait(e); say("woken"); } }, "waiter");
  sc_spawn([&] {
    say("notify delta");
    e.notify(SC_ZERO_TIME);
    wait(ns(5));
    say("notify timed");
    e.notify(ns(3));
    wait(ns(10));
  }, "notifier");
  sc_start();
  say("end");
}

PROGRAM(event_immediate) {
  sc_event e("e");
  sc_spawn([&] { say("early waits"); wait(e); say("early woken"); }, "early");
  sc_spawn([&] {
    say("notify");
    e.notify();
    say("notified");
    wait(ns(1));
    e.notify();
  }, "notifier");
  sc_spawn([&] { say("late waits"); wait(e); say("late woken"); }, "late");
  sc_start();
}

PROGRAM(event_override) {
  sc_event e("e");
  sc_spawn([&] { for (int i = 0; i < 4; i++) { wait(e); say("woken ", i); } }, "waiter");
  sc_spawn([&] {
    e.notify(ns(10));
    e.notify(ns(4));
    wait(ns(20));
    e.notify(ns(4));
    e.notify(ns(10));
    wait(ns(20));
    e.notify(ns(4));
    e.notify(SC_ZERO_TIME);
    wait(ns(20));
    e.notify(SC_ZERO_TIME);
    e.notify(ns(4));
    e.notify(SC_ZERO_TIME);
    wait(ns(20));
  }, "notifier");
  sc_start();
}

PROGRAM(event_cancel) {
  sc_event e("e");
  sc_spawn([&] { for (;;) { wait(e); say("woken"); } }, "waiter");
  sc_spawn([&] {
    wait(ns(1));
    e.notify(SC_ZERO_TIME);
    e.cancel();
    wait(ns(1));
    e.notify(ns(3));
    e.cancel();
    wait(ns(10));
    e.notify();
    e.cancel();
    wait(ns(1));
    e.notify(ns(2));
    wait(ns(1));
    e.cancel();
    e.notify(ns(5));
    wait(ns(9));
  }, "notifier");
  sc_start();
}

PROGRAM(event_immediate_cancels_pending) {
  sc_event e("e");
  sc_spawn([&] { for (;;) { wait(e); say("woken"); } }, "waiter");
  sc_spawn([&] {
    wait(ns(1));
    e.notify(SC_ZERO_TIME);
    e.notify();
    wait(ns(1));
    e.notify(ns(5));
    e.notify();
    wait(ns(20));
    say("end");
  }, "notifier");
  sc_start();
}

PROGRAM(event_same_time_order) {
  sc_event all[6];
  for (int i = 0; i < 6; i++) {
    sc_event& e = all[i];
    sc_spawn([&e, i] { for (;;) { wait(e); say("woken ", i); } }, ("w" + std::to_string(i)).c_str());
  }
  sc_spawn([&] {
    for (auto& e : all) e.notify(ns(3));
    wait(ns(5));
    for (auto& e : all) e.notify(SC_ZERO_TIME);
    wait(ns(5));
    for (auto& e : all) e.notify();
    wait(ns(5));
    for (int i : {3, 1, 5, 0, 4, 2}) all[i].notify(ns(7 - i));
    wait(ns(20));
  }, "notifier");
  sc_start();
}

PROGRAM(event_waiter_order) {
  sc_event e("e");
  for (int i = 0; i < 3; i++) {
    std::string n = std::to_string(i);
    sc_spawn_options sm, st, dm;
    sm.spawn_method();
    sm.dont_initialize();
    sm.set_sensitivity(&e);
    sc_spawn([i] { say("static method ", i); }, ("sm" + n).c_str(), &sm);
    st.set_sensitivity(&e);
    sc_spawn([i] { for (;;) { wait(); say("static thread ", i); } }, ("st" + n).c_str(), &st);
    sc_spawn([&e, i] { for (;;) { wait(e); say("dynamic thread ", i); } }, ("dt" + n).c_str());
    dm.spawn_method();
    sc_spawn([&e, i] { say("dynamic method ", i); next_trigger(e); }, ("dm" + n).c_str(), &dm);
  }
  sc_spawn([&] {
    for (int i = 0; i < 2; i++) {
      wait(ns(1));
      say("notify");
      e.notify();
    }
    wait(ns(1));
    e.notify(SC_ZERO_TIME);
  }, "notifier");
  sc_start();
}

PROGRAM(event_self_notification) {
  sc_event e("e");
  int runs = 0;
  sc_spawn_options m;
  m.spawn_method();
  m.set_sensitivity(&e);
  sc_spawn([&] { say("method"); if (runs++ < 2) e.notify(); }, "m", &m);
  sc_spawn([&] { wait(ns(1)); e.notify(); }, "t");
  sc_start();
  say("end");
}

PROGRAM(event_immediate_before_start) {
  sc_event e("e");
  say("notify");
  e.notify();
}

PROGRAM(event_notified_before_start) {
  sc_event e("e"), f("f");
  e.notify(SC_ZERO_TIME);
  f.notify(ns(2));
  sc_spawn_options m;
  m.spawn_method();
  m.dont_initialize();
  m.set_sensitivity(&e);
  sc_spawn([&] { say("method on e"); }, "m", &m);
  sc_spawn([&] { say("thread starts"); wait(e | f); say("thread woken"); }, "t");
  sc_start();
}

PROGRAM(event_triggered) {
  sc_event e("e"), f("f");
  sc_spawn([&] {
    for (int i = 0; i < 3; i++) {
      wait(e | f);
      say("e ", e.triggered(), " f ", f.triggered());
      wait(SC_ZERO_TIME);
      say("then e ", e.triggered(), " f ", f.triggered());
    }
  }, "waiter");
  sc_spawn([&] {
    e.notify(ns(1));
    f.notify(ns(2));
    wait(ns(3));
    e.notify(SC_ZERO_TIME);
    f.notify(SC_ZERO_TIME);
  }, "notifier");
  sc_start();
}
