/** Refused: one thing with two users. */
/* eslint-disable */
// @ts-nocheck
import { Cell, i32, i8, Module, struct, u8, vec, type Process } from "../../../../hw/index.js";

class Plain extends Cell {
  static readonly source = import.meta.url;
  readonly west = i8;
  readonly north = i8;
  readonly state = struct({ acc: i32 });
  readonly emit = i32;
  step({ west, north }, s) {
    s.acc = i32(s.acc + west * north);
    return { east: west, south: north, emit: undefined };
  }
}

export class Owners extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(u8);
  readonly y = this.channelOut(u8);
  readonly mem = this.memory(u8, 8, { init: Array.from({ length: 8 }, () => u8(0)) });
  readonly rd = this.mem.readPort();
  readonly level = this.signal(u8);
  readonly array = this.grid(2, 2, new Plain());
  readonly rows = this.channelOut(vec(i32, 2));
  readonly lanes = vec(i8, 2);
  shared = u8(0);
  mine = u8(0);

  constructor() {
    super(null, "owners");
    this.connect(this.array.results, this.rows);
    this.clocked(this.one);
    this.clocked(this.two);
  }

  *one(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      this.shared = x;
      this.mine = x;
      this.rd.read(x & 7);
      this.level.write(x);
      this.array.feed(
        this.lanes((_) => i8(x)),
        this.lanes.zero(),
      );
      yield;
      yield* this.y.push(this.rd.q);
    }
  }

  *two(): Process {
    for (;;) {
      // breach channel-user at "this.x.pop()": is popped by both owners.one and owners.two
      const x = yield* this.x.pop();
      // breach owner at "this.shared = x": this.shared is assigned by both owners.one and owners.two
      this.shared = x;
      // breach owner at "this.mine": this.mine belongs to owners.one
      const y = u8(this.mine);
      // breach port-user at "this.rd.read(1)": port owners.mem.rd is used by both owners.one and owners.two
      this.rd.read(1);
      // breach signal-writer at "this.level.write(x)": signal owners.level is written by both
      this.level.write(x);
      // breach grid-feed at "this.array.feed": grid owners.array is fed by both
      this.array.feed(this.lanes.zero(), this.lanes.zero());
      yield;
      // breach channel-user at "this.y.push(u8(3))": is pushed by both owners.one and owners.two
      yield* this.y.push(u8(3));
    }
  }
}
