/**
 * A design whose loops run in step in one mode or another: in each mode a different worker is left out. The last of them works
 * on its words for as many clocks as its orders say. What is random are depths, lanes, steps and jobs.
 */
import { assert, bool, i32, Module, struct, u16, u8 } from "../../../hw/index.js";
import type { Process, U16, U8 } from "../../../hw/index.js";
import type { Random } from "./random.js";

export interface ModesOptions {
  readonly depths: readonly number[];
  readonly lanes: readonly number[];
  /** What the unit's counter goes on by. */
  readonly step: number;
  /** The mode in which the first worker is left out; there is another for the second. */
  readonly narrow: boolean;
}

export function randomModes(random: Random): ModesOptions {
  const some = (list: readonly number[]): number[] => Array.from({ length: 5 }, () => random.pick(list));
  return {
    depths: some([1, 2, 2, 3, 8]),
    lanes: some([1, 1, 1, 2]),
    step: 1 + random.below(3),
    narrow: random.chance(0.5),
  };
}

const Job = struct({ words: u16, count: u8, narrow: bool, again: u8 });
export interface JobToken {
  readonly words: U16;
  readonly count: U8;
  readonly narrow: boolean;
  readonly again: U8;
}
const Order = struct({ count: u8, narrow: bool, last: bool });

export class Modes extends Module {
  static readonly source = import.meta.url;
  readonly step: number;
  readonly odd: boolean;
  readonly jobs = this.channelIn(Job);
  readonly results = this.channelOut(i32);
  readonly numbers0;
  readonly numbers1;
  readonly words0;
  readonly words1;
  readonly orders;

  constructor({ depths, lanes, step, narrow }: ModesOptions) {
    super(null, "modes");
    this.step = step;
    this.odd = narrow;
    const size = (i: number): { depth: number; lanes: number } => ({ depth: depths[i]!, lanes: lanes[i]! });
    this.numbers0 = this.channel(u16, { name: "numbers0", ...size(0) });
    this.numbers1 = this.channel(u16, { name: "numbers1", ...size(1) });
    this.words0 = this.channel(u16, { name: "words0", ...size(2) });
    this.words1 = this.channel(u16, { name: "words1", ...size(3) });
    this.orders = this.channel(Order, { name: "orders", ...size(4) });
    this.clocked(this.drive);
    this.clocked(this.first);
    this.clocked(this.second);
    this.clocked(this.unit);
  }

  *drive(): Process {
    for (;;) {
      const job = yield* this.jobs.pop();
      let sent = u16(0);
      let again = u8(0);
      while (sent < job.words) {
        const last = sent === job.words - 1;
        if (!job.narrow) yield* this.numbers0.push(sent);
        yield* this.numbers1.push(u16(job.words - sent));
        yield* this.orders.push({ count: last ? u8(job.count >> 1) : job.count, narrow: job.narrow, last });
        sent = u16(sent + 1);
        if (last && again < job.again) {
          sent = u16(0);
          again = u8(again + 1);
        }
        yield;
      }
      yield;
    }
  }

  *first(): Process {
    for (;;) {
      const number = yield* this.numbers0.pop();
      yield;
      yield* this.words0.push(u16(number * 3));
    }
  }

  *second(): Process {
    for (;;) {
      const number = yield* this.numbers1.pop();
      yield;
      yield* this.words1.push(u16(number * 7));
    }
  }

  *unit(): Process {
    let total = i32(0);
    let x = u16(0);
    for (;;) {
      const order = yield* this.orders.pop();
      if (!order.narrow) {
        const word = yield* this.words0.pop();
        x = word;
      }
      const y = yield* this.words1.pop();
      for (let k = u8(0); k < order.count; k = u8(k + this.step)) {
        assert(k <= order.count, "no more than asked for");
        if (order.narrow) total = i32(total - y);
        else total = i32(total + x * k + y);
        yield;
      }
      if (order.last) yield* this.results.push(total);
      if (this.odd) yield;
    }
  }
}

export function randomJobs(random: Random, { step }: ModesOptions): JobToken[] {
  // A counter that wraps would never end: the highest count is the last that it does not pass.
  const most = 255 - (255 % step);
  const count = (): number => random.pick([0, 1, 2, 3, 4, 8, 8, 8, 8, random.below(20), most]);
  return Array.from({ length: 2 + random.below(5) }, () => ({
    words: u16(1 + random.below(50)),
    count: u8(count()),
    narrow: random.chance(0.4),
    again: u8(random.pick([0, 0, 1, 3])),
  }));
}
