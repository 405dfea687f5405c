/**
 * A small matrix product with everything that many rounds at once have to stop at: loaders hand over their banks a segment at a time,
 * the first tile reads while they fill, some banks are left out, addresses wrap, a word is shorter than the others, a fetcher tells
 * the outside in the middle, the sequencer rests. Where and how often: at random.
 */
import { assert, bool, clocks, i8, Module, struct, u8, uint, vec } from "../../../hw/index.js";
import type {
  ChannelIn,
  ChannelOut,
  I32,
  I8,
  Memory,
  Process,
  ReadPort,
  U8,
  ValueOf,
  VecType,
  WritePort,
} from "../../../hw/index.js";
import { MacCell } from "../../hw/language/examples.js";
import { Command, Units, Word } from "./in-joint-sums.js";
import type { Random } from "./random.js";

const BYTES = 8;
const DEPTH = 128;
const u7 = uint(7);

export interface RangesOptions {
  readonly depths: readonly number[];
  readonly lanes: readonly number[];
  /** Parts of the rows, banks of each, and columns. */
  readonly parts: number;
  readonly rows: number;
  readonly cols: number;
  /** Tiles whose results have room. */
  readonly room: number;
  /** A fetcher takes a clock more before it hands over its words, or two where it tells the outside. */
  readonly late: boolean;
  /** Clocks that the sequencer takes for a word. */
  readonly pace: number;
  /** Loaders hear from the end of the way, not from the fetchers, that their words were read. */
  readonly far: boolean;
  /** Behind the last word of a job, of which nothing is read, fetchers tell what was read last. */
  readonly echo: boolean;
  /** Sums that a process adds to, in place of an array. */
  readonly units: boolean;
}

export function randomRanges(random: Random, units = false): RangesOptions {
  const some = (list: readonly number[]): number[] => Array.from({ length: 8 }, () => random.pick(list));
  return {
    depths: some([1, 2, 2, 2, 3, 8]),
    lanes: some([1, 1, 1, 2]),
    parts: 1 + random.below(2),
    rows: random.pick([4, 4, 8, 3]),
    cols: units ? random.pick([8, 8, 16]) : random.pick([4, 4, 8, 5]),
    room: 1 + random.below(2),
    late: random.chance(0.2),
    pace: random.pick([1, 1, 1, 9]),
    far: random.chance(0.5),
    echo: false,
    units,
  };
}

const Job = struct({
  words: u8,
  /** Words that are really filled. */
  filled: u8,
  segment: u8,
  tiles: u8,
  base: u7,
  used: vec(u8, 2),
  tellAt: u8,
  restAt: u8,
  /** The word of the last tile behind which a fetcher says that all were read; rightly so, if it is the last. */
  freesAt: u8,
  /** Only the first segment is waited for, which is wrong. */
  blind: bool,
  shortAt: u8,
  lastBytes: u8,
  gap: u8,
});
export type RangesJob = ValueOf<typeof Job>;

const Read = struct({ address: u7, rows: u8, tell: bool, release: bool });

/** Banks, who fills them and who reads them. */
class Part extends Module {
  static readonly source = import.meta.url;
  readonly rows: number;
  readonly number: number;
  readonly all: boolean;
  readonly late: boolean;
  readonly words: VecType<readonly I8[]>;
  readonly jobs = this.channelIn(Job);
  readonly reads = this.channelIn(Read);
  readonly loaded = this.channelOut(bool);
  readonly told = this.channelOut(u8);
  readonly out: ChannelOut<readonly (readonly I8[])[]>;
  readonly far: boolean;
  readonly released;
  readonly freed = this.channelIn(bool);
  readonly banks: readonly Memory<readonly I8[]>[];
  readonly write: readonly WritePort<readonly I8[]>[];
  readonly read: readonly ReadPort<readonly I8[]>[];

