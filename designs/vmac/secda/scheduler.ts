/**
 * The scheduler of SECDA's VM: loads a tile of inputs, and tile after tile of weights; for each block of inputs waits for the units,
 * broadcasts the block, and hands a job for each block of channels to the units in turn.
 */
import { beatType, type Beat } from "../../../driver/stream.js";
import { assert, bits, bool, i32, i8, Module, u16, u24, u32, u8, uint, vec } from "../../../hw/index.js";
import type { ChannelIn, ChannelOut, Process, U32, ValueOf } from "../../../hw/index.js";
import { BLOCK, BROADCAST_PER_WORD, BROADCAST_START, INPUT_WORDS, ISSUE, TILE_MOST, UNITS } from "./facts.js";
import { Fill, Job, Parameters, Word } from "./tokens.js";

/** 32-bit words of an instruction (compile.ts). */
export const INSTRUCTION_WORDS = 6;

const Flags = vec(bool, UNITS);
const Counts = vec(u8, UNITS);
const Four = vec(i32, BLOCK);
const u5 = uint(5);
const Shifts = vec(u5, BLOCK);
const Bytes = vec(i8, BLOCK);
const int = (data: readonly number[]): number => data[0]! + data[1]! * 256 + data[2]! * 65536 + data[3]! * 16777216;

export class Scheduler extends Module {
  static readonly source = import.meta.url;
  readonly instructions: ChannelIn<Beat>;
  readonly streams: readonly ChannelIn<Beat>[];
  readonly fills: readonly ChannelOut<ValueOf<typeof Fill>>[];
  readonly jobs: readonly ChannelOut<ValueOf<typeof Job>>[];
  readonly done: readonly ChannelIn<boolean>[];
  readonly drained: readonly ChannelIn<boolean>[];

  readonly inputs = this.memory(Word, INPUT_WORDS);
  readonly inputWrite = this.inputs.writePort();
  readonly inputRead = this.inputs.readPort();
  readonly terms = this.memory(Four, TILE_MOST / BLOCK);
  readonly termWrite = this.terms.writePort();
  readonly termRead = this.terms.readPort();
  readonly parameters = this.memory(Parameters, TILE_MOST / BLOCK);
  readonly parameterWrite = this.parameters.writePort();
  readonly parameterRead = this.parameters.readPort();

  words: U32[] = vec(u32, INSTRUCTION_WORDS).zero();

  constructor(parent: Module, name: string) {
    super(parent, name);
    const each = <T>(make: () => T): T[] => Array.from({ length: UNITS }, make);
    this.instructions = this.channelIn(beatType(4));
    this.streams = each(() => this.channelIn(beatType(BLOCK)));
    this.fills = each(() => this.channelOut(Fill));
    this.jobs = each(() => this.channelOut(Job));
    this.done = each(() => this.channelIn(bool));
    this.drained = each(() => this.channelIn(bool));
    this.clocked(this.schedule);
  }

