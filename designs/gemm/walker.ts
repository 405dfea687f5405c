/**
 * The walker enumerates the tiles of a layer, and says for each where its operands stand and where its results belong:
 *
 *     for each block of row tiles:            (its rows stay in the input buffer)
 *       for each chunk of column tiles:       (its weights stay in the weight buffer)
 *         for each row tile of the block:
 *           for each column tile of the chunk: one tile, all of K
 *
 * Each slot's first and last use is marked, so that the loaders run ahead as far as the buffers reach.
 */
import type { GemmConfig } from "../../driver/gemm/config.js";
import { andU, assert, clamp, i32, Module, u16, u24, u8, vec } from "../../hw/index.js";
import type { ChannelOut, I32, Process, U8, VecType } from "../../hw/index.js";
import { resultTileType, tileType, WalkJob, type TokenOf } from "./tokens.js";

export class Walker extends Module {
  static readonly source = import.meta.url;
  readonly parts: number;
  readonly arrayRows: number;
  readonly groups: number;
  /** Places of row terms in the collector, a power of two. */
  readonly slots: number;
  readonly counts: VecType<U8>;
  readonly totals: VecType<I32>;

  readonly job = this.channelIn(WalkJob);
  readonly tiles: ChannelOut<TokenOf<typeof tileType>>;
  readonly results: ChannelOut<TokenOf<typeof resultTileType>>;

  constructor(parent: Module, name: string, config: GemmConfig) {
    super(parent, name);
    this.parts = config.streams;
    this.arrayRows = config.rows;
    this.groups = config.groups;
    this.slots = config.slots;
    this.counts = vec(u8, this.parts);
    this.totals = vec(i32, this.parts);
    this.tiles = this.channelOut(tileType(this.parts));
    this.results = this.channelOut(resultTileType(this.parts));
    this.clocked(this.walk);
  }

  *walk(): Process {
    for (;;) {
      const job = yield* this.job.pop();
      assert(job.rowTiles >= 1 && job.columnTiles >= 1, "a layer has tiles");
      assert(job.blockTiles >= 1 && job.chunkTiles >= 1, "blocks and chunks have tiles");
      // Of the block: its first row tile, its first slots, and the rows that each part has from there on.
      let start = u24(0);
      let inputSlot = u8(0);
      let inputBase = u16(0);
      let outputSlot = u8(0);
      let outputBase = u16(0);
      let left = this.totals((p) => i32(clamp(job.rows - p * job.partRows, 0, job.partRows)));
      while (start < job.rowTiles) {
        const block = u16(job.rowTiles - start < job.blockTiles ? job.rowTiles - start : job.blockTiles);
        assert(block >= 1, "a block has tiles");
        const finalBlock = start + block === job.rowTiles;
        let column = u16(0);
        // Of the row tile at work.
        let slot = inputSlot;
        let base = inputBase;
        let outSlot = outputSlot;
        let outBase = outputBase;
        let rowsLeft = left;
        while (column < job.columnTiles) {
          const chunk = u16(job.columnTiles - column < job.chunkTiles ? job.columnTiles - column : job.chunkTiles);
          assert(chunk >= 1, "a chunk has tiles");
          const finalChunk = column + chunk === job.columnTiles;
          slot = inputSlot;
          base = inputBase;
          outSlot = outputSlot;
          outBase = outputBase;
          rowsLeft = left;
          for (let i = u16(0); i < block; i = u16(i + 1)) {
            const tile = u24(start + i);
            const now = rowsLeft;
            const rows = this.counts((p) => u8(clamp(now[p]!, 0, job.tileRows)));
            for (let j = u16(0); j < chunk; j = u16(j + 1)) {
              const closes = finalChunk && j === chunk - 1;
              yield* this.tiles.push({
                inputBase: base,
                rows,
                opens: column === 0 && j === 0,
                releases: closes && tile + job.inputSlots < job.rowTiles,
                advances: i === 0 && j === 0 && (job.streamed || start === 0),
                restarts: j === 0,
                stores: i === 0 && start === 0,
                loads: i === 0 && (job.streamed || start === 0),
                lastUse: i === block - 1 && (job.streamed || finalBlock),
                final: closes && i === block - 1 && finalBlock,
              });
              yield* this.results.push({
                parameter: u16((column + j) * this.groups),
                terms: u16(andU(tile, this.slots - 1) * this.arrayRows),
                rows,
                base: u16(outBase + (column + j) * this.groups),
                stride: job.rowStride,
                opens: column === 0 && j === 0,
                waits: tile >= job.outputSlots,
                closes,
                frees: closes && tile + this.slots < job.rowTiles && !job.windows,
                windows: job.windows,
              });
              yield;
            }
            rowsLeft = this.totals((p) => i32(now[p]! - job.tileRows));
            const wraps = slot === job.inputSlots - 1;
            base = u16(wraps ? 0 : base + job.words);
            slot = u8(wraps ? 0 : slot + 1);
            const outWraps = outSlot === job.outputSlots - 1;
            outBase = u16(outWraps ? 0 : outBase + job.outputSlotWords);
            outSlot = u8(outWraps ? 0 : outSlot + 1);
          }
          column = u16(column + chunk);
        }
        start = u24(start + block);
        inputSlot = slot;
        inputBase = base;
        outputSlot = outSlot;
        outputBase = outBase;
        left = rowsLeft;
      }
    }
  }
}
