/** The examples of docs/language.md. The page quotes them word for word; language.spec.ts holds the two together. */
import {
  asr,
  assert,
  bool,
  Cell,
  clocks,
  i32,
  i8,
  Module,
  struct,
  u12,
  u8,
  vec,
  type Process,
} from "../../../hw/index.js";
import type { I32, I8, Inputs, Mutable, Outputs, ValueOf } from "../../../hw/index.js";

export class Mac extends Module {
  static readonly source = import.meta.url;
  readonly count = this.channelIn(u12);
  readonly a = this.channelIn(i8);
  readonly b = this.channelIn(i8);
  readonly y = this.channelOut(i32);

  constructor() {
    super(null, "mac");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const n = yield* this.count.pop();
      let acc = i32(0);
      for (let i = u12(0); i < n; i = u12(i + 1)) {
        const x = yield* this.a.pop();
        const w = yield* this.b.pop();
        acc = i32(acc + x * w);
        yield;
      }
      yield* this.y.push(acc);
      yield;
    }
  }
}

/** One input and one output, for examples that differ in their process alone. */
abstract class Pipe extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(u8);
  readonly y = this.channelOut(u8);

  constructor() {
    super(null, "pipe");
    this.clocked(this.run);
  }

  abstract run(): Process;
}

export class Wait extends Pipe {
  static override readonly source = import.meta.url;
  *run(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      yield* clocks(3);
      yield* this.y.push(x);
    }
  }
}

export class Through extends Pipe {
  static override readonly source = import.meta.url;
  *run(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      yield* this.y.push(u8(x + 1));
    }
  }
}

export class TwoPops extends Pipe {
  static override readonly source = import.meta.url;
  *run(): Process {
    for (;;) {
      const first = yield* this.x.pop();
      const second = yield* this.x.pop();
      yield* this.y.push(u8(first + second));
    }
  }
}

export class Join extends Module {
  static readonly source = import.meta.url;
  readonly a = this.channelIn(u8);
  readonly x = this.channelIn(u8);
  readonly y = this.channelOut(u8);
  readonly slow = this.channel(u8, { name: "slow" });

  constructor() {
    super(null, "join");
    this.clocked(this.delay);
    this.clocked(this.run);
  }

  *delay(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      yield* clocks(5);
      yield* this.slow.push(x);
    }
  }

  *run(): Process {
    for (;;) {
      const a = yield* this.a.pop();
      const x = yield* this.slow.pop();
      yield* this.y.push(u8(a + x));
    }
  }
}

export class Evens extends Pipe {
  static override readonly source = import.meta.url;
  *run(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      if ((x & 1) === 0) yield* this.y.push(x);
      else yield;
    }
  }
}

export class DepthOne extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(u8);
  readonly y = this.channelOut(u8);
  readonly mid = this.channel(u8, { name: "mid", depth: 1 });

  constructor() {
    super(null, "depthone");
    this.clocked(this.first);
    this.clocked(this.second);
  }

  *first(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      yield* this.mid.push(x);
    }
  }

  *second(): Process {
    for (;;) {
      const x = yield* this.mid.pop();
      yield* this.y.push(x);
    }
  }
}

export class Lanes extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(u8);
  readonly y = this.channelOut(u8);
  readonly pair = this.channel(u8, { name: "pair", depth: 4, lanes: 2 });

  constructor() {
    super(null, "lanes");
    this.clocked(this.first);
    this.clocked(this.second);
  }

  *first(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      yield* this.pair.push(x);
      yield* this.pair.push(u8(x + 100));
    }
  }

  *second(): Process {
    for (;;) {
      const low = yield* this.pair.pop();
      const high = yield* this.pair.pop();
      yield* this.y.push(u8(high - low));
    }
  }
}

export class Own extends Pipe {
  static override readonly source = import.meta.url;
  readonly later = this.channel(u8, { name: "later" });
  *run(): Process {
    yield* this.later.push(u8(0));
    for (;;) {
      const x = yield* this.x.pop();
      const before = yield* this.later.pop();
      yield* this.later.push(x);
      yield* this.y.push(u8(x - before));
    }
  }
}

export class Poll extends Pipe {
  static override readonly source = import.meta.url;
  *run(): Process {
    let empty = u8(0);
    for (;;) {
      const x = this.x.tryPop();
      if (x === undefined) empty = u8(empty + 1);
      else yield* this.y.push(empty);
      yield;
    }
  }
}

export class Buffer extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(u8);
  readonly y = this.channelOut(u8);
  readonly mem = this.memory(u8, 16);
  readonly wr = this.mem.writePort();
  readonly rd = this.mem.readPort();
  readonly full = this.channel(bool, { name: "full" });
  readonly empty = this.channel(bool, { name: "empty" });

  constructor() {
    super(null, "buffer");
    this.clocked(this.fill);
    this.clocked(this.drain);
  }

  *fill(): Process {
    for (;;) {
      for (let i = 0; i < 2; i++) {
        const x = yield* this.x.pop();
        this.wr.write(i, x);
        yield;
      }
      yield* this.full.push(true);
      yield* this.empty.pop();
    }
  }

  *drain(): Process {
    for (;;) {
      yield* this.full.pop();
      for (let i = 0; i < 2; i++) {
        this.rd.read(i);
        yield;
        yield* this.y.push(this.rd.q);
      }
      yield* this.empty.push(true);
    }
  }
}

export class Mean extends Pipe {
  static override readonly source = import.meta.url;
  sum = u12(0);

  add(x: number): void {
    this.sum = u12(this.sum + x);
  }

  *run(): Process {
    for (;;) {
      const n = yield* this.x.pop();
      assert(n >= 1, "something to add up");
      for (let i = u8(0); i < n; i = u8(i + 1)) {
        const x = yield* this.x.pop();
        this.add(x);
      }
      yield* this.y.push(u8(asr(this.sum, 2)));
      this.sum = u12(0);
    }
  }
}

const West = struct({ a: i8, first: bool, last: bool });
type West = ValueOf<typeof West>;
const State = struct({ acc: i32 });
type State = ValueOf<typeof State>;

export class MacCell extends Cell<West, I8, State, I32> {
  static readonly source = import.meta.url;
  readonly west = West;
  readonly north = i8;
  readonly state = State;
  readonly emit = i32;

  step({ west: { a, first, last }, north: w }: Inputs<West, I8>, s: Mutable<State>): Outputs<West, I8, I32> {
    s.acc = i32((first ? 0 : s.acc) + a * w);
    return { east: { a, first, last }, south: w, emit: last ? s.acc : undefined };
  }
}

export class Product extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(i8);
  readonly y = this.channelOut(vec(i32, 3));
  readonly array = this.grid(2, 3, new MacCell());
  readonly rows = vec(West, 2);
  readonly cols = vec(i8, 3);

  constructor() {
    super(null, "product");
    this.connect(this.array.results, this.y);
    this.clocked(this.feed);
  }

  *feed(): Process {
    for (let k = 0; k < 2; k++) {
      const x = yield* this.x.pop();
      this.array.feed(
        this.rows((r) => ({ a: i8(x + r), first: k === 0, last: k === 1 })),
        this.cols((c) => i8(c)),
      );
      yield;
    }
  }
}