  /** `all`: no bank is ever left out. */
  constructor(
    parent: Module,
    name: string,
    rows: number,
    number: number,
    all: boolean,
    { late, far, echo }: RangesOptions,
  ) {
    super(parent, name);
    this.far = far;
    this.rows = rows;
    this.number = number;
    this.all = all;
    this.late = late;
    this.words = vec(Word, rows);
    this.out = this.channelOut(this.words);
    this.released = this.channel(bool, { name: "released", depth: 2 });
    this.banks = Array.from({ length: rows }, () => this.memory(Word, DEPTH));
    this.write = this.banks.map((bank) => bank.writePort());
    this.read = this.banks.map((bank) => bank.readPort());
    this.clocked(this.load);
    if (all) this.clocked(this.fetchAll);
    else if (echo) this.clocked(this.fetchAndTell);
    else this.clocked(this.fetch);
  }

  *load(): Process {
    let salt = u8(0);
    for (;;) {
      const job = yield* this.jobs.pop();
      let left = u8(job.segment);
      for (let w = u8(0); w < job.words; w = u8(w + 1)) {
        if (w < job.filled) {
          const address = u7(job.base + w);
          for (let row = u8(0); row < this.rows; row = u8(row + 1)) {
            if (this.all || row < job.used[this.number]!) {
              const word = Word((b) => i8(w * 7 + row * 29 + b * 13 + salt));
              for (let r = 0; r < this.rows; r++) if (r === row) this.write[r]!.write(address, word);
            }
            yield;
          }
        } else yield;
        left = u8(left - 1);
        if (left === 0 || w === job.words - 1) {
          yield* this.loaded.push(true);
          left = u8(job.segment);
        }
      }
      if (this.far) yield* this.freed.pop();
      else yield* this.released.pop();
      salt = u8(salt + 31);
    }
  }

  *fetch(): Process {
    const zero = Word((_) => i8(0));
    for (;;) {
      const command = yield* this.reads.pop();
      for (let r = 0; r < this.rows; r++) if (r < command.rows) this.read[r]!.read(command.address);
      yield;
      if (this.late) yield* clocks(command.tell ? 2 : 1);
      if (command.tell) yield* this.told.push(command.rows);
      if (command.release && !this.far) yield* this.released.push(true);
      yield* this.out.push(this.words((r) => (r < command.rows ? this.read[r]!.q : zero)));
    }
  }

  *fetchAndTell(): Process {
    const zero = Word((_) => i8(0));
    for (;;) {
      let more = true;
      while (more) {
        const command = yield* this.reads.pop();
        more = !command.release;
        for (let r = 0; r < this.rows; r++) if (r < command.rows) this.read[r]!.read(command.address);
        yield;
        if (command.release && !this.far) yield* this.released.push(true);
        yield* this.out.push(this.words((r) => (r < command.rows ? this.read[r]!.q : zero)));
      }
      yield* this.told.push(u8(this.read[0]!.q[0]! + 128));
    }
  }

  *fetchAll(): Process {
    for (;;) {
      const command = yield* this.reads.pop();
      for (let r = 0; r < this.rows; r++) this.read[r]!.read(command.address);
      yield;
      if (command.tell) yield* this.told.push(command.rows);
      if (command.release && !this.far) yield* this.released.push(true);
      yield* this.out.push(this.words((r) => this.read[r]!.q));
    }
  }
}

/** Turns a job into reads and into what the array does with the words. */
class Sequence extends Module {
  static readonly source = import.meta.url;
  readonly parts: number;
  readonly pace: number;
  readonly echo: boolean;
  readonly jobs = this.channelIn(Job);
  readonly loads: readonly ChannelOut<RangesJob>[];
  /** For each tile: whether it is the job's last. */
  readonly tiles = this.channelOut(bool);
  readonly loaded: readonly ChannelIn<boolean>[];
  readonly reads: readonly ChannelOut<ValueOf<typeof Read>>[];
  readonly weightReads = this.channelOut(Read);
  readonly feeds = this.channelOut(Command);

  constructor(parent: Module, { parts, pace, echo }: RangesOptions) {
    super(parent, "sequence");
    this.echo = echo;
    this.parts = parts;
    this.pace = pace;
    this.loads = Array.from({ length: parts + 1 }, () => this.channelOut(Job));
    this.loaded = Array.from({ length: parts + 1 }, () => this.channelIn(bool));
    this.reads = Array.from({ length: parts }, () => this.channelOut(Read));
    this.clocked(this.sequence);
  }

