/**
 * The collector takes the rows of results as they leave the array, adds the correction of each row for the zero point of
 * the weights, and gives them, `lanes` values at a time, to the post-processor, with the place that they belong to.
 *
 *     sum (a - za)(w - zw) = sum a w  -  zw sum a  -  za sum w  +  K za zw
 *
 * The second term is the row's (made here from the row sums of the input buffers); the others belong to the output channel and
 * are part of its bias.
 */
import type { GemmConfig } from "../../driver/gemm/config.js";
import { andU, asr, assert, bool, i32, Module, u16, u24, u8, vec } from "../../hw/index.js";
import type { ChannelIn, ChannelOut, I32, Memory, Process, ReadPort, VecType, WritePort } from "../../hw/index.js";
import { resultTileType, sumsType, TermJob, type TokenOf } from "./tokens.js";

export class Collector extends Module {
  static readonly source = import.meta.url;
  readonly parts: number;
  readonly partRows: number;
  readonly arrayRows: number;
  readonly slots: number;
  readonly depth: number;
  readonly groups: number;
  readonly lanes: number;
  /** Columns of a cell, as a power of two. */
  readonly pairBits: number;
  readonly row: VecType<I32>;
  readonly values: VecType<I32>;

  readonly job = this.channelIn(TermJob);
  readonly sums: readonly ChannelIn<I32>[];
  readonly tiles: ChannelIn<TokenOf<typeof resultTileType>>;
  readonly results: ChannelIn<readonly (readonly I32[])[]>;
  /** A slot of an output buffer is free again. */
  readonly free: readonly ChannelIn<boolean>[];
  readonly credits = this.channelOut(bool);
  readonly out: ChannelOut<TokenOf<typeof sumsType>>;

  /** The terms of a row tile stand in the memory. */
  readonly ready;
  /** The terms of a row tile will not be read again. */
  readonly closed;
  readonly terms: Memory<I32>;
  readonly write: WritePort<I32>;
  readonly read: ReadPort<I32>;

  constructor(parent: Module, name: string, config: GemmConfig) {
    super(parent, name);
    this.parts = config.streams;
    this.partRows = config.partRows;
    this.arrayRows = config.rows;
    this.slots = config.slots;
    this.groups = config.groups;
    this.lanes = config.lanes;
    this.pairBits = config.productsPerDsp - 1;
    this.row = vec(i32, config.cols);
    this.values = vec(i32, config.lanes);
    this.sums = Array.from({ length: this.parts }, () => this.channelIn(i32));
    this.tiles = this.channelIn(resultTileType(this.parts));
    this.results = this.channelIn(vec(vec(i32, config.productsPerDsp), config.cellCols));
    this.free = Array.from({ length: this.parts }, () => this.channelIn(bool));
    this.out = this.channelOut(sumsType(config.lanes));
    this.ready = this.channel(bool, { name: "ready", depth: config.slots });
    this.closed = this.channel(bool, { name: "closed", depth: config.slots });
    this.depth = config.slots * config.rows;
    this.terms = this.memory(i32, this.depth);
    this.write = this.terms.writePort();
    this.read = this.terms.readPort();
    this.clocked(this.makeTerms);
    this.clocked(this.collect);
  }

  *makeTerms(): Process {
    for (;;) {
      const job = yield* this.job.pop();
      assert(job.rowTiles >= 1, "a layer has rows");
      let slot = u8(0);
      for (let tile = u24(0); tile < job.rowTiles; tile = u24(tile + 1)) {
        if (tile >= this.slots) yield* this.closed.pop();
        for (let p = 0; p < this.parts; p++)
          for (let r = u8(0); r < this.partRows; r = u8(r + 1)) {
            const sum = yield* this.sums[p]!.pop();
            const address = u16(slot * this.arrayRows + p * this.partRows + r);
            assert(address < this.depth, "the terms fit their memory");
            this.write.write(address, i32(sum * job.weightZero));
            yield;
          }
        yield* this.ready.push(true);
        slot = u8(slot === this.slots - 1 ? 0 : slot + 1);
      }
    }
  }

  *collect(): Process {
    for (;;) {
      const tile = yield* this.tiles.pop();
      if (tile.opens) {
        if (!tile.windows) yield* this.ready.pop();
        if (tile.waits) for (let p = 0; p < this.parts; p++) if (tile.rows[p]! > 0) yield* this.free[p]!.pop();
      }
      for (let p = 0; p < this.parts; p++) {
        const rows = tile.rows[p]!;
        let address = tile.base;
        const given = u8(tile.windows ? rows : this.partRows);
        for (let r = u8(0); r < given; r = u8(r + 1)) {
          const result = yield* this.results.pop();
          if (r < rows) {
            const row = this.row((c) => result[asr(c, this.pairBits)]![andU(c, this.pairBits)]!);
            for (let g = u8(0); g < this.groups; g = u8(g + 1)) {
              if (!tile.windows) {
                const term = u16(tile.terms + p * this.partRows + r);
                assert(term < this.depth, "the terms fit their memory");
                this.read.read(term);
              }
              yield;
              const correction = tile.windows ? i32(0) : this.read.q;
              yield* this.out.push({
                values: this.values((l) => i32(row[g * this.lanes + l]! - correction)),
                parameter: u16(tile.parameter + g),
                place: {
                  part: u8(p),
                  address: u16(address + g),
                  complete: tile.closes && r === rows - 1 && g === this.groups - 1,
                  rows,
                },
              });
            }
            address = u16(address + tile.stride);
          } else yield;
        }
      }
      if (tile.frees) yield* this.closed.push(true);
      if (!tile.windows) yield* this.credits.push(true);
    }
  }
}