  *schedule(): Process {
    const values = Four.zero();
    let word: ValueOf<typeof Word> = Word.zero();
    for (;;) {
      for (let i = u8(0); i < INSTRUCTION_WORDS; i = u8(i + 1)) {
        const { data } = yield* this.instructions.pop();
        this.words[i] = u32(int(data));
        yield;
      }
      const rowBlocks = u24(this.words[0]!);
      const columnBlocks = u16(this.words[1]!);
      const depth = u16(this.words[2]!);
      const tileRows = u16(bits(this.words[3]!, 15, 0));
      const tileColumns = u16(bits(this.words[3]!, 31, 16));
      const ending = {
        zero: i8(bits(this.words[4]!, 7, 0)),
        min: i8(bits(this.words[4]!, 15, 8)),
        max: i8(bits(this.words[4]!, 23, 16)),
        flip: u8(bits(this.words[4]!, 31, 24)),
      };
      assert(rowBlocks >= 1 && columnBlocks >= 1 && depth >= 1, "a layer has jobs");
      assert(tileRows >= 1 && tileColumns >= 1, "a tile has jobs");
      let left = this.words[5]!;
      const busy = Flags.zero();
      const lasting = Flags.zero();
      const waits = Counts.zero();
      let unit = u8(0);
      let rowsLeft = rowBlocks;
      while (rowsLeft > 0) {
        const rows = u16(rowsLeft < tileRows ? rowsLeft : tileRows);
        assert(rows >= 1, "a tile has rows");
        rowsLeft = u24(rowsLeft - rows);
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
        let columnsLeft = columnBlocks;
        while (columnsLeft > 0) {
          const columns = u16(columnsLeft < tileColumns ? columnsLeft : tileColumns);
          assert(columns >= 1, "a tile has channels");
          columnsLeft = u16(columnsLeft - columns);
          let place = u16(0);
          for (let c = u16(0); c < columns; c = u16(c + 1)) {
            const bias = Four.zero();
            const multiplier = Four.zero();
            const lefts = Shifts.zero();
            const rights = Shifts.zero();
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
              lefts[s] = u5(data[0]!);
              rights[s] = u5(data[1]!);
            }
            assert(c < TILE_MOST / BLOCK, "a tile has so many channels");
            this.parameterWrite.write(c, { bias, multiplier, left: lefts, right: rights });
            yield;
            for (let k = u16(0); k < depth; k = u16(k + 1)) {
              for (let s = 0; s < BLOCK; s++) {
                const { data } = yield* this.streams[s]!.pop();
                const before = word;
                word = Word((r) => Bytes((i) => (r === s ? i8(data[i]!) : before[r]![i]!)));
              }
              for (let u = 0; u < UNITS; u++)
                yield* this.fills[u]!.push({ weights: true, address: place, word, last: false });
              place = u16(place + 1);
              yield;
            }
          }
          // Jobs of the tile that are not handed out yet.
          let open = u32(rows * columns);
          let base = u16(0);
          for (let b = u16(0); b < rows; b = u16(b + 1)) {
            for (let u = 0; u < UNITS; u++)
              if (busy[u]!) {
                yield* this.done[u]!.pop();
                busy[u] = false;
              }
            for (let k = u16(0); k < depth; k = u16(k + 1)) {
              const from = u16(base + k);
              assert(from < INPUT_WORDS, "the inputs of a tile fit");
              this.inputRead.read(from);
              yield;
              const q = this.inputRead.q;
              for (let u = 0; u < UNITS; u++)
                yield* this.fills[u]!.push({ weights: false, address: k, word: Word(q), last: k === depth - 1 });
              yield* this.estimate(BROADCAST_PER_WORD - 1);
            }
            for (let u = 0; u < UNITS; u++) waits[u] = u8(waits[u]! + 1);
            base = u16(base + depth);
            yield* this.estimate(BROADCAST_START);
            let weights = u16(0);
            for (let c = u16(0); c < columns; c = u16(c + 1)) {
              for (let u = 0; u < UNITS; u++)
                if (u === unit && busy[u]!) {
                  yield* this.done[u]!.pop();
                  busy[u] = false;
                }
              assert(b < TILE_MOST / BLOCK && c < TILE_MOST / BLOCK, "a tile has so many rows and channels");
              this.termRead.read(b);
              this.parameterRead.read(c);
              yield;
              const terms = Four(this.termRead.q);
              const parameters = this.parameterRead.q;
              yield* this.estimate(ISSUE - 1);
              const final = open <= UNITS;
              for (let u = 0; u < UNITS; u++)
                if (u === unit) {
                  yield* this.jobs[u]!.push({
                    waits: waits[u]!,
                    weights,
                    depth,
                    parameters,
                    terms,
                    ending,
                    final,
                    last: left <= UNITS,
                  });
                  waits[u] = u8(0);
                  busy[u] = true;
                  lasting[u] = final;
                }
              open = u32(open - 1);
              left = u32(left - 1);
              weights = u16(weights + depth);
              unit = u8(unit === UNITS - 1 ? 0 : unit + 1);
            }
          }
          for (let u = 0; u < UNITS; u++)
            if (lasting[u]!) {
              yield* this.drained[u]!.pop();
              lasting[u] = false;
            }
          for (let u = 0; u < UNITS; u++)
            if (busy[u]!) {
              yield* this.done[u]!.pop();
              busy[u] = false;
            }
        }
      }
    }
  }
}