  *sequence(): Process {
    for (;;) {
      const job = yield* this.jobs.pop();
      assert(job.words >= 1 && job.segment >= 1 && job.tiles >= 1, "a job has words");
      for (let p = 0; p < this.parts + 1; p++) yield* this.loads[p]!.push(job);
      for (let tile = u8(0); tile < job.tiles; tile = u8(tile + 1)) {
        yield* this.tiles.push(tile === job.tiles - 1);
        let word = u8(0);
        let count = u8(250);
        while (word < job.words) {
          if (tile === 0 && (word === 0 || !job.blind))
            for (let p = 0; p < this.parts + 1; p++) yield* this.loaded[p]!.pop();
          const end = u8(job.words - word < job.segment ? job.words : word + job.segment);
          assert(word < end, "a segment has words");
          do {
            const last = word === job.words - 1;
            const frees = word === job.freesAt && tile === job.tiles - 1;
            for (let p = 0; p < this.parts; p++)
              yield* this.reads[p]!.push({
                address: u7(job.base + word),
                rows: this.echo && frees ? u8(0) : job.used[p]!,
                tell: word === job.tellAt,
                release: frees,
              });
            yield* this.weightReads.push({
              address: u7(job.base + word),
              rows: count,
              tell: word + 1 === job.tellAt,
              release: frees,
            });
            const short = word === job.shortAt;
            yield* this.feeds.push({
              count: last ? job.lastBytes : short ? u8(BYTES - 3) : u8(BYTES),
              first: word === 0,
              last,
              gap: last ? job.gap : u8(0),
            });
            if (word === job.restAt) yield;
            word = u8(word + 1);
            count = u8(count + 3);
            yield* clocks(this.pace);
          } while (word < end);
        }
      }
    }
  }
}

/** The array, the process that feeds it, and the one that takes its results. */
class Product extends Module {
  static readonly source = import.meta.url;
  readonly parts: number;
  readonly partRows: number;
  readonly cols: number;
  readonly rows: number;
  readonly room: number;
  readonly commands = this.channelIn(Command);
  readonly inputs: readonly ChannelIn<readonly (readonly I8[])[]>[];
  readonly weights: ChannelIn<readonly (readonly I8[])[]>;
  readonly results: ChannelOut<readonly I32[]>;
  readonly credits = this.channel(bool, { name: "credits", depth: 2 });
  readonly tiles = this.channelIn(bool);
  readonly freed: readonly ChannelOut<boolean>[];
  readonly far: boolean;
  readonly array;
  readonly sums: ChannelIn<readonly I32[]>;
  readonly west;
  readonly north;
  readonly rowWords;
  readonly columnWords;
  readonly word;
  reserved = u8(0);

  constructor(parent: Module, { parts, rows, cols, room, far }: RangesOptions) {
    super(parent, "product");
    this.far = far;
    this.freed = Array.from({ length: parts + 1 }, () => this.channelOut(bool));
    this.parts = parts;
    this.partRows = rows;
    this.rows = parts * rows;
    this.cols = cols;
    this.room = room;
    const cell = new MacCell();
    this.array = this.grid(this.rows, cols, cell);
    this.word = Word;
    this.west = vec(cell.west, this.rows);
    this.north = vec(cell.north, cols);
    this.rowWords = vec(Word, this.rows);
    this.columnWords = vec(Word, cols);
    this.inputs = Array.from({ length: parts }, () => this.channelIn(vec(Word, rows)));
    this.weights = this.channelIn(vec(Word, cols));
    this.results = this.channelOut(this.array.results.type);
    this.sums = this.channelIn(this.array.results.type);
    this.connect(this.array.results, this.sums, { depth: 64 });
    this.clocked(this.feed);
    this.clocked(this.collect);
  }

