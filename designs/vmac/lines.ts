/**
 * What a depthwise convolution has in place of the input buffer: picture rows, dealt out over as many banks as a unit is deep, so that
 * `depth` pixels above each other can be read at once. One column of a window leaves per clock, `depth` pixels high and as many
 * channels wide as the units have columns; pixels outside the picture are the zero point.
 *
 * Banks are rings of rows: row i stands in bank i mod `depth`. Rows are loaded ahead as far as the banks reach.
 */
import { beatType, type Beat } from "../../driver/stream.js";
import {
  andU,
  asr,
  assert,
  bool,
  clamp,
  i16,
  i8,
  Module,
  struct,
  u16,
  u24,
  u4,
  u8,
  vec,
  xorU,
} from "../../hw/index.js";
import type {
  ChannelIn,
  ChannelOut,
  I8,
  Memory,
  Process,
  ReadPort,
  ValueOf,
  VecType,
  WritePort,
} from "../../hw/index.js";
import { LineJob } from "../gemm/tokens.js";
import type { VmacConfig } from "./config.js";

/** By row of the window, weight stream and column of that stream; and the zero point of the weights, as int8. */
export const windowType = (config: VmacConfig) =>
  struct({ taps: vec(vec(vec(i8, config.partCols), config.weightStreams), config.depth), weightZero: i8 });

export type Window = ValueOf<ReturnType<typeof windowType>>;

/** Leads the beats of a transfer to the input buffer or to the line buffer. */
export class Router extends Module {
  static readonly source = import.meta.url;
  readonly route = this.channelIn(bool);
  readonly stream: ChannelIn<Beat>;
  readonly through: ChannelOut<Beat>;
  readonly aside: ChannelOut<Beat>;

  constructor(parent: Module, name: string, config: VmacConfig) {
    super(parent, name);
    const beat = beatType(config.streamBytes);
    this.stream = this.channelIn(beat);
    this.through = this.channelOut(beat);
    this.aside = this.channelOut(beat);
    this.clocked(this.lead);
  }

  *lead(): Process {
    for (;;) {
      const aside = yield* this.route.pop();
      let more = true;
      while (more) {
        const beat = yield* this.stream.pop();
        if (aside) yield* this.aside.push(beat);
        else yield* this.through.push(beat);
        more = !beat.last;
        yield;
      }
    }
  }
}

export class LineBuffer extends Module {
  static readonly source = import.meta.url;
  readonly banks: number;
  readonly depth: number;
  readonly bytes: number;
  readonly byteBits: number;
  /** Beats that make a word. */
  readonly wordBeats: number;
  readonly weightParts: number;
  readonly word: VecType<I8>;
  readonly words: VecType<readonly I8[]>;
  readonly columns: VecType<I8>;
  readonly parts: VecType<readonly I8[]>;
  readonly taps: VecType<readonly (readonly I8[])[]>;
  readonly flags: VecType<boolean>;

  readonly job = this.channelIn(LineJob);
  readonly stream: ChannelIn<Beat>;
  readonly windows: ChannelOut<Window>;

  /** What both processes have to know of a layer. */
  readonly fetchJob = this.channel(LineJob, { name: "fetchJob", depth: 1 });
  /** A token per picture row that stands in its bank, and per row that makes room for another. */
  readonly loaded;
  readonly released;
  readonly ring: readonly Memory<readonly I8[]>[];
  readonly write: readonly WritePort<readonly I8[]>[];
  readonly read: readonly ReadPort<readonly I8[]>[];

  constructor(parent: Module, name: string, config: VmacConfig) {
    super(parent, name);
    this.banks = config.depth;
    this.depth = config.lineDepth;
    this.bytes = config.streamBytes;
    this.byteBits = Math.log2(config.streamBytes);
    this.wordBeats = config.cols / config.streamBytes;
    this.weightParts = config.weightStreams;
    this.word = vec(i8, config.cols);
    this.words = vec(this.word, this.banks);
    this.columns = vec(i8, config.partCols);
    this.parts = vec(this.columns, this.weightParts);
    this.taps = vec(this.parts, this.banks);
    this.flags = vec(bool, this.banks);
    this.stream = this.channelIn(beatType(this.bytes));
    this.windows = this.channelOut(windowType(config));
    this.loaded = this.channel(bool, { name: "loaded", depth: 16 });
    this.released = this.channel(bool, { name: "released", depth: 16 });
    this.ring = Array.from({ length: this.banks }, () => this.memory(this.word, this.depth));
    this.write = this.ring.map((memory) => memory.writePort());
    this.read = this.ring.map((memory) => memory.readPort());
    this.clocked(this.load);
    this.clocked(this.fetch);
  }

