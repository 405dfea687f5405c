/**
 * Designs with a chain of processes behind rows that come from the outside or leave a grid: stages with and without a clock of
 * their own, a memory that another process fills, a stage that makes several tokens of one, branches to two buffers, buffers that
 * are drained piece by piece into beats. Depths, lanes and what happens now and then are at random.
 */
import { andU, asr, assert, bits, bool, i32, i8, Module, struct, u16, u32, u8, vec, xorU } from "../../../hw/index.js";
import type { Cell, Channel, ChannelIn, ChannelOut, Grid, I32, I8, Process, U8, ValueOf } from "../../../hw/index.js";
import { MacCell } from "../../hw/language/examples.js";
import type { Random } from "./random.js";

export interface ChainedOptions {
  readonly depths: readonly number[];
  readonly lanes: readonly number[];
  /** Rows leave a grid; else they come from the outside. */
  readonly grid: boolean;
  readonly parts: number;
  /** Clocks of the gatherer, of the square and of the route for a token. */
  readonly clocks: readonly number[];
  /** Every so many rows a stage tells the outside; the gatherer rests for a clock. */
  readonly tells: number;
  readonly rests: number;
  /** No stage tells the outside anything in the middle of its pass; so many more stages stand between the square and the shift. */
  readonly plain: boolean;
  readonly relays: number;
  /** Two of them are in front of it: they make a product of parts, with factors below zero now and then. */
  readonly product: boolean;
  /** The table is filled for the next job before the last has left: a mistake. */
  readonly early: boolean;
}

const ROWS = 2;
const LANES = 4;
const WORDS = 128;
const MOST_ROWS = 64;

export function randomChained(random: Random): ChainedOptions {
  const some = (list: readonly number[]): number[] => Array.from({ length: 9 }, () => random.pick(list));
  return {
    depths: some([1, 1, 2, 2, 2, 3, 4, 8, 9]),
    lanes: some([1, 1, 1, 2, 3]),
    grid: random.chance(0.5),
    parts: 1 + random.below(2),
    clocks: Array.from({ length: 3 }, () => random.below(3)),
    tells: random.pick([1, 2, 5, 255]),
    rests: random.pick([1, 3, 255, 255]),
    plain: false,
    relays: 0,
    product: false,
    early: false,
  };
}

/** Designs of which several stages are in step. */
export function randomInStep(random: Random): ChainedOptions {
  const some = (list: readonly number[]): number[] => Array.from({ length: 9 }, () => random.pick(list));
  return {
    ...randomChained(random),
    depths: some([2, 2, 3, 4]),
    lanes: some([1]),
    clocks: [random.below(3), random.pick([1, 1, 2]), random.pick([0, 1, 1, 2])],
    plain: true,
    relays: random.below(4),
    product: random.chance(0.7),
  };
}

const Job = struct({ rows: u8, planes: u8, flip: u8 });
const West = struct({ a: i8, first: bool, last: bool });
type West = ValueOf<typeof West>;
const Values = vec(i32, LANES);
const Place = struct({ part: u8, address: u8, complete: bool });
const Row = struct({ values: Values, place: Place });
const Parts = struct({ rest: vec(u16, LANES), high: Values, low: vec(u32, LANES), place: Place });
const Word = vec(u8, LANES);
const Stored = struct({ word: Word, address: u8, complete: bool });
const Piece = struct({ bytes: Word, count: u8, end: bool });
const Pair = vec(u8, 2);
const Beat = struct({ data: Pair, last: bool });
const Wave = struct({ west: vec(West, ROWS), north: vec(i8, LANES) });

