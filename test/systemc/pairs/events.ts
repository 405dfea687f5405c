/** Pairs on events: immediate, delta and timed notification, override, cancel. The C++ twin is events.cpp. */
import { Event, nextTrigger, ns, spawn, wait, ZERO_TIME } from "../../../sim/systemc/index.js";
import type { Program } from "./program.js";

export const events: Record<string, Program> = {
  /** A delta notification comes one delta cycle later, a timed one after its time. */
  event_delta_and_timed(sim, say) {
    const e = new Event(sim, "e");
    spawn(function* () {
      for (;;) {
        yield wait(e);
        say("woken");
      }
    }, "waiter");
    spawn(function* () {
      say("notify delta");
      e.notify(ZERO_TIME);
      yield wait(ns(5));
      say("notify timed");
      e.notify(ns(3));
      yield wait(ns(10));
    }, "notifier");
    sim.start();
    say("end");
  },

  /** An immediate notification wakes in the same evaluation phase, and only those who wait already. */
  event_immediate(sim, say) {
    const e = new Event(sim, "e");
    spawn(function* () {
      say("early waits");
      yield wait(e);
      say("early woken");
    }, "early");
    spawn(function* () {
      say("notify");
      e.notify();
      say("notified");
      yield wait(ns(1));
      e.notify();
    }, "notifier");
    spawn(function* () {
      say("late waits");
      yield wait(e);
      say("late woken");
    }, "late");
    sim.start();
  },

  /** An earlier notification overrides a later one; a later one is ignored. */
  event_override(sim, say) {
    const e = new Event(sim, "e");
    spawn(function* () {
      for (let i = 0; i < 4; i++) {
        yield wait(e);
        say("woken ", i);
      }
    }, "waiter");
    spawn(function* () {
      e.notify(ns(10));
      e.notify(ns(4));
      yield wait(ns(20));
      e.notify(ns(4));
      e.notify(ns(10));
      yield wait(ns(20));
      e.notify(ns(4));
      e.notify(ZERO_TIME);
      yield wait(ns(20));
      e.notify(ZERO_TIME);
      e.notify(ns(4));
      e.notify(ZERO_TIME);
      yield wait(ns(20));
    }, "notifier");
    sim.start();
  },

  /** cancel() takes back delta and timed notifications; an immediate one cannot be taken back. */
  event_cancel(sim, say) {
    const e = new Event(sim, "e");
    spawn(function* () {
      for (;;) {
        yield wait(e);
        say("woken");
      }
    }, "waiter");
    spawn(function* () {
      yield wait(ns(1));
      e.notify(ZERO_TIME);
      e.cancel();
      yield wait(ns(1));
      e.notify(ns(3));
      e.cancel();
      yield wait(ns(10));
      e.notify();
      e.cancel();
      yield wait(ns(1));
      e.notify(ns(2));
      yield wait(ns(1));
      e.cancel();
      e.notify(ns(5));
      yield wait(ns(9));
    }, "notifier");
    sim.start();
  },

  /** An immediate notification removes a pending one. */
  event_immediate_cancels_pending(sim, say) {
    const e = new Event(sim, "e");
    spawn(function* () {
      for (;;) {
        yield wait(e);
        say("woken");
      }
    }, "waiter");
    spawn(function* () {
      yield wait(ns(1));
      e.notify(ZERO_TIME);
      e.notify();
      yield wait(ns(1));
      e.notify(ns(5));
      e.notify();
      yield wait(ns(20));
      say("end");
    }, "notifier");
    sim.start();
  },

  /** Several events at one time: in which order, and in how many delta cycles. */
  event_same_time_order(sim, say) {
    const all = [0, 1, 2, 3, 4, 5].map((i) => new Event(sim, `e${i}`));
    all.forEach((e, i) => {
      spawn(function* () {
        for (;;) {
          yield wait(e);
          say("woken ", i);
        }
      }, `w${i}`);
    });
    spawn(function* () {
      for (const e of all) e.notify(ns(3));
      yield wait(ns(5));
      for (const e of all) e.notify(ZERO_TIME);
      yield wait(ns(5));
      for (const e of all) e.notify();
      yield wait(ns(5));
      for (const i of [3, 1, 5, 0, 4, 2]) all[i]!.notify(ns(7 - i));
      yield wait(ns(20));
    }, "notifier");
    sim.start();
  },

  /** Several processes on one event: static before dynamic, methods before threads, and the order within each. */
  event_waiter_order(sim, say) {
    const e = new Event(sim, "e");
    for (const i of [0, 1, 2]) {
      spawn(() => say("static method ", i), `sm${i}`, { method: true, dontInitialize: true, sensitive: [e] });
      spawn(
        function* () {
          for (;;) {
            yield wait();
            say("static thread ", i);
          }
        },
        `st${i}`,
        { sensitive: [e] },
      );
      spawn(function* () {
        for (;;) {
          yield wait(e);
          say("dynamic thread ", i);
        }
      }, `dt${i}`);
      spawn(
        () => {
          say("dynamic method ", i);
          nextTrigger(e);
        },
        `dm${i}`,
        { method: true },
      );
    }
    spawn(function* () {
      for (let i = 0; i < 2; i++) {
        yield wait(ns(1));
        say("notify");
        e.notify();
      }
      yield wait(ns(1));
      e.notify(ZERO_TIME);
    }, "notifier");
    sim.start();
  },

  /** A process that notifies at once an event that it is sensitive to does not trigger itself. */
  event_self_notification(sim, say) {
    const e = new Event(sim, "e");
    let runs = 0;
    spawn(
      () => {
        say("method");
        if (runs++ < 2) e.notify();
      },
      "m",
      { method: true, sensitive: [e] },
    );
    spawn(function* () {
      yield wait(ns(1));
      e.notify();
    }, "t");
    sim.start();
    say("end");
  },

  /** Immediate notification outside of evaluation is an error. */
  event_immediate_before_start(sim, say) {
    const e = new Event(sim, "e");
    say("notify");
    e.notify();
  },

  /** Delta and timed notification before the start of simulation are kept. */
  event_notified_before_start(sim, say) {
    const e = new Event(sim, "e");
    const f = new Event(sim, "f");
    e.notify(ZERO_TIME);
    f.notify(ns(2));
    spawn(() => say("method on e"), "m", { method: true, dontInitialize: true, sensitive: [e] });
    spawn(function* () {
      say("thread starts");
      yield wait(e.or(f));
      say("thread woken");
    }, "t");
    sim.start();
  },

  /** event.triggered is true in the delta cycle of the notification. */
  event_triggered(sim, say) {
    const e = new Event(sim, "e");
    const f = new Event(sim, "f");
    spawn(function* () {
      for (let i = 0; i < 3; i++) {
        yield wait(e.or(f));
        say("e ", e.triggered, " f ", f.triggered);
        yield wait(ZERO_TIME);
        say("then e ", e.triggered, " f ", f.triggered);
      }
    }, "waiter");
    spawn(function* () {
      e.notify(ns(1));
      f.notify(ns(2));
      yield wait(ns(3));
      e.notify(ZERO_TIME);
      f.notify(ZERO_TIME);
    }, "notifier");
    sim.start();
  },
};
