/** Pairs on clocks, clocked threads and resets. The C++ twin is clocks.cpp. */
import { Clock, In, Module, ns, ps, seconds, Signal, spawn, wait, ZERO_TIME } from "../../../sim/systemc/index.js";
import type { ThreadBody } from "../../../sim/systemc/index.js";
import { method, thread, type Program, type Say } from "./program.js";

class Clocked extends Module {
  readonly clk = new In<boolean>(this, "clk");
  readonly rst = new In<boolean>(this, "rst");
  run(body: ThreadBody, reset: "sync" | "async" | "none", level = true): this {
    const process = this.cthread(body, this.clk.pos(), "run");
    if (reset === "sync") process.resetSignalIs(this.rst, level);
    if (reset === "async") process.asyncResetSignalIs(this.rst, level);
    return this;
  }
}

/** A counter with a two-clock step; writes what it does. */
function counter(say: Say): ThreadBody {
  return function* () {
    let count = 0;
    say("reset state");
    yield wait();
    for (;;) {
      say("count ", count);
      count++;
      yield wait(2);
    }
  };
}

function resetCase(reset: "sync" | "async", level: boolean, initially: boolean): Program {
  return (sim, say) => {
    const clk = new Clock(sim, "clk", { period: ns(10) });
    const rst = new Signal(sim, "rst", initially === level);
    const module = new Clocked(sim, "m");
    module.run(counter(say), reset, level);
    module.clk.bind(clk);
    module.rst.bind(rst);
    thread("driver", function* () {
      yield wait(ns(33));
      say("release");
      rst.write(!level);
      yield wait(ns(41));
      say("assert");
      rst.write(level);
      yield wait(ns(1));
      say("release");
      rst.write(!level);
      yield wait(ns(21));
      say("assert");
      rst.write(level);
      yield wait(ns(20));
      say("release");
      rst.write(!level);
      yield wait(ns(30));
    });
    sim.start(ns(160));
  };
}

