/**
 * Designs whose loaders take tokens of an outer input to memories, in all the forms that are done by the range, and in some that are not: banks
 * row by row, banks in turn, one memory; addresses that go up, down, in twos, and round; bits flipped or not; sums of the bytes; writes that are
 * skipped; words of several tokens, some of them of fewer. A process reads what was loaded, and tells so; or it is never asked to (`careless`), which is an error. Between the outer input and the
 * loader may stand a relay that leads transfers to the loader or elsewhere.
 */
import { andU, asr, assert, bool, i16, i32, i8, Module, struct, u16, u8, uint, vec, xorU } from "../../../hw/index.js";
import type {
  Channel,
  ChannelIn,
  ChannelOut,
  I8,
  Memory,
  Process,
  ReadPort,
  U8,
  ValueOf,
  VecType,
  WritePort,
} from "../../../hw/index.js";
import type { Random } from "./random.js";

export interface LoadingOptions {
  readonly form: "rows" | "columns" | "plain";
  readonly bytes: number;
  readonly banks: number;
  readonly addressBits: number;
  /** From word to word. */
  readonly step: number;
  readonly flips: "not" | "always" | "job";
  readonly sums: boolean;
  /** Clocks of a token in front of its write, and behind it. */
  readonly early: boolean;
  readonly late: boolean;
  /** Words from number `most` of a job on are not written. */
  readonly skips: boolean;
  /** The loader does not wait until its words have been read. */
  readonly careless: boolean;
  /** Addresses must be below this. */
  readonly below: number;
  readonly relay: "not" | "through" | "either";
  /** Of the channel behind it. */
  readonly depth: number;
  /** Tokens in front of a row, or of a job's columns, that another loop takes: so many. */
  readonly heads: number;
  /** Tokens of a word, which is written with the last of them or with the last of a group; 0 in the other forms. */
  readonly together: number;
  /** A row is several groups. */
  readonly groups: boolean;
}

export function randomLoading(random: Random): LoadingOptions {
  const early = random.chance(0.4);
  const form = random.pick(["rows", "rows", "columns", "columns", "plain"] as const);
  const options = {
    form,
    bytes: random.pick([1, 2, 4, 8, 8, 8, 12, 16, 32]),
    banks: form === "plain" ? 1 : random.pick([2, 3, 4, 5, 8, 8]),
    addressBits: random.pick([4, 5, 6]),
    step: random.pick([1, 1, 1, 2, -1]),
    flips: random.pick(["not", "always", "job", "job"] as const),
    sums: random.chance(0.5),
    early,
    late: !early || random.chance(0.5),
    skips: random.chance(0.2),
    careless: random.chance(0.08),
    below: random.chance(0.1) ? 13 : 64,
    relay: random.pick(["not", "through", "either"] as const),
    depth: random.pick([1, 2, 2, 3, 8]),
    heads: random.pick([0, 0, 1, 2, 5]),
    together: 0,
    groups: false,
  };
  return random.chance(0.3) ? inWords(random, options) : options;
}

export const inWords = (random: Random, options: LoadingOptions): LoadingOptions => ({
  ...options,
  form: "rows",
  banks: Math.max(2, options.banks),
  bytes: random.pick([1, 2, 4, 8, 8]),
  skips: false,
  together: random.pick([2, 2, 2, 3, 4]),
  groups: random.chance(0.7),
});

const Job = struct({ words: u8, base: u8, flip: u8, most: u8, gap: bool, groups: u8, tokens: u8 });
export type LoadingJob = ValueOf<typeof Job>;

/** The jobs and their tokens. */
export function loadingTokens(
  random: Random,
  { bytes, banks, form, heads, relay, together, groups }: LoadingOptions,
): { jobs: unknown[]; beats: unknown[]; routes0?: unknown[] } {
  const jobs = Array.from({ length: 1 + random.below(5) }, () => ({
    words: 1 + random.below(random.pick([6, 16, 90])),
    base: random.below(64),
    flip: random.below(256),
    most: random.pick([255, random.below(30)]),
    gap: random.chance(0.4),
    groups: 0,
    tokens: 0,
  })).map((job) => {
    if (together === 0) return job;
    const words = random.pick([1, 2, 3, 8]);
    const tokens = Math.max(1, words * together - (random.chance(0.3) ? random.below(together) : 0));
    const times = groups ? 1 + random.below(random.pick([4, 9])) : 1;
    return { ...job, groups: times, tokens, words: times * Math.ceil(tokens / together) };
  });
  const ahead = heads * (form === "columns" ? 1 : banks);
  const row = (job: (typeof jobs)[number]): number => (together === 0 ? job.words : job.groups * job.tokens);
  let left = jobs.reduce((sum, job) => sum + row(job) * banks + ahead, 0);
  const beats: unknown[] = [];
  const routes: boolean[] = [];
  const longest = random.pick([3, 20, 300]);
  while (left > 0) {
    const aside = relay === "either" && random.chance(0.3);
    const length = 1 + random.below(longest);
    routes.push(aside);
    for (let i = 0; i < length; i++)
      beats.push({ data: Array.from({ length: bytes }, () => random.below(256)), last: i === length - 1 });
    if (!aside) left -= length;
  }
  return { jobs, beats, ...(relay === "either" && { routes0: routes }) };
}

