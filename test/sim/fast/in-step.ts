/**
 * Designs whose loops run in step, with random parameters: a loader fills a memory from an outer input, a driver sends
 * addresses and commands, workers read the memory and look things up, and a joiner waits for all of them. Depths, lanes,
 * counts, what happens now and then: all at random, so that runs of passes are interrupted everywhere.
 */
import { asr, assert, bool, clocks, Module, struct, u16, u8, i32, vec } from "../../../hw/index.js";
import type { I32, Process, U16, U8 } from "../../../hw/index.js";
import type { Random } from "./random.js";

export interface InStepOptions {
  readonly depths: readonly number[];
  readonly lanes: readonly number[];
  /** Clocks that the driver, a worker and the joiner take for a pass, and one more now and then. */
  readonly driverClocks: number;
  readonly workerClocks: number;
  readonly words: number;
  /** Every so many words a worker tells the outside. */
  readonly tells: number;
  /** After every so many words the joiner rests for a clock. */
  readonly rests: number;
  readonly waits: boolean;
  /** The loader fills so many words in an inner loop; the driver sends so many in one, and stops in front of every third. */
  readonly chunk: number;
  readonly segment: number;
  /** The driver begins when half of the memory is filled, and waits for the rest on its way. */
  readonly halves: boolean;
  /** What a worker tells goes through a process that polls, without end. */
  readonly polls: boolean;
}

export function randomOptions(random: Random): InStepOptions {
  const some = (list: readonly number[]): number[] => Array.from({ length: 8 }, () => random.pick(list));
  return {
    depths: some([1, 1, 2, 2, 3, 4, 5, 8]),
    lanes: some([1, 1, 1, 2, 3]),
    driverClocks: 1 + random.below(2),
    workerClocks: random.below(3),
    words: random.pick([8, 16, 32]),
    tells: random.pick([1, 3, 5, 7, 255]),
    rests: random.pick([2, 6, 17, 255, 255]),
    waits: random.chance(0.5),
    halves: random.chance(0.4),
    chunk: random.pick([1, 2, 5]),
    segment: random.pick([0, 0, 1, 3, 9]),
    polls: random.chance(0.3),
  };
}

const Job = struct({ words: u16, rounds: u8, gap: u8 });
const Address = struct({ address: u16, tell: bool, frees: bool });
const Command = struct({ count: u8, first: bool, last: bool, gap: u8 });
const Word = vec(u8, 4);

export class InStep extends Module {
  static readonly source = import.meta.url;
  readonly options: InStepOptions;
  readonly jobs = this.channelIn(Job);
  readonly beats = this.channelIn(struct({ data: Word, last: bool }));
  readonly told = this.channelOut(u16);
  readonly results = this.channelOut(struct({ sum: i32, count: u16 }));
  readonly tells;
  readonly filled;
  readonly freed;
  readonly more;
  readonly orders;
  readonly addresses0;
  readonly addresses1;
  readonly words0;
  readonly words1;
  readonly memo;
  readonly table = this.memory(u8, 16, { init: Array.from({ length: 16 }, (_, i) => u8(i * 37)) });
  readonly fills;
  readonly reads;
  readonly looks = this.table.readPort();
  total = i32(0);

  constructor(options: InStepOptions) {
    super(null, "steps");
    this.options = options;
    const size = (i: number): { depth: number; lanes: number } => ({
      depth: options.depths[i]!,
      lanes: options.lanes[i]!,
    });
    this.filled = this.channel(Job, { name: "filled", ...size(0) });
    this.freed = this.channel(bool, { name: "freed", ...size(1) });
    this.more = this.channel(bool, { name: "more" });
    this.tells = this.channel(u16, { name: "tells", ...size(7) });
    this.orders = this.channel(Command, { name: "orders", ...size(2) });
    this.addresses0 = this.channel(Address, { name: "addresses0", ...size(3) });
    this.addresses1 = this.channel(u16, { name: "addresses1", ...size(4) });
    this.words0 = this.channel(Word, { name: "words0", ...size(5) });
    this.words1 = this.channel(u8, { name: "words1", ...size(6) });
    this.memo = this.memory(Word, 64);
    this.fills = this.memo.writePort();
    this.reads = this.memo.readPort();
    this.clocked(this.load);
    this.clocked(this.drive);
    this.clocked(this.fetch);
    this.clocked(this.look);
    this.clocked(this.join);
    if (options.polls) this.clocked(this.poll);
    else this.clocked(this.relay);
  }

