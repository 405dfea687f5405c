/** Small designs that between them use what the lowering to Verilog has to get right. */
import {
  andU,
  asr,
  assert,
  bits,
  bool,
  clamp,
  clocks,
  doublingHighMul,
  i16,
  i32,
  i8,
  Module,
  mulPair,
  orU,
  roundingShiftRight,
  shl,
  struct,
  u16,
  u2,
  u32,
  u4,
  u8,
  uint,
  vec,
  xorU,
  type Channel,
  type Process,
  type U8,
} from "../../../hw/index.js";
import { MacCell } from "../../hw/language/examples.js";

/** No `yield` at all: time passes only where operations wait. */
export class Through extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(u8);
  readonly out = this.channelOut(u8);
  readonly mid: Channel<U8>;

  constructor(depth: number, lanes: number) {
    super(null, "through");
    this.mid = this.channel(u8, { name: "mid", depth, lanes });
    this.clocked(this.first);
    this.clocked(this.second);
  }

  *first(): Process {
    for (;;) {
      const x = yield* this.in.pop();
      yield* this.mid.push(u8(x * 3 + 1));
      if (x > 100) yield* this.mid.push(u8(x - 100));
    }
  }

  *second(): Process {
    for (;;) {
      const x = yield* this.mid.pop();
      if (x % 2 === 0) {
        const y = yield* this.mid.pop();
        yield* this.out.push(u8(x + y));
      } else yield* this.out.push(x);
    }
  }
}

/** Two tokens a clock through a channel of two lanes; a vector, a field, a break, and a wait of many clocks. */
export class Lanes extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(i16);
  readonly out = this.channelOut(struct({ sum: i32, seen: u4, last: bool }));
  readonly pairs = this.channel(i16, { name: "pairs", depth: 4, lanes: 2 });
  total = i32(0);
  seen = u4(0);

  constructor() {
    super(null, "lanes");
    this.clocked(this.split);
    this.clocked(this.gather);
  }

  *split(): Process {
    for (;;) {
      const x = yield* this.in.pop();
      yield* this.pairs.push(x);
      yield* this.pairs.push(i16(0 - x));
      yield;
    }
  }

  *gather(): Process {
    for (;;) {
      const a = yield* this.pairs.pop();
      const b = yield* this.pairs.pop();
      this.total = i32(this.total + a * a - b);
      this.seen = u4(this.seen + 1);
      const wait = u4(a & 3);
      if (this.seen === 9) yield* clocks(wait);
      yield* this.out.push({ sum: this.total, seen: this.seen, last: this.seen === 15 });
      if (this.seen === 4) yield* clocks(3);
    }
  }
}

/** A memory written by one process and read by another, block by block. */
export class Buffered extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(i8);
  readonly out = this.channelOut(i32);
  readonly store = this.memory(vec(i8, 4), 32);
  readonly wr = this.store.writePort();
  readonly rd = this.store.readPort();
  readonly full = this.channel(u2, { name: "full", depth: 1 });
  readonly free = this.channel(u2, { name: "free", depth: 2 });

  constructor() {
    super(null, "buffered");
    this.clocked(this.fill);
    this.clocked(this.drain);
  }

  *fill(): Process {
    for (let block = u2(0); ; block = u2(block === 2 ? 0 : block + 1)) {
      for (let word = u8(0); word < 8; word = u8(word + 1)) {
        const quad = vec(i8, 4)(() => i8(0));
        for (let lane = 0; lane < 4; lane++) {
          const x = yield* this.in.pop();
          quad[lane] = x;
          yield;
        }
        this.wr.write(block * 8 + word, quad);
      }
      yield* this.full.push(block);
      if (block === 2) {
        yield* this.free.pop();
        yield* this.free.pop();
        yield* this.free.pop();
      }
    }
  }

  *drain(): Process {
    for (;;) {
      const block = yield* this.full.pop();
      let sum = i32(0);
      this.rd.read(block * 8);
      yield;
      for (let word = u8(1); word < 9; word = u8(word + 1)) {
        const [p, q] = mulPair(this.rd.q[0]!, this.rd.q[1]!, this.rd.q[2]!);
        sum = i32(sum + p - q * 3 + this.rd.q[3]!);
        if (word < 8) this.rd.read(block * 8 + word);
        yield* this.out.push(sum);
        yield;
      }
      yield* this.out.push(i32(roundingShiftRight(doublingHighMul(i32(sum * 65536), i32(1518500250)), 3)));
      yield* this.free.push(block);
    }
  }
}

