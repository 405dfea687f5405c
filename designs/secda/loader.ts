/**
 * What SECDA's two designs have in common: the instruction of a layer, and the loading of a tile of inputs and of weights from four streams
 * of 32 bits. A word is four bytes of K of four rows or channels, a stream for each.
 */
import { beatType, type Beat } from "../../driver/stream.js";
import { assert, bits, i32, i8, Module, u16, u24, u32, u8, uint, vec } from "../../hw/index.js";
import type { ChannelIn, Process, U16, U32 } from "../../hw/index.js";
import { BLOCK, INPUT_WORDS, TILE_MOST, UNITS } from "./facts.js";
import { Parameters, Word } from "./tokens.js";

/** 32-bit words of an instruction (compile.ts). */
export const INSTRUCTION_WORDS = 6;

export const Four = vec(i32, BLOCK);
const u5 = uint(5);
const Shifts = vec(u5, BLOCK);
const Bytes = vec(i8, BLOCK);
const int = (data: readonly number[]): number => data[0]! + data[1]! * 256 + data[2]! * 65536 + data[3]! * 16777216;

export abstract class Loader extends Module {
  static readonly source = import.meta.url;
  readonly instructions: ChannelIn<Beat>;
  readonly streams: readonly ChannelIn<Beat>[];

  readonly inputs = this.memory(Word, INPUT_WORDS);
  readonly inputWrite = this.inputs.writePort();
  readonly inputRead = this.inputs.readPort();
  /** By block of rows, and by block of channels. */
  readonly terms = this.memory(Four, TILE_MOST / BLOCK);
  readonly termWrite = this.terms.writePort();
  readonly termRead = this.terms.readPort();
  readonly parameters = this.memory(Parameters, TILE_MOST / BLOCK);
  readonly parameterWrite = this.parameters.writePort();
  readonly parameterRead = this.parameters.readPort();

  words: U32[] = vec(u32, INSTRUCTION_WORDS).zero();

  constructor(parent: Module, name: string) {
    super(parent, name);
    this.instructions = this.channelIn(beatType(4));
    this.streams = Array.from({ length: UNITS }, () => this.channelIn(beatType(BLOCK)));
  }

  protected *takeInstruction(): Process {
    for (let i = u8(0); i < INSTRUCTION_WORDS; i = u8(i + 1)) {
      const { data } = yield* this.instructions.pop();
      this.words[i] = u32(int(data));
      yield;
    }
  }

  protected decoded() {
    return {
      rowBlocks: u24(this.words[0]!),
      columnBlocks: u16(this.words[1]!),
      /** Words of K. */
      depth: u16(this.words[2]!),
      /** Blocks of a tile. */
      tileRows: u16(bits(this.words[3]!, 15, 0)),
      tileColumns: u16(bits(this.words[3]!, 31, 16)),
      ending: {
        zero: i8(bits(this.words[4]!, 7, 0)),
        min: i8(bits(this.words[4]!, 15, 8)),
        max: i8(bits(this.words[4]!, 23, 16)),
        flip: u8(bits(this.words[4]!, 31, 24)),
      },
    };
  }

  /** For each block of rows the terms of the zero point, then its words. */
  protected *loadInputs(rows: U16, depth: U16): Process {
    const values = Four.zero();
    let word: Word = Word.zero();
    let address = u16(0);
    for (let b = u16(0); b < rows; b = u16(b + 1)) {
      for (let s = 0; s < BLOCK; s++) {
        const { data } = yield* this.streams[s]!.pop();
        values[s] = i32(int(data));
      }
      assert(b < TILE_MOST / BLOCK, "a tile has so many rows");
      this.termWrite.write(b, Four(values));
      yield;
      for (let k = u16(0); k < depth; k = u16(k + 1)) {
        for (let s = 0; s < BLOCK; s++) {
          const { data } = yield* this.streams[s]!.pop();
          const before = word;
          word = Word((r) => Bytes((i) => (r === s ? i8(data[i]!) : before[r]![i]!)));
        }
        assert(address < INPUT_WORDS, "the inputs of a tile fit");
        this.inputWrite.write(address, word);
        address = u16(address + 1);
        yield;
      }
    }
  }

  /** For each block of channels bias, multiplier and shifts, then its words. */
  protected *loadWeights(columns: U16, depth: U16): Process {
    let word: Word = Word.zero();
    let place = u16(0);
    for (let c = u16(0); c < columns; c = u16(c + 1)) {
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
      for (let s = 0; s < BLOCK; s++) {
        const { data } = yield* this.streams[s]!.pop();
        left[s] = u5(data[0]!);
        right[s] = u5(data[1]!);
      }
      assert(c < TILE_MOST / BLOCK, "a tile has so many channels");
      this.parameterWrite.write(c, { bias, multiplier, left, right });
      yield;
      for (let k = u16(0); k < depth; k = u16(k + 1)) {
        for (let s = 0; s < BLOCK; s++) {
          const { data } = yield* this.streams[s]!.pop();
          const before = word;
          word = Word((r) => Bytes((i) => (r === s ? i8(data[i]!) : before[r]![i]!)));
        }
        yield* this.keepWeights(place, word);
        place = u16(place + 1);
        yield;
      }
    }
  }

  /** Where a word of weights goes. */
  protected abstract keepWeights(address: U16, word: Word): Process;
}
