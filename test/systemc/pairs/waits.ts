/** Pairs on wait() and next_trigger() in all their forms. The C++ twin is waits.cpp. */
import { allOf, anyOf, Event, EventOrList, nextTrigger, ns, wait, ZERO_TIME } from "../../../sim/systemc/index.js";
import { method, thread, type Program } from "./program.js";

export const waits: Record<string, Program> = {
  /** wait() is the static sensitivity, wait(n) its n-th occurrence. */
  wait_static_and_cycles(sim, say) {
    const e = new Event(sim, "e");
    thread(
      "t",
      function* () {
        say("start");
        yield wait();
        say("one");
        yield wait(3);
        say("three more");
        yield wait(1);
        say("one more");
      },
      [e],
    );
    thread("driver", function* () {
      for (let i = 0; i < 8; i++) {
        yield wait(ns(1));
        say("notify ", i);
        e.notify();
      }
    });
    sim.start();
  },

  /** A thread with a dynamic wait does not see its static sensitivity, and sees it again afterwards. */
  wait_dynamic_hides_static(sim, say) {
    const [s, d] = [new Event(sim, "s"), new Event(sim, "d")];
    thread(
      "t",
      function* () {
        yield wait(d);
        say("dynamic");
        yield wait();
        say("static");
      },
      [s],
    );
    thread("driver", function* () {
      for (const e of [s, s, d, d, s]) {
        yield wait(ns(1));
        e.notify();
      }
    });
    sim.start();
  },

  /** wait(ZERO_TIME) is one delta cycle. */
  wait_zero_time(sim, say) {
    for (const i of [0, 1]) {
      thread(`t${i}`, function* () {
        for (let k = 0; k < 3; k++) {
          say("thread ", i, " step ", k);
          yield wait(ZERO_TIME);
        }
      });
    }
    sim.start();
  },

  /** Time-outs of several threads that fall on the same time. */
  wait_time_order(sim, say) {
    [5, 3, 5, 1, 3, 5, 2, 1].forEach((delay, i) => {
      thread(`t${i}`, function* () {
        for (let k = 0; k < 3; k++) {
          yield wait(ns(delay));
          say("thread ", i);
        }
      });
    });
    sim.start();
  },

  /** wait(e1 | e2): the first of them; the other is forgotten. */
  wait_or(sim, say) {
    const [a, b, c] = [new Event(sim, "a"), new Event(sim, "b"), new Event(sim, "c")];
    thread("t", function* () {
      for (let k = 0; k < 4; k++) {
        yield wait(a.or(b).or(c));
        say("woken a ", a.triggered, " b ", b.triggered, " c ", c.triggered);
      }
    });
    thread("driver", function* () {
      for (const e of [b, a, c]) {
        yield wait(ns(1));
        e.notify(ZERO_TIME);
      }
      yield wait(ns(1));
      a.notify(ZERO_TIME);
      c.notify(ZERO_TIME);
      yield wait(ns(1));
    });
    sim.start();
  },

  /** wait(e1 & e2): all of them, in any order, not at the same time. */
  wait_and(sim, say) {
    const [a, b, c] = [new Event(sim, "a"), new Event(sim, "b"), new Event(sim, "c")];
    thread("t", function* () {
      for (let k = 0; k < 2; k++) {
        yield wait(a.and(b).and(c));
        say("all");
      }
    });
    thread("driver", function* () {
      for (const e of [b, b, a, c, c, a, b]) {
        yield wait(ns(1));
        say("notify ", e.basename);
        e.notify();
      }
    });
    sim.start();
  },

  /** wait(t, e): the event or the time-out, whichever is first. */
  wait_event_or_timeout(sim, say) {
    const e = new Event(sim, "e");
    thread("t", function* () {
      for (let k = 0; k < 4; k++) {
        yield wait(ns(5), e);
        say("woken ", k, " by event ", e.triggered);
      }
    });
    thread("driver", function* () {
      yield wait(ns(3));
      e.notify();
      yield wait(ns(11));
      e.notify(ZERO_TIME);
    });
    sim.start();
  },

  /** wait(t, e1 | e2) */
  wait_or_timeout(sim, say) {
    const [a, b] = [new Event(sim, "a"), new Event(sim, "b")];
    const list = anyOf(a, b);
    thread("t", function* () {
      for (let k = 0; k < 5; k++) {
        yield wait(ns(5), list);
        say("woken ", k, " a ", a.triggered, " b ", b.triggered);
      }
    });
    thread("driver", function* () {
      yield wait(ns(2));
      b.notify();
      yield wait(ns(9));
      a.notify();
      yield wait(ns(4));
      a.notify();
      b.notify();
    });
    sim.start();
  },

  /** wait(t, e1 & e2) */
  wait_and_timeout(sim, say) {
    const [a, b] = [new Event(sim, "a"), new Event(sim, "b")];
    const list = allOf(a, b);
    thread("t", function* () {
      for (let k = 0; k < 4; k++) {
        yield wait(ns(5), list);
        say("woken ", k);
      }
    });
    thread("driver", function* () {
      yield wait(ns(1));
      a.notify();
      yield wait(ns(1));
      b.notify();
      yield wait(ns(1));
      a.notify();
      yield wait(ns(10));
      b.notify();
    });
    sim.start();
  },

  /** A time-out and the event it stands beside, at the same time. */
  wait_timeout_meets_event(sim, say) {
    const e = new Event(sim, "e");
    const f = new Event(sim, "f");
    thread("t", function* () {
      yield wait(ns(5), e);
      say("first, by event ", e.triggered);
      yield wait(ns(5), e);
      say("second, by event ", e.triggered);
      yield wait(ns(5), e.or(f));
      say("third, e ", e.triggered, " f ", f.triggered);
    });
    thread("u", function* () {
      e.notify(ns(5));
      yield wait(ns(6));
      e.notify(ns(4));
      f.notify(ns(9));
    });
    sim.start();
  },

  /** An event list kept and used again. */
  wait_list_reused(sim, say) {
    const all = [0, 1, 2].map((i) => new Event(sim, `e${i}`));
    const list = new EventOrList();
    for (const e of all) list.or(e);
    for (const i of [0, 1]) {
      thread(`t${i}`, function* () {
        for (let k = 0; k < 3; k++) {
          yield wait(list);
          say("thread ", i, " woken ", k);
        }
      });
    }
    thread("driver", function* () {
      for (const e of all) {
        yield wait(ns(1));
        e.notify();
      }
    });
    sim.start();
    say("size ", list.size);
  },

  /** next_trigger replaces the static sensitivity for one run. */
  next_trigger_event(sim, say) {
    const [s, d] = [new Event(sim, "s"), new Event(sim, "d")];
    let runs = 0;
    method(
      "m",
      () => {
        say("run ", runs);
        if (runs++ === 1) nextTrigger(d);
      },
      [s],
    );
    thread("driver", function* () {
      for (const e of [s, s, d, d, s]) {
        yield wait(ns(1));
        say("notify ", e.basename);
        e.notify();
      }
    });
    sim.start();
  },

  /** next_trigger with times, lists and both; the last call of a run counts. */
  next_trigger_forms(sim, say) {
    const [a, b] = [new Event(sim, "a"), new Event(sim, "b")];
    const [either, both] = [anyOf(a, b), allOf(a, b)];
    let runs = 0;
    method("m", () => {
      say("run ", runs);
      switch (runs++) {
        case 0:
          nextTrigger(ns(2));
          break;
        case 1:
          nextTrigger(either);
          break;
        case 2:
          nextTrigger(both);
          break;
        case 3:
          nextTrigger(ns(4), a);
          break;
        case 4:
          nextTrigger(ns(4), either);
          break;
        case 5:
          nextTrigger(ns(4), both);
          break;
        case 6:
          nextTrigger(ns(100));
          nextTrigger(ns(1));
          break;
        case 7:
          nextTrigger(ns(1));
          nextTrigger(a);
          break;
        case 8:
          nextTrigger(ZERO_TIME);
          break;
      }
    });
    thread("driver", function* () {
      for (let k = 0; k < 12; k++) {
        yield wait(ns(3));
        (k % 3 === 0 ? b : a).notify();
        say("notify ", k % 3 === 0 ? "b" : "a");
      }
    });
    sim.start();
  },

  /** next_trigger() without arguments goes back to the static sensitivity. */
  next_trigger_static(sim, say) {
    const [s, d] = [new Event(sim, "s"), new Event(sim, "d")];
    method(
      "m",
      () => {
        say("run");
        nextTrigger(d);
        nextTrigger();
      },
      [s],
      false,
    );
    thread("driver", function* () {
      for (const e of [d, s, d, s]) {
        yield wait(ns(1));
        e.notify();
      }
    });
    sim.start();
  },

  /** wait() in a method is an error. */
  wait_in_method(sim, say) {
    method("m", () => {
      say("before");
      wait(ns(1));
    });
    sim.start();
  },

  /** next_trigger() in a thread is an error. */
  next_trigger_in_thread(sim, say) {
    thread("t", function* () {
      yield wait(ns(1));
      say("before");
      nextTrigger(ns(1));
    });
    sim.start();
  },

  /** wait(0) cycles is an error. */
  wait_no_cycles(sim, say) {
    const e = new Event(sim, "e");
    thread(
      "t",
      function* () {
        say("before");
        yield wait(0);
      },
      [e],
    );
    sim.start();
  },

  /** wait() on an empty list is an error. */
  wait_empty_list(sim, say) {
    thread("t", function* () {
      say("before");
      yield wait(new EventOrList());
    });
    sim.start();
  },
};