/** A signal between two processes, and polling: whoever has something first is served first. */
export class Arbiter extends Module {
  static readonly source = import.meta.url;
  readonly a = this.channelIn(u8);
  readonly b = this.channelIn(u8);
  readonly out = this.channelOut(struct({ from: bool, value: u8, turn: u8 }));
  readonly turn = this.signal(u8);

  constructor() {
    super(null, "arbiter");
    this.clocked(this.serve);
    this.clocked(this.count);
  }

  *serve(): Process {
    for (let served = u8(0); served < 40; served = u8(served + 1)) {
      const a = this.a.tryPop();
      if (a !== undefined) {
        yield* this.out.push({ from: false, value: a, turn: this.turn.read() });
      } else {
        const b = this.b.tryPop();
        if (b !== undefined) yield* this.out.push({ from: true, value: b, turn: this.turn.read() });
      }
      yield;
    }
  }

  *count(): Process {
    for (let i = u8(0); i < 50; i = u8(i + 1)) {
      this.turn.write(u8(i * 5));
      yield* clocks(i & 1);
      yield;
    }
  }
}

/** Takes the rows of results, and gives back the credit for a tile. */
class Leaver extends Module {
  static readonly source = import.meta.url;
  readonly results;
  readonly out;
  readonly credit: Channel<U8>;
  readonly rows: number;
  constructor(parent: Module, rows: number, cols: number, credit: Channel<U8>) {
    super(parent, "leaver");
    this.rows = rows;
    this.credit = credit;
    this.results = this.channelIn(vec(i32, cols));
    this.out = this.channelOut(vec(i32, cols));
    this.clocked(this.run);
  }
  *run(): Process {
    for (;;) {
      for (let r = u8(0); r < this.rows; r = u8(r + 1)) {
        const row = yield* this.results.pop();
        yield* this.out.push(row);
        yield;
      }
      yield* this.credit.push(u8(1));
    }
  }
}

/** An output-stationary array that takes columns of A and rows of B as vectors and gives rows of the product. */
export class Product extends Module {
  static readonly source = import.meta.url;
  readonly a;
  readonly b;
  readonly depth = this.channelIn(u8);
  readonly out;
  readonly array;
  readonly credit = this.channel(u8, { name: "credit", depth: 8 });
  readonly west;

  constructor(rows: number, cols: number) {
    super(null, "product");
    const cell = new MacCell();
    this.west = vec(cell.west, rows);
    this.a = this.channelIn(vec(i8, rows));
    this.b = this.channelIn(vec(i8, cols));
    this.out = this.channelOut(vec(i32, cols));
    this.array = this.grid(rows, cols, cell);
    const leaver = new Leaver(this, rows, cols, this.credit);
    this.connect(this.array.results, leaver.results, { depth: 2 * rows });
    this.connect(leaver.out, this.out);
    this.clocked(this.feed);
  }

  *feed(): Process {
    for (let tiles = u8(0); ; tiles = u8(1)) {
      const n = yield* this.depth.pop();
      for (let k = u8(0); k < n; k = u8(k + 1)) {
        const a = yield* this.a.pop();
        const b = yield* this.b.pop();
        const first = k === 0;
        const last = k === n - 1;
        this.array.feed(
          this.west((r) => ({ a: a[r]!, first, last })),
          b,
        );
        yield;
      }
      // Results of two tiles have room.
      if (tiles > 0) yield* this.credit.pop();
    }
  }
}

class Leaf extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(u16);
  readonly out = this.channelOut(u16);
  readonly add: number;
  constructor(parent: Module, name: string, add: number) {
    super(parent, name);
    this.add = add;
    this.clocked(this.run);
  }
  *run(): Process {
    for (;;) {
      const x = yield* this.in.pop();
      yield* this.out.push(u16(x + this.add));
      yield;
    }
  }
}

