/**
 * Input buffer of one part: a bank for each of its array rows, filled from one stream and read one word of every bank at
 * a time. Rows come as they stand in memory (NHWC), one after the other, each a whole number of words.
 *
 * The slots of the buffer hold a row tile each. Beside the words, the sum of each row is made, for the zero points.
 */
import type { GemmConfig } from "../../driver/gemm/config.js";
import { beatType, type Beat } from "../../driver/stream.js";
import {
  assert,
  bool,
  i16,
  i32,
  i8,
  Module,
  u16,
  u24,
  u8,
  vec,
  xorU,
  type ChannelIn,
  type ChannelOut,
} from "../../hw/index.js";
import type { I8, Memory, Process, ReadPort, ValueOf, VecType, WritePort } from "../../hw/index.js";
import { InputJob, InputRead } from "./tokens.js";

export class InputBuffer extends Module {
  static readonly source = import.meta.url;
  readonly rows: number;
  readonly bytes: number;
  readonly depth: number;
  readonly word: VecType<I8>;
  readonly words: VecType<readonly I8[]>;

  readonly job = this.channelIn(InputJob);
  readonly stream: ChannelIn<Beat>;
  /** A token per row tile that stands in the buffer. */
  readonly loaded = this.channelOut(bool);
  /** Sums of the rows as int8, `rows` tokens per row tile; zero for rows that the layer does not have. */
  readonly sums = this.channelOut(i32);
  readonly reads = this.channelIn(InputRead);
  /** The words of all banks, for each read. */
  readonly out: ChannelOut<readonly (readonly I8[])[]>;

  /** A slot has been read for the last time. */
  readonly released;
  readonly banks: readonly Memory<readonly I8[]>[];
  readonly write: readonly WritePort<readonly I8[]>[];
  readonly read: readonly ReadPort<readonly I8[]>[];

  constructor(parent: Module, name: string, config: GemmConfig) {
    super(parent, name);
    this.rows = config.partRows;
    this.bytes = config.streamBytes;
    this.depth = config.inputDepth;
    this.word = vec(i8, this.bytes);
    this.words = vec(this.word, this.rows);
    this.stream = this.channelIn(beatType(this.bytes));
    this.out = this.channelOut(this.words);
    this.released = this.channel(bool, { name: "released", depth: config.slots });
    this.banks = Array.from({ length: this.rows }, () => this.memory(this.word, this.depth));
    this.write = this.banks.map((bank) => bank.writePort());
    this.read = this.banks.map((bank) => bank.readPort());
    this.clocked(this.load);
    this.clocked(this.fetch);
  }

  *load(): Process {
    for (;;) {
      const job = yield* this.job.pop();
      assert(job.rowTiles >= 1 && job.words >= 1 && job.slots >= 1, "an input job has rows and words");
      let left = job.rows;
      let slot = u8(0);
      let base = u16(0);
      for (let tile = u24(0); tile < job.rowTiles; tile = u24(tile + 1)) {
        if (tile >= job.slots) yield* this.released.pop();
        for (let row = u8(0); row < this.rows; row = u8(row + 1)) {
          let sum = i32(0);
          if (left > 0) {
            for (let w = u16(0); w < job.words; w = u16(w + 1)) {
              const beat = yield* this.stream.pop();
              const word = this.word((b) => i8(xorU(beat.data[b]!, job.flip)));
              let part = i16(0);
              for (let b = 0; b < this.bytes; b++) part = i16(part + word[b]!);
              sum = i32(sum + part);
              const address = u16(base + w);
              assert(address < this.depth, "the words fit their bank");
              for (let r = 0; r < this.rows; r++) if (r === row) this.write[r]!.write(address, word);
              yield;
            }
            left = u24(left - 1);
          } else yield;
          yield* this.sums.push(sum);
        }
        yield* this.loaded.push(true);
        slot = u8(slot + 1);
        base = u16(base + job.words);
        if (slot === job.slots) {
          slot = u8(0);
          base = u16(0);
        }
      }
    }
  }

  *fetch(): Process {
    const zero = this.word((_) => i8(0));
    for (;;) {
      const command = yield* this.reads.pop();
      assert(command.address < this.depth, "the words stand in their bank");
      for (let r = 0; r < this.rows; r++) if (r < command.rows) this.read[r]!.read(command.address);
      yield;
      if (command.release) yield* this.released.push(true);
      yield* this.out.push(this.words((r) => (r < command.rows ? this.read[r]!.q : zero)));
    }
  }
}

export type InputWords = ValueOf<InputBuffer["words"]>;
