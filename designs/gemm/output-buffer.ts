/**
 * Output buffer of one part. Row tiles stand in slots, in NHWC order, while their column tiles are computed; a complete
 * row tile leaves as bytes, row after row without a gap, so that a part is one contiguous transfer.
 */
import type { GemmConfig } from "../../driver/gemm/config.js";
import { beatType, type Beat } from "../../driver/stream.js";
import { andU, assert, bool, Module, u16, u24, u8, vec } from "../../hw/index.js";
import type {
  Channel,
  ChannelIn,
  ChannelOut,
  Memory,
  Process,
  ReadPort,
  U8,
  VecType,
  WritePort,
} from "../../hw/index.js";
import { OutputJob, outputType, pieceType, type TokenOf } from "./tokens.js";

export class OutputBuffer extends Module {
  static readonly source = import.meta.url;
  readonly lanes: number;
  readonly depth: number;
  readonly beatBytes: number;
  readonly beat: VecType<U8>;
  readonly word: VecType<U8>;

  readonly job = this.channelIn(OutputJob);
  readonly in: ChannelIn<TokenOf<typeof outputType>>;
  /** A slot is free, for a row tile that waits for it. */
  readonly free = this.channelOut(bool);
  readonly stream: ChannelOut<Beat>;
  /** The last row of the layer has been read. */
  readonly done = this.channelOut(bool);

  /** Rows of a row tile that stands complete. */
  readonly filled;
  readonly pieces: Channel<TokenOf<typeof pieceType>>;
  readonly memo: Memory<readonly U8[]>;
  readonly write: WritePort<readonly U8[]>;
  readonly read: ReadPort<readonly U8[]>;

  /** Bytes that do not make a beat yet. */
  kept: readonly U8[];
  held = u8(0);

  constructor(parent: Module, name: string, config: GemmConfig) {
    super(parent, name);
    this.lanes = config.lanes;
    this.depth = config.outputDepth;
    this.beatBytes = config.streamBytes;
    this.beat = vec(u8, this.beatBytes);
    this.kept = this.beat.zero();
    this.word = vec(u8, this.lanes);
    this.in = this.channelIn(outputType(this.lanes));
    this.stream = this.channelOut(beatType(this.beatBytes));
    this.filled = this.channel(u8, { name: "filled", depth: config.slots });
    this.pieces = this.channel(pieceType(this.lanes), { name: "pieces" });
    this.memo = this.memory(this.word, this.depth);
    this.write = this.memo.writePort();
    this.read = this.memo.readPort();
    this.clocked(this.fill);
    this.clocked(this.drain);
    this.clocked(this.pack);
  }

  *fill(): Process {
    for (;;) {
      const { bytes, address, complete, rows } = yield* this.in.pop();
      assert(address < this.depth, "the row tiles fit the buffer");
      this.write.write(address, bytes);
      if (complete) yield* this.filled.push(rows);
      yield;
    }
  }

  *drain(): Process {
    for (;;) {
      const job = yield* this.job.pop();
      assert(job.rowWords >= 1 && job.slots >= 1, "output rows have words");
      yield;
      let left = job.rows;
      let slot = u8(0);
      let base = u16(0);
      while (left > 0) {
        const rows = yield* this.filled.pop();
        assert(rows >= 1, "a row tile has rows");
        let row = base;
        for (let r = u8(0); r < rows; r = u8(r + 1)) {
          left = u24(left - 1);
          for (let w = u16(0); w < job.rowWords; w = u16(w + 1)) {
            const address = u16(row + w);
            assert(address < this.depth, "the row tiles fit the buffer");
            this.read.read(address);
            yield;
            const last = w === job.rowWords - 1;
            yield* this.pieces.push({
              bytes: this.word(this.read.q),
              count: last ? job.lastBytes : u8(this.lanes),
              end: last && left === 0,
            });
          }
          row = u16(row + job.rowStride);
        }
        // Only where a row tile of this part will wait for the slot.
        if (left > (job.slots - 1) * job.tileRows) yield* this.free.push(true);
        const wraps = slot === job.slots - 1;
        slot = u8(wraps ? 0 : slot + 1);
        base = u16(wraps ? 0 : base + job.slotWords);
      }
      yield* this.done.push(true);
    }
  }

  /**
   * Joins pieces of any length into beats. A rotation brings the bytes to their lanes. What is left of a piece moves down by
   * a beat at a time, so that the rotation has a beat to choose from, not the whole piece.
   */
  *pack(): Process {
    for (;;) {
      const piece = yield* this.pieces.pop();
      assert(piece.count >= 1, "a piece has bytes");
      let bytes = piece.bytes;
      let rest = piece.count;
      do {
        const n = u8(rest < this.beatBytes ? rest : this.beatBytes);
        const { kept, held } = this;
        const chunk = this.beat((b) => bytes[b < this.lanes ? b : this.lanes - 1]!);
        const turned = this.beat((b) => chunk[andU(u8(b - held), this.beatBytes - 1)]!);
        const joined = this.beat((b) => (b < held ? kept[b]! : turned[b]!));
        const all = u8(held + n);
        const full = all >= this.beatBytes;
        const end = piece.end && rest <= this.beatBytes;
        bytes = this.word((l) => bytes[l + this.beatBytes < this.lanes ? l + this.beatBytes : l]!);
        rest = u8(rest - n);
        this.kept = this.beat((b) => (full || b >= held ? turned[b]! : kept[b]!));
        this.held = u8(full ? all - this.beatBytes : all);
        if (full) yield* this.stream.push({ data: joined, last: end && all === this.beatBytes });
        yield;
        if (end) {
          if (this.held > 0) yield* this.stream.push({ data: this.beat(this.kept), last: true });
          this.held = u8(0);
          yield;
        }
      } while (rest > 0);
    }
  }
}
