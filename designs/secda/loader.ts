/**
 * What SECDA's two designs have in common: packets of 32-bit words on four streams. CONFIG, LOAD_INP and LOAD_WGT are dealt with here, one
 * after the other; COMPUTE is each design's own. A word of inputs or weights is four bytes of K of four rows or channels, a stream for each.
 */
import { beatType, type Beat } from "../../driver/stream.js";
import { assert, bits, i32, i8, Module, u16, u32, u8, uint, vec } from "../../hw/index.js";
import type { ChannelIn, Process, U16, U32 } from "../../hw/index.js";
import {
  BLOCK,
  BLOCK_BITS,
  CONFIG,
  LOAD_END,
  LOAD_INPUTS,
  LOAD_WEIGHTS,
  PACKET_WORDS,
  UNITS,
  type SecdaSizes,
} from "./facts.js";
import { Ending, Parameters, Word } from "./tokens.js";

export const Four = vec(i32, BLOCK);
const u5 = uint(5);
const Shifts = vec(u5, BLOCK);
const Bytes = vec(i8, BLOCK);
const int = (data: readonly number[]): number => data[0]! + data[1]! * 256 + data[2]! * 65536 + data[3]! * 16777216;

/** Clocks of a loader, and sizes of its memories. */
export interface LoaderTraits extends SecdaSizes {
  readonly loadStart: number;
  readonly openWeights: number;
}

export abstract class Loader extends Module {
  static readonly source: string = import.meta.url;
  readonly streams: readonly ChannelIn<Beat>[];
  readonly traits: LoaderTraits;

  readonly inputs;
  readonly inputWrite;
  readonly inputRead;
  /** By block of rows, and by block of channels. */
  readonly terms;
  readonly termWrite;
  readonly termRead;
  readonly parameters;
  readonly parameterWrite;
  readonly parameterRead;

  /** Words of K, and what a layer does to all its sums. */
  depth = u16(0);
  ending = Ending.zero();

  constructor(parent: Module, name: string, traits: LoaderTraits) {
    super(parent, name);
    this.traits = traits;
    this.streams = Array.from({ length: UNITS }, () => this.channelIn(beatType(BLOCK)));
    this.inputs = this.memory(Word, traits.inputWords);
    this.inputWrite = this.inputs.writePort();
    this.inputRead = this.inputs.readPort();
    this.terms = this.memory(Four, traits.mostRows / BLOCK);
    this.termWrite = this.terms.writePort();
    this.termRead = this.terms.readPort();
    this.parameters = this.memory(Parameters, traits.mostColumns / BLOCK);
    this.parameterWrite = this.parameters.writePort();
    this.parameterRead = this.parameters.readPort();
  }

  *handle(): Process {
    for (;;) {
      const packet = yield* this.takeWord();
      const first = yield* this.takeWord();
      const second = yield* this.takeWord();
      if (packet === CONFIG) {
        this.depth = u16(u16(first) >> BLOCK_BITS);
        this.ending = Ending({
          zero: i8(bits(second, 7, 0)),
          min: i8(bits(second, 15, 8)),
          max: i8(bits(second, 23, 16)),
          flip: u8(bits(second, 31, 24)),
        });
        yield;
      } else if (packet === LOAD_INPUTS) {
        yield* this.loadInputs(u16(first), u16(second));
      } else if (packet === LOAD_WEIGHTS) {
        yield* this.loadWeights(u16(first), u16(second));
      } else {
        yield* this.compute(u16(first), u16(second));
      }
    }
  }

  protected *takeWord(): Process<U32> {
    const { data } = yield* this.streams[0]!.pop();
    const word = u32(int(data));
    yield;
    return word;
  }

  /** All words, then for each block of rows the terms of the zero point. */
  protected *loadInputs(words: U16, blocks: U16): Process {
    yield* this.estimate(1 + this.traits.loadStart + 1 - PACKET_WORDS);
    let word: Word = Word.zero();
    for (let k = u16(0); k < words; k = u16(k + 1)) {
      for (let s = 0; s < BLOCK; s++) {
        const { data } = yield* this.streams[s]!.pop();
        const before = word;
        word = Word((r) => Bytes((i) => (r === s ? i8(data[i]!) : before[r]![i]!)));
      }
      assert(k < this.traits.inputWords, "the inputs of a tile fit");
      this.inputWrite.write(k, word);
      yield;
    }
    const values = Four.zero();
    for (let b = u16(0); b < blocks; b = u16(b + 1)) {
      for (let s = 0; s < BLOCK; s++) {
        const { data } = yield* this.streams[s]!.pop();
        values[s] = i32(int(data));
      }
      assert(b < this.traits.mostRows / BLOCK, "a tile has so many rows");
      this.termWrite.write(b, Four(values));
      yield;
    }
    yield* this.estimate(LOAD_END);
  }

  /** All words, then for each block of channels biases, multipliers and, on stream 0, four shifts in a word. */
  protected *loadWeights(words: U16, blocks: U16): Process {
    yield* this.estimate(1 + this.traits.loadStart + this.traits.openWeights - PACKET_WORDS);
    let word: Word = Word.zero();
    for (let k = u16(0); k < words; k = u16(k + 1)) {
      for (let s = 0; s < BLOCK; s++) {
        const { data } = yield* this.streams[s]!.pop();
        const before = word;
        word = Word((r) => Bytes((i) => (r === s ? i8(data[i]!) : before[r]![i]!)));
      }
      yield* this.keepWeights(k, word);
      yield;
    }
    for (let c = u16(0); c < blocks; c = u16(c + 1)) {
      const bias = Four.zero();
      const multiplier = Four.zero();
      const left = Shifts.zero();
      const right = Shifts.zero();
      for (let s = 0; s < BLOCK; s++) {
        const { data } = yield* this.streams[s]!.pop();
        bias[s] = i32(int(data));
      }
      yield;
      for (let s = 0; s < BLOCK; s++) {
        const { data } = yield* this.streams[s]!.pop();
        multiplier[s] = i32(int(data));
      }
      yield;
      const { data } = yield* this.streams[0]!.pop();
      for (let s = 0; s < BLOCK; s++) {
        const shift = i8(data[s]!);
        left[s] = u5(shift > 0 ? shift : 0);
        right[s] = u5(shift < 0 ? 0 - shift : 0);
      }
      assert(c < this.traits.mostColumns / BLOCK, "a tile has so many channels");
      this.parameterWrite.write(c, { bias, multiplier, left, right });
      yield;
    }
    yield* this.estimate(LOAD_END + 1);
  }

  /** Where a word of weights goes. */
  protected abstract keepWeights(address: U16, word: Word): Process;

  /** A tile of so many rows and channels, until its last output has left. */
  protected abstract compute(rows: U16, columns: U16): Process;
}