  /** Two tokens of the outer input give a word of the memory. */
  *load(): Process {
    for (;;) {
      const job = yield* this.jobs.pop();
      assert(job.words >= 1 && job.words <= 64, "a job has words");
      if (this.options.chunk > 1) {
        for (let w = u16(0); w < job.words; w = u16(w + this.options.chunk)) {
          if (this.options.halves && w === 0) yield* this.filled.push(job);
          for (let i = u8(0); i < this.options.chunk; i = u8(i + 1)) {
            const beat = yield* this.beats.pop();
            if (w + i < job.words) this.fills.write(u16(w + i), beat.data);
            yield;
          }
        }
      } else {
        let half = u16(0);
        if (this.options.halves) {
          for (; half < job.words - half; half = u16(half + 1)) {
            const beat = yield* this.beats.pop();
            this.fills.write(half, beat.data);
            yield;
          }
          yield* this.filled.push(job);
        }
        for (let w = half; w < job.words; w = u16(w + 1)) {
          // Worked out in front of the pop, and used behind it.
          const address = u16(half + job.words - 1 - w);
          const beat = yield* this.beats.pop();
          // One lane: this waits for the next clock.
          const more = yield* this.beats.pop();
          assert(address < job.words, "the address is one of the job's");
          this.fills.write(address, more.last ? more.data : beat.data);
          yield;
        }
      }
      if (this.options.halves) yield* this.more.push(true);
      else yield* this.filled.push(job);
      const token = yield* this.freed.pop();
      assert(token, "freed");
    }
  }

  *drive(): Process {
    for (;;) {
      const job = yield* this.filled.pop();
      for (let round = u8(0); round < job.rounds; round = u8(round + 1)) {
        let sent = u16(0);
        const half = u16(this.options.chunk > 1 ? 0 : asr(job.words, 1));
        let segments = u8(0);
        while (this.options.segment > 0 && sent < job.words) {
          if (segments === 2) {
            yield;
            segments = u8(0);
          }
          const end = u16(sent + this.options.segment < job.words ? sent + this.options.segment : job.words);
          assert(sent < end, "a segment has words");
          do {
            const last = sent === job.words - 1;
            if (this.options.halves && round === 0 && sent === half) yield* this.more.pop();
            yield* this.addresses0.push({
              address: sent,
              tell: sent % this.options.tells === this.options.tells - 1,
              frees: last && round === job.rounds - 1,
            });
            yield* this.addresses1.push(u16(job.words - sent));
            yield* this.orders.push({ count: u8(last ? 3 : 4), first: sent === 0, last, gap: u8(last ? job.gap : 0) });
            sent = u16(sent + 1);
            yield;
          } while (sent < end);
          segments = u8(segments + 1);
        }
        while (sent < job.words) {
          const last = sent === job.words - 1;
          if (this.options.halves && round === 0 && sent === half) yield* this.more.pop();
          yield* this.addresses0.push({
            address: sent,
            tell: sent % this.options.tells === this.options.tells - 1,
            frees: last && round === job.rounds - 1,
          });
          yield* this.addresses1.push(u16(job.words - sent));
          if (this.options.driverClocks > 1) yield;
          const rests = sent % this.options.rests === this.options.rests - 1;
          yield* this.orders.push({
            count: u8(last ? 3 : 4),
            first: sent === 0,
            last,
            gap: u8(last ? job.gap : rests ? 1 : 0),
          });
          sent = u16(sent + 1);
          yield;
        }
      }
      yield;
    }
  }

  *fetch(): Process {
    for (;;) {
      const order = yield* this.addresses0.pop();
      this.reads.read(order.address);
      yield;
      if (order.tell) yield* this.tells.push(order.address);
      if (order.frees) yield* this.freed.push(true);
      if (this.options.workerClocks > 1) yield;
      yield* this.words0.push(this.reads.q);
    }
  }

  *relay(): Process {
    for (;;) {
      const address = yield* this.tells.pop();
      yield* this.told.push(address);
      yield;
    }
  }

  *poll(): Process {
    for (;;) {
      const address = this.tells.tryPop();
      if (address !== undefined) yield* this.told.push(address);
      yield;
    }
  }

  *look(): Process {
    for (;;) {
      const number = yield* this.addresses1.pop();
      this.looks.read(u16(number % 16));
      yield;
      const found = this.looks.q;
      if (this.options.workerClocks > 0) yield;
      yield* this.words1.push(found);
    }
  }

  *join(): Process {
    let count = u16(0);
    for (;;) {
      const order = yield* this.orders.pop();
      const word = yield* this.words0.pop();
      const scale = yield* this.words1.pop();
      if (order.first) {
        this.total = i32(0);
        if (this.options.waits) yield;
      }
      let part = i32(0);
      for (let b = 0; b < 4; b++) if (b < order.count) part = i32(part + word[b]! * scale);
      this.total = i32(this.total + part);
      count = u16(count + 1);
      yield;
      yield* clocks(order.gap);
      if (order.last) yield* this.results.push({ sum: this.total, count });
    }
  }
}

export type JobToken = { words: U16; rounds: U8; gap: U8 };
export type ResultToken = { sum: I32; count: U16 };
