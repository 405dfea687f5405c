/**
 * The level `transaction` of every matrix-product design: a program as the work of its instruction on whole transfers. It
 * reads what the streams would carry (instruction, rows of inputs, parameters and weights as packed) and writes what would
 * come back, so it holds the driver half to its formats without a clock; the time is a formula.
 */
import { doublingHighMul, roundingShiftRight } from "../../hw/arithmetic.js";
import { i32 } from "../../hw/types.js";
import { TandemError } from "../../hw/errors.js";
import type { Program } from "../program.js";
import type { GemmConfig } from "./config.js";
import { decode, OPCODE_DEPTHWISE, OPCODE_GEMM, type Decoded } from "./instruction.js";
import { PARAMETER_BYTES, type WeightOrder } from "./pack.js";

export interface TransactionTraits {
  readonly weightOrder: WeightOrder;
  /** Clocks in which the array takes the operands of a tile of depth `k`; `gap` is the instruction's. */
  tileClocks(k: number, gap: number): number;
}

/** Fills the program's outputs in `memory`; gives the estimated clocks. */
export function runGemmTransaction(
  program: Program,
  memory: readonly Uint8Array[],
  config: GemmConfig,
  traits: TransactionTraits,
): number {
  const streams = new Streams(program, memory);
  const instruction = decode(streams.sent("instructions"));
  const { opcode } = instruction;
  if (opcode !== OPCODE_GEMM && opcode !== OPCODE_DEPTHWISE)
    throw new TandemError(`Program ${program.name}: opcode ${opcode}`, {
      hint: `Expected ${OPCODE_GEMM} (GEMM) or ${OPCODE_DEPTHWISE} (DEPTHWISE).`,
    });
  const shape = shapeOf(instruction, config);
  const weights = weightsOf(streams, instruction, shape, config, traits.weightOrder);
  let row = 0;
  for (let part = 0; part < config.streams; part++) {
    const rows = Math.min(shape.m - row, instruction.partRows);
    if (rows <= 0) break;
    const input = streams.sent(`input${part}`);
    const taps =
      opcode === OPCODE_GEMM ? rowsOf(input, shape) : windowsOf(input, instruction, shape, config.streamBytes);
    streams.receive(`output${part}`, product(taps, rows, weights, instruction, shape));
    row += rows;
  }
  return estimate(instruction, shape, config, traits);
}

interface Shape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Bytes of a row of inputs as it is sent. */
  readonly rowBytes: number;
  /** The outputs are 32-bit values in four planes of `n` bytes. */
  readonly raw: boolean;
  /** XOR that makes operands int8, and outputs of the layer's type. */
  readonly flip: number;
}

function shapeOf(instruction: Decoded, config: GemmConfig): Shape {
  const { rows, words, lastBytes, columnTiles, rowWords, outputBytes, unsigned } = instruction;
  const raw = instruction.raw === 1;
  const before = (columnTiles - 1) * config.groups;
  return {
    m: rows,
    n: raw
      ? columnTiles * config.cols
      : (columnTiles - 1) * config.cols + (rowWords - before - 1) * config.lanes + outputBytes,
    k: (words - 1) * config.streamBytes + lastBytes,
    rowBytes: words * config.streamBytes,
    raw,
    flip: unsigned === 1 ? 0x80 : 0,
  };
}

/** Weights as int8, and the parameters, by output channel. */
interface Weights {
  /** `[n][k]`. */
  readonly values: Int8Array;
  readonly bias: Int32Array;
  readonly multiplier: Int32Array;
  readonly left: Uint8Array;
  readonly right: Uint8Array;
}

