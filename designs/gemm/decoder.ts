/**
 * The instruction decoder: takes the words of an instruction (instruction.ts) from its stream, hands each module its part
 * of it, and waits until the outputs have left before it takes the next.
 */
import type { GemmConfig } from "../../driver/gemm/config.js";
import { beatType } from "../../driver/stream.js";
import { assert, bits, bool, i8, Module, u16, u24, u32, u4, u8, vec } from "../../hw/index.js";
import type { ChannelIn, ChannelOut, Process, U32, ValueOf } from "../../hw/index.js";
import { INSTRUCTION_WORDS, OPCODE_DEPTHWISE, OPCODE_GEMM } from "../../driver/gemm/instruction.js";
import {
  ClampJob,
  InputJob,
  LineJob,
  OutputJob,
  ParameterJob,
  SequenceJob,
  ShiftJob,
  TermJob,
  WalkJob,
  WeightJob,
} from "./tokens.js";

/** Bytes in a beat of the instruction stream. */
export const INSTRUCTION_BEAT = 4;

export class Decoder extends Module {
  static readonly source = import.meta.url;
  readonly parts: number;
  readonly weightParts: number;
  readonly partRows: number;

  readonly stream = this.channelIn(beatType(INSTRUCTION_BEAT));
  readonly inputs: readonly ChannelOut<ValueOf<typeof InputJob>>[];
  readonly weights: readonly ChannelOut<ValueOf<typeof WeightJob>>[];
  readonly walk = this.channelOut(WalkJob);
  readonly sequence = this.channelOut(SequenceJob);
  readonly terms = this.channelOut(TermJob);
  readonly parameters = this.channelOut(ParameterJob);
  readonly shifts = this.channelOut(ShiftJob);
  readonly clamps = this.channelOut(ClampJob);
  readonly outputs: readonly ChannelOut<ValueOf<typeof OutputJob>>[];
  readonly done: readonly ChannelIn<boolean>[];
  /** For the line buffer of depthwise convolutions, and for what leads its input there; where the design has them. */
  readonly lines: readonly ChannelOut<ValueOf<typeof LineJob>>[];
  readonly routes: readonly ChannelOut<boolean>[];
  readonly windows: boolean;

  words: U32[] = vec(u32, INSTRUCTION_WORDS).zero();

  constructor(parent: Module, name: string, config: GemmConfig, windows: boolean) {
    super(parent, name);
    this.parts = config.streams;
    this.weightParts = config.weightStreams;
    this.partRows = config.partRows;
    this.inputs = Array.from({ length: this.parts }, () => this.channelOut(InputJob));
    this.weights = Array.from({ length: this.weightParts }, () => this.channelOut(WeightJob));
    this.outputs = Array.from({ length: this.parts }, () => this.channelOut(OutputJob));
    this.done = Array.from({ length: this.parts }, () => this.channelIn(bool));
    this.windows = windows;
    this.lines = windows ? [this.channelOut(LineJob)] : [];
    this.routes = windows ? [this.channelOut(bool)] : [];
    this.clocked(this.decode);
  }

