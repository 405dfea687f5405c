/** Exact integers, casts, operators and helpers. */
import {
  andU,
  asr,
  assert,
  bits,
  bool,
  clamp,
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
  u1,
  u16,
  u32,
  u4,
  u8,
  uint,
  vec,
  xorU,
  type Process,
} from "../../../../hw/index.js";

/** Truncation of every width, signed and unsigned. */
export class Casts extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(i32);
  readonly y = this.channelOut(struct({ a: u1, b: u4, c: i8, d: uint(31), e: u32, f: i32 }));

  constructor() {
    super(null, "casts");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      const square = x * 1048575;
      yield* this.y.push({
        a: u1(x),
        b: u4(0 - x),
        c: i8(x + 1),
        d: uint(31)(square),
        e: u32(square - 1),
        f: i32(-square),
      });
      yield;
    }
  }
}

/** Operators on numbers that are not negative, comparisons, logic. */
export class Operators extends Module {
  static readonly source = import.meta.url;
  readonly a = this.channelIn(u16);
  readonly b = this.channelIn(u8);
  readonly y = this.channelOut(vec(i32, 8));
  readonly z = this.channelOut(vec(bool, 4));
  readonly word = vec(i32, 8);

  constructor() {
    super(null, "operators");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const a = yield* this.a.pop();
      const b = yield* this.b.pop();
      const low = b & 15;
      yield* this.y.push(
        this.word([
          i32(a % 10),
          i32(a >> low),
          i32(b << 3),
          i32(a >>> 4),
          i32((a & b) | (a ^ b)),
          i32(~b),
          i32(0 - a),
          i32(a > b ? a - b : b - a),
        ]),
      );
      yield* this.z.push([a + 0 === b + 0, a + 1 !== b + 1 && b > 3, !(a <= b) || b === 0, a >= b ? a < 100 : b < 100]);
      yield;
    }
  }
}

/** The helpers of hw/arithmetic.ts. */
export class Helpers extends Module {
  static readonly source = import.meta.url;
  static readonly tokens = { n: (r: () => number): number => Math.floor(r() * 32) };
  readonly a = this.channelIn(i32);
  readonly b = this.channelIn(i32);
  readonly n = this.channelIn(uint(5));
  readonly y = this.channelOut(vec(i32, 13));

  constructor() {
    super(null, "helpers");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const a = yield* this.a.pop();
      const b = yield* this.b.pop();
      const n = yield* this.n.pop();
      const [p, q] = mulPair(i8(a), i8(b), i8(a + b));
      const [high, low] = mulPair(i8(b), i8(a) - i8(b), i8(b) - i8(n));
      const unsigned = u32(a);
      yield* this.y.push([
        i32(asr(a, n)),
        i32(shl(i8(a), 3)),
        i32(bits(b, 12, 3)),
        i32(andU(unsigned, u32(b))),
        i32(orU(unsigned, 5)),
        i32(xorU(u32(b), 0x80)),
        doublingHighMul(a, b),
        roundingShiftRight(a, n),
        i32(clamp(a, -128, 127)),
        i32(p + q),
        i32(high - low),
        i32(Math.min(a, b) - Math.max(a, b)),
        i32(Math.abs(a)),
      ]);
      yield;
    }
  }
}

const TABLE = [3, 1, 4, 1, 5, 9, 2, 6] as const;
const scale = (x: number, by: number): number => x * by;

/** A table of constants, chosen at run time; a helper with names and choices. */
export class Tables extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(u8);
  readonly y = this.channelOut(i16);

  constructor() {
    super(null, "tables");
    this.clocked(this.run);
  }

  grade(x: number): number {
    const tens = x >> 4;
    if (tens > 8) return tens * 2;
    const odd = (x & 1) === 1;
    if (odd) {
      const next = x + 1;
      return scale(next, 3);
    }
    return TABLE[tens & 7]!;
  }

  *run(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      const small = x & 7;
      assert(small < TABLE.length, "the index is inside");
      yield* this.y.push(i16(this.grade(x) + TABLE[small]!));
      yield;
    }
  }
}