class Branch extends Module {
  readonly in = this.channelIn(u16);
  readonly out = this.channelOut(u16);
  readonly leaves: Leaf[];
  constructor(parent: Module, name: string, add: number) {
    super(parent, name);
    this.leaves = [0, 1].map((i) => new Leaf(this, `leaf${i}`, add));
    this.connect(this.in, this.leaves[0]!.in);
    this.connect(this.leaves[0]!.out, this.leaves[1]!.in);
    this.connect(this.leaves[1]!.out, this.out);
  }
}

class Scatter extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(u16);
  readonly to = [0, 1, 2].map(() => this.channelOut(u16));
  constructor(parent: Module, name: string) {
    super(parent, name);
    this.clocked(this.run);
  }
  *run(): Process {
    for (;;) {
      const x = yield* this.in.pop();
      yield* this.to[x % 3]!.push(x);
    }
  }
}

class Gather extends Module {
  static readonly source = import.meta.url;
  readonly from = [0, 1, 2].map(() => this.channelIn(u16));
  readonly out = this.channelOut(u16);
  constructor(parent: Module, name: string) {
    super(parent, name);
    this.clocked(this.run);
  }
  *run(): Process {
    for (let i = u8(0); ; i = u8(i === 2 ? 0 : i + 1)) {
      assert(i < 3, "three branches");
      const x = yield* this.from[i]!.pop();
      yield* this.out.push(x);
    }
  }
}

/** A hierarchy of three levels, and processes that pick one of several channels by number. */
export class Tree extends Module {
  readonly in = this.channelIn(u16);
  readonly out = this.channelOut(u16);
  constructor() {
    super(null, "tree");
    const scatter = new Scatter(this, "scatter");
    const gather = new Gather(this, "gather");
    this.connect(this.in, scatter.in);
    [0, 1, 2].forEach((i) => {
      const branch = new Branch(this, `branch${i}`, i === 2 ? 100 : 7);
      this.connect(scatter.to[i]!, branch.in);
      this.connect(branch.out, gather.from[i]!);
    });
    this.connect(gather.out, this.out);
  }
}

const u5 = uint(5);
const Operands = struct({ x: i32, y: i32, a: i8, b: i8, c: i8, n: u5, u: u8 });
const Results = struct({
  high: i32,
  rounded: i32,
  pair: vec(i16, 2),
  differences: vec(i16, 2),
  shifted: i32,
  up: i32,
  field: u8,
  logic: u32,
  limited: i8,
  least: i32,
  size: u8,
  rest: u4,
  order: u4,
  mixed: i16,
});

/** Every helper of hw/arithmetic.ts and the operators, on operands from outside. */
export class Arithmetic extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(Operands);
  readonly out = this.channelOut(Results);

  constructor() {
    super(null, "arithmetic");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const { x, y, a, b, c, n, u } = yield* this.in.pop();
      const product = mulPair(a, b, c);
      // Nine bits: -128 - 127 and 127 + 128 are the ends.
      const wider = mulPair(a, b - c, c - b);
      yield* this.out.push({
        high: doublingHighMul(x, y),
        rounded: roundingShiftRight(x, n),
        pair: vec(i16, 2)((lane) => product[lane]!),
        differences: vec(i16, 2)((lane) => wider[lane]!),
        shifted: i32(asr(x, n)),
        up: i32(shl(a, 5) - asr(y, 3)),
        field: u8(bits(x, 18, 11)),
        logic: u32(xorU(andU(u, 0x5a), orU(u, 3)) * 3),
        limited: i8(clamp(x, -100, 99)),
        least: i32(Math.min(x, y) + Math.max(a, b)),
        size: u8(Math.abs(a)),
        rest: u4(u % 8),
        order: u4((x < y ? 1 : 0) + (a <= b ? 2 : 0) + (u > a ? 4 : 0) + (c === b ? 8 : 0)),
        mixed: i16(u * a - b * u + (n << 2)),
      });
      yield;
    }
  }
}
