/** Pairs on process control and spawned processes. The C++ twin is control.cpp. */
import { Event, Module, ns, Signal, spawn, Unwind, wait, ZERO_TIME } from "../../../sim/systemc/index.js";
import { currentProcess, nextTrigger, type Parent, type Simulation } from "../../../sim/systemc/index.js";
import { method, thread, type Program, type Say } from "./program.js";

class OneThread extends Module {
  constructor(parent: Parent, say: Say) {
    super(parent, "top");
    this.thread(this.run);
    this.thread(this.other).dontInitialize();
    this.method(this.react).dontInitialize();
    say("constructed");
  }
  private *run(): Generator<never, void, void> {
    // Ends at once.
  }
  private *other(): Generator<never, void, void> {
    // Never runs.
  }
  private react(): void {
    // Never runs.
  }
}

/** A thread that ticks every nanosecond, and one that does `actions`, each at its time. */
function ticking(
  sim: Simulation,
  say: Say,
  actions: (t: ReturnType<typeof thread>) => [number, string, () => void][],
): void {
  const t = thread("ticker", function* () {
    let n = 0;
    try {
      say("begin");
      for (;;) {
        yield wait(ns(1));
        say("tick ", n++);
      }
    } finally {
      say("cleanup ", n);
    }
  });
  thread("controller", function* () {
    yield wait(ns(0.5));
    for (const [delay, what, action] of actions(t)) {
      yield wait(ns(delay));
      say(what);
      action();
      say("done, terminated ", t.terminated);
    }
  });
  sim.start(ns(12));
}

/** The same for a process that waits for an event. */
function listening(sim: Simulation, say: Say, actions: (t: ReturnType<typeof thread>) => [string, () => void][]): void {
  const e = new Event(sim, "e");
  const t = thread("listener", function* () {
    for (;;) {
      yield wait(e);
      say("heard");
    }
  });
  const m = method("reader", () => say("method heard"), [e], false);
  thread("controller", function* () {
    for (const [what, action] of actions(t)) {
      yield wait(ns(1));
      say(what);
      if (what === "notify") e.notify();
      else action();
    }
    for (const [what, action] of actions(m)) {
      yield wait(ns(1));
      say("method ", what);
      if (what === "notify") e.notify();
      else action();
    }
    yield wait(ns(1));
  });
  sim.start();
}