  *feed(): Process {
    const rows = this.rowWords.zero();
    const cols = this.columnWords.zero();
    for (;;) {
      const command = yield* this.commands.pop();
      assert(command.count >= 1, "a word has bytes that count");
      for (let p = 0; p < this.parts; p++) {
        const words = yield* this.inputs[p]!.pop();
        for (let r = 0; r < this.partRows; r++) rows[p * this.partRows + r] = this.word(words[r]!);
      }
      const words = yield* this.weights.pop();
      for (let c = 0; c < this.cols; c++) cols[c] = this.word(words[c]!);
      if (command.first) {
        if (this.reserved === this.room) yield* this.credits.pop();
        else this.reserved = u8(this.reserved + 1);
      }
      for (let k = u8(0); k < command.count; k = u8(k + 1)) {
        assert(k < BYTES, "a word has so many bytes");
        const first = command.first && k === 0;
        const last = command.last && k === command.count - 1;
        this.array.feed(
          this.west((r) => ({ a: rows[r]![k]!, first, last })),
          this.north((c) => cols[c]![k]!),
        );
        yield;
      }
      yield* clocks(command.gap);
    }
  }

  *collect(): Process {
    for (;;) {
      const final = yield* this.tiles.pop();
      for (let r = 0; r < this.rows; r++) {
        const row = yield* this.sums.pop();
        yield* this.results.push(row);
        yield;
      }
      yield* this.credits.push(true);
      if (this.far && final) for (let p = 0; p < this.parts + 1; p++) yield* this.freed[p]!.push(true);
    }
  }
}

export class InRanges extends Module {
  static readonly source = import.meta.url;
  readonly jobs = this.channelIn(Job);
  readonly told: readonly ChannelOut<U8>[];
  readonly results: ChannelOut<readonly I32[]>;

  constructor(options: RangesOptions) {
    super(null, "ranges");
    const { parts: count, rows, cols } = options;
    const size = (i: number): { depth: number; lanes: number } => ({
      depth: options.depths[i]!,
      lanes: options.lanes[i]!,
    });
    const sequence = new Sequence(this, options);
    const rowParts = Array.from({ length: count }, (_, p) => new Part(this, `part${p}`, rows, p, false, options));
    const columns = new Part(this, "columns", cols, 0, true, options);
    const product = options.units ? new Units(this, options) : new Product(this, options);
    const all = [...rowParts, columns];
    this.told = all.map(() => this.channelOut(u8));
    this.results = this.channelOut(product.results.type);
    this.connect(this.jobs, sequence.jobs);
    this.connect(product.results, this.results);
    this.connect(sequence.tiles, product.tiles, { depth: 4 });
    this.connect(sequence.feeds, product.commands, size(0));
    this.connect(sequence.weightReads, columns.reads, size(1));
    this.connect(columns.out, product.weights, size(2));
    rowParts.forEach((part, p) => {
      this.connect(sequence.reads[p]!, part.reads, size(3 + p));
      this.connect(part.out, product.inputs[p]!, size(5 + p));
    });
    all.forEach((part, p) => {
      this.connect(sequence.loads[p]!, part.jobs);
      this.connect(part.loaded, sequence.loaded[p]!, { depth: 3 });
      this.connect(part.told, this.told[p]!);
      this.connect(product.freed[p]!, part.freed);
    });
  }
}

export function randomRangesJobs(random: Random, { rows }: RangesOptions): RangesJob[] {
  return Array.from({ length: 1 + random.below(3) }, () => {
    // Rows of two tiles must not leave at once.
    const words = 3 + random.below(random.pick([58, 58, 120]));
    const somewhere = (): U8 => u8(random.pick([255, 255, random.below(words + 1)]));
    return {
      words: u8(words),
      filled: u8(words),
      segment: u8(random.pick([words, 8, 3, 1 + random.below(20)])),
      tiles: u8(random.pick([1, 2, 3])),
      base: u7(random.pick([0, 0, random.below(128)])),
      used: [u8(random.pick([rows, rows, random.below(rows + 2)])), u8(random.pick([rows, random.below(rows + 1)]))],
      tellAt: somewhere(),
      restAt: somewhere(),
      freesAt: u8(words - 1),
      blind: false,
      shortAt: somewhere(),
      lastBytes: u8(random.pick([8, 8, 1 + random.below(8)])),
      gap: u8(random.pick([0, 0, 1, 20])),
    };
  });
}