interface Beat {
  readonly data: readonly U8[];
  readonly last: boolean;
}

export class Loading extends Module {
  static readonly source = import.meta.url;
  readonly options: LoadingOptions;
  readonly address;
  readonly byteBits: number;
  readonly word: VecType<I8>;
  readonly words: VecType<readonly I8[]>;
  readonly jobs = this.channelIn(Job);
  readonly beats: ChannelIn<Beat>;
  readonly sums = this.channelOut(i32);
  readonly out: ChannelOut<readonly (readonly I8[])[]>;
  /** What the tokens in front of a row say, to who tells it on. */
  readonly heads = this.channel(i32, { name: "heads" });
  readonly notes = this.channelOut(i32);
  /** From the relay to the loader, and elsewhere; the loader takes its tokens from `stream`. */
  readonly through: Channel<Beat>;
  readonly aside: Channel<Beat>;
  readonly stream: ChannelIn<Beat> | Channel<Beat>;
  readonly routes: readonly ChannelIn<boolean>[];
  readonly loaded = this.channel(Job, { name: "loaded" });
  readonly released = this.channel(bool, { name: "released" });
  readonly banks: readonly Memory<readonly I8[]>[];
  readonly write: readonly WritePort<readonly I8[]>[];
  readonly read: readonly ReadPort<readonly I8[]>[];

  constructor(options: LoadingOptions) {
    super(null, "loading");
    this.options = options;
    this.address = uint(options.addressBits);
    this.byteBits = Math.log2(options.bytes);
    this.word = vec(i8, options.bytes * Math.max(1, options.together));
    this.words = vec(this.word, options.banks);
    const beat = struct({ data: vec(u8, options.bytes), last: bool });
    this.beats = this.channelIn(beat);
    this.through = this.channel(beat, { name: "through", depth: options.depth });
    this.aside = this.channel(beat, { name: "aside", depth: options.depth });
    this.stream = options.relay === "not" ? this.beats : this.through;
    this.routes = options.relay === "either" ? [this.channelIn(bool)] : [];
    this.out = this.channelOut(this.words);
    const init = options.skips ? { init: Array.from({ length: 64 }, () => this.word.zero()) } : {};
    this.banks = Array.from({ length: options.banks }, () => this.memory(this.word, 64, init));
    this.write = this.banks.map((bank) => bank.writePort());
    this.read = this.banks.map((bank) => bank.readPort());
    this.clocked(this.load);
    this.clocked(this.fetch);
    this.clocked(this.note);
    if (options.relay === "through") this.clocked(this.pass);
    if (options.relay === "either") {
      this.clocked(this.lead);
      this.clocked(this.drop);
    }
  }

  *pass(): Process {
    for (;;) {
      let ends = false;
      do {
        const beat = yield* this.beats.pop();
        yield* this.through.push(beat);
        ends = beat.last;
        yield;
      } while (!ends);
    }
  }

  *lead(): Process {
    for (;;) {
      const aside = yield* this.routes[0]!.pop();
      let more = true;
      while (more) {
        const beat = yield* this.beats.pop();
        if (aside) yield* this.aside.push(beat);
        else yield* this.through.push(beat);
        more = !beat.last;
        yield;
      }
    }
  }

  *drop(): Process {
    for (;;) {
      yield* this.aside.pop();
      yield;
    }
  }

  *note(): Process {
    for (;;) {
      const head = yield* this.heads.pop();
      yield* this.notes.push(head);
      yield;
    }
  }

