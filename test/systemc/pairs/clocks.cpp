// Pairs on clocks, clocked threads and resets; the TypeScript twin is clocks.ts.
#include <functional>

#include "../native/pairs.h"

namespace {
enum Reset { NONE, SYNC, ASYNC };

struct Clocked : sc_module {
  sc_in<bool> clk, rst;
  std::function<void()> body;
  Clocked(sc_module_name, std::function<void()> body_, Reset reset, bool level = true)
      : clk("clk"), rst("rst"), body(body_) {
    SC_CTHREAD(run, clk.pos());
    if (reset == SYNC) reset_signal_is(rst, level);
    if (reset == ASYNC) async_reset_signal_is(rst, level);
  }
  SC_HAS_PROCESS(Clocked);
  void run() { body(); }
};

void counter() {
  int count = 0;
  say("reset state");
  wait();
  for (;;) {
    say("count ", count);
    count++;
    wait(2);
  }
}

void reset_case(Reset reset, bool level, bool initially) {
  sc_clock clk("clk", ns(10));
  sc_signal<bool> rst("rst", initially == level);
  Clocked module("m", counter, reset, level);
  module.clk(clk);
  module.rst(rst);
  thread("driver", [&] {
    wait(ns(33));
    say("release");
    rst.write(!level);
    wait(ns(41));
    say("assert");
    rst.write(level);
    wait(ns(1));
    say("release");
    rst.write(!level);
    wait(ns(21));
    say("assert");
    rst.write(level);
    wait(ns(20));
    say("release");
    rst.write(!level);
    wait(ns(30));
  });
  sc_start(ns(160));
}
}  // namespace

PROGRAM(clock_shapes) {
  sc_clock plain("plain", ns(10)), narrow("short", ns(10), 0.3), late("late", ns(10), 0.5, ns(3)),
      falling("falling", ns(10), 0.2, ns(1), false);
  for (sc_clock* clock : {&plain, &narrow, &late, &falling})
    method((std::string("m_") + clock->basename()).c_str(), [clock] { say(clock->basename(), " ", clock->read()); },
           {&clock->value_changed_event()});
  sc_start(ns(25));
}

PROGRAM(clock_odd_period) {
  sc_clock clock("clk", ps(7), 0.5);
  method("m", [&] { say("clk ", clock.read()); }, {&clock.value_changed_event()});
  sc_start(ps(30));
}

PROGRAM(clock_default) {
  sc_clock clock("clk");
  say(clock.name(), " period ", clock.period(), " duty ", clock.duty_cycle(), " start ", clock.start_time(), " ",
      clock.posedge_first());
  method("m", [&] { say("rise"); }, {&clock.posedge_event()}, false);
  sc_start(ns(3));
}

PROGRAM(clock_processes) {
  sc_clock clock("clk", ns(4));
  method("pos", [&] { say("pos"); }, {&clock.posedge_event()}, false);
  method("neg", [&] { say("neg"); }, {&clock.negedge_event()}, false);
  thread("t", [&] {
    for (;;) {
      wait(2);
      say("every second");
    }
  }, {&clock.posedge_event()});
  sc_start(ns(15));
}

PROGRAM(clock_two) {
  sc_clock a("a", ns(4)), b("b", ns(6));
  method("ma", [&] { say("a ", b.read()); }, {&a.posedge_event()}, false);
  method("mb", [&] { say("b ", a.read()); }, {&b.posedge_event()}, false);
  sc_start(ns(26));
}

PROGRAM(clock_write) {
  sc_clock clock("clk", ns(4));
  thread("t", [&] {
    wait(ns(1));
    say("write");
    static_cast<sc_signal_inout_if<bool>&>(clock).write(true);
  });
  sc_start(ns(10));
}

PROGRAM(clock_no_period) {
  say("before");
  sc_clock clock("clk", SC_ZERO_TIME);
}

PROGRAM(clock_no_low_time) {
  say("before");
  sc_clock clock("clk", ps(1), 0.5);
}

PROGRAM(cthread_pipeline) {
  sc_clock clk("clk", ns(10));
  sc_signal<int> a("a"), b("b");
  sc_signal<bool> idle("idle");
  Clocked first("first", [&] {
    for (int k = 1;; k++) {
      a.write(k);
      wait();
    }
  }, NONE);
  Clocked second("second", [&] {
    for (;;) {
      b.write(a.read());
      say("a ", a.read(), " b ", b.read());
      wait();
    }
  }, NONE);
  for (Clocked* module : {&first, &second}) {
    module->clk(clk);
    module->rst(idle);
  }
  sc_start(ns(45));
}

PROGRAM(reset_sync) { reset_case(SYNC, true, true); }
PROGRAM(reset_sync_low) { reset_case(SYNC, false, true); }
PROGRAM(reset_sync_not_at_start) { reset_case(SYNC, true, false); }
PROGRAM(reset_async) { reset_case(ASYNC, true, true); }
PROGRAM(reset_async_low) { reset_case(ASYNC, false, true); }
PROGRAM(reset_async_not_at_start) { reset_case(ASYNC, true, false); }

PROGRAM(reset_both_kinds) {
  sc_clock clk("clk", ns(10));
  sc_signal<bool> sync("sync"), async("async");
  sc_spawn_options options;
  options.set_sensitivity(&clk.posedge_event());
  options.reset_signal_is(sync, true);
  options.async_reset_signal_is(async, true);
  sc_spawn(counter, "t", &options);
  thread("driver", [&] {
    struct Step { const char* what; sc_signal<bool>* signal; bool value; int delay; };
    for (const Step& step : {Step{"sync on", &sync, true, 24}, Step{"async on", &async, true, 12},
                             Step{"sync off", &sync, false, 12}, Step{"async off", &async, false, 12},
                             Step{"both on", &sync, true, 22}, Step{"both on", &async, true, 0},
                             Step{"both off", &async, false, 22}, Step{"both off", &sync, false, 0}}) {
      wait(ns(step.delay));
      say(step.what);
      step.signal->write(step.value);
    }
    wait(ns(30));
  });
  sc_start(ns(150));
}

PROGRAM(reset_method) {
  sc_clock clk("clk", ns(10));
  sc_signal<bool> rst("rst");
  for (bool async : {false, true}) {
    sc_spawn_options options;
    options.spawn_method();
    options.dont_initialize();
    options.set_sensitivity(&clk.posedge_event());
    if (async) options.async_reset_signal_is(rst, true);
    else options.reset_signal_is(rst, true);
    sc_spawn([&rst, async] { say(async ? "async" : "sync", " method, reset ", rst.read()); }, async ? "ma" : "ms",
             &options);
  }
  thread("driver", [&] {
    wait(ns(14));
    rst.write(true);
    wait(ns(20));
    rst.write(false);
    wait(ns(10));
  });
  sc_start(ns(50));
}

PROGRAM(reset_during_wait_n) {
  sc_clock clk("clk", ns(2));
  sc_signal<bool> rst("rst");
  sc_spawn_options options;
  options.set_sensitivity(&clk.posedge_event());
  options.reset_signal_is(rst, true);
  sc_spawn([] {
    say("begin");
    wait(5);
    say("after five");
    wait(5);
    say("after ten");
  }, "t", &options);
  thread("driver", [&] {
    wait(ns(5));
    rst.write(true);
    wait(ns(1));
    rst.write(false);
    wait(ns(13));
    rst.write(true);
    wait(ns(2));
    rst.write(false);
    wait(ns(30));
  });
  sc_start(ns(60));
  say(sc_time_stamp().to_seconds() < 1);
}