/** Keeps the words of a part until it is complete, and sends them on as beats of two bytes. */
class Buffer extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(Stored);
  readonly out = this.channelOut(Beat);
  readonly finished = this.channelOut(bool);
  readonly filled;
  readonly pieces;
  readonly memo = this.memory(Word, WORDS);
  readonly write = this.memo.writePort();
  readonly read = this.memo.readPort();
  kept = u8(0);
  held = u8(0);

  constructor(parent: Module, name: string, depth: number, lanes: number) {
    super(parent, name);
    this.filled = this.channel(u8, { name: "filled" });
    this.pieces = this.channel(Piece, { name: "pieces", depth, lanes });
    this.clocked(this.fill);
    this.clocked(this.drain);
    this.clocked(this.pack);
  }

  *fill(): Process {
    let words = u8(0);
    for (;;) {
      const { word, address, complete } = yield* this.in.pop();
      assert(address < WORDS, "the words fit their memory");
      this.write.write(address, word);
      words = u8(words + 1);
      if (complete) {
        yield* this.filled.push(u8(address + 1));
        words = u8(0);
      }
      yield;
    }
  }

  *drain(): Process {
    for (;;) {
      const words = yield* this.filled.pop();
      assert(words >= 1, "a part has words");
      for (let w = u8(0); w < words; w = u8(w + 1)) {
        this.read.read(w);
        yield;
        const word = this.read.q;
        yield* this.pieces.push({
          bytes: Word(word),
          count: u8(andU(word[0]!, 12) === 0 ? 1 + andU(word[0]!, 3) : LANES),
          end: w === words - 1,
        });
      }
    }
  }

  *pack(): Process {
    for (;;) {
      const piece = yield* this.pieces.pop();
      let bytes = Word(piece.bytes);
      let rest = piece.count;
      do {
        const all = u8(this.held + 1);
        const full = all === 2;
        const kept = this.kept;
        const byte = bytes[0]!;
        this.kept = byte;
        bytes = Word((l) => bytes[l + 1 < LANES ? l + 1 : l]!);
        rest = u8(rest - 1);
        this.held = u8(full ? 0 : all);
        const end = piece.end && rest === 0;
        if (full) yield* this.out.push({ data: Pair((l) => (l === 0 ? kept : byte)), last: end });
        yield;
        if (end) {
          if (this.held > 0) yield* this.out.push({ data: Pair((l) => u8(l === 0 ? this.kept : 0)), last: true });
          this.held = u8(0);
          yield;
        }
      } while (rest > 0);
      if (piece.end) yield* this.finished.push(true);
    }
  }
}

/** Rows for the stages: of a grid, or those of the outside that would leave it. */
class Feeder extends Module {
  static readonly source = import.meta.url;
  readonly waves = this.channelIn(Wave);
  readonly passed: ChannelOut<readonly I32[]> | undefined;
  readonly array: Grid<West, I8, never, I32> | undefined;

  constructor(parent: Module, name: string, grid: boolean) {
    super(parent, name);
    if (grid) this.array = this.grid(ROWS, LANES, new MacCell() as unknown as Cell<West, I8, never, I32>);
    else this.passed = this.channelOut(Values);
    this.clocked(grid ? this.feed : this.pass);
  }

  get rows(): ChannelOut<readonly I32[]> {
    return this.passed ?? this.array!.results;
  }

  *feed(): Process {
    for (;;) {
      const wave = yield* this.waves.pop();
      this.array!.feed(wave.west, wave.north);
      yield;
    }
  }

  *pass(): Process {
    for (;;) {
      const wave = yield* this.waves.pop();
      for (let r = u8(0); r < ROWS; r = u8(r + 1))
        if (wave.west[r]!.last) yield* this.passed!.push(Values((l) => i32(wave.north[l]! * 77 + r)));
      yield;
    }
  }
}

/** A stage that adds something and passes a row on. */
class Relay extends Module {
  static readonly source = import.meta.url;
  readonly in: Channel<ValueOf<typeof Row>>;
  readonly out: Channel<ValueOf<typeof Row>>;
  sum = i32(0);

  constructor(
    parent: Module,
    name: string,
    from: Channel<ValueOf<typeof Row>>,
    to: Channel<ValueOf<typeof Row>>,
    late: boolean,
  ) {
    super(parent, name);
    [this.in, this.out] = [from, to];
    this.clocked(late ? this.relayLate : this.relay);
  }

  *relay(): Process {
    for (;;) {
      const { values, place } = yield* this.in.pop();
      this.sum = i32(this.sum + values[1]!);
      yield* this.out.push({ values: Values((l) => i32(values[l]! + this.sum)), place });
      yield;
    }
  }

  *relayLate(): Process {
    for (;;) {
      const { values, place } = yield* this.in.pop();
      yield;
      yield;
      yield* this.out.push({ values: Values((l) => i32(values[l]! - place.address)), place });
    }
  }
}

/** x y / 2^31, rounded, in two stages of short products. */
class Product extends Module {
  static readonly source = import.meta.url;
  readonly in: Channel<ValueOf<typeof Row>>;
  readonly out: Channel<ValueOf<typeof Row>>;
  readonly parts = this.channel(Parts, { name: "parts", depth: 3 });
  readonly rests = vec(u16, LANES);
  readonly lows = vec(u32, LANES);
  factors = Values.zero();

  constructor(parent: Module, name: string, from: Channel<ValueOf<typeof Row>>, to: Channel<ValueOf<typeof Row>>) {
    super(parent, name);
    [this.in, this.out] = [from, to];
    this.clocked(this.multiply);
    this.clocked(this.round);
  }

