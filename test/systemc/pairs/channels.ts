/** Pairs on FIFOs, mutexes, semaphores and event queues. The C++ twin is channels.cpp. */
import {
  EventQueue,
  Fifo,
  FifoInPort,
  FifoOutPort,
  Module,
  Mutex,
  ns,
  Semaphore,
  wait,
} from "../../../sim/systemc/index.js";
import { ZERO_TIME, type Parent } from "../../../sim/systemc/index.js";
import { method, thread, type Program, type Say } from "./program.js";

class Producer extends Module {
  readonly out = new FifoOutPort<number>(this, "out");
  constructor(parent: Parent, name: string, say: Say) {
    super(parent, name);
    this.thread(function* (this: Producer) {
      for (let i = 0; i < 4; i++) {
        say(this.name, " writes ", i);
        yield* this.out.write(i);
      }
    }, "run");
  }
}
class Consumer extends Module {
  readonly in = new FifoInPort<number>(this, "in");
  constructor(parent: Parent, name: string, say: Say) {
    super(parent, name);
    this.thread(function* (this: Consumer) {
      for (;;) {
        const value = yield* this.in.read();
        say(this.name, " read ", value);
        yield wait(ns(2));
      }
    }, "run");
  }
}

export const channels: Record<string, Program> = {
  /** A writer waits while the FIFO is full. */
  fifo_full(sim, say) {
    const f = new Fifo<number>(sim, "f", 2);
    thread("writer", function* () {
      for (let i = 0; i < 6; i++) {
        yield* f.write(i);
        say("wrote ", i, " free ", f.free);
      }
    });
    thread("reader", function* () {
      for (let i = 0; i < 6; i++) {
        yield wait(ns(3));
        say("read ", yield* f.read(), " available ", f.available);
      }
    });
    sim.start();
  },

  /** A reader waits while the FIFO is empty. */
  fifo_empty(sim, say) {
    const f = new Fifo<number>(sim, "f", 4);
    thread("reader", function* () {
      for (let i = 0; i < 4; i++) say("read ", yield* f.read());
    });
    thread("writer", function* () {
      for (let i = 0; i < 4; i++) {
        yield wait(ns(i));
        say("write ", i);
        yield* f.write(i);
      }
    });
    sim.start();
  },

  /** What is written in a delta cycle is seen in the next one, and so is a place that was freed. */
  fifo_same_delta(sim, say) {
    const f = new Fifo<number>(sim, "f", 2);
    const show = (what: string): void => say(what, " available ", f.available, " free ", f.free);
    thread("t", function* () {
      show("empty");
      f.tryWrite(1);
      show("one written");
      say("read now ", f.tryRead() !== undefined);
      yield wait(ZERO_TIME);
      show("later");
      f.tryWrite(2);
      say("third ", f.tryWrite(3));
      const first = f.tryRead();
      show(`read ${first ?? "none"}`);
      say("write into freed ", f.tryWrite(4));
      yield wait(ZERO_TIME);
      show("later");
      say("write ", f.tryWrite(5));
    });
    sim.start();
  },

  /** Depth 1: writer and reader take turns. */
  fifo_depth_one(sim, say) {
    const f = new Fifo<number>(sim, "f", 1);
    thread("writer", function* () {
      for (let i = 0; i < 4; i++) {
        yield* f.write(i);
        say("wrote ", i);
      }
    });
    thread("reader", function* () {
      for (let i = 0; i < 4; i++) say("read ", yield* f.read());
    });
    sim.start();
  },

  /** The events of a FIFO. */
  fifo_events(sim, say) {
    const f = new Fifo<number>(sim, "f", 2);
    method("on_write", () => say("written, available ", f.available), [f.dataWrittenEvent], false);
    method("on_read", () => say("read, free ", f.free), [f.dataReadEvent], false);
    thread("t", function* () {
      yield* f.write(1);
      yield* f.write(2);
      yield wait(ns(1));
      yield* f.read();
      yield* f.write(3);
      say("end");
    });
    sim.start();
  },

  /** Through ports. */
  fifo_ports(sim, say) {
    const f = new Fifo<number>(sim, "f", 2);
    new Producer(sim, "producer", say).out.bind(f);
    new Consumer(sim, "consumer", say).in.bind(f);
    sim.start();
  },

  /** Two readers are an error when ports are bound. */
  fifo_two_readers(sim, say) {
    const f = new Fifo<number>(sim, "f", 2);
    new Producer(sim, "producer", say).out.bind(f);
    new Consumer(sim, "one", say).in.bind(f);
    new Consumer(sim, "two", say).in.bind(f);
    sim.start();
  },

  /** Two writers are an error, too. */
  fifo_two_writers(sim, say) {
    const f = new Fifo<number>(sim, "f", 2);
    new Producer(sim, "one", say).out.bind(f);
    new Producer(sim, "two", say).out.bind(f);
    sim.start();
  },

  /** A FIFO holds at least one value. */
  fifo_no_room(sim, say) {
    say("before");
    new Fifo<number>(sim, "f", 0);
  },

  /** A mutex goes to those who wait, one at a time. */
  mutex_contention(sim, say) {
    const m = new Mutex(sim, "m");
    for (const i of [0, 1, 2]) {
      thread(`t${i}`, function* () {
        for (let k = 0; k < 2; k++) {
          yield* m.lock();
          say("thread ", i, " locked");
          yield wait(ns(2));
          say("thread ", i, " unlocks");
          m.unlock();
          yield wait(ns(1));
        }
      });
    }
    sim.start();
  },

  /** trylock, a lock by the owner, an unlock by another. */
  mutex_try_and_owner(sim, say) {
    const m = new Mutex(sim, "m");
    thread("a", function* () {
      say("lock ", m.tryLock(), " again ", m.tryLock());
      yield* m.lock();
      yield wait(ns(2));
      say("unlock ", m.unlock(), " again ", m.unlock());
    });
    thread("b", function* () {
      yield wait(ns(1));
      say("try ", m.tryLock(), " unlock ", m.unlock());
      yield wait(ns(2));
      say("try ", m.tryLock());
    });
    sim.start();
  },

  /** A semaphore counts. */
  semaphore_counts(sim, say) {
    const s = new Semaphore(sim, "s", 2);
    for (const i of [0, 1, 2, 3]) {
      thread(`t${i}`, function* () {
        yield* s.wait();
        say("thread ", i, " in, left ", s.value);
        yield wait(ns(3 - (i % 2)));
        s.post();
        say("thread ", i, " out, left ", s.value);
      });
    }
    thread("late", function* () {
      yield wait(ns(1));
      say("try ", s.tryWait());
      yield wait(ns(20));
      say("try ", s.tryWait(), " value ", s.value);
    });
    sim.start();
  },

  /** A semaphore cannot start below zero. */
  semaphore_negative(sim, say) {
    say("before");
    new Semaphore(sim, "s", -1);
  },

  /** An event queue keeps every notification. */
  event_queue(sim, say) {
    const q = new EventQueue(sim, "q");
    method("m", () => say("fired"), [q], false);
    thread("t", function* () {
      for (const delay of [4, 2, 2, 0, 0, 7]) q.notify(ns(delay));
      yield wait(ns(5));
      q.notify(ns(1));
      q.notify(ns(3));
      yield wait(ns(2));
      q.cancelAll();
      q.notify(ns(4));
      yield wait(ns(9));
      say("end");
    });
    sim.start();
  },
};
