// Pairs on process control and spawned processes; the TypeScript twin is control.ts.
#include <functional>
#include <vector>

#include "../native/pairs.h"

namespace {
struct OneThread : sc_module {
  SC_CTOR(OneThread) {
    SC_THREAD(run);
    SC_THREAD(other);
    dont_initialize();
    SC_METHOD(react);
    dont_initialize();
    say("constructed");
  }
  void run() {}
  void other() {}
  void react() {}
};

struct Cleanup {
  std::function<void()> f;
  ~Cleanup() { f(); }
};

struct Timed { double delay; const char* what; std::function<void()> action; };
typedef std::function<std::vector<Timed>(sc_process_handle)> TimedActions;

void ticking(TimedActions actions) {
  sc_process_handle t = thread("ticker", [] {
    int n = 0;
    Cleanup cleanup{[&n] { say("cleanup ", n); }};
    say("begin");
    for (;;) {
      wait(ns(1));
      say("tick ", n++);
    }
  });
  thread("controller", [t, actions] {
    wait(ns(0.5));
    for (const Timed& step : actions(t)) {
      wait(ns(step.delay));
      say(step.what);
      step.action();
      say("done, terminated ", t.terminated());
    }
  });
  sc_start(ns(12));
}

struct Step { const char* what; std::function<void()> action; };
typedef std::function<std::vector<Step>(sc_process_handle)> Actions;
void nothing() {}

void listening(Actions actions) {
  sc_event e("e");
  sc_process_handle t = thread("listener", [&] {
    for (;;) {
      wait(e);
      say("heard");
    }
  });
  sc_process_handle m = method("reader", [] { say("method heard"); }, {&e}, false);
  thread("controller", [&] {
    for (const Step& step : actions(t)) {
      wait(ns(1));
      say(step.what);
      if (std::string(step.what) == "notify") e.notify();
      else step.action();
    }
    for (const Step& step : actions(m)) {
      wait(ns(1));
      say("method ", step.what);
      if (std::string(step.what) == "notify") e.notify();
      else step.action();
    }
    wait(ns(1));
  });
  sc_start();
}
}  // namespace

PROGRAM(control_suspend_resume) {
  listening([](sc_process_handle p) {
    auto suspend = [p]() mutable { p.suspend(); };
    auto resume = [p]() mutable { p.resume(); };
    return std::vector<Step>{{"notify", nothing}, {"suspend", suspend}, {"notify", nothing}, {"notify", nothing},
                             {"resume", resume}, {"suspend", suspend}, {"resume", resume}, {"notify", nothing}};
  });
}

PROGRAM(control_disable_enable) {
  listening([](sc_process_handle p) {
    return std::vector<Step>{{"notify", nothing}, {"disable", [p]() mutable { p.disable(); }}, {"notify", nothing},
                             {"enable", [p]() mutable { p.enable(); }}, {"notify", nothing}};
  });
}

PROGRAM(control_suspend_timed) {
  ticking([](sc_process_handle t) {
    auto suspend = [t]() mutable { t.suspend(); };
    auto resume = [t]() mutable { t.resume(); };
    return std::vector<Timed>{{2, "suspend", suspend}, {3, "resume", resume}, {2, "suspend", suspend},
                              {0.2, "resume", resume}};
  });
}

PROGRAM(control_suspend_self) {
  sc_process_handle t = thread("t", [] {
    for (int k = 0; k < 3; k++) {
      say("before ", k);
      sc_get_current_process_handle().suspend();
      say("after ", k);
      wait(ns(1));
    }
  });
  thread("controller", [&] {
    for (int k = 0; k < 3; k++) {
      wait(ns(4));
      say("resume");
      t.resume();
    }
  });
  sc_start();
}

PROGRAM(control_kill) {
  ticking([](sc_process_handle t) {
    auto kill = [t]() mutable { t.kill(); };
    return std::vector<Timed>{{3, "kill", kill}, {1, "kill again", kill}};
  });
}

