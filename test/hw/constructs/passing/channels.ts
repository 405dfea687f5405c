/** Channels: the awkward cases of rule 2. */
import { bool, clocks, i16, Module, struct, u4, u8, vec, type Process } from "../../../../hw/index.js";

/** Two operations on one channel in one clock: the second waits for the next. */
export class TwoPops extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(u8);
  readonly y = this.channelOut(i16);

  constructor() {
    super(null, "twopops");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const a = yield* this.x.pop();
      const b = yield* this.x.pop();
      yield* this.y.push(i16(a - b));
      yield* this.y.push(i16(a + b));
    }
  }
}

/** Operations on some paths only. */
export class Conditional extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(u8);
  readonly even = this.channelOut(u8);
  readonly odd = this.channelOut(u8);

  constructor() {
    super(null, "conditional");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      if ((x & 1) === 0) yield* this.even.push(x);
      else if (x > 100) {
        yield* this.odd.push(x);
        yield;
      }
      if ((x & 2) === 2) yield* this.even.push(u8(x + 1));
    }
  }
}

/** A channel of depth 1 between two processes, and one of two lanes. */
export class Depths extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(u8);
  readonly y = this.channelOut(u8);
  readonly one = this.channel(u8, { name: "one", depth: 1 });
  readonly wide = this.channel(u8, { name: "wide", depth: 4, lanes: 2 });

  constructor() {
    super(null, "depths");
    this.clocked(this.first);
    this.clocked(this.second);
    this.clocked(this.third);
  }

  *first(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      yield* this.one.push(x);
    }
  }

  *second(): Process {
    for (;;) {
      const x = yield* this.one.pop();
      yield* this.wide.push(x);
      yield* this.wide.push(u8(x + 1));
    }
  }

  *third(): Process {
    for (;;) {
      const a = yield* this.wide.pop();
      const b = yield* this.wide.pop();
      yield* this.y.push(u8(a + b));
    }
  }
}

/** A process that sends to itself: a queue of its own. */
export class Self extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(u8);
  readonly y = this.channelOut(u8);
  readonly later = this.channel(u8, { name: "later", depth: 3 });

  constructor() {
    super(null, "self");
    this.clocked(this.run);
  }

  *run(): Process {
    yield* this.later.push(u8(1));
    yield* this.later.push(u8(2));
    for (;;) {
      const x = yield* this.x.pop();
      const old = yield* this.later.pop();
      yield* this.later.push(u8(x + old));
      yield* this.y.push(old);
    }
  }
}

/** Polling: an arbiter that takes what is there. */
export class Arbiter extends Module {
  static readonly source = import.meta.url;
  readonly a = this.channelIn(u8);
  readonly b = this.channelIn(u8);
  readonly y = this.channelOut(struct({ from: u4, value: u8, more: bool }));
  dropped = u8(0);

  constructor() {
    super(null, "arbiter");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const a = this.a.tryPop();
      if (a !== undefined) {
        const next = this.a.peek();
        yield* this.y.push({ from: u4(1), value: a, more: next !== undefined });
      } else {
        const b = this.b.tryPop();
        if (b === undefined) {
          yield;
          continue;
        }
        if (!this.y.tryPush({ from: u4(2), value: u8(b ^ this.dropped), more: false }))
          this.dropped = u8(this.dropped + 1);
      }
      yield;
    }
  }
}

/** Several ports of one kind, chosen by a token; and waits of any length. */
export class Router extends Module {
  static readonly source = import.meta.url;
  readonly to = this.channelIn(u4);
  readonly x = this.channelIn(vec(u8, 2));
  readonly outs = [this.channelOut(u8), this.channelOut(u8), this.channelOut(u8)];

  constructor() {
    super(null, "router");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const to = yield* this.to.pop();
      const x = yield* this.x.pop();
      for (let i = 0; i < 2; i++) if (i === to) yield* this.outs[i]!.push(x[0]!);
      if (to < 3) yield* this.outs[to]!.push(x[1]!);
      for (const out of this.outs) {
        yield* out.push(u8(x[0]! + x[1]!));
        if (to === 7) break;
      }
      yield* clocks(to & 3);
      yield;
    }
  }
}