  *multiply(): Process {
    for (;;) {
      const { values, place } = yield* this.in.pop();
      this.factors = Values((l) => i32(place.address % 3 === 2 ? values[l]! * 777777 : 2147483647 - place.address * l));
      yield* this.parts.push({
        rest: this.rests((l) => u16(bits(asr(values[l]!, 16) * this.factors[l]!, 14, 0))),
        high: Values((l) => i32(asr(asr(values[l]!, 16) * this.factors[l]!, 15))),
        low: this.lows((l) => u32(asr(bits(values[l]!, 15, 0) * this.factors[l]!, 16))),
        place,
      });
      yield;
    }
  }

  *round(): Process {
    for (;;) {
      const { rest, high, low, place } = yield* this.parts.pop();
      yield* this.out.push({
        values: Values((l) => i32(high[l]! + asr(low[l]! + rest[l]! + 16384, 15))),
        place,
      });
      yield;
    }
  }
}

class Stages extends Module {
  static readonly source = import.meta.url;
  readonly options: ChainedOptions;
  readonly parts: number;
  readonly jobs = this.channelIn(Job);
  readonly rows = this.channelIn(Values);
  readonly told = this.channelOut(u16);
  readonly stored: readonly ChannelOut<ValueOf<typeof Stored>>[];
  readonly finished: readonly ChannelIn<boolean>[];
  readonly gathers = this.channel(Job, { name: "gathers", depth: 4 });
  readonly shifts = this.channel(Job, { name: "shifts", depth: 4 });
  readonly fills = this.channel(Job, { name: "fills", depth: 4 });
  readonly ready = this.channel(bool, { name: "ready" });
  readonly summed;
  readonly scaled;
  readonly squared;
  readonly related;
  readonly shifted;
  readonly table = this.memory(Values, 4);
  readonly writes = this.table.writePort();
  readonly reads = this.table.readPort();

  constructor(parent: Module, name: string, options: ChainedOptions) {
    super(parent, name);
    this.options = options;
    this.parts = options.parts;
    const row = (of: string, i: number): Channel<ValueOf<typeof Row>> =>
      this.channel(Row, { name: of, depth: options.depths[i]!, lanes: options.lanes[i]! });
    this.summed = row("summed", 0);
    this.scaled = row("scaled", 1);
    this.squared = row("squared", 2);
    this.shifted = row("shifted", 3);
    let related = this.squared;
    if (options.product) {
      const next = row("product", 3);
      new Product(this, "multiplier", related, next);
      related = next;
    }
    for (let i = 0; i < options.relays; i++) {
      const next = row(`related${i}`, 3 + (i % 2));
      new Relay(this, `relay${i}`, related, next, i === 1);
      related = next;
    }
    this.related = related;
    this.stored = Array.from({ length: this.parts }, () => this.channelOut(Stored));
    this.finished = Array.from({ length: this.parts }, () => this.channelIn(bool));
    this.clocked(this.decode);
    this.clocked(this.load);
    this.clocked(this.gather);
    this.clocked(this.scale);
    this.clocked(this.square);
    this.clocked(options.plain ? this.shiftPlainly : this.shift);
    this.clocked(this.route);
  }

  *decode(): Process {
    for (;;) {
      const job = yield* this.jobs.pop();
      assert(job.rows >= 1 && job.planes >= 1, "a job has rows");
      yield* this.fills.push(job);
      yield* this.gathers.push(job);
      yield* this.shifts.push(job);
      yield;
    }
  }

  /** Fills the table for a job when all of the one before has left. */
  *load(): Process {
    let parts = u8(0);
    for (;;) {
      const job = yield* this.fills.pop();
      if (!this.options.early) for (let p = 0; p < this.parts; p++) if (p < parts) yield* this.finished[p]!.pop();
      for (let i = u8(0); i < 4; i = u8(i + 1)) {
        this.writes.write(
          i,
          Values((l) => i32(job.flip * (i + 1) + l * 5)),
        );
        yield;
      }
      yield* this.ready.push(true);
      parts = u8(job.rows < this.parts ? job.rows : this.parts);
    }
  }

  *gather(): Process {
    for (;;) {
      const job = yield* this.gathers.pop();
      yield* this.ready.pop();
      for (let i = u8(0); i < job.rows; i = u8(i + 1)) {
        const values = yield* this.rows.pop();
        for (let c = 0; c < this.options.clocks[0]!; c++) yield;
        if (i % this.options.rests === this.options.rests - 1) yield;
        yield* this.summed.push({
          values: Values((l) => i32(values[l]! + i)),
          place: {
            part: u8(i % this.parts),
            address: u8(asr(i, this.parts - 1)),
            complete: i + this.parts >= job.rows,
          },
        });
      }
      if (this.options.plain) yield* this.told.push(u16(job.rows));
      yield;
    }
  }