PROGRAM(control_kill_self) {
  sc_process_handle t = thread("t", [] {
    Cleanup cleanup{[] { say("cleanup"); }};
    wait(ns(1));
    say("kill");
    sc_get_current_process_handle().kill();
    say("not reached");
  });
  method("m", [] {
    say("method");
    next_trigger(ns(1));
    if (sc_time_stamp() > SC_ZERO_TIME) {
      sc_get_current_process_handle().kill();
      say("not reached");
    }
  });
  thread("watch", [&] {
    wait(t.terminated_event());
    say("terminated ", t.terminated());
  });
  sc_start();
}

PROGRAM(control_kill_method) {
  sc_event e("e");
  sc_process_handle m = method("m", [] { say("method"); }, {&e});
  thread("t", [&] {
    wait(ns(1));
    e.notify();
    wait(ns(1));
    e.notify();
    m.kill();
    say("killed ", m.terminated());
    wait(ns(1));
    e.notify();
    wait(ns(1));
  });
  sc_start();
}

PROGRAM(control_kill_by_method) {
  sc_event never("never");
  sc_process_handle t = thread("victim", [] {
    Cleanup cleanup{[] { say("cleanup"); }};
    for (;;) wait(ns(1));
  });
  sc_process_handle late = thread("late", [] { say("not reached"); }, {&never}, false);
  method("m", [&] {
    if (sc_time_stamp() == SC_ZERO_TIME) next_trigger(ns(2.5));
    else {
      say("kill");
      t.kill();
      late.kill();
      say("done ", t.terminated(), " ", late.terminated());
    }
  });
  sc_start(ns(5));
}

PROGRAM(control_reset) {
  ticking([](sc_process_handle t) {
    auto reset = [t]() mutable { t.reset(); };
    return std::vector<Timed>{{3, "reset", reset}, {2, "reset", reset}};
  });
}

PROGRAM(control_reset_method) {
  sc_process_handle m = method("m", [] {
    say("method");
    next_trigger(ns(3));
  });
  thread("t", [&] {
    wait(ns(1));
    say("reset");
    m.reset();
    say("done");
    wait(ns(5));
  });
  sc_start(ns(10));
}

PROGRAM(control_sync_reset) {
  ticking([](sc_process_handle t) {
    return std::vector<Timed>{{3, "on", [t]() mutable { t.sync_reset_on(); }},
                              {3, "off", [t]() mutable { t.sync_reset_off(); }}};
  });
}

PROGRAM(control_throw_it) {
  sc_process_handle t = thread("t", [] {
    for (;;) {
      try {
        wait(ns(10));
        say("no throw");
      } catch (int error) {
        say("caught ", error);
      }
    }
  });
  thread("controller", [&] {
    wait(ns(3));
    t.throw_it(17);
    say("thrown");
    wait(ns(12));
    t.throw_it(18);
    say("thrown");
  });
  sc_start(ns(30));
}

PROGRAM(control_throw_uncaught) {
  sc_process_handle t = thread("t", [] { wait(ns(10)); });
  thread("controller", [&] {
    wait(ns(3));
    const char* boom = "boom";
    t.throw_it(boom);
    say("not reached");
  });
  sc_start(ns(30));
}

PROGRAM(control_uncaught) {
  thread("t", [] {
    wait(ns(1));
    say("throw");
    throw std::runtime_error("broken");
  });
  thread("u", [] {
    wait(ns(1));
    say("still here");
  });
  sc_start(ns(30));
}

PROGRAM(control_events) {
  sc_process_handle t = thread("t", [] {
    say("begin");
    wait(ns(2));
    say("end");
  });
  thread("watch_end", [&] {
    wait(t.terminated_event());
    say("seen to end");
  });
  thread("watch_reset", [&] {
    for (;;) {
      wait(t.reset_event());
      say("seen to be reset");
    }
  });
  thread("controller", [&] {
    wait(ns(1));
    t.reset();
    wait(ns(5));
  });
  sc_start();
}

