/** Pairs on elaboration, start, pause, stop, names and reports. The C++ twin is simulation.cpp. */
import {
  Action,
  Clock,
  Event,
  Export,
  Fifo,
  findObject,
  hierarchicalNameExists,
  In,
  Module,
  ns,
  Out,
  Port,
  PrimitiveChannel,
  Severity,
  Signal,
  wait,
  ZERO_TIME,
} from "../../../sim/systemc/index.js";
import { topLevelObjects, type Parent, type ScObject, type Simulation } from "../../../sim/systemc/index.js";
import { method, thread, type Program, type Say } from "./program.js";

function ticker(say: Say): void {
  thread("ticker", function* () {
    for (let n = 0; ; n++) {
      say("tick ", n);
      yield wait(ns(10));
    }
  });
}

class Callbacks extends Module {
  readonly in = new In<number>(this, "in");
  private readonly say: Say;
  constructor(parent: Parent, name: string, say: Say) {
    super(parent, name);
    this.say = say;
    say(this.name, " constructor");
  }
  private tell(what: string): void {
    this.say(this.name, " ", what, " ", this.context.status);
  }
  override beforeEndOfElaboration(): void {
    this.tell("before_end_of_elaboration");
  }
  override endOfElaboration(): void {
    this.tell("end_of_elaboration");
  }
  override startOfSimulation(): void {
    this.tell("start_of_simulation");
  }
  override endOfSimulation(): void {
    this.tell("end_of_simulation");
  }
}

/** A channel of the user's own: what is put in comes out as an event one delta later. */
class Mailbox extends PrimitiveChannel {
  private readonly arrived = new Event(this.context, null);
  private posted = 0;
  count = 0;
  constructor(parent: Parent, name: string) {
    super(parent, name, "mailbox");
  }
  get kind(): string {
    return "mailbox";
  }
  override get defaultEvent(): Event {
    return this.arrived;
  }
  post(): void {
    this.posted++;
    this.requestUpdate();
  }
  update(): void {
    this.count += this.posted;
    this.posted = 0;
    this.arrived.notify(ZERO_TIME);
  }
}
class Postman extends Module {
  readonly box = new Port<Mailbox>(this, "box");
  readonly offer = new Export<Mailbox>(this, "offer");
  readonly own = new Mailbox(this, "own");
  constructor(parent: Parent, name: string, say: Say) {
    super(parent, name);
    this.offer.bind(this.own);
    this.thread(function* (this: Postman) {
      for (let i = 0; i < 3; i++) {
        yield wait(ns(1));
        this.box.channel.post();
        this.box.channel.post();
      }
    }, "run");
    this.method(() => say(this.name, " has ", this.own.count), "show")
      .sensitive(this.own)
      .dontInitialize();
  }
}

class Tree extends Module {
  readonly a = new In<boolean>(this, "a");
  readonly b = new Out<number>(this);
  readonly s = new Signal(this, undefined, 0);
  readonly t = new Signal(this, "t", 0);
  readonly f = new Fifo<number>(this);
  readonly e = new Event(this, "e");
  constructor(parent: Parent, name: string, depth: number) {
    super(parent, name);
    if (depth > 0) new Tree(this, "child", depth - 1);
    this.method(() => undefined, "react").sensitive(this.a);
    this.thread(() => undefined, "act");
  }
}

function stopping(sim: Simulation, say: Say): void {
  const s = new Signal(sim, "s", 0);
  method("changed", () => say("changed ", s.read()), [s.valueChangedEvent], false);
  thread("first", function* () {
    yield wait(ns(5));
    s.write(1);
    say("stop");
    sim.stop();
    say("after stop");
    yield wait(ZERO_TIME);
    say("not reached");
  });
  thread("second", function* () {
    yield wait(ns(5));
    say("second, same delta");
  });
  sim.start(ns(20));
  say("back, status ", sim.status, " end invoked ", sim.endOfSimulationInvoked);
}

