/**
 * Words are cut off now and then and joined to beats again, by packers that move the same bytes about in different ways: what is turned is kept for the next word at once
 * or behind the wait, the word moves down or its bytes change places, and names are asked for before a wait or behind it.
 */
import { andU, bool, Module, struct, u16, u8, vec, xorU, type Process } from "../../../hw/index.js";

const BEAT = 4;
const Beat = vec(u8, BEAT);
export const CutJob = struct({ words: u16, every: u8, seed: u8 });

export interface PackingOptions {
  readonly depth: number;
  /** Bytes of a word: two beats or more. */
  readonly lanes: number;
  /** What is kept is kept behind the wait. */
  readonly late: boolean;
  /** Bytes of the word change places within a beat, not only from beat to beat. */
  readonly swaps: boolean;
}

export class Packing extends Module {
  static readonly source = import.meta.url;
  readonly swaps: number;
  readonly lanes: number;
  readonly word;
  readonly jobs = this.channelIn(CutJob);
  readonly out;
  readonly pieces;
  kept = Beat.zero();
  /** What was turned last. */
  seen = Beat.zero();
  held = u8(0);

  constructor({ depth, lanes, late, swaps }: PackingOptions) {
    super(null, "packing");
    this.lanes = lanes;
    this.swaps = swaps ? 3 : 0;
    this.word = vec(u8, lanes);
    this.out = this.channelOut(struct({ data: Beat, more: this.word, last: bool }));
    this.pieces = this.channel(struct({ bytes: this.word, count: u8, end: bool }), { name: "pieces", depth });
    this.clocked(this.cut);
    this.clocked(late ? this.packLate : this.pack);
  }

  *cut(): Process {
    for (;;) {
      const job = yield* this.jobs.pop();
      let byte = job.seed;
      let since = u8(0);
      for (let w = u16(0); w < job.words; w = u16(w + 1)) {
        const last = w === job.words - 1;
        const short = last || since === job.every;
        since = u8(short ? 0 : since + 1);
        yield* this.pieces.push({
          bytes: this.word((l) => u8(xorU(u8(byte + l * 29), job.seed))),
          count: short ? u8(1 + andU(byte, 7)) : u8(this.lanes),
          end: last,
        });
        byte = u8(byte * 5 + 1);
        yield;
      }
    }
  }

  *pack(): Process {
    for (;;) {
      const piece = yield* this.pieces.pop();
      let bytes = piece.bytes;
      let rest = piece.count;
      do {
        const n = u8(rest < BEAT ? rest : BEAT);
        const { kept, held } = this;
        const chunk = Beat((b) => bytes[b]!);
        const turned = Beat((b) => chunk[andU(u8(b - held), BEAT - 1)]!);
        const joined = Beat((b) => (b < held ? kept[b]! : turned[b]!));
        const all = u8(held + n);
        const full = all >= BEAT;
        const end = piece.end && rest <= BEAT;
        const before = this.word(bytes);
        bytes = this.word((l) => before[l + BEAT < this.lanes ? xorU(l + BEAT, this.swaps) : l]!);
        rest = u8(rest - n);
        this.kept = Beat((b) => (full || b >= held ? turned[b]! : kept[b]!));
        this.held = u8(full ? all - BEAT : all);
        if (full) yield* this.out.push({ data: joined, more: bytes, last: end && all === BEAT });
        yield;
        if (end) {
          if (this.held > 0) yield* this.out.push({ data: Beat(this.kept), more: this.word(bytes), last: true });
          this.held = u8(0);
          yield;
        }
      } while (rest > 0);
    }
  }

  *packLate(): Process {
    for (;;) {
      const piece = yield* this.pieces.pop();
      let bytes = piece.bytes;
      let rest = piece.count;
      do {
        const n = u8(rest < BEAT ? rest : BEAT);
        const { held } = this;
        const chunk = Beat((b) => bytes[b]!);
        const turned = Beat((b) => chunk[andU(u8(b - held), BEAT - 1)]!);
        const joined = Beat((b) => (b < held ? this.kept[b]! : turned[b]!));
        const all = u8(held + n);
        const full = all >= BEAT;
        const end = piece.end && rest <= BEAT;
        bytes = this.word((l) => bytes[l + BEAT < this.lanes ? l + BEAT : l]!);
        rest = u8(rest - n);
        this.held = u8(full ? all - BEAT : all);
        if (full)
          yield* this.out.push({
            data: joined,
            more: this.word((l) => (l < BEAT ? this.seen[l < BEAT ? l : 0]! : bytes[l]!)),
            last: end && all === BEAT,
          });
        yield;
        // The name is asked for behind the wait.
        this.seen = Beat(turned);
        this.kept = Beat((b) => (full || b >= held ? turned[b]! : this.kept[b]!));
        if (end) {
          if (this.held > 0) yield* this.out.push({ data: Beat(this.kept), more: this.word(bytes), last: true });
          this.held = u8(0);
          yield;
        }
      } while (rest > 0);
    }
  }
}