PROGRAM(spawn_dynamic) {
  sc_event e("e");
  thread("parent", [&] {
    for (int i = 0; i < 3; i++) {
      sc_process_handle child = thread(("child" + std::to_string(i)).c_str(), [i] {
        say("child ", i, " begins");
        wait(ns(2));
        say("child ", i, " ends, ", sc_get_current_process_handle().name());
      });
      say("spawned ", child.name(), " dynamic ", child.dynamic());
      wait(ns(1));
    }
    method("m1", [] { say("method once"); });
    method("m2", [] { say("method on event"); }, {&e}, false);
    e.notify(ns(1));
    wait(ns(3));
  });
  sc_start();
}

PROGRAM(spawn_join) {
  thread("parent", [] {
    std::vector<sc_process_handle> children;
    int i = 0;
    for (int delay : {3, 1, 2}) {
      children.push_back(thread(("child" + std::to_string(i)).c_str(), [i, delay] {
        wait(ns(delay));
        say("child ", i);
      }));
      i++;
    }
    wait(children[0].terminated_event() & children[1].terminated_event() & children[2].terminated_event());
    say("all ended");
  });
  sc_start();
}

PROGRAM(control_descendants) {
  sc_process_handle parent = thread("parent", [] {
    for (int i = 0; i < 2; i++)
      thread(("child" + std::to_string(i)).c_str(), [i] {
        Cleanup cleanup{[i] { say("child ", i, " cleanup"); }};
        for (;;) {
          wait(ns(2));
          say("child ", i);
        }
      });
    Cleanup cleanup{[] { say("parent cleanup"); }};
    for (;;) {
      wait(ns(2));
      say("parent");
    }
  });
  thread("controller", [&] {
    wait(ns(3));
    say("suspend");
    parent.suspend(SC_INCLUDE_DESCENDANTS);
    wait(ns(4));
    say("resume");
    parent.resume(SC_INCLUDE_DESCENDANTS);
    wait(ns(4));
    say("kill");
    parent.kill(SC_INCLUDE_DESCENDANTS);
  });
  sc_start(ns(20));
}

PROGRAM(control_corner_suspend_reset) {
  sc_signal<bool> rst("rst");
  sc_spawn_options options;
  options.reset_signal_is(rst, true);
  sc_process_handle t = sc_spawn([] { wait(ns(10)); }, "t", &options);
  thread("controller", [&] {
    wait(ns(1));
    say("suspend");
    t.suspend();
  });
  sc_start();
}

PROGRAM(control_corner_disable_timeout) {
  sc_process_handle t = thread("t", [] { wait(ns(10)); });
  thread("controller", [&] {
    wait(ns(1));
    say("disable");
    t.disable();
  });
  sc_start();
}

PROGRAM(control_kill_before_start) {
  sc_process_handle t = thread("t", [] { wait(ns(10)); });
  say("kill");
  t.kill();
}

PROGRAM(control_reset_before_start) {
  sc_process_handle t = thread("t", [] { wait(ns(10)); });
  say("reset");
  t.reset();
}

PROGRAM(control_before_start) {
  sc_event never("never");
  sc_process_handle a = thread("a", [] {
    say("a runs");
    wait(ns(1));
    say("a again");
  });
  sc_process_handle b = method("b", [] { say("b runs"); }, {&never});
  a.suspend();
  b.disable();
  thread("controller", [&] {
    wait(ns(2));
    say("resume");
    a.resume();
    wait(ns(2));
    say("enable");
    b.enable();
    wait(ns(1));
  });
  sc_start();
}

PROGRAM(control_wait_while_unwinding) {
  sc_process_handle t = thread("t", [] {
    try {
      wait(ns(10));
    } catch (const sc_unwind_exception&) {
      say("unwinding ", sc_get_current_process_handle().is_unwinding());
      wait(SC_ZERO_TIME);
      throw;
    }
  });
  thread("controller", [&] {
    wait(ns(1));
    t.kill();
    say("not reached");
  });
  sc_start();
}

PROGRAM(control_orphans) {
  OneThread top("top");
  sc_start();
  say("end");
}
