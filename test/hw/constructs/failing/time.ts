/** Refused: time where it cannot pass, and loops in which it does not. */
/* eslint-disable */
// @ts-nocheck
import { clocks, i32, i8, u4, u8, type Process } from "../../../../hw/index.js";
import { Bench } from "../bench.js";

export class Yields extends Bench {
  static readonly source = import.meta.url;
  acc = i32(0);
  *helper(): Process<number> {
    yield;
    return 3;
  }
  *run(): Process {
    for (;;) {
      // breach yield-star at "this.a.pop()": this.a.pop is not awaited
      this.a.pop();
      // breach yield-star at "this.a.pop()": this.a.pop is not awaited
      const lost = this.a.pop();
      // breach yield-star at "this.y.push(i32(1))": this.y.push is not awaited
      this.y.push(i32(1));
      // breach yield-star at "this.helper()": this.helper is not awaited
      this.helper();
      // breach yield-star at "clocks(3)": clocks is not awaited
      clocks(3);
      // breach yield-star at "yield this.a.pop()": hands a value to the engine
      yield this.a.pop();
      // breach yield-star at "this.a.tryPop()": takes no time
      yield* this.a.tryPop();
      // breach yield-place at "yield* this.a.pop()": yield* stands inside an expression
      const next = i32((yield* this.a.pop()) + 1);
      // breach yield-place at "yield* this.a.pop()": yield* stands in an assignment
      this.acc = yield* this.a.pop();
      // breach yield-place at "yield* this.flag.pop()": yield* stands inside an expression
      if (yield* this.flag.pop()) yield;
      const n = yield* this.n.pop();
      // breach range at "clocks(n - 1)": waits -1..254 clocks
      yield* clocks(n - 1);
      yield;
    }
  }
}

export class Loops extends Bench {
  static readonly source = import.meta.url;
  *run(): Process {
    for (;;) {
      const n = yield* this.n.pop();
      let i = u8(0);
      // breach loop-clock at "while": a path round this loop takes no clock
      while (i < n) i = u8(i + 1);
      // breach loop-clock at "for": a path round this loop takes no clock
      for (let k = u8(0); k < n; k = u8(k + 1)) if (k === 3) yield;
      // breach loop-bound at "j < 16": j wraps before
      for (let j = u4(0); j < 16; j = u4(j + 1)) yield;
      // breach loop-clock at "for": a path round this loop of 1000 passes takes no clock
      for (let m = 0; m < 1000; m++) if (n === m) yield;
      // A loop that may not be entered does not count.
      // breach loop-clock at "for": a path round this loop takes no clock
      for (;;) {
        for (let k = u8(0); k < n; k = u8(k + 1)) yield;
        if (n > 7) continue;
        if (n > 5) break;
        yield;
      }
    }
  }
}

export class Ports extends Bench {
  static readonly source = import.meta.url;
  readonly mem = this.memory(i8, 16);
  readonly rd = this.mem.readPort();
  readonly wr = this.mem.writePort();
  *run(): Process {
    for (;;) {
      const n = yield* this.n.pop();
      this.rd.read(n & 15);
      // breach port-twice at "this.rd.read(3)": bench.mem.rd reads twice in one clock
      this.rd.read(3);
      yield;
      this.wr.write(1, i8(2));
      const more = yield* this.flag.pop();
      // breach port-twice at "this.wr.write(2, i8(2))": bench.mem.wr writes twice in one clock
      this.wr.write(2, i8(2));
      // breach type at "this.wr.read(1)": cannot read
      this.wr.read(1);
      // breach index at "n - 1": address n - 1 is in -1..254
      this.rd.read(n - 1);
      // breach port-user at "this.mem.read(3)": a memory is used through its ports
      this.mem.read(3);
      if (more) yield;
      yield;
    }
  }
}

/** A read once a round is no read twice: the pop between takes a clock. */
export class PortsOnce extends Bench {
  static readonly source = import.meta.url;
  readonly mem = this.memory(i8, 16);
  readonly rd = this.mem.readPort();
  *run(): Process {
    for (;;) {
      const n = yield* this.n.pop();
      this.rd.read(n & 15);
    }
  }
}