export const simulation: Record<string, Program> = {
  /** start(t) in steps; what is due at the end of a step happens in the next one. */
  start_in_steps(sim, say) {
    ticker(say);
    for (const span of [5, 5, 7, 0, 3, 20]) {
      say("start ", span);
      sim.start(ns(span));
      say("back, pending now ", sim.pendingActivityAtCurrentTime, " later ", sim.pendingActivityAtFutureTime);
      say("next in ", sim.timeToPendingActivity);
    }
  },

  /** start(ZERO_TIME) is one delta cycle. */
  start_zero(sim, say) {
    thread("t", function* () {
      for (let k = 0; k < 4; k++) {
        say("step ", k);
        yield wait(ZERO_TIME);
      }
    });
    for (let k = 0; k < 6; k++) {
      say("start");
      sim.start(ZERO_TIME);
    }
    sim.start();
    say("end");
  },

  /** Without anything to do, time goes on or stays, as asked. */
  start_starvation(sim, say) {
    thread("t", function* () {
      yield wait(ns(3));
      say("done");
    });
    sim.start(ns(10));
    say("to time");
    sim.start(ns(10), "exit on starvation");
    say("starved");
    sim.start();
    say("no more");
  },

  /** pause() comes back after the delta cycle; start() goes on. */
  pause_and_go_on(sim, say) {
    thread("t", function* () {
      for (let n = 0; n < 4; n++) {
        yield wait(ns(2));
        say("pause");
        sim.pause();
        say("after pause, status ", sim.status);
        yield wait(ZERO_TIME);
        say("next delta");
      }
    });
    for (let k = 0; k < 3; k++) {
      sim.start(ns(5));
      say("back, status ", sim.status);
    }
    sim.start();
    say("end");
  },

  /** stop() finishes the delta cycle, with its updates. */
  stop_finish_delta(sim, say) {
    stopping(sim, say);
  },
  /** ... or not. */
  stop_immediate(sim, say) {
    sim.setStopMode("immediate");
    stopping(sim, say);
  },

  /** After stop() there is no start(). */
  stop_then_start(sim, say) {
    ticker(say);
    sim.start(ns(15));
    sim.stop();
    say("status ", sim.status);
    sim.stop();
    sim.start(ns(10));
  },

  /** stop() before anything ran. */
  stop_before_start(sim, say) {
    ticker(say);
    sim.stop();
    say("status ", sim.status, " start invoked ", sim.startOfSimulationInvoked);
    sim.start(ns(10));
  },

  /** The order of the callbacks, and the status in each. */
  callbacks(sim, say) {
    const s = new Signal(sim, "s", 0);
    const top = new Callbacks(sim, "top", say);
    const below = new Callbacks(top, "below", say);
    top.in.bind(s);
    below.in.bind(top.in);
    say("status ", sim.status);
    sim.start(ns(1));
    say("status ", sim.status);
    sim.stop();
    say("status ", sim.status);
  },

  /** Names are hierarchical, unnamed objects get one, and objects are found by name. */
  names(sim, say) {
    const tree = new Tree(sim, "top", 1);
    new Clock(sim);
    const show = (object: ScObject, indent: string): void => {
      say(indent, object.name, " ", object.basename, " ", object.kind);
      for (const child of object.childObjects) show(child, `${indent}  `);
      for (const event of object.childEvents) say(indent, "  event ", event.name);
    };
    for (const object of topLevelObjects()) show(object, "");
    say("parent ", tree.t.parentObject?.name ?? "none", " of top ", tree.parentObject?.name ?? "none");
    for (const name of ["top.child.t", "top.child.act", "top.nobody", "top.e"]) {
      say(name, " ", findObject(name) !== undefined, " ", hierarchicalNameExists(name));
    }
  },

  /** A name that exists already, and one with a blank. */
  names_taken(sim, say) {
    const a = new Signal(sim, "a", 0);
    const b = new Signal(sim, "a", 0);
    const c = new Signal(sim, "a", 0);
    say(a.name, " ", b.name, " ", c.name);
    say(new Signal(sim, "with blank", 0).name);
    say(new Event(sim, "a").name);
  },

  /** A channel of the user's own, through a port and an export. */
  own_channel(sim, say) {
    const [a, b] = [new Postman(sim, "a", say), new Postman(sim, "b", say)];
    a.box.bind(b.offer);
    b.box.bind(a.offer);
    sim.start();
  },

  /** Reports: severities, actions, a limit. */
  reports(sim, say) {
    sim.reports.info("model", "for your information");
    sim.reports.warning("model", "take care");
    thread("t", function* () {
      for (let k = 0; k < 4; k++) {
        yield wait(ns(1));
        sim.reports.warning("/own/warning", "again");
      }
      say("not reached");
    });
    sim.reports.stopAfter("/own/warning", 3);
    try {
      sim.reports.error("model", "an error is thrown");
    } catch {
      say("caught the error");
    }
    sim.reports.setActions(Severity.Error, "quiet", Action.Display);
    sim.reports.error("quiet", "shown, not thrown");
    sim.reports.setActions(Severity.Info, undefined, Action.DoNothing);
    sim.reports.info("model", "not shown");
    sim.start();
    say("warnings ", sim.reports.count("/own/warning"), " ", sim.reports.count(Severity.Warning));
  },

  /** An error that a process catches does not end the simulation. */
  reports_caught(sim, say) {
    thread("t", function* () {
      yield wait(ns(1));
      try {
        sim.reports.error("model", "inside");
      } catch {
        say("caught");
      }
      yield wait(ns(1));
      say("still here");
      sim.reports.error("model", "not caught");
    });
    sim.start();
  },

  /** Nothing to simulate. */
  empty_model(sim, say) {
    sim.start(ns(5));
    say("end");
    sim.start();
    say("end");
    sim.start(ZERO_TIME);
    say("end");
  },
};
