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
  const unsigned = layer.dtype === "uint8";
  // The neutral weight: 0 once the stream's flip has made it int8.
  const filler = unsigned ? 0x80 : 0;
  return Array.from({ length: weightStreams }, (_, stream) => {
    const out = new Uint8Array(columnTiles * partCols * (PARAMETER_BYTES + words * streamBytes));
    const view = new DataView(out.buffer);
    let at = 0;
    for (let tile = 0; tile < columnTiles; tile++) {
      const channels = Array.from({ length: partCols }, (_, c) => tile * cols + c * weightStreams + stream);
      for (const channel of channels) {
        if (channel < n) {
          const { bias, multiplier, left, right } = parameterOf(layer, channel, k);
          view.setInt32(at, bias, true);
          view.setInt32(at + 4, multiplier, true);
          out[at + 8] = left;
          out[at + 9] = right;
        }
        at += PARAMETER_BYTES;
      }
      for (let word = 0; word < words; word++) {
        channels.forEach((channel, c) => {
          for (let b = 0; b < streamBytes; b++) {
            const tap = word * streamBytes + b;
            const place = order === "depth" ? c * streamBytes + b : b * partCols + c;
            out[at + place] = channel < n && tap < k ? layer.weights[channel * k + tap]! : filler;
          }
        });
        at += partCols * streamBytes;
      }
    }
    return out;
  });
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
  let sum = 0;
  for (let i = 0; i < k; i++) sum += layer.weights[channel * k + i]! - offset;
  const bias = (layer.bias[channel]! - inputZero * sum + k * inputZero * weightZero) | 0;
  // round(2 x 2^30 / 2^31) is x: the sum itself comes out of the scaling.
  if (layer.sums) return { bias, multiplier: 2 ** 30, left: 1, right: 0 };
  const shift = layer.shifts[channel]!;
  if (shift < -31) return { bias, multiplier: 0, left: 0, right: 0 };
  return { bias, multiplier: layer.multipliers[channel]!, left: Math.max(shift, 0), right: Math.max(-shift, 0) };
}