  *decode(): Process {
    for (;;) {
      for (let i = u8(0); i < INSTRUCTION_WORDS; i = u8(i + 1)) {
        const { data } = yield* this.stream.pop();
        this.words[i] = u32(data[0]! + data[1]! * 256 + data[2]! * 65536 + data[3]! * 16777216);
        yield;
      }
      const opcode = bits(this.words[0]!, 7, 0);
      const windows = this.windows && opcode === OPCODE_DEPTHWISE;
      assert(opcode === OPCODE_GEMM || windows, "the design has this opcode");
      const flip = u8(bits(this.words[0]!, 8, 8) * 128);
      const streamed = bits(this.words[0]!, 9, 9) === 1;
      const words = u16(bits(this.words[1]!, 15, 0));
      const rowTiles = u24(bits(this.words[2]!, 23, 0));
      const columnTiles = u16(bits(this.words[5]!, 15, 0));
      const segmentWords = u16(bits(this.words[6]!, 31, 16));
      const rowStride = u16(bits(this.words[9]!, 31, 16));
      const partRows = u24(bits(this.words[4]!, 23, 0));
      const outputSlots = u8(bits(this.words[4]!, 31, 24));
      const outputSlotWords = u16(bits(this.words[9]!, 15, 0));
      const inputSlots = u8(bits(this.words[2]!, 31, 24));
      const weightSlots = u8(bits(this.words[3]!, 31, 24));
      const rows = u24(bits(this.words[3]!, 23, 0));
      const tileRows = u8(bits(this.words[10]!, 31, 24));
      const raw = bits(this.words[0]!, 10, 10) === 1;
      yield* this.walk.push({
        rows,
        partRows,
        rowTiles,
        tileRows,
        windows,
        blockTiles: u16(bits(this.words[6]!, 15, 0)),
        columnTiles,
        chunkTiles: u16(bits(this.words[5]!, 31, 16)),
        streamed,
        words,
        inputSlots,
        outputSlots,
        outputSlotWords,
        rowStride,
      });
      yield* this.sequence.push({
        words,
        lastBytes: u8(bits(this.words[1]!, 23, 16)),
        segmentWords,
        weightSlots,
        segments: this.words[8]!,
        gap: u8(bits(this.words[1]!, 31, 24)),
        windows,
      });
      for (let p = 0; p < this.weightParts; p++)
        yield* this.weights[p]!.push({
          passes: u24(bits(this.words[7]!, 23, 0)),
          columnTiles,
          words,
          segmentWords,
          slots: weightSlots,
          flip,
        });
      if (!windows) yield* this.terms.push({ rowTiles, weightZero: i8(bits(this.words[12]!, 7, 0)) });
      yield* this.parameters.push({ columnTiles });
      yield* this.shifts.push({ vectors: this.words[11]!, raw, planeWords: u16(bits(rowStride, 15, 2)) });
      yield* this.clamps.push({
        vectors: raw ? u32(this.words[11]! * 4) : this.words[11]!,
        zero: i8(bits(this.words[12]!, 15, 8)),
        min: i8(bits(this.words[12]!, 23, 16)),
        max: i8(bits(this.words[12]!, 31, 24)),
        flip: raw ? u8(0) : flip,
      });
      // The parts take their rows one after the other.
      let left = rows;
      for (let p = 0; p < this.parts; p++) {
        const mine = u24(left < partRows ? left : partRows);
        left = u24(left - mine);
        if (!windows) yield* this.inputs[p]!.push({ rowTiles, rows: mine, words, slots: inputSlots, flip });
        yield* this.outputs[p]!.push({
          rows: mine,
          rowWords: u16(bits(this.words[10]!, 15, 0)),
          lastBytes: u8(bits(this.words[10]!, 23, 16)),
          rowStride,
          slots: outputSlots,
          slotWords: outputSlotWords,
          tileRows,
        });
      }
      for (const route of this.routes) yield* route.push(windows);
      if (windows)
        for (const lines of this.lines)
          yield* lines.push({
            outHeight: rowTiles,
            outWidth: tileRows,
            inHeight: u16(bits(this.words[13]!, 15, 0)),
            inWidth: u16(bits(this.words[13]!, 31, 16)),
            kernelHeight: u4(bits(this.words[14]!, 3, 0)),
            kernelWidth: u4(bits(this.words[14]!, 7, 4)),
            strideHeight: u4(bits(this.words[14]!, 11, 8)),
            strideWidth: u4(bits(this.words[14]!, 15, 12)),
            padTop: u4(bits(this.words[14]!, 19, 16)),
            padLeft: u4(bits(this.words[14]!, 23, 20)),
            inputZero: i8(bits(this.words[14]!, 31, 24)),
            weightZero: i8(bits(this.words[12]!, 7, 0)),
            beats: u16(bits(this.words[15]!, 15, 0)),
            slots: u8(bits(this.words[15]!, 23, 16)),
            groups: columnTiles,
            flip,
          });
      for (let p = 0; p < this.parts; p++) yield* this.done[p]!.pop();
    }
  }
}
