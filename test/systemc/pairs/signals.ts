/** Pairs on signals, buffers and ports. The C++ twin is signals.cpp. */
import { Buffer, In, InOut, Module, ns, Out, Signal, wait, ZERO_TIME } from "../../../sim/systemc/index.js";
import type { Parent, Simulation } from "../../../sim/systemc/index.js";
import { method, thread, type Program, type Say } from "./program.js";

class Increment extends Module {
  readonly a = new In<number>(this, "a");
  readonly y = new Out<number>(this, "y");
  private readonly say: Say;
  constructor(parent: Parent, name: string, say: Say) {
    super(parent, name);
    this.say = say;
    this.method(this.add).sensitive(this.a);
  }
  private add(): void {
    this.say(this.name, " ", this.a.read());
    this.y.write(this.a.read() + 1);
  }
}

class Pair extends Module {
  readonly a = new In<number>(this, "a");
  readonly y = new Out<number>(this, "y");
  readonly middle = new Signal(this, "middle", 0);
  constructor(parent: Parent, name: string, say: Say) {
    super(parent, name);
    const first = new Increment(this, "first", say);
    const second = new Increment(this, "second", say);
    first.a.bind(this.a);
    first.y.bind(this.middle);
    second.a.bind(this.middle);
    second.y.bind(this.y);
  }
}

class Edges extends Module {
  readonly clk = new In<boolean>(this, "clk");
  constructor(parent: Parent, say: Say) {
    super(parent, "edges");
    this.method(() => say("pos"), "on_pos")
      .sensitive(this.clk.pos())
      .dontInitialize();
    this.method(() => say("neg"), "on_neg")
      .sensitive(this.clk.neg())
      .dontInitialize();
    this.method(() => say("any ", this.clk.read()), "on_any")
      .sensitive(this.clk.valueChanged())
      .dontInitialize();
    this.thread(function* (this: Edges) {
      for (;;) {
        yield;
        say("thread ", this.clk.read());
      }
    }, "run").sensitive(this.clk);
  }
}

class Initial extends Module {
  readonly y = new InOut<number>(this, "y");
  constructor(parent: Parent, say: Say) {
    super(parent, "initial");
    this.y.initialize(42);
    this.method(() => say("y ", this.y.read()), "show").sensitive(this.y);
  }
}

function writers(sim: Simulation, say: Say, signal: Signal<number>): void {
  method("show", () => say("value ", signal.read()), [signal.valueChangedEvent]);
  thread("first", function* () {
    signal.write(1);
    yield wait(ns(2));
    signal.write(3);
    yield wait(ns(2));
    signal.write(5);
  });
  thread("second", function* () {
    yield wait(ns(1));
    signal.write(2);
    yield wait(ns(3));
    say("conflict");
    signal.write(6);
  });
  sim.start();
}

