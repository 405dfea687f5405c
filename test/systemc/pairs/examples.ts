/** Small systems after the behaviour of the programs in Accellera's examples/sysc. examples.cpp has the same in C++. */
import {
  Clock,
  Event,
  Fifo,
  In,
  Module,
  ns,
  Out,
  type Parent,
  Port,
  Signal,
  wait,
  type Wait,
  ZERO_TIME,
} from "../../../sim/systemc/index.js";
import { thread, type Program, type Say } from "./program.js";

/** A channel of the user's own: a queue of four characters with two interfaces. */
class Queue extends Module {
  private readonly items: string[] = [];
  private readonly stored = new Event();
  private readonly taken = new Event();

  *put(c: string): Generator<Wait, void, void> {
    if (this.items.length === 4) yield wait(this.taken);
    this.items.push(c);
    this.stored.notify();
  }
  *get(): Generator<Wait, string, void> {
    if (this.items.length === 0) yield wait(this.stored);
    const c = this.items.shift()!;
    this.taken.notify();
    return c;
  }
  get size(): number {
    return this.items.length;
  }
}
class Writer extends Module {
  readonly out = new Port<Pick<Queue, "put">>(this, "out");
  constructor(parent: Parent, name: string) {
    super(parent, name);
    this.thread(this.run);
  }
  *run(): Generator<Wait, void, void> {
    for (const c of "hardware and software, together") {
      yield* this.out.channel.put(c);
      if (c === ",") yield wait(ns(10));
    }
  }
}
class Reader extends Module {
  readonly in = new Port<Pick<Queue, "get" | "size">>(this, "in");
  readonly say: Say;
  constructor(parent: Parent, name: string, say: Say) {
    super(parent, name);
    this.say = say;
    this.thread(this.run);
  }
  *run(): Generator<Wait, void, void> {
    for (;;) {
      const c = yield* this.in.channel.get();
      this.say(c, " ", this.in.channel.size);
      if (c === "w") yield wait(ns(3));
    }
  }
}
class Link extends Module {
  constructor(parent: Parent, name: string, say: Say) {
    super(parent, name);
    const queue = new Queue(this, "queue");
    new Writer(this, "writer").out.bind(queue);
    new Reader(this, "reader", say).in.bind(queue);
  }
}

class Numbers extends Module {
  readonly clk = new In<boolean>(this, "clk");
  readonly a = new Out<number>(this, "a");
  readonly b = new Out<number>(this, "b");
  private x = 134;
  private y = 247;
  constructor(parent: Parent, name: string) {
    super(parent, name);
    this.method(this.run).dontInitialize().sensitive(this.clk.pos());
  }
  run(): void {
    this.a.write((this.x -= 3));
    this.b.write((this.y += 5));
  }
}
class Stage extends Module {
  readonly clk = new In<boolean>(this, "clk");
  readonly a = new In<number>(this, "a");
  readonly b = new In<number>(this, "b");
  readonly c = new Out<number>(this, "c");
  readonly d = new Out<number>(this, "d");
  private readonly operation: (x: number, y: number) => [number, number];
  constructor(parent: Parent, name: string, operation: (x: number, y: number) => [number, number]) {
    super(parent, name);
    this.operation = operation;
    this.method(this.run).dontInitialize().sensitive(this.clk.pos());
  }
  run(): void {
    const [c, d] = this.operation(this.a.read(), this.b.read());
    this.c.write(c);
    this.d.write(d);
  }
}
class Display extends Module {
  readonly c = new In<number>(this, "c");
  readonly d = new In<number>(this, "d");
  readonly say: Say;
  constructor(parent: Parent, name: string, say: Say) {
    super(parent, name);
    this.say = say;
    this.method(this.run).dontInitialize().sensitive(this.c, this.d);
  }
  run(): void {
    this.say("result ", this.c.read(), " ", this.d.read());
  }
}

/** Threads that go on together. */
class Barrier {
  private here = 0;
  private readonly all = new Event();
  private readonly parties: number;
  constructor(parties: number) {
    this.parties = parties;
  }
  *arrive(): Generator<Wait, void, void> {
    if (++this.here < this.parties) yield wait(this.all);
    else {
      this.here = 0;
      this.all.notify();
    }
  }
}

