/** Inputs, weights and parameters as the packets of SECDA's driver have them. */
import { parameterOf } from "../../driver/gemm/pack.js";
import { im2col } from "../../driver/im2col.js";
import type { ConvLayer } from "../../driver/layer.js";
import { BLOCK, LOAD_INPUTS, LOAD_WEIGHTS, PACKET_WORDS, UNITS } from "./facts.js";

export interface SecdaTiling {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Words of K, four bytes each. */
  readonly depth: number;
  readonly rowBlocks: number;
  readonly columnBlocks: number;
  /** Blocks of a tile. */
  readonly tileRows: number;
  readonly tileColumns: number;
}

/** Blocks of a tile: the first, and how many. */
export interface Piece {
  readonly at: number;
  readonly size: number;
}

/** Blocks in pieces of at most `most`. */
export function pieces(blocks: number, most: number): Piece[] {
  return Array.from({ length: Math.ceil(blocks / most) }, (_, i) => ({
    at: i * most,
    size: Math.min(most, blocks - i * most),
  }));
}

/** Words of a stream's packet of inputs and of weights, the header on stream 0 included. */
export const inputWords = (s: number, rows: number, depth: number): number =>
  rows * (depth + 1) + (s === 0 ? PACKET_WORDS : 0);
export const weightWords = (s: number, columns: number, depth: number): number =>
  columns * (depth + 2) + (s === 0 ? PACKET_WORDS + columns : 0);

const offsetOf = (layer: ConvLayer): number => (layer.dtype === "uint8" ? 128 : 0);

/** Output zero point, clamps, and what is XORed to the outputs: SECDA sends the first alone. */
export function endingOf(layer: ConvLayer): number {
  const offset = offsetOf(layer);
  const bytes = [layer.outputZero - offset, layer.clampMin - offset, layer.clampMax - offset, offset];
  return bytes.reduce((word, byte, i) => word | ((byte & 255) << (8 * i)), 0);
}

export function bytesOf(words: readonly number[]): Uint8Array {
  const out = new Uint8Array(words.length * BLOCK);
  const view = new DataView(out.buffer);
  words.forEach((word, i) => {
    view.setInt32(i * BLOCK, word | 0, true);
  });
  return out;
}

/** Stream s, for each tile: the s-th channel of each block as int8; then of each its bias and multiplier, and on stream 0 the four shifts. */
export function packWeights(
  layer: ConvLayer,
  { n, k, depth, columnBlocks }: SecdaTiling,
  tiles: readonly Piece[],
): Uint8Array[] {
  const flip = offsetOf(layer);
  const none = { bias: 0, multiplier: 0, left: 0, right: 0 };
  const parameters = Array.from({ length: columnBlocks * BLOCK }, (_, c) => (c < n ? parameterOf(layer, c, k) : none));
  return Array.from({ length: UNITS }, (_, s) => {
    const out = new Uint8Array(tiles.reduce((sum, { size }) => sum + weightWords(s, size, depth), 0) * BLOCK);
    const view = new DataView(out.buffer);
    let at = 0;
    for (const { at: first, size } of tiles) {
      if (s === 0) {
        out.set(bytesOf([LOAD_WEIGHTS, size * depth, size]), at);
        at += PACKET_WORDS * BLOCK;
      }
      for (let block = first; block < first + size; block++, at += depth * BLOCK) {
        const channel = block * BLOCK + s;
        if (channel < n) for (let i = 0; i < k; i++) out[at + i] = layer.weights[channel * k + i]! ^ flip;
      }
      for (let block = first; block < first + size; block++) {
        const { bias, multiplier } = parameters[block * BLOCK + s]!;
        view.setInt32(at, bias, true);
        view.setInt32(at + BLOCK, multiplier, true);
        at += 2 * BLOCK;
        if (s > 0) continue;
        for (let c = 0; c < BLOCK; c++) {
          const { left, right } = parameters[block * BLOCK + c]!;
          view.setInt8(at + c, left - right);
        }
        at += BLOCK;
      }
    }
    return out;
  });
}

/** Stream s, for each tile: the s-th row of each block as int8, then of each the zero point's term. */
export function packInputs(
  layer: ConvLayer,
  tensor: Uint8Array,
  { m, k, depth }: SecdaTiling,
  tiles: readonly Piece[],
): Record<string, Uint8Array> {
  const flip = offsetOf(layer);
  const matrix = im2col(layer, tensor, k, 0);
  const weightZero = layer.weightZero - flip;
  const out: Record<string, Uint8Array> = {};
  for (let s = 0; s < UNITS; s++) {
    const bytes = new Uint8Array(tiles.reduce((sum, { size }) => sum + inputWords(s, size, depth), 0) * BLOCK);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const { at: first, size } of tiles) {
      if (s === 0) {
        bytes.set(bytesOf([LOAD_INPUTS, size * depth, size]), at);
        at += PACKET_WORDS * BLOCK;
      }
      const terms = at + size * depth * BLOCK;
      for (let block = 0; block < size; block++, at += depth * BLOCK) {
        const row = (first + block) * BLOCK + s;
        if (row >= m) continue;
        let sum = 0;
        for (let i = 0; i < k; i++) {
          const value = matrix[row * k + i]! ^ flip;
          bytes[at + i] = value;
          sum += (value << 24) >> 24;
        }
        view.setInt32(terms + block * BLOCK, sum * weightZero, true);
      }
      at = terms + size * BLOCK;
    }
    out[`input${s}`] = bytes;
  }
  return out;
}
