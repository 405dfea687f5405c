/**
 * The sequencer turns a tile into the reads of the operand buffers, a word of K at a time, and into what the array does
 * with the words. It waits for operands that are used for the first time, and keeps the place in the weight buffer.
 */
import type { GemmConfig } from "../../driver/gemm/config.js";
import { assert, bool, Module, u16, u32, u4, u8 } from "../../hw/index.js";
import type { ChannelIn, ChannelOut, Process, ValueOf } from "../../hw/index.js";
import { FeedCommand, InputRead, SequenceJob, tileType, WeightRead, type TokenOf } from "./tokens.js";

export class Sequencer extends Module {
  static readonly source = import.meta.url;
  readonly parts: number;
  readonly weightParts: number;
  readonly bytes: number;
  /** There is a line buffer for depthwise convolutions; the bytes of K that a column of a window takes. */
  readonly windows: boolean;
  readonly columnBytes: number;

  readonly job = this.channelIn(SequenceJob);
  readonly tiles: ChannelIn<TokenOf<typeof tileType>>;
  readonly inputLoaded: readonly ChannelIn<boolean>[];
  readonly weightLoaded: readonly ChannelIn<boolean>[];
  /** The parameters of a column tile stand in the post-processor. */
  readonly stored = this.channelIn(bool);
  readonly inputReads: readonly ChannelOut<ValueOf<typeof InputRead>>[];
  readonly weightReads: readonly ChannelOut<ValueOf<typeof WeightRead>>[];
  readonly feeds = this.channelOut(FeedCommand);

  /** `columnBytes`: 0 where there is no line buffer. */
  constructor(parent: Module, name: string, config: GemmConfig, columnBytes: number) {
    super(parent, name);
    this.parts = config.streams;
    this.weightParts = config.weightStreams;
    this.bytes = config.streamBytes;
    this.windows = columnBytes > 0;
    this.columnBytes = columnBytes;
    this.tiles = this.channelIn(tileType(this.parts));
    this.inputLoaded = Array.from({ length: this.parts }, () => this.channelIn(bool));
    this.weightLoaded = Array.from({ length: this.weightParts }, () => this.channelIn(bool));
    this.inputReads = Array.from({ length: this.parts }, () => this.channelOut(InputRead));
    this.weightReads = Array.from({ length: this.weightParts }, () => this.channelOut(WeightRead));
    this.clocked(this.sequence);
  }

  *sequence(): Process {
    for (;;) {
      const job = yield* this.job.pop();
      assert(job.words >= 1 && job.segmentWords >= 1, "a tile has words");
      // Slot of the weight buffer at work, and the first of the chunk.
      let slot = u8(0);
      let base = u16(0);
      let chunkSlot = u8(0);
      let chunkBase = u16(0);
      let released = u32(0);
      let more = true;
      while (more) {
        const tile = yield* this.tiles.pop();
        more = !tile.final;
        if (tile.opens && !(this.windows && job.windows))
          for (let p = 0; p < this.parts; p++) yield* this.inputLoaded[p]!.pop();
        if (tile.stores) yield* this.stored.pop();
        if (tile.advances) {
          chunkSlot = slot;
          chunkBase = base;
        } else if (tile.restarts) {
          slot = chunkSlot;
          base = chunkBase;
        }
        // Outputs of the row that is the tile of a depthwise convolution; a matrix product has its tile in one go.
        const outputs = u8(this.windows && job.windows ? tile.rows[0]! : 1);
        let word = u16(0);
        let output = u8(0);
        // Bytes of the word that columns of the window have taken.
        let part = u4(0);
        while (word < job.words) {
          if (tile.loads && output === 0) for (let p = 0; p < this.weightParts; p++) yield* this.weightLoaded[p]!.pop();
          const end = u16(job.words - word < job.segmentWords ? job.words : word + job.segmentWords);
          assert(word < end, "a segment has words");
          let offset = u16(0);
          do {
            const count = word === job.words - 1 ? job.lastBytes : u8(this.bytes);
            const whole = !(this.windows && job.windows) || part + this.columnBytes >= count;
            const last = word === job.words - 1 && whole;
            const frees = word === end - 1 && whole && tile.lastUse && released + job.weightSlots < job.segments;
            if (!(this.windows && job.windows))
              for (let p = 0; p < this.parts; p++)
                yield* this.inputReads[p]!.push({
                  address: u16(tile.inputBase + word),
                  rows: tile.rows[p]!,
                  release: last && tile.releases,
                });
            for (let p = 0; p < this.weightParts; p++)
              yield* this.weightReads[p]!.push({ address: u16(base + offset), release: frees });
            yield* this.feeds.push({
              count: this.windows && job.windows ? u8(this.columnBytes) : count,
              first: word === 0 && (!this.windows || part === 0),
              last,
              gap: last ? job.gap : u8(0),
              window: this.windows && job.windows,
            });
            if (whole) {
              word = u16(word + 1);
              offset = u16(offset + 1);
            }
            if (this.windows && job.windows) part = u4(whole ? 0 : part + this.columnBytes);
            if (this.windows && last && output + 1 < outputs) {
              output = u8(output + 1);
              word = u16(0);
              offset = u16(0);
            }
            yield;
          } while (word < end);
          if (tile.lastUse) released = u32(released + 1);
          const wraps = slot === job.weightSlots - 1;
          base = u16(wraps ? 0 : base + job.segmentWords);
          slot = u8(wraps ? 0 : slot + 1);
        }
      }
    }
  }
}