  *scale(): Process {
    for (;;) {
      const { values, place } = yield* this.summed.pop();
      this.reads.read(u8(place.address % 4));
      yield;
      const word = this.reads.q;
      yield* this.scaled.push({ values: Values((l) => i32(values[l]! + word[l]!)), place });
    }
  }

  *square(): Process {
    for (;;) {
      const { values, place } = yield* this.scaled.pop();
      yield* this.squared.push({ values: Values((l) => i32(values[l]! * 30011)), place });
      for (let c = 0; c < this.options.clocks[1]!; c++) yield;
    }
  }

  *shift(): Process {
    for (;;) {
      const job = yield* this.shifts.pop();
      for (let i = u8(0); i < job.rows; i = u8(i + 1)) {
        const token = yield* this.related.pop();
        if (i % this.options.tells === this.options.tells - 1)
          yield* this.told.push(u16(andU(token.values[0]!, 65535)));
        for (let plane = u8(0); plane < job.planes; plane = u8(plane + 1)) {
          yield* this.shifted.push({
            values: Values((l) => i32(token.values[l]! + plane)),
            place: {
              part: token.place.part,
              address: u8(token.place.address * job.planes + plane),
              complete: token.place.complete && plane === job.planes - 1,
            },
          });
          yield;
        }
      }
    }
  }

  *shiftPlainly(): Process {
    for (;;) {
      const job = yield* this.shifts.pop();
      for (let i = u8(0); i < job.rows; i = u8(i + 1)) {
        const { values, place } = yield* this.related.pop();
        let address = u8(place.address * job.planes);
        for (let plane = u8(0); plane < job.planes; plane = u8(plane + 1)) {
          yield* this.shifted.push({
            values: Values((l) => i32(values[l]! + plane)),
            place: { part: place.part, address, complete: place.complete && plane === job.planes - 1 },
          });
          address = u8(address + 1);
          yield;
        }
      }
    }
  }

  *route(): Process {
    for (;;) {
      const { values, place } = yield* this.shifted.pop();
      const word = Word((l) => u8(xorU(andU(values[l]!, 255), bits(values[l]!, 23, 16))));
      for (let p = 0; p < this.parts; p++)
        if (place.part === p) yield* this.stored[p]!.push({ word, address: place.address, complete: place.complete });
      for (let c = 0; c < this.options.clocks[2]!; c++) yield;
    }
  }
}

export class Chained extends Module {
  static readonly source = import.meta.url;
  readonly jobs = this.channelIn(Job);
  readonly waves = this.channelIn(Wave);
  readonly told = this.channelOut(u16);
  readonly out: readonly ChannelOut<ValueOf<typeof Beat>>[];

  constructor(options: ChainedOptions) {
    super(null, "chained");
    const { parts, depths, lanes, grid } = options;
    this.out = Array.from({ length: parts }, () => this.channelOut(Beat));
    const feeder = new Feeder(this, "feeder", grid);
    const stages = new Stages(this, "stages", options);
    this.connect(this.waves, feeder.waves);
    // A grid cannot stall: there is room for all rows of a run.
    this.connect(feeder.rows, stages.rows, { depth: MOST_ROWS });
    this.connect(this.jobs, stages.jobs);
    this.connect(stages.told, this.told);
    for (let i = 0; i < parts; i++) {
      const buffer = new Buffer(this, `buffer${i}`, depths[4 + i]!, lanes[4 + i]!);
      this.connect(stages.stored[i]!, buffer.in, { depth: depths[6 + i]!, lanes: lanes[6 + i]! });
      this.connect(buffer.finished, stages.finished[i]!);
      this.connect(buffer.out, this.out[i]!);
    }
  }
}

export interface Tokens {
  readonly jobs: readonly { rows: U8; planes: U8; flip: U8 }[];
  readonly waves: readonly { west: readonly { a: I8; first: boolean; last: boolean }[]; north: readonly I8[] }[];
}

/** Jobs with few enough rows for the channel behind the grid, which cannot stall. */
export function tokens(random: Random): Tokens {
  const jobs = Array.from({ length: 1 + random.below(4) }, () => ({
    rows: u8(1 + random.below(15)),
    planes: u8(random.pick([1, 1, 1, 2, 3])),
    flip: u8(random.below(256)),
  }));
  const rows = jobs.reduce((sum, each) => sum + each.rows, 0);
  const byte = (): I8 => i8(random.below(256) - 128);
  const waves = [];
  for (let tile = 0; tile < Math.ceil(rows / ROWS); tile++) {
    const depth = ROWS + random.below(4);
    for (let k = 0; k < depth; k++)
      waves.push({
        west: Array.from({ length: ROWS }, () => ({ a: byte(), first: k === 0, last: k === depth - 1 })),
        north: Array.from({ length: LANES }, byte),
      });
  }
  return { jobs, waves };
}