export const clocks: Record<string, Program> = {
  /** Period, duty cycle, start and first edge. */
  clock_shapes(sim, say) {
    const shapes = [
      new Clock(sim, "plain", { period: ns(10) }),
      new Clock(sim, "short", { period: ns(10), dutyCycle: 0.3 }),
      new Clock(sim, "late", { period: ns(10), dutyCycle: 0.5, start: ns(3) }),
      new Clock(sim, "falling", { period: ns(10), dutyCycle: 0.2, start: ns(1), posedgeFirst: false }),
    ];
    for (const clock of shapes) {
      method(`m_${clock.basename}`, () => say(clock.basename, " ", clock.read()), [clock.valueChangedEvent]);
    }
    sim.start(ns(25));
  },

  /** A period that the resolution does not divide by two. */
  clock_odd_period(sim, say) {
    const clock = new Clock(sim, "clk", { period: ps(7), dutyCycle: 0.5 });
    method("m", () => say("clk ", clock.read()), [clock.valueChangedEvent]);
    sim.start(ps(30));
  },

  /** The default clock. */
  clock_default(sim, say) {
    const clock = new Clock(sim, "clk");
    say(
      clock.name,
      " period ",
      clock.period,
      " duty ",
      clock.dutyCycle,
      " start ",
      clock.start,
      " ",
      clock.posedgeFirst,
    );
    method("m", () => say("rise"), [clock.posedgeEvent], false);
    sim.start(ns(3));
  },

  /** Methods and threads on both edges; a thread that counts clocks. */
  clock_processes(sim, say) {
    const clock = new Clock(sim, "clk", { period: ns(4) });
    method("pos", () => say("pos"), [clock.posedgeEvent], false);
    method("neg", () => say("neg"), [clock.negedgeEvent], false);
    thread(
      "t",
      function* () {
        for (;;) {
          yield wait(2);
          say("every second");
        }
      },
      [clock.posedgeEvent],
    );
    sim.start(ns(15));
  },

  /** Two clocks whose edges meet. */
  clock_two(sim, say) {
    const [a, b] = [new Clock(sim, "a", { period: ns(4) }), new Clock(sim, "b", { period: ns(6) })];
    method("ma", () => say("a ", b.read()), [a.posedgeEvent], false);
    method("mb", () => say("b ", a.read()), [b.posedgeEvent], false);
    sim.start(ns(26));
  },

  /** A clock cannot be written. */
  clock_write(sim, say) {
    const clock = new Clock(sim, "clk", { period: ns(4) });
    thread("t", function* () {
      yield wait(ns(1));
      say("write");
      clock.write(true);
    });
    sim.start(ns(10));
  },

  /** A clock has a period. */
  clock_no_period(sim, say) {
    say("before");
    new Clock(sim, "clk", { period: ZERO_TIME });
  },

  /** A clock too fast for the resolution has no low time. */
  clock_no_low_time(sim, say) {
    say("before");
    new Clock(sim, "clk", { period: ps(1), dutyCycle: 0.5 });
  },

  /** A clocked thread does not run before the first edge; registered outputs change one delta after it. */
  cthread_pipeline(sim, say) {
    const clk = new Clock(sim, "clk", { period: ns(10) });
    const [a, b] = [new Signal(sim, "a", 0), new Signal(sim, "b", 0)];
    const [first, second] = [new Clocked(sim, "first"), new Clocked(sim, "second")];
    const idle = new Signal(sim, "idle", false);
    for (const module of [first, second]) {
      module.clk.bind(clk);
      module.rst.bind(idle);
    }
    first.run(function* () {
      for (let k = 1; ; k++) {
        a.write(k);
        yield wait();
      }
    }, "none");
    second.run(function* () {
      for (;;) {
        b.write(a.read());
        say("a ", a.read(), " b ", b.read());
        yield;
      }
    }, "none");
    sim.start(ns(45));
  },

  /** Synchronous reset: seen at clock edges only. */
  reset_sync: resetCase("sync", true, true),
  reset_sync_low: resetCase("sync", false, true),
  reset_sync_not_at_start: resetCase("sync", true, false),
  /** Asynchronous reset: seen at once. */
  reset_async: resetCase("async", true, true),
  reset_async_low: resetCase("async", false, true),
  reset_async_not_at_start: resetCase("async", true, false),

  /** Two resets of one thread, one of each kind. */
  reset_both_kinds(sim, say) {
    const clk = new Clock(sim, "clk", { period: ns(10) });
    const [sync, async] = [new Signal(sim, "sync", false), new Signal(sim, "async", false)];
    spawn(counter(say), "t", {
      sensitive: [clk.posedgeEvent],
      resetSignals: [
        { signal: sync, level: true },
        { signal: async, level: true, async: true },
      ],
    });
    thread("driver", function* () {
      for (const [what, signal, value, delay] of [
        ["sync on", sync, true, 24],
        ["async on", async, true, 12],
        ["sync off", sync, false, 12],
        ["async off", async, false, 12],
        ["both on", sync, true, 22],
        ["both on", async, true, 0],
        ["both off", async, false, 22],
        ["both off", sync, false, 0],
      ] as const) {
        yield wait(ns(delay));
        say(what);
        signal.write(value);
      }
      yield wait(ns(30));
    });
    sim.start(ns(150));
  },

  /** A method can have a reset, too: it runs when the reset is asserted. */
  reset_method(sim, say) {
    const clk = new Clock(sim, "clk", { period: ns(10) });
    const rst = new Signal(sim, "rst", false);
    for (const async of [false, true]) {
      spawn(() => say(async ? "async" : "sync", " method, reset ", rst.read()), async ? "ma" : "ms", {
        method: true,
        dontInitialize: true,
        sensitive: [clk.posedgeEvent],
        resetSignals: [{ signal: rst, level: true, async }],
      });
    }
    thread("driver", function* () {
      yield wait(ns(14));
      rst.write(true);
      yield wait(ns(20));
      rst.write(false);
      yield wait(ns(10));
    });
    sim.start(ns(50));
  },

  /** The end of a wait(n) that a reset cuts short. */
  reset_during_wait_n(sim, say) {
    const clk = new Clock(sim, "clk", { period: ns(2) });
    const rst = new Signal(sim, "rst", false);
    spawn(
      function* () {
        say("begin");
        yield wait(5);
        say("after five");
        yield wait(5);
        say("after ten");
      },
      "t",
      { sensitive: [clk.posedgeEvent], resetSignals: [{ signal: rst, level: true }] },
    );
    thread("driver", function* () {
      yield wait(ns(5));
      rst.write(true);
      yield wait(ns(1));
      rst.write(false);
      yield wait(ns(13));
      rst.write(true);
      yield wait(ns(2));
      rst.write(false);
      yield wait(ns(30));
    });
    sim.start(ns(60));
    say(sim.timeStamp.toSeconds() < seconds(1).toSeconds());
  },
};
