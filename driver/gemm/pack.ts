/** Weights and parameters of a layer in the order in which the weight streams carry them. Done once for a model. */
import type { ConvLayer } from "../layer.js";
import type { GemmConfig } from "./config.js";
import type { Tiling } from "./tiling.js";

/** Bytes of the parameters of an output channel in a weight stream. */
export const PARAMETER_BYTES = 16;

/**
 * How the weights of a word of K stand in the beats of a stream: `depth`: all bytes of K of the first column, then of the
 * next one; `columns`: the first byte of K of all columns, then the next byte.
 */
export type WeightOrder = "depth" | "columns";

/** What the packing has to know of the tiling. */
type Columns = Pick<Tiling, "n" | "k" | "words" | "columnTiles">;

/**
 * For each weight stream one buffer: for each column tile the parameters of the stream's columns (bias with the terms of
 * the zero points, multiplier, left and right shift), then word 0 of each of these columns, word 1, ...
 */
export function packWeights(layer: ConvLayer, tiling: Columns, config: GemmConfig, order: WeightOrder): Uint8Array[] {
  const { streamBytes, weightStreams, partCols, cols } = config;
  const { k, n, words, columnTiles } = tiling;
  // The neutral weight: 0 once the stream's flip has made it int8.
  const filler = layer.dtype === "uint8" ? 0x80 : 0;
  const wordBytes = partCols * streamBytes;
  const tileBytes = partCols * PARAMETER_BYTES + words * wordBytes;
  // From a byte of K to the next one of its column, and from a column to the next one.
  const [tapStep, columnStep] = order === "depth" ? [1, streamBytes] : [partCols, 1];
  return Array.from({ length: weightStreams }, (_, stream) => {
    const out = new Uint8Array(columnTiles * tileBytes).fill(filler);
    const view = new DataView(out.buffer);
    for (let tile = 0; tile < columnTiles; tile++)
      for (let c = 0; c < partCols; c++) {
        const parameters = tile * tileBytes + c * PARAMETER_BYTES;
        out.fill(0, parameters, parameters + PARAMETER_BYTES);
        const channel = tile * cols + c * weightStreams + stream;
        if (channel >= n) continue;
        const { bias, multiplier, left, right } = parameterOf(layer, channel, k);
        view.setInt32(parameters, bias, true);
        view.setInt32(parameters + 4, multiplier, true);
        out[parameters + 8] = left;
        out[parameters + 9] = right;
        const column = tile * tileBytes + partCols * PARAMETER_BYTES + c * columnStep;
        copyColumn(layer.weights, channel * k, k, out, { column, wordBytes, streamBytes, tapStep });
      }
    return out;
  });
}

interface Column {
  /** Of its first byte, and the bytes from word to word. */
  readonly column: number;
  readonly wordBytes: number;
  readonly streamBytes: number;
  readonly tapStep: number;
}

/** `k` bytes of K of an output channel to their places in the words of a tile. */
function copyColumn(
  weights: ConvLayer["weights"],
  from: number,
  k: number,
  out: Uint8Array,
  { column, wordBytes, streamBytes, tapStep }: Column,
): void {
  const first = weights.byteOffset + from;
  if (tapStep === 1 && ((first | k | streamBytes | column | wordBytes) & 3) === 0) {
    // Four bytes at a time.
    const source = new Int32Array(weights.buffer, first, k >> 2);
    const target = new Int32Array(out.buffer);
    const [wordStep, count] = [wordBytes >> 2, streamBytes >> 2];
    for (let tap = 0, word = column >> 2; tap < source.length; word += wordStep)
      for (let at = word, end = Math.min(source.length, tap + count); tap < end; tap++, at++) target[at] = source[tap]!;
    return;
  }
  for (let tap = 0, word = column; tap < k; word += wordBytes)
    for (let at = word, end = Math.min(k, tap + streamBytes); tap < end; tap++, at += tapStep)
      out[at] = weights[from + tap]!;
}

/** Bias with the terms of the zero points (in int8 terms), multiplier and shifts of an output channel whose kernel has `k` taps. */
export function parameterOf(
  layer: ConvLayer,
  channel: number,
  k: number,
): { bias: number; multiplier: number; left: number; right: number } {
  const offset = layer.dtype === "uint8" ? 128 : 0;
  const inputZero = layer.inputZero - offset;
  const weightZero = layer.weightZero - offset;
  const sum = sumOf(layer.weights, channel * k, k) - offset * k;
  const bias = (layer.bias[channel]! - inputZero * sum + k * inputZero * weightZero) | 0;
  // round(2 x 2^30 / 2^31) is x: the sum itself comes out of the scaling.
  if (layer.sums) return { bias, multiplier: 2 ** 30, left: 1, right: 0 };
  const shift = layer.shifts[channel]!;
  if (shift < -31) return { bias, multiplier: 0, left: 0, right: 0 };
  return { bias, multiplier: layer.multipliers[channel]!, left: Math.max(shift, 0), right: Math.max(-shift, 0) };
}

/** Words whose bytes are added up before a sum of 16 bits might overflow. */
const WORDS_AT_ONCE = 64;

/** The sum of `count` bytes. */
function sumOf(weights: ConvLayer["weights"], from: number, count: number): number {
  const first = weights.byteOffset + from;
  let sum = 0;
  if (((first | count) & 3) !== 0) {
    for (let i = from; i < from + count; i++) sum += weights[i]!;
    return sum;
  }
  // Four bytes at a time, as unsigned ones, into two sums of 16 bits.
  const signed = weights instanceof Int8Array;
  const flip = signed ? 0x80808080 : 0;
  const words = new Int32Array(weights.buffer, first, count >> 2);
  for (let start = 0; start < words.length; start += WORDS_AT_ONCE) {
    let pair = 0;
    for (let i = start, end = Math.min(words.length, start + WORDS_AT_ONCE); i < end; i++) {
      const word = words[i]! ^ flip;
      pair += (word & 0xff00ff) + ((word >>> 8) & 0xff00ff);
    }
    sum += (pair & 0xffff) + (pair >>> 16);
  }
  return signed ? sum - 128 * count : sum;
}
