/**
 * Weight buffer of one stream: a bank for each of its array columns (column c of the array belongs to stream c mod
 * streams), filled from the stream and read one word of every bank at a time. For each column tile come the parameters
 * of its output channels, 16 bytes each (bias, multiplier, left shift, right shift), then the weights, packed offline: word
 * 0 of every column, word 1 of every column, ...
 *
 * The slots of the buffer hold a segment of a column tile each, so that even the longest K can be loaded ahead.
 */
import type { GemmConfig } from "../../driver/gemm/config.js";
import { PARAMETER_BYTES } from "../../driver/gemm/pack.js";
import { beatType, type Beat } from "../../driver/stream.js";
import { assert, bool, i32, i8, Module, u16, u24, u32, u8, vec, xorU } from "../../hw/index.js";
import type { ChannelIn, ChannelOut, I8, Memory, Process, ReadPort, U8, VecType, WritePort } from "../../hw/index.js";
import { Parameter, u5, WeightJob, WeightRead } from "./tokens.js";

export class WeightBuffer extends Module {
  static readonly source = import.meta.url;
  readonly cols: number;
  readonly bytes: number;
  readonly depth: number;
  /** Beats of a parameter record. */
  readonly beats: number;
  readonly word: VecType<I8>;
  readonly words: VecType<readonly I8[]>;
  readonly record: VecType<U8>;

  readonly job = this.channelIn(WeightJob);
  readonly stream: ChannelIn<Beat>;
  readonly parameters = this.channelOut(Parameter);
  /** A token per segment that stands in the buffer. */
  readonly loaded = this.channelOut(bool);
  readonly reads = this.channelIn(WeightRead);
  readonly out: ChannelOut<readonly (readonly I8[])[]>;

  readonly released;
  readonly banks: readonly Memory<readonly I8[]>[];
  readonly write: readonly WritePort<readonly I8[]>[];
  readonly read: readonly ReadPort<readonly I8[]>[];

  /** The last bytes of the stream, as many as a parameter record has. */
  recent: U8[];

  constructor(parent: Module, name: string, config: GemmConfig) {
    super(parent, name);
    this.cols = config.partCols;
    this.bytes = config.streamBytes;
    this.depth = config.weightDepth;
    this.beats = PARAMETER_BYTES / this.bytes;
    this.word = vec(i8, this.bytes);
    this.words = vec(this.word, this.cols);
    this.record = vec(u8, PARAMETER_BYTES);
    this.recent = this.record.zero();
    this.stream = this.channelIn(beatType(this.bytes));
    this.out = this.channelOut(this.words);
    this.released = this.channel(bool, { name: "released", depth: config.slots });
    this.banks = Array.from({ length: this.cols }, () => this.memory(this.word, this.depth));
    this.write = this.banks.map((bank) => bank.writePort());
    this.read = this.banks.map((bank) => bank.readPort());
    this.clocked(this.load);
    this.clocked(this.fetch);
  }

  *load(): Process {
    for (;;) {
      const job = yield* this.job.pop();
      assert(job.passes >= 1 && job.columnTiles >= 1 && job.words >= 1, "a weight job has weights");
      assert(job.segmentWords >= 1 && job.slots >= 1, "a weight job has segments");
      let filled = u8(0);
      let slot = u8(0);
      let base = u16(0);
      for (let pass = u24(0); pass < job.passes; pass = u24(pass + 1)) {
        for (let tile = u16(0); tile < job.columnTiles; tile = u16(tile + 1)) {
          yield* this.loadParameters(pass === 0);
          let left = job.words;
          while (left > 0) {
            if (filled === job.slots) yield* this.released.pop();
            else filled = u8(filled + 1);
            const words = u16(left < job.segmentWords ? left : job.segmentWords);
            assert(words >= 1, "a segment has words");
            for (let w = u16(0); w < words; w = u16(w + 1)) {
              for (let col = u8(0); col < this.cols; col = u8(col + 1)) {
                const beat = yield* this.stream.pop();
                const word = this.word((b) => i8(xorU(beat.data[b]!, job.flip)));
                const address = u16(base + w);
                assert(address < this.depth, "the words fit their bank");
                for (let c = 0; c < this.cols; c++) if (c === col) this.write[c]!.write(address, word);
                yield;
              }
            }
            yield* this.loaded.push(true);
            left = u16(left - words);
            slot = u8(slot + 1);
            base = u16(base + job.segmentWords);
            if (slot === job.slots) {
              slot = u8(0);
              base = u16(0);
            }
          }
        }
      }
    }
  }

  /** The parameters of a column tile; they come in every pass, but are kept from the first. */
  *loadParameters(keep: boolean): Process {
    for (let col = u8(0); col < this.cols; col = u8(col + 1)) {
      for (let b = u8(0); b < this.beats; b = u8(b + 1)) {
        const beat = yield* this.stream.pop();
        this.recent = this.record((i) =>
          i < PARAMETER_BYTES - this.bytes
            ? this.recent[i + this.bytes]!
            : beat.data[i - (PARAMETER_BYTES - this.bytes)]!,
        );
        if (keep && b === this.beats - 1)
          yield* this.parameters.push({
            bias: i32(
              u32(this.recent[0]! + this.recent[1]! * 256 + this.recent[2]! * 65536 + this.recent[3]! * 16777216),
            ),
            multiplier: i32(
              u32(this.recent[4]! + this.recent[5]! * 256 + this.recent[6]! * 65536 + this.recent[7]! * 16777216),
            ),
            left: u5(this.recent[8]!),
            right: u5(this.recent[9]!),
          });
        yield;
      }
    }
  }

  *fetch(): Process {
    for (;;) {
      const command = yield* this.reads.pop();
      assert(command.address < this.depth, "the words stand in their bank");
      for (let c = 0; c < this.cols; c++) this.read[c]!.read(command.address);
      yield;
      if (command.release) yield* this.released.push(true);
      yield* this.out.push(this.words((c) => this.read[c]!.q));
    }
  }
}
