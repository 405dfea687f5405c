/**
 * A design in which two loops that pop nothing are in step: one sends orders, the other columns of a picture, a row at a time, when the
 * row is there. Who takes both goes round an inner loop as often as an order says, which is once but for some; another process
 * takes the sums. Depths, lanes, sizes, and what comes between are random.
 */
import { bool, clocks, i32, Module, struct, u16, u8 } from "../../../hw/index.js";
import type { Process, ValueOf } from "../../../hw/index.js";
import type { Random } from "./random.js";

export interface BesideOptions {
  readonly depths: readonly number[];
  readonly lanes: readonly number[];
  /** Clocks that a column takes, and that a result takes to leave. */
  readonly pace: number;
  readonly leaving: number;
}

export function randomBeside(random: Random): BesideOptions {
  const some = (list: readonly number[]): number[] => Array.from({ length: 6 }, () => random.pick(list));
  return {
    depths: some([1, 2, 2, 3, 8]),
    lanes: some([1, 1, 1, 2]),
    pace: random.pick([1, 1, 1, 2]),
    leaving: random.pick([1, 1, 2, 5]),
  };
}

const Job = struct({ rows: u8, outputs: u8, kernel: u8, waits: bool, doubleAt: u16, restAt: u16, start: u16 });
export type BesideJob = ValueOf<typeof Job>;
const Order = struct({ count: u8, first: bool, last: bool });

export class Beside extends Module {
  static readonly source = import.meta.url;
  readonly pace: number;
  readonly leaving: number;
  readonly jobs = this.channelIn(Job);
  /** A token per row of a picture. */
  readonly rows = this.channelIn(bool);
  readonly results = this.channelOut(i32);
  readonly pictureJobs = this.channel(Job, { name: "pictureJobs", depth: 1 });
  readonly numbers;
  readonly words;
  readonly orders;
  readonly columns;
  readonly sums;

  constructor({ depths, lanes, pace, leaving }: BesideOptions) {
    super(null, "beside");
    this.pace = pace;
    this.leaving = leaving;
    const size = (i: number): { depth: number; lanes: number } => ({ depth: depths[i]!, lanes: lanes[i]! });
    this.numbers = this.channel(u16, { name: "numbers", ...size(0) });
    this.words = this.channel(u16, { name: "words", ...size(1) });
    this.orders = this.channel(Order, { name: "orders", ...size(2) });
    this.columns = this.channel(u16, { name: "columns", ...size(3) });
    this.sums = this.channel(i32, { name: "sums", ...size(4) });
    this.clocked(this.drive);
    this.clocked(this.fetch);
    this.clocked(this.picture);
    this.clocked(this.unit);
    this.clocked(this.give);
  }

  *drive(): Process {
    for (;;) {
      const job = yield* this.jobs.pop();
      yield* this.pictureJobs.push(job);
      for (let row = u8(0); row < job.rows; row = u8(row + 1)) {
        const all = u16(job.outputs * job.kernel);
        let sent = u16(0);
        let column = u8(0);
        while (sent < all) {
          const double = sent === job.doubleAt && column + 1 < job.kernel;
          const last = column + (double ? 2 : 1) === job.kernel;
          yield* this.numbers.push(u16(sent + job.start));
          yield* this.orders.push({ count: u8(double ? 2 : 1), first: column === 0, last });
          if (sent === job.restAt) yield* clocks(7);
          sent = u16(sent + (double ? 2 : 1));
          column = u8(last ? 0 : column + (double ? 2 : 1));
          yield;
        }
        yield;
      }
    }
  }

  *fetch(): Process {
    for (;;) {
      const number = yield* this.numbers.pop();
      yield;
      yield* this.words.push(u16(number * 3 + 1));
    }
  }

  *picture(): Process {
    for (;;) {
      const job = yield* this.pictureJobs.pop();
      for (let row = u8(0); row < job.rows; row = u8(row + 1)) {
        if (job.waits) yield* this.rows.pop();
        let left = u16(job.start + row);
        for (let x = u8(0); x < job.outputs; x = u8(x + 1)) {
          for (let k = u8(0); k < job.kernel; k = u8(k + 1)) {
            const value = u16(left * 5 + k);
            yield* clocks(this.pace);
            yield* this.columns.push(value);
          }
          left = u16(left + 9);
        }
        yield;
      }
    }
  }

  *unit(): Process {
    let total = i32(0);
    for (;;) {
      const order = yield* this.orders.pop();
      const word = yield* this.words.pop();
      for (let k = u8(0); k < order.count; k = u8(k + 1)) {
        const column = yield* this.columns.pop();
        total = i32((order.first && k === 0 ? 0 : total) + word * column);
        yield;
      }
      if (order.last) yield* this.sums.push(total);
    }
  }

  *give(): Process {
    for (;;) {
      const sum = yield* this.sums.pop();
      yield* this.results.push(sum);
      yield* clocks(this.leaving);
    }
  }
}

export function randomBesideJobs(random: Random): BesideJob[] {
  return Array.from({ length: 1 + random.below(4) }, () => {
    const [outputs, kernel] = [1 + random.below(20), 1 + random.below(4)];
    const somewhere = (): number => random.pick([65535, 65535, random.below(outputs * kernel)]);
    return {
      rows: u8(1 + random.below(4)),
      outputs: u8(outputs),
      kernel: u8(kernel),
      waits: random.chance(0.5),
      doubleAt: u16(somewhere()),
      restAt: u16(somewhere()),
      start: u16(random.below(1000)),
    };
  });
}
