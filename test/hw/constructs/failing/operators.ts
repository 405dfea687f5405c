/** Refused: what JavaScript and hardware would compute differently, and what does not fit. */
/* eslint-disable */
// @ts-nocheck: some of it TypeScript refuses as well; the checker has to see it in JavaScript.
import { asr, clamp, doublingHighMul, i32, i8, shl, u32, u8, type Process } from "../../../../hw/index.js";
import { Bench, Word } from "../bench.js";

export class Operators extends Bench {
  static readonly source = import.meta.url;
  *run(): Process {
    for (;;) {
      const a = yield* this.a.pop();
      const n = yield* this.n.pop();
      const wide = yield* this.wide.pop();
      // breach operator at "n / 4": / has no hardware
      const quarter = i32(n / 4);
      // breach operator at "a % 3": the remainder of a negative number
      const rest = i32(a % 3);
      // breach operator at "n % n": the divisor of n % n is in 0..255
      const odd = i32(n % n);
      // breach operator at "a >> 1": may be negative
      const half = i32(a >> 1);
      // breach operator at "n << 30": beyond JavaScript's 32-bit <<
      const high = i32(n << 30);
      // breach operator at "wide & 255": JavaScript's bitwise operators take -2^31..2^31-1
      const low = u8(wide & 255);
      // breach operator at "n >> n": the distance of n >> n is in 0..255
      const away = i32(n >> n);
      // breach range at "wide * wide * 2": beyond the 53 bits
      const huge = u32(wide * wide * 2);
      // breach range at "wide": operand 1 of doublingHighMul is in 0..4294967295
      const product = doublingHighMul(wide, 3);
      // breach syntax at "n == 3": == converts its operands
      const same = n == 3;
      // breach operator at "n ** 2": ** has no hardware
      const power = i32(n ** 2);
      // breach operator at "Math.sqrt(n)": has no hardware
      const root = i32(Math.sqrt(n));
      // breach type at "n ? 1": a condition is a boolean
      const chosen = n ? 1 : 2;
      // breach type at "n === 1": an integer is expected
      const sum = i32(a + (n === 1));
      yield* this.y.push(i32(asr(a, 1) + shl(n, 2) + clamp(a, 0, 3)));
      yield;
    }
  }
}

export class Stores extends Bench {
  static readonly source = import.meta.url;
  acc = i8(0);
  word = Word.zero();
  *run(): Process {
    for (;;) {
      const a = yield* this.a.pop();
      const v = yield* this.v.pop();
      const n = yield* this.n.pop();
      // breach uncast at "this.acc + a": is in -256..254, but i8 holds -128..127
      this.acc = this.acc + a;
      // breach increment at "this.acc++": hides where the result is truncated
      this.acc++;
      // breach increment at "this.acc += a": Write this.acc = i8(this.acc + a)
      this.acc += a;
      // breach increment at "i++": Write i = u8(i + 1)
      for (let i = u8(0); i < n; i++) yield;
      // breach type at "plain": is assigned again, but has no type that gives its width
      let plain = 3;
      plain = a;
      // breach uncast at "n": is in 0..255, but i8 holds -128..127
      this.word[0] = n;
      // breach index at "v[n]": the index is in 0..255, but there are 4 elements
      const lane = v[n];
      // breach type at "{ low: a }": field "high" of
      yield* this.pairs.push({ low: a });
      // breach type at "[a, a]": 2 values where vec(i8, 4) is expected
      yield* this.out.push([a, a]);
      // breach type at "v": vec(i8, 4)
      yield* this.y.push(v);
      yield;
    }
  }
}