  *load(): Process {
    let held = this.word.zero();
    for (;;) {
      const job = yield* this.job.pop();
      yield* this.fetchJob.push(job);
      assert(job.inHeight >= 1 && job.inWidth >= 1 && job.beats >= 1 && job.slots >= 1, "a picture has pixels");
      const rows = u16(job.slots * this.banks);
      let bank = u8(0);
      let slot = u8(0);
      let base = u16(0);
      let next = u16(0);
      for (let row = u16(0); row < job.inHeight; row = u16(row + 1)) {
        if (row >= rows) yield* this.released.pop();
        let address = base;
        for (let column = u16(0); column < job.inWidth; column = u16(column + 1)) {
          let part = u8(0);
          for (let b = u16(0); b < job.beats; b = u16(b + 1)) {
            const beat = yield* this.stream.pop();
            const from = part;
            const before = held;
            const now = this.word((i) =>
              asr(i, this.byteBits) === from ? i8(xorU(beat.data[andU(i, this.bytes - 1)]!, job.flip)) : before[i]!,
            );
            held = now;
            const full = part === this.wordBeats - 1 || b === job.beats - 1;
            if (full) {
              assert(address < this.depth, "the rows fit their bank");
              for (let m = 0; m < this.banks; m++) if (m === bank) this.write[m]!.write(address, now);
              address = u16(address + 1);
            }
            part = u8(full ? 0 : part + 1);
            yield;
          }
        }
        yield* this.loaded.push(true);
        next = address;
        if (bank === this.banks - 1) {
          bank = u8(0);
          const wraps = slot === job.slots - 1;
          slot = u8(wraps ? 0 : slot + 1);
          base = u16(wraps ? 0 : next);
        } else bank = u8(bank + 1);
      }
    }
  }

  *fetch(): Process {
    for (;;) {
      const job = yield* this.fetchJob.pop();
      assert(job.outHeight >= 1 && job.outWidth >= 1 && job.groups >= 1, "a layer has outputs");
      assert(job.kernelWidth >= 1, "a kernel has columns");
      const rowWords = u16(job.inWidth * job.groups);
      const capacity = u16(job.slots * this.banks);
      // First picture row of the window: which bank it is in, and where that slot and the next one begin.
      let top = i16(0 - job.padTop);
      let phase = u8(andU(this.banks * 16 - job.padTop, this.banks - 1));
      let slot = u8(0);
      let upper = u16(0);
      let lower = u16(0);
      if (job.padTop === 0) {
        slot = u8(job.slots > 1 ? 1 : 0);
        lower = u16(job.slots > 1 ? rowWords : 0);
      }
      let have = u16(0);
      let freed = u16(0);
      for (let y = u24(0); y < job.outHeight; y = u24(y + 1)) {
        const need = u16(clamp(top + job.kernelHeight, 0, job.inHeight));
        while (have < need) {
          yield* this.loaded.pop();
          have = u16(have + 1);
        }
        for (let g = u16(0); g < job.groups; g = u16(g + 1)) {
          let left = i16(0 - job.padLeft);
          for (let x = u8(0); x < job.outWidth; x = u8(x + 1)) {
            for (let kx = u4(0); kx < job.kernelWidth; kx = u4(kx + 1)) {
              const column = i16(left + kx);
              const inside = column >= 0 && column < job.inWidth;
              const at = u16(clamp(column, 0, 65535) * job.groups + g);
              const shift = phase;
              const first = top;
              const inPicture = this.flags(
                (d) => inside && d < job.kernelHeight && first + d >= 0 && first + d < job.inHeight,
              );
              for (let b = 0; b < this.banks; b++) {
                const d = andU(b + this.banks - shift, this.banks - 1);
                const address = u16((b < shift ? lower : upper) + at);
                if (inPicture[d]!) {
                  assert(address < this.depth, "the rows stand in their bank");
                  this.read[b]!.read(address);
                }
              }
              yield;
              const outside = this.word((_) => job.inputZero);
              const words = this.words((b) =>
                inPicture[andU(b + this.banks - shift, this.banks - 1)]! ? this.read[b]!.q : outside,
              );
              yield* this.windows.push({
                taps: this.taps((d) =>
                  this.parts((p) =>
                    this.columns((c) => words[andU(d + shift, this.banks - 1)]![c * this.weightParts + p]!),
                  ),
                ),
                weightZero: job.weightZero,
              });
            }
            left = i16(left + job.strideWidth);
          }
        }
        // On to the next rows: banks in turn, slots in turn.
        top = i16(top + job.strideHeight);
        const moved = u8(phase + job.strideHeight);
        if (moved >= this.banks) {
          phase = u8(moved - this.banks);
          upper = lower;
          const wraps = slot === job.slots - 1;
          slot = u8(wraps ? 0 : slot + 1);
          lower = u16(wraps ? 0 : lower + rowWords);
        } else phase = moved;
        const done = u16(y === job.outHeight - 1 ? job.inHeight : clamp(top, 0, job.inHeight));
        while (freed < done && freed + capacity < job.inHeight) {
          yield* this.released.push(true);
          freed = u16(freed + 1);
        }
      }
      // Rows that no window needs.
      while (have < job.inHeight) {
        yield* this.loaded.pop();
        have = u16(have + 1);
      }
    }
  }
}