export const signals: Record<string, Program> = {
  /** A written value is read one delta cycle later; the writer still reads the old one. */
  signal_write_then_read(sim, say) {
    const s = new Signal(sim, "s", 0);
    thread("writer", function* () {
      s.write(7);
      say("same delta ", s.read());
      yield wait(ZERO_TIME);
      say("next delta ", s.read());
    });
    thread("reader", function* () {
      for (let k = 0; k < 3; k++) {
        say("reader ", s.read());
        yield wait(ZERO_TIME);
      }
    });
    sim.start();
  },

  /** Of several writes in one delta cycle the last one counts; back to the old value is no event. */
  signal_last_write_wins(sim, say) {
    const s = new Signal(sim, "s", 1);
    method("m", () => say("changed to ", s.read()), [s.valueChangedEvent], false);
    thread("t", function* () {
      s.write(5);
      s.write(6);
      yield wait(ns(1));
      s.write(9);
      s.write(6);
      yield wait(ns(1));
      s.write(6);
      yield wait(ns(1));
      s.write(1);
    });
    sim.start();
  },

  /** A buffer has an event at every write. */
  buffer_every_write(sim, say) {
    const b = new Buffer(sim, "b", 0);
    method("m", () => say("written ", b.read(), " event ", b.event), [b.valueChangedEvent], false);
    thread("t", function* () {
      for (const value of [1, 1, 2, 2]) {
        b.write(value);
        yield wait(ns(1));
      }
    });
    sim.start();
  },

  /** Edges of a boolean signal, through a port, by methods and a thread. */
  signal_edges(sim, say) {
    const clk = new Signal(sim, "clk", false);
    new Edges(sim, say).clk.bind(clk);
    thread("driver", function* () {
      for (const value of [true, true, false, true, false]) {
        yield wait(ns(1));
        clk.write(value);
      }
    });
    sim.start();
  },

  /** event, posedge and negedge hold for the delta cycle after the change. */
  signal_event_flags(sim, say) {
    const s = new Signal(sim, "s", false);
    thread("t", function* () {
      for (let k = 0; k < 6; k++) {
        s.write(k % 3 === 1);
        say("event ", s.event, " posedge ", s.posedge, " negedge ", s.negedge, " value ", s.read());
        yield wait(ZERO_TIME);
      }
      yield wait(ns(1));
      say("event ", s.event);
    });
    sim.start();
  },

  /** A chain of methods takes one delta cycle per stage. */
  signal_ripple(sim, say) {
    const all = [0, 1, 2, 3, 4].map((i) => new Signal(sim, `s${i}`, 0));
    for (let i = 0; i < 4; i++) {
      method(
        `m${i}`,
        () => {
          say("stage ", i, " sees ", all[i]!.read());
          all[i + 1]!.write(all[i]!.read() + 1);
        },
        [all[i]!.valueChangedEvent],
        false,
      );
    }
    thread("driver", function* () {
      all[0]!.write(10);
      yield wait(ns(1));
      all[0]!.write(20);
    });
    sim.start();
    say("end ", all[4]!.read());
  },

  /** Ports through two levels of hierarchy. */
  signal_ports_hierarchy(sim, say) {
    const a = new Signal(sim, "a", 0);
    const y = new Signal(sim, "y", 0);
    const pair = new Pair(sim, "pair", say);
    pair.a.bind(a);
    pair.y.bind(y);
    thread("driver", function* () {
      yield wait(ns(1));
      a.write(5);
      yield wait(ns(1));
      say("y ", y.read());
    });
    sim.start();
    say(pair.middle.name, " ", pair.middle.read());
  },

  /** Updates happen in an order that the events show: several signals changed at once. */
  signal_update_order(sim, say) {
    const all = [0, 1, 2, 3].map((i) => new Signal(sim, `s${i}`, 0));
    all.forEach((s, i) => void method(`m${i}`, () => say("signal ", i), [s.valueChangedEvent], false));
    thread("t", function* () {
      for (const i of [2, 0, 3, 1]) all[i]!.write(1);
      yield wait(ns(1));
      for (const i of [3, 2, 1, 0]) all[i]!.write(2);
      all[2]!.write(3);
    });
    sim.start();
  },

  /** A signal written before simulation has its value in the first delta cycle. */
  signal_written_before_start(sim, say) {
    const s = new Signal(sim, "s", 0);
    s.write(3);
    say("before ", s.read());
    method("m", () => say("method ", s.read(), " event ", s.event), [s.valueChangedEvent]);
    sim.start();
  },

  /** A port may give its signal a first value. */
  port_initialize(sim, say) {
    const s = new Signal(sim, "s", 0);
    new Initial(sim, say).y.bind(s);
    sim.start();
  },

  /** Two processes that write one signal are an error. */
  signal_two_drivers(sim, say) {
    const s = new Signal(sim, "s", 0);
    thread("first", function* () {
      s.write(1);
      yield wait(ns(1));
    });
    thread("second", function* () {
      yield wait(ns(1));
      say("second writes");
      s.write(2);
    });
    sim.start();
  },

  /** Two output ports on one signal are an error. */
  signal_two_output_ports(sim, say) {
    const s = new Signal(sim, "s", 0);
    for (const name of ["one", "two"]) {
      const increment = new Increment(sim, name, say);
      increment.a.bind(s);
      increment.y.bind(s);
    }
    sim.start();
  },

  /** With the policy `many`, several processes may write, but not in one delta cycle. */
  signal_many_writers(sim, say) {
    writers(sim, say, new Signal(sim, "s", 0, "many"));
  },

  /** With the policy `unchecked`, the last one wins. */
  signal_unchecked_writers(sim, say) {
    writers(sim, say, new Signal(sim, "s", 0, "unchecked"));
  },

  /** A port that is bound to nothing is an error at the end of elaboration. */
  port_unbound(sim, say) {
    const increment = new Increment(sim, "increment", say);
    increment.y.bind(new Signal(sim, "y", 0));
    sim.start();
  },

  /** Binding a port twice is one too many. */
  port_bound_twice(sim, say) {
    const increment = new Increment(sim, "increment", say);
    increment.a.bind(new Signal(sim, "a", 0));
    increment.a.bind(new Signal(sim, "b", 0));
    increment.y.bind(new Signal(sim, "y", 0));
    sim.start();
  },
};