export const examples: Record<string, Program> = {
  /** A writer and a reader with a channel of the user's own between them (simple_fifo). */
  example_fifo(sim, say) {
    new Link(sim, "link", say);
    sim.start();
  },

  /** Three stages of clocked methods behind a source of numbers (pipe). */
  example_pipe(sim, say) {
    const clk = new Clock(sim, "clk", { period: ns(20), dutyCycle: 0.5, start: ns(5) });
    const s = Array.from({ length: 8 }, (_, index) => new Signal(sim, `s${index}`, 0));
    const numbers = new Numbers(sim, "numbers");
    const stages = [
      new Stage(sim, "one", (x, y) => [x + y, x - y]),
      new Stage(sim, "two", (x, y) => [Math.imul(x, y), y === 0 ? 0 : Math.trunc(x / y)]),
      new Stage(sim, "three", (x, y) => [x % 1000, Math.imul(y, y)]),
    ];
    const display = new Display(sim, "display", say);
    numbers.clk.bind(clk);
    numbers.a.bind(s[0]!);
    numbers.b.bind(s[1]!);
    stages.forEach((stage, index) => {
      stage.clk.bind(clk);
      stage.a.bind(s[2 * index]!);
      stage.b.bind(s[2 * index + 1]!);
      stage.c.bind(s[2 * index + 2]!);
      stage.d.bind(s[2 * index + 3]!);
    });
    display.c.bind(s[6]!);
    display.d.bind(s[7]!);
    sim.start(ns(400));
  },

  /** Threads that wait for one another (scx_barrier). */
  example_barrier(sim, say) {
    const barrier = new Barrier(4);
    for (let i = 0; i < 4; i++) {
      thread(`t${i}`, function* () {
        for (let round = 0; round < 3; round++) {
          yield wait(ns((i * 5 + round * 7) % 9));
          say(i, " arrives ", round);
          yield* barrier.arrive();
          say(i, " goes on ", round);
        }
      });
    }
    sim.start();
  },

  /** Bursts through a FIFO, and how long the reader was idle (simple_perf). */
  example_performance(sim, say) {
    const fifo = new Fifo<string>(sim, "fifo", 8);
    let random = 12345;
    const next = (limit: number): number => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return (random >>> 16) % limit;
    };
    let [sent, received] = [0, 0];
    let [idle, last] = [ZERO_TIME, ZERO_TIME];
    thread("producer", function* () {
      for (let burst = 0; burst < 30; burst++) {
        yield wait(ns(100 + next(100)));
        for (let i = 1 + next(19); i > 0; i--) {
          yield* fifo.write(String.fromCharCode(97 + (sent % 26)));
          sent++;
        }
      }
    });
    thread("consumer", function* () {
      for (;;) {
        const before = sim.timeStamp;
        yield* fifo.read();
        idle = idle.plus(sim.timeStamp.minus(before));
        received++;
        last = sim.timeStamp;
        yield wait(ns(10));
      }
    });
    sim.start();
    say(sent, " ", received, " ", idle, " ", last, " ", fifo.available, " ", fifo.free);
  },

  /** Packets with several receivers through a clocked switch that drops what does not fit (pkt_switch). */
  example_switch(sim, say) {
    const ports = [0, 1, 2, 3];
    const [into, out]: [Fifo<number>[], Fifo<number>[]] = [[], []];
    for (const i of ports) {
      into.push(new Fifo<number>(sim, `in${i}`, 2));
      out.push(new Fifo<number>(sim, `out${i}`, 3));
    }
    const clk = new Clock(sim, "clk", { period: ns(8) });
    let dropped = 0;
    for (const i of ports) {
      thread(`send${i}`, function* () {
        for (let k = 0; k < 6; k++) {
          yield* into[i]!.write(i * 1000 + k * 100 + ((i * 3 + k * k) % 16));
          yield wait(ns(5 + i));
        }
      });
      thread(`receive${i}`, function* () {
        for (;;) {
          const packet = yield* out[i]!.read();
          say("port ", i, " gets ", packet);
          yield wait(ns(11));
        }
      });
    }
    const run = function* (): Generator<Wait | undefined, void, void> {
      for (;;) {
        for (const from of into) {
          const packet = from.tryRead();
          if (packet === undefined) continue;
          for (const to of ports) if (((packet % 100) >> to) & 1 && !out[to]!.tryWrite(packet)) dropped++;
        }
        yield;
      }
    };
    thread("switch", run, [clk.posedgeEvent], false);
    sim.start(ns(400));
    say("dropped ", dropped);
  },
};
