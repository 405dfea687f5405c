/**
 * Beside each rule: the lawful way to say what the examples of ../failing say in breach of it. A comment `keeps RULE` stands
 * above the line that it is about.
 */
import { andU, asr, assert, clocks, i32, i8, Module, u32, u4, u8, vec, type Process } from "../../../../hw/index.js";

const Word = vec(i8, 4);

/** A table that is made once, when the object is: any JavaScript may do it, if it always gives the same. */
function noise(seed: number): number[] {
  let state = seed;
  return Array.from({ length: 4 }, () => (state = (state * 75) % 65537) % 7);
}

export class Lawful extends Module {
  // keeps source: the class says where its text is
  static readonly source = import.meta.url;
  readonly a = this.channelIn(i8);
  readonly n = this.channelIn(u8);
  readonly wide = this.channelIn(u32);
  readonly v = this.channelIn(Word);
  readonly y = this.channelOut(i32);
  readonly z = this.channelOut(i32);
  readonly passed = this.channel(u8, { name: "passed" });
  readonly mem = this.memory(i8, 16, { init: Array.from({ length: 16 }, () => i8(0)) });
  readonly rd = this.mem.readPort();
  readonly wr = this.mem.writePort();
  readonly level = this.signal(u8);
  readonly taps = noise(3);
  word = Word.zero();
  count = u8(0);

  constructor() {
    super(null, "lawful");
    this.clocked(this.compute);
    this.clocked(this.observe);
  }

  bump(by: number): number {
    this.count = u8(this.count + by);
    return this.count;
  }

  // keeps recursion: a helper may call another
  bumpTwice(by: number): number {
    const once = this.bump(by);
    return once + by;
  }

  *compute(): Process {
    for (;;) {
      // keeps yield-star: awaited; keeps yield-place: as the sole initialiser of a name
      const a = yield* this.a.pop();
      const n = yield* this.n.pop();
      const wide = yield* this.wide.pop();
      const v = yield* this.v.pop();
      // keeps constant: folded from the live object; keeps nondeterminism: drawn when it was made
      let sum = i32(this.taps[1]! * a);
      // keeps uncast: the type shows where the sum is cut off
      sum = i32(sum + a);
      // keeps increment: in words
      this.count = u8(this.count + 1);
      // keeps operator: named where JavaScript and hardware part
      sum = i32(sum + asr(a, 1) + (n >> 2) + (n % 3) + andU(wide, 255));
      // keeps range: cut off before it grows beyond 53 bits
      sum = i32(sum + i8(wide) * i8(wide));
      // keeps index: as many values as there are lanes
      sum = i32(sum + v[n & 3]!);
      // keeps alias: a copy of its own
      const mine = Word(v);
      mine[0] = i8(mine[0]! + 1);
      this.word = Word((lane) => mine[lane]!);
      // keeps type: a number out of a condition
      sum = i32(sum + (n > 3 ? 1 : 0) + this.word[0]!);
      // keeps effects: what changes state stands alone
      const bumped = this.bumpTwice(a);
      // keeps syntax: compared without conversion
      if (bumped === 3) sum = i32(sum + 1);
      const scale = 3;
      // keeps closure: over a constant
      const times = (x: number): number => x * scale;
      sum = i32(sum + times(a));
      // keeps loop-clock: every round takes one
      for (let i = u4(0); i < (n & 7); i = u4(i + 1)) yield;
      // keeps loop-bound: the counter reaches it
      for (let j = u4(0); j < 15; j = u4(j + 1)) sum = i32(sum + j);
      this.wr.write(n & 15, a);
      yield;
      // keeps port-twice: a clock between two uses; keeps port-user: the only one of this port
      this.rd.read(n & 15);
      yield;
      const before = i8(this.rd.q);
      this.rd.read((n + 1) & 15);
      yield;
      // keeps signal-writer: the only one; others read it
      this.level.write(n);
      // keeps channel-user: one pushes here, one pops there
      yield* this.passed.push(n);
      yield* this.y.push(i32(sum + before + this.rd.q));
    }
  }

  *observe(): Process {
    // keeps owner: a name of its own
    let seen = u8(0);
    for (;;) {
      const token = this.passed.tryPop();
      // keeps undefined-token: looked at first; keeps name: known to the compiler
      if (token !== undefined) {
        seen = u8(seen + token);
        yield* this.z.push(i32(seen + this.level.read()));
      }
      yield;
    }
  }
}

/** Loops that may pass not at all, one after the other: still, every round of the outermost pops once. */
export class Skipped extends Module {
  static readonly source = import.meta.url;
  readonly n = this.channelIn(u8);
  readonly a = this.channelIn(i8);
  readonly b = this.channelIn(i8);
  readonly y = this.channelOut(i32);

  constructor() {
    super(null, "skipped");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const n = yield* this.n.pop();
      let sum = i32(n);
      for (let i = u4(0); i < (n & 3); i = u4(i + 1)) {
        const a = yield* this.a.pop();
        sum = i32(sum + a);
      }
      for (let i = u4(0); i < n >> 6; i = u4(i + 1)) {
        const b = yield* this.b.pop();
        sum = i32(sum - b);
      }
      if ((n & 12) !== 0) yield* this.y.push(sum);
      yield* clocks((n >> 4) & 1);
    }
  }
}

/** Loops of one pass, which are none. */
export class Once extends Module {
  static readonly source = import.meta.url;
  readonly a = [0].map(() => this.channelIn(i8));
  readonly b = [0].map(() => this.channelIn(i8));
  readonly n = this.channelIn(u8);
  readonly y = this.channelOut(i32);

  constructor() {
    super(null, "once");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const n = yield* this.n.pop();
      let sum = i32(0);
      for (let p = 0; p < this.a.length; p++) {
        const a = yield* this.a[p]!.pop();
        sum = i32(sum + a);
      }
      for (let p = 0; p < this.b.length; p++) {
        const b = yield* this.b[p]!.pop();
        sum = i32(sum * 3 - b);
      }
      assert(this.a.length === 1, "a single one");
      for (let i = u8(0); i < (n & 3); i = u8(i + 1)) {
        yield* this.y.push(sum);
        yield;
      }
    }
  }
}
