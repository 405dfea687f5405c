/** Loops, branches, helpers, vectors, structs, registers, signals. */
import {
  assert,
  bool,
  clamp,
  clocks,
  i16,
  i32,
  i8,
  Module,
  struct,
  u16,
  u4,
  u8,
  vec,
  type Mutable,
  type Process,
  type ValueOf,
} from "../../../../hw/index.js";

const Word = vec(i8, 4);
const Matrix = vec(Word, 3);
const Pair = struct({ low: i8, high: i8 });
const State = struct({ sum: i16, pair: Pair });

/** Vectors: maps, lanes, copies, vectors of vectors. */
export class Vectors extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(Word);
  readonly m = this.channelIn(Matrix);
  readonly y = this.channelOut(vec(i16, 3));
  readonly z = this.channelOut(Matrix);
  readonly sums = vec(i16, 3);
  kept = Word.zero();
  last = Matrix.zero();

  constructor() {
    super(null, "vectors");
    this.clocked(this.run);
  }

  dot(a: readonly number[], b: readonly number[]): number {
    let sum = i32(0);
    for (let i = 0; i < Word.length; i++) sum = i32(sum + a[i]! * b[i]!);
    return sum;
  }

  *run(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      const m = yield* this.m.pop();
      const before = Word(this.kept);
      for (let i = 0; i < 4; i++) this.kept[i] = i8(this.kept[i]! + x[i]!);
      const first = this.dot(m[0]!, x);
      const scaled = this.sums((r) => {
        const row = m[r]!;
        return i16(row[0]! * x[3]! + row[3]! * before[0]! + (r === 0 ? first : 0));
      });
      this.last[1] = x;
      yield* this.y.push(scaled);
      yield* this.z.push(Matrix((r) => (r === 1 ? this.kept : this.last[r]!)));
      this.last = Matrix((r) => m[2 - r]!);
      yield;
    }
  }
}

/** Structs: destructured tokens, registers that are structs, spread. */
export class Structs extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(struct({ a: i8, pair: Pair, first: bool }));
  readonly y = this.channelOut(struct({ sum: i16, pair: Pair }));
  state: Mutable<ValueOf<typeof State>> = State.zero();
  readonly Pair = Pair;

  constructor() {
    super(null, "structs");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const {
        a,
        pair: { low, high },
        first,
      } = yield* this.x.pop();
      this.state.sum = i16((first ? 0 : this.state.sum) + a * low);
      const swapped = { low: high, high: low };
      this.state.pair = this.Pair(a > 0 ? swapped : { ...swapped, low: a });
      yield* this.y.push({ sum: this.state.sum, pair: this.state.pair });
      yield;
    }
  }
}

/** Every form of loop, with labels. */
export class Loops extends Module {
  static readonly source = import.meta.url;
  readonly n = this.channelIn(u4);
  readonly y = this.channelOut(u16);

  constructor() {
    super(null, "loops");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const n = yield* this.n.pop();
      let sum = u16(0);
      for (let i = 0; i < n; i++) {
        sum = u16(sum + i);
        yield;
      }
      for (let i = u4(n); i > 0; i = u4(i - 1)) {
        if ((i & 3) === 3) {
          yield;
          continue;
        }
        sum = u16(sum + i * 2);
        yield* this.y.push(sum);
      }
      let k = u4(0);
      while (k < n) {
        k = u4(k + 1);
        if (k === 9) break;
        yield;
      }
      do {
        sum = u16(sum + 100);
        yield;
        if (sum > 400) continue;
        yield;
      } while (lowByte(sum) < 200 && sum < 900);
      outer: for (let r = 0; r < 4; r++) {
        for (let c = 0; c < 3; c++) {
          if (r * c === 4) break outer;
          if (c > r) continue outer;
          sum = u16(sum + r * 3 + c);
        }
      }
      yield* this.y.push(u16(sum + k));
      yield;
    }
  }
}

const lowByte = (x: number): number => x & 255;

/** switch, with cases together and returns out of helpers. */
export class Switch extends Module {
  static readonly source = import.meta.url;
  static readonly NOP = 0;
  readonly op = this.channelIn(u4);
  readonly y = this.channelOut(i16);
  readonly opcodes = { nop: 0, add: 1, twice: 2, wait: 3 } as const;
  acc = i16(0);

  constructor() {
    super(null, "switch");
    this.clocked(this.run);
  }

  *execute(op: number): Process<number> {
    const { opcodes } = this;
    switch (op) {
      case opcodes.nop:
        return 0;
      case opcodes.add:
      case 9: {
        this.acc = i16(this.acc + op);
        break;
      }
      case opcodes.twice:
        if (this.acc > 1000) break;
        this.acc = i16(this.acc * 2);
        break;
      case opcodes.wait:
        yield* clocks(5);
        return 5;
      default:
        yield;
    }
    return clamp(this.acc, 0, 7);
  }

  *run(): Process {
    for (;;) {
      const op = yield* this.op.pop();
      const result = yield* this.execute(op);
      yield* this.y.push(i16(this.acc + result));
      yield;
    }
  }
}

/** A signal between two processes, and a loop whose bound is asserted. */
export class Signals extends Module {
  static readonly source = import.meta.url;
  static readonly tokens = { n: (r: () => number): number => 1 + Math.floor(r() * 6) };
  readonly n = this.channelIn(u8);
  readonly y = this.channelOut(u8);
  readonly level = this.signal(u8, u8(7));

  constructor() {
    super(null, "signals");
    this.clocked(this.writer);
    this.clocked(this.reader);
  }

  *writer(): Process {
    for (;;) {
      const n = yield* this.n.pop();
      assert(n >= 1 && n <= 6, "1 to 6");
      for (let round = u8(0); round < 2; round = u8(round + 1))
        for (let i = u8(0); i < n; i = u8(i + 1)) {
          this.level.write(i);
          yield;
        }
    }
  }

  *reader(): Process {
    for (;;) {
      const now = this.level.read();
      yield* this.y.push(now);
      yield;
    }
  }
}

/** A process that ends, and one with an estimate. */
export class Ends extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(u8);
  readonly y = this.channelOut(u8);

  constructor() {
    super(null, "ends");
    this.clocked(this.run);
  }

  *run(): Process {
    for (let i = 0; i < 3; i++) {
      const x = yield* this.x.pop();
      if (x === 255) return;
      // keeps estimate: a guess, in simulation; tandem check --rtl refuses it
      yield* this.estimate(x & 3);
      yield* this.y.push(x);
    }
  }
}