function weightsOf(
  streams: Streams,
  { columnTiles, words }: Decoded,
  { n, k, flip }: Shape,
  config: GemmConfig,
  order: WeightOrder,
): Weights {
  const { streamBytes, weightStreams, partCols, cols } = config;
  const found: Weights = {
    values: new Int8Array(n * k),
    bias: new Int32Array(n),
    multiplier: new Int32Array(n),
    left: new Uint8Array(n),
    right: new Uint8Array(n),
  };
  for (let stream = 0; stream < weightStreams; stream++) {
    const bytes = streams.sent(`weight${stream}`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    for (let tile = 0; tile < columnTiles; tile++) {
      const channel = (c: number): number => tile * cols + c * weightStreams + stream;
      for (let c = 0; c < partCols; c++, at += PARAMETER_BYTES) {
        if (channel(c) >= n) continue;
        found.bias[channel(c)] = view.getInt32(at, true);
        found.multiplier[channel(c)] = view.getInt32(at + 4, true);
        found.left[channel(c)] = bytes[at + 8]!;
        found.right[channel(c)] = bytes[at + 9]!;
      }
      for (let word = 0; word < words; word++, at += partCols * streamBytes)
        for (let c = 0; c < partCols; c++) {
          if (channel(c) >= n) continue;
          for (let b = 0; b < streamBytes && word * streamBytes + b < k; b++) {
            const place = order === "depth" ? c * streamBytes + b : b * partCols + c;
            found.values[channel(c) * k + word * streamBytes + b] = bytes[at + place]! ^ flip;
          }
        }
    }
  }
  return found;
}

/** The operands of an output as int8: those of row `row` and column `channel`, `k` of them, into `a`. */
type Taps = (row: number, channel: number, a: Int8Array) => void;

/** A row of the matrix is the same for all columns. */
function rowsOf(input: Uint8Array, { k, rowBytes, flip }: Shape): Taps {
  let before = -1;
  return (row, _channel, a) => {
    if (row === before) return;
    before = row;
    for (let i = 0; i < k; i++) a[i] = input[row * rowBytes + i]! ^ flip;
  };
}

/** The window of a pixel in one channel of the picture: kernel column by kernel column, each filled up to the line buffer's rows. */
function windowsOf(input: Uint8Array, instruction: Decoded, { k, flip }: Shape, streamBytes: number): Taps {
  const { tileRows: width, inHeight, inWidth, kernelHeight, kernelWidth, beats } = instruction;
  const { strideHeight, strideWidth, padTop, padLeft, inputZero } = instruction;
  const banks = k / kernelWidth;
  return (pixel, channel, a) => {
    const top = Math.floor(pixel / width) * strideHeight - padTop;
    const left = (pixel % width) * strideWidth - padLeft;
    for (let kx = 0; kx < kernelWidth; kx++)
      for (let ky = 0; ky < kernelHeight; ky++) {
        const [y, x] = [top + ky, left + kx];
        const inside = y >= 0 && y < inHeight && x >= 0 && x < inWidth;
        a[kx * banks + ky] = inside ? input[(y * inWidth + x) * beats * streamBytes + channel]! ^ flip : inputZero;
      }
  };
}

/** Rows of outputs, one after the other. */
function product(taps: Taps, rows: number, weights: Weights, instruction: Decoded, shape: Shape): Uint8Array {
  const { n, k, flip, raw } = shape;
  const { weightZero, outputZero, clampMin, clampMax } = instruction;
  const { values, bias, multiplier, left, right } = weights;
  const rowBytes = raw ? 4 * n : n;
  const out = new Uint8Array(rows * rowBytes);
  const a = new Int8Array(k);
  for (let row = 0; row < rows; row++)
    for (let channel = 0; channel < n; channel++) {
      taps(row, channel, a);
      let dot = 0;
      for (let i = 0, w = channel * k; i < k; i++, w++) dot = (dot + a[i]! * (values[w]! - weightZero)) | 0;
      const acc = i32(dot + bias[channel]!);
      const scaled = doublingHighMul(i32(acc << left[channel]!), i32(multiplier[channel]!));
      if (raw) {
        for (let plane = 0; plane < 4; plane++) out[row * rowBytes + plane * n + channel] = scaled >> (8 * plane);
        continue;
      }
      const value = roundingShiftRight(scaled, right[channel]!) + outputZero;
      out[row * rowBytes + channel] = Math.min(Math.max(value, clampMin), clampMax) ^ flip;
    }
  return out;
}

/**
 * What takes longest: the array, the post-processor, or a stream; and what nothing hides: the first operands on their way in,
 * the last tile on its way out.
 */
function estimate(instruction: Decoded, { n, k, raw }: Shape, config: GemmConfig, traits: TransactionTraits): number {
  const { rowTiles, columnTiles, words, passes, partRows, gap } = instruction;
  const { rows, cols, streamBytes, partCols, doubleBuffering } = config;
  // A window takes the array as a tile of a matrix product does.
  const windows = instruction.opcode === OPCODE_DEPTHWISE;
  const tiles = (windows ? instruction.rows : rowTiles) * columnTiles;
  const array = tiles * traits.tileClocks(k, gap);
  const post = instruction.vectors * (raw ? 4 : 1);
  const tileBeats = partCols * (PARAMETER_BYTES / streamBytes + words);
  const weightBeats = passes * columnTiles * tileBeats;
  const { inWidth, inHeight, kernelHeight, beats, tileRows } = instruction;
  const rowBytes = raw ? 4 * n : n;
  const inputBeats = windows ? inHeight * inWidth * beats : partRows * words;
  const outputBeats = Math.ceil((partRows * rowBytes) / streamBytes);
  const tileInput = windows ? kernelHeight * inWidth * beats : Math.min(partRows, config.partRows) * words;
  const first = Math.max(tileBeats, tileInput);
  const last = rows + cols + Math.ceil((Math.min(partRows, tileRows) * rowBytes) / streamBytes);
  const busy = doubleBuffering
    ? Math.max(array, post, weightBeats, inputBeats, outputBeats)
    : Math.max(array, post, outputBeats) + Math.max(weightBeats, inputBeats);
  return first + busy + last;
}

/** What a program's transfers carry, stream by stream. */
class Streams {
  readonly #program: Program;
  readonly #memory: readonly Uint8Array[];

  constructor(program: Program, memory: readonly Uint8Array[]) {
    this.#program = program;
    this.#memory = memory;
  }

  /** All bytes that go into a stream; weights that pass several times stand in it so often. */
  sent(stream: string): Uint8Array {
    const pieces = this.#program.steps.flatMap((step) =>
      step.kind === "send" && step.stream === stream
        ? [this.#memory[step.buffer]!.subarray(step.offset, step.offset + step.length)]
        : [],
    );
    if (pieces.length === 1) return pieces[0]!;
    const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  /** Write `bytes` where the stream's transfers go; the last beat may be longer than they are. */
  receive(stream: string, bytes: Uint8Array): void {
    let at = 0;
    for (const step of this.#program.steps) {
      if (step.kind !== "receive" || step.stream !== stream) continue;
      this.#memory[step.buffer]!.set(bytes.subarray(at, at + step.length), step.offset);
      at += step.length;
    }
  }
}