  *load(): Process {
    let busy = false;
    let held = this.word.zero();
    for (;;) {
      const job = yield* this.jobs.pop();
      assert(job.words >= 1, "a job has words");
      if (busy && !this.options.careless) yield* this.released.pop();
      busy = true;
      if (this.options.form === "columns") {
        let total = i32(0);
        for (let h = u8(0); h < this.options.heads; h = u8(h + 1)) {
          const head = yield* this.stream.pop();
          total = i32(total + head.data[0]!);
          if (job.gap && h === this.options.heads - 1) yield* this.heads.push(total);
          yield;
        }
        for (let w = u8(0); w < job.words; w = u8(w + 1)) {
          for (let c = u8(0); c < this.options.banks; c = u8(c + 1)) {
            const beat = yield* this.stream.pop();
            const word = this.word((b) =>
              i8(
                this.options.flips === "job"
                  ? xorU(beat.data[b]!, job.flip)
                  : this.options.flips === "always"
                    ? xorU(beat.data[b]!, 0x80)
                    : beat.data[b]!,
              ),
            );
            if (this.options.early) yield;
            const at = this.address(job.base + w * this.options.step);
            assert(at < this.options.below, "below");
            if (this.options.skips) {
              if (w < job.most)
                for (let k = 0; k < this.options.banks; k++) if (k === c) this.write[k]!.write(at, word);
            } else for (let k = 0; k < this.options.banks; k++) if (k === c) this.write[k]!.write(at, word);
            if (this.options.late) yield;
            if (this.options.sums) total = i32(total + 1);
          }
        }
        yield* this.sums.push(total);
      } else {
        for (let row = u8(0); row < this.options.banks; row = u8(row + 1)) {
          let total = i32(row);
          let at = this.address(job.base);
          for (let h = u8(0); h < this.options.heads; h = u8(h + 1)) {
            const head = yield* this.stream.pop();
            total = i32(total + head.data[0]!);
            if (job.gap && h === this.options.heads - 1) yield* this.heads.push(total);
            yield;
          }
          if (this.options.together > 0) {
            assert(job.groups >= 1 && job.tokens >= 1, "a row has tokens");
            for (let g = u8(0); g < job.groups; g = u8(g + 1)) {
              let part = u8(0);
              for (let n = u8(0); n < job.tokens; n = u8(n + 1)) {
                const beat = yield* this.stream.pop();
                const from = part;
                const before = held;
                const now = this.word((i) =>
                  asr(i, this.byteBits) === from
                    ? i8(
                        this.options.flips === "not"
                          ? beat.data[andU(i, this.options.bytes - 1)]!
                          : xorU(
                              beat.data[andU(i, this.options.bytes - 1)]!,
                              this.options.flips === "job" ? job.flip : 0x80,
                            ),
                      )
                    : before[i]!,
                );
                held = now;
                const full = part === this.options.together - 1 || n === job.tokens - 1;
                if (this.options.early) yield;
                if (full) {
                  assert(at < this.options.below, "below");
                  for (let k = 0; k < this.options.banks; k++) if (k === row) this.write[k]!.write(at, now);
                  at = this.address(at + this.options.step);
                }
                part = u8(full ? 0 : part + 1);
                if (this.options.late) yield;
              }
            }
          } else {
            for (let w = u8(0); w < job.words; w = u8(w + 1)) {
              const beat = yield* this.stream.pop();
              const word = this.word((b) =>
                i8(
                  this.options.flips === "job"
                    ? xorU(beat.data[b]!, job.flip)
                    : this.options.flips === "always"
                      ? xorU(beat.data[b]!, 0x80)
                      : beat.data[b]!,
                ),
              );
              if (this.options.sums) {
                let part = i16(0);
                for (let b = 0; b < this.options.bytes; b++) part = i16(part + word[b]!);
                total = i32(total + part);
              }
              if (this.options.early) yield;
              assert(at < this.options.below, "below");
              if (this.options.form === "plain") {
                if (!this.options.skips || w < job.most) this.write[0]!.write(at, word);
              } else if (this.options.skips) {
                if (w < job.most)
                  for (let k = 0; k < this.options.banks; k++) if (k === row) this.write[k]!.write(at, word);
              } else for (let k = 0; k < this.options.banks; k++) if (k === row) this.write[k]!.write(at, word);
              at = this.address(at + this.options.step);
              if (this.options.late) yield;
            }
          }
          yield* this.sums.push(total);
          if (job.gap) yield;
        }
      }
      yield* this.loaded.push(job);
    }
  }

  *fetch(): Process {
    for (;;) {
      const job = yield* this.loaded.pop();
      for (let w = u16(0); w < job.words; w = u16(w + 1)) {
        const at = this.address(job.base + w * this.options.step);
        for (let k = 0; k < this.options.banks; k++) this.read[k]!.read(at);
        yield;
        yield* this.out.push(this.words((k) => this.read[k]!.q));
      }
      if (!this.options.careless) yield* this.released.push(true);
      yield;
    }
  }
}
