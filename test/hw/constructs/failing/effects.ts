/** Refused: effects inside expressions, second names, closures, recursion, and what has no hardware at all. */
/* eslint-disable */
// @ts-nocheck
import { i32, i8, u8, type Process } from "../../../../hw/index.js";
import { Bench, Word } from "../bench.js";

// breach closure at "outside": is a variable outside the process
let outside = 3;
// breach syntax at "new Map": new has no hardware
const unknown = new Map([[1, 2]]);

export class Effects extends Bench {
  static readonly source = import.meta.url;
  #hidden = i32(0);
  count = u8(0);
  next(): number {
    this.count = u8(this.count + 1);
    return this.count;
  }
  *run(): Process {
    for (;;) {
      const n = yield* this.n.pop();
      // breach effects at "this.next()": has statements and cannot be used
      const chosen = n > 3 ? this.next() : 0;
      // breach effects at "this.a.tryPop()": inside an operand of i32
      const both = i32((this.a.tryPop() ?? 0) + 1);
      // breach effects at "this.count = u8(1)": assigns inside an expression
      const set = (this.count = u8(1));
      // breach name at "this.#hidden": cannot look into private names
      yield* this.y.push(i32(this.#hidden));
      // breach name at "missing": is not a name that the compiler knows
      yield* this.y.push(missing);
      // breach name at "this.nothing": there is no "nothing" in the live object
      yield* this.y.push(this.nothing);
      // breach constant at "this.n.channel.pushed": changes while the design runs
      yield* this.y.push(i32(this.n.channel.pushed));
      // breach nondeterminism at "Math.random()": not the same in every run
      yield* this.y.push(i32(Math.random()));
      // breach nondeterminism at "Date": not the same in every run
      yield* this.y.push(i32(Date.now()));
      const token = this.a.tryPop();
      // breach undefined-token at "token": may be undefined here
      yield* this.y.push(i32(token));
      // breach syntax at "throw new Error(": throw has no hardware
      if (n === 200) throw new Error("no");
      // breach syntax at "var": var has no hardware
      var old = 3;
      // breach syntax at "try {": has no hardware
      try {
        yield;
      } catch {}
      // breach syntax at "this.v.type?.bits": chain has no hardware
      yield* this.y.push(i32(this.v.type?.bits));
      // breach syntax at "n + 1": has no effect
      n + 1;
      console.log("dropped", n);
      yield;
    }
  }
}

export class Pushes extends Bench {
  static readonly source = import.meta.url;
  count = u8(0);
  next(): number {
    // breach effects at "this.count": is assigned inside an operand of this.y.push
    this.count = u8(this.count + 1);
    return this.count;
  }
  *run(): Process {
    for (;;) {
      yield* this.y.push(i32(this.next()));
      yield;
    }
  }
}

export class Names extends Bench {
  static readonly source = import.meta.url;
  word = Word.zero();
  fact(n: number): number {
    // breach recursion at "this.fact(n - 1)": fact calls itself
    return n === 0 ? 1 : this.fact(n - 1);
  }
  *run(): Process {
    let total = i32(0);
    // breach closure at "total": closes over total, which is assigned
    const add = (x: number): number => total + x;
    for (;;) {
      const v = yield* this.v.pop();
      const n = yield* this.n.pop();
      // breach alias at "v[0]": changes a value that others may hold (v)
      v[0] = i8(1);
      this.word[0] = i8(this.word[0] + 1);
      let mine = Word(v);
      mine[1] = i8(2);
      // breach alias at "mine": gets a second name
      this.word = mine;
      total = i32(total + n);
      yield* this.y.push(i32(outside));
      yield* this.y.push(i32(unknown.get(1)));
      yield* this.y.push(i32(this.fact(n)));
      yield;
    }
  }
}

/** An estimate is a breach for hardware only. */
export class Estimates extends Bench {
  static readonly source = import.meta.url;
  *run(): Process {
    for (;;) {
      const n = yield* this.n.pop();
      // breach estimate at "this.estimate(7)": bench.run holds an estimate
      yield* this.estimate(7);
      yield* this.y.push(i32(n));
    }
  }
}