export const control: Record<string, Program> = {
  /** A suspended process does not run; it runs on resume if it was triggered meanwhile. */
  control_suspend_resume(sim, say) {
    listening(sim, say, (p) => [
      ["notify", () => undefined],
      ["suspend", () => void p.suspend()],
      ["notify", () => undefined],
      ["notify", () => undefined],
      ["resume", () => p.resume()],
      ["suspend", () => void p.suspend()],
      ["resume", () => p.resume()],
      ["notify", () => undefined],
    ]);
  },

  /** A disabled process ignores its triggers. */
  control_disable_enable(sim, say) {
    listening(sim, say, (p) => [
      ["notify", () => undefined],
      ["disable", () => p.disable()],
      ["notify", () => undefined],
      ["enable", () => p.enable()],
      ["notify", () => undefined],
    ]);
  },

  /** A timed wait goes on while the process is suspended. */
  control_suspend_timed(sim, say) {
    ticking(sim, say, (t) => [
      [2, "suspend", () => void t.suspend()],
      [3, "resume", () => t.resume()],
      [2, "suspend", () => void t.suspend()],
      [0.2, "resume", () => t.resume()],
    ]);
  },

  /** A thread may suspend itself. */
  control_suspend_self(sim, say) {
    const t = thread("t", function* () {
      for (let k = 0; k < 3; k++) {
        say("before ", k);
        yield currentProcess()!.suspend();
        say("after ", k);
        yield wait(ns(1));
      }
    });
    thread("controller", function* () {
      for (let k = 0; k < 3; k++) {
        yield wait(ns(4));
        say("resume");
        t.resume();
      }
    });
    sim.start();
  },

  /** kill() unwinds a thread at once, inside the call. */
  control_kill(sim, say) {
    ticking(sim, say, (t) => [
      [3, "kill", () => t.kill()],
      [1, "kill again", () => t.kill()],
    ]);
  },

  /** A process may kill itself. */
  control_kill_self(sim, say) {
    const t = thread("t", function* () {
      try {
        yield wait(ns(1));
        say("kill");
        currentProcess()!.kill();
        say("not reached");
      } finally {
        say("cleanup");
      }
    });
    method("m", () => {
      say("method");
      nextTrigger(ns(1));
      if (sim.now > 0) {
        currentProcess()!.kill();
        say("not reached");
      }
    });
    thread("watch", function* () {
      yield wait(t.terminatedEvent);
      say("terminated ", t.terminated);
    });
    sim.start();
  },

  /** A method that is killed does not run again. */
  control_kill_method(sim, say) {
    const e = new Event(sim, "e");
    const m = method("m", () => say("method"), [e]);
    thread("t", function* () {
      yield wait(ns(1));
      e.notify();
      yield wait(ns(1));
      e.notify();
      m.kill();
      say("killed ", m.terminated);
      yield wait(ns(1));
      e.notify();
      yield wait(ns(1));
    });
    sim.start();
  },

  /** A method may kill a thread, and a thread that never ran may be killed. */
  control_kill_by_method(sim, say) {
    const t = thread("victim", function* () {
      try {
        for (;;) yield wait(ns(1));
      } finally {
        say("cleanup");
      }
    });
    const late = thread("late", () => say("not reached"), [new Event(sim, "never")], false);
    method("m", () => {
      if (sim.now === 0) nextTrigger(ns(2.5));
      else {
        say("kill");
        t.kill();
        late.kill();
        say("done ", t.terminated, " ", late.terminated);
      }
    });
    sim.start(ns(5));
  },

  /** reset() starts a thread again, at once. */
  control_reset(sim, say) {
    ticking(sim, say, (t) => [
      [3, "reset", () => t.reset()],
      [2, "reset", () => t.reset()],
    ]);
  },

  /** reset() of a method runs it at once. */
  control_reset_method(sim, say) {
    const m = method("m", () => {
      say("method");
      nextTrigger(ns(3));
    });
    thread("t", function* () {
      yield wait(ns(1));
      say("reset");
      m.reset();
      say("done");
      yield wait(ns(5));
    });
    sim.start(ns(10));
  },

  /** sync_reset_on restarts a thread whenever it would resume. */
  control_sync_reset(sim, say) {
    ticking(sim, say, (t) => [
      [3, "on", () => t.syncResetOn()],
      [3, "off", () => t.syncResetOff()],
    ]);
  },

  /** throw_it throws into a thread where it waits. */
  control_throw_it(sim, say) {
    const t = thread("t", function* () {
      for (;;) {
        try {
          yield wait(ns(10));
          say("no throw");
        } catch (error) {
          if (error instanceof Unwind) throw error;
          say("caught ", String(error));
        }
      }
    });
    thread("controller", function* () {
      yield wait(ns(3));
      t.throwIt(17);
      say("thrown");
      yield wait(ns(12));
      t.throwIt(18);
      say("thrown");
    });
    sim.start(ns(30));
  },

  /** An exception that a thread does not catch ends the simulation. */
  control_throw_uncaught(sim, say) {
    const t = thread("t", function* () {
      yield wait(ns(10));
    });
    thread("controller", function* () {
      yield wait(ns(3));
      t.throwIt("boom");
      say("not reached");
    });
    sim.start(ns(30));
  },

  /** An error in a thread ends the simulation, too. */
  control_uncaught(sim, say) {
    thread("t", function* () {
      yield wait(ns(1));
      say("throw");
      throw new Error("broken");
    });
    thread("u", function* () {
      yield wait(ns(1));
      say("still here");
    });
    sim.start(ns(30));
  },

  /** terminatedEvent and resetEvent. */
  control_events(sim, say) {
    const t = thread("t", function* () {
      say("begin");
      yield wait(ns(2));
      say("end");
    });
    thread("watch_end", function* () {
      yield wait(t.terminatedEvent);
      say("seen to end");
    });
    thread("watch_reset", function* () {
      for (;;) {
        yield wait(t.resetEvent);
        say("seen to be reset");
      }
    });
    thread("controller", function* () {
      yield wait(ns(1));
      t.reset();
      yield wait(ns(5));
    });
    sim.start();
  },

  /** Processes spawned while the simulation runs. */
  spawn_dynamic(sim, say) {
    thread("parent", function* () {
      for (let i = 0; i < 3; i++) {
        const child = spawn(function* () {
          say("child ", i, " begins");
          yield wait(ns(2));
          say("child ", i, " ends, ", currentProcess()!.name);
        }, `child${i}`);
        say("spawned ", child.name, " dynamic ", child.dynamic);
        yield wait(ns(1));
      }
      const e = new Event(sim, "e");
      spawn(() => say("method once"), "m1", { method: true });
      spawn(() => say("method on event"), "m2", { method: true, dontInitialize: true, sensitive: [e] });
      e.notify(ns(1));
      yield wait(ns(3));
    });
    sim.start();
  },

  /** Waiting for the children. */
  spawn_join(sim, say) {
    thread("parent", function* () {
      const children = [3, 1, 2].map((delay, i) =>
        spawn(function* () {
          yield wait(ns(delay));
          say("child ", i);
        }, `child${i}`),
      );
      let all = children[0]!.terminatedEvent.and(children[1]!.terminatedEvent);
      all = all.and(children[2]!.terminatedEvent);
      yield wait(all);
      say("all ended");
    });
    sim.start();
  },

  /** Control of a process and those that it spawned. */
  control_descendants(sim, say) {
    const parent = thread("parent", function* () {
      for (const i of [0, 1]) {
        spawn(function* () {
          try {
            for (;;) {
              yield wait(ns(2));
              say("child ", i);
            }
          } finally {
            say("child ", i, " cleanup");
          }
        }, `child${i}`);
      }
      try {
        for (;;) {
          yield wait(ns(2));
          say("parent");
        }
      } finally {
        say("parent cleanup");
      }
    });
    thread("controller", function* () {
      yield wait(ns(3));
      say("suspend");
      void parent.suspend("include");
      yield wait(ns(4));
      say("resume");
      parent.resume("include");
      yield wait(ns(4));
      say("kill");
      parent.kill("include");
    });
    sim.start(ns(20));
  },

  /** What the standard leaves undefined is an error: suspend with a reset signal, disable with a time-out. */
  control_corner_suspend_reset(sim, say) {
    const rst = new Signal(sim, "rst", false);
    const t = spawn(
      function* () {
        yield wait(ns(10));
      },
      "t",
      { resetSignals: [{ signal: rst, level: true }] },
    );
    thread("controller", function* () {
      yield wait(ns(1));
      say("suspend");
      void t.suspend();
    });
    sim.start();
  },
  control_corner_disable_timeout(sim, say) {
    const t = thread("t", function* () {
      yield wait(ns(10));
    });
    thread("controller", function* () {
      yield wait(ns(1));
      say("disable");
      t.disable();
    });
    sim.start();
  },

  /** Kill and reset before simulation are errors. */
  control_kill_before_start(sim, say) {
    const t = thread("t", function* () {
      yield wait(ns(10));
    });
    say("kill");
    t.kill();
  },
  control_reset_before_start(sim, say) {
    const t = thread("t", function* () {
      yield wait(ns(10));
    });
    say("reset");
    t.reset();
  },

  /** Suspended or disabled before simulation. */
  control_before_start(sim, say) {
    const [a, b] = [
      thread("a", function* () {
        say("a runs");
        yield wait(ns(1));
        say("a again");
      }),
      method("b", () => say("b runs"), [new Event(sim, "never")]),
    ];
    void a.suspend();
    b.disable();
    thread("controller", function* () {
      yield wait(ns(2));
      say("resume");
      a.resume();
      yield wait(ns(2));
      say("enable");
      b.enable();
      yield wait(ns(1));
    });
    sim.start();
  },

  /** A wait while a thread is unwinding is an error. */
  control_wait_while_unwinding(sim, say) {
    const t = thread("t", function* () {
      try {
        yield wait(ns(10));
      } catch (error) {
        say("unwinding ", currentProcess()!.isUnwinding);
        yield wait(ZERO_TIME);
        throw error;
      }
    });
    thread("controller", function* () {
      yield wait(ns(1));
      t.kill();
      say("not reached");
    });
    sim.start();
  },

  /** dont_initialize on a process with no sensitivity leaves an orphan, and a warning. */
  control_orphans(sim, say) {
    new OneThread(sim, say);
    sim.start();
    say("end");
  },
};
