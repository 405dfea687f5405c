/**
 * A user's SystemC design behind the driver's interface. The design computes int8 dot products (protocol
 * "dot-product/1", docs/systemc.md); the driver tiles, packs, and does the rest of TFLite's arithmetic on the results:
 * zero points from row and column sums, bias, requantisation. Runs in Node and in the browser.
 */
import { TandemError } from "../../hw/errors.js";
import type { Job, JobEngine } from "../../sim/systemc-wasm/engine.js";
import type { Accelerator, CompiledLayer, LayerResult } from "../accelerator.js";
import { gemmShape, im2col } from "../im2col.js";
import type { ConvLayer } from "../layer.js";
import { requantise } from "../reference.js";

export interface SystemCLimits {
  readonly top: string;
  readonly columns: number;
  /** Values in a column that the design holds; a multiple of 4. */
  readonly depth: number;
  readonly macsPerClock: number;
}

/** A tile of weights: some columns, some depth. */
interface Tile {
  readonly firstColumn: number;
  readonly columns: number;
  /** In words of four values. */
  readonly firstWord: number;
  readonly words: number;
  readonly weights: Uint32Array;
}

class SystemCLayer implements CompiledLayer {
  readonly layer: ConvLayer;
  readonly tiles: readonly Tile[];
  /** Sum of the weights of each column. */
  readonly weightSums: Int32Array;
  readonly rowBytes: number;

  constructor(layer: ConvLayer, limits: SystemCLimits) {
    this.layer = layer;
    const { n, k } = gemmShape(layer);
    this.rowBytes = Math.ceil(k / 4) * 4;
    const bytes = new Uint8Array(n * this.rowBytes);
    const raw = new Uint8Array(layer.weights.buffer, layer.weights.byteOffset, layer.weights.length);
    this.weightSums = new Int32Array(n);
    for (let column = 0; column < n; column++) {
      for (let i = 0; i < k; i++) {
        const value = raw[column * k + i]! ^ flip(layer);
        bytes[column * this.rowBytes + i] = value;
        this.weightSums[column]! += (value << 24) >> 24;
      }
    }
    const words = new Uint32Array(bytes.buffer);
    const rowWords = this.rowBytes / 4;
    const tiles: Tile[] = [];
    for (let column = 0; column < n; column += limits.columns) {
      const columns = Math.min(limits.columns, n - column);
      for (let word = 0; word < rowWords; word += limits.depth / 4) {
        const count = Math.min(limits.depth / 4, rowWords - word);
        const weights = new Uint32Array(columns * count);
        for (let c = 0; c < columns; c++) {
          const from = (column + c) * rowWords + word;
          weights.set(words.subarray(from, from + count), c * count);
        }
        tiles.push({ firstColumn: column, columns, firstWord: word, words: count, weights });
      }
    }
    this.tiles = tiles;
  }
}

/** uint8 values become int8 by flipping the top bit; zero points move by 128 with them. */
const flip = (layer: ConvLayer): number => (layer.dtype === "uint8" ? 0x80 : 0);

export class SystemCAccelerator implements Accelerator {
  readonly name: string;
  readonly peakMacsPerClock: number;
  private readonly limits: SystemCLimits;
  private readonly engine: JobEngine & { close?(): Promise<void> };

  constructor(limits: SystemCLimits, engine: JobEngine & { close?(): Promise<void> }) {
    this.limits = limits;
    this.engine = engine;
    this.name = `${limits.top} columns=${limits.columns} depth=${limits.depth}`;
    this.peakMacsPerClock = limits.macsPerClock;
  }

  /** Every convolution can be cut into tiles that fit. */
  refuses(layer: ConvLayer): string | null {
    if (layer.depthwise) return "a depthwise convolution";
    return layer.sums ? "no sums without scaling" : null;
  }

  compile(layer: ConvLayer): CompiledLayer {
    return new SystemCLayer(layer, this.limits);
  }

  async run(compiled: CompiledLayer, input: Uint8Array): Promise<LayerResult> {
    if (!(compiled instanceof SystemCLayer)) {
      throw new TandemError(`${compiled.layer.name} was compiled for another accelerator than ${this.name}`);
    }
    const { layer, tiles, rowBytes } = compiled;
    const { m, n } = gemmShape(layer);
    const matrix = im2col(layer, input, rowBytes, flip(layer));
    if (flip(layer) !== 0) for (let i = 0; i < matrix.length; i++) matrix[i]! ^= 0x80;
    const words = new Uint32Array(matrix.buffer);
    const jobs = tiles.map((tile) => packet(tile, words, m, rowBytes / 4));
    const { results, clocks } = await this.engine.run(jobs);

    const sums = new Int32Array(m * n);
    tiles.forEach((tile, index) => {
      const partial = new Int32Array(results[index]!.buffer);
      for (let row = 0, at = 0; row < m; row++) {
        for (let c = 0; c < tile.columns; c++, at++) sums[row * n + tile.firstColumn + c]! += partial[at]!;
      }
    });
    return {
      output: finish(compiled, matrix, sums),
      ...{ clocks, exact: true, estimates: 0, stalls: {} },
      bytesIn: jobs.reduce((bytes, job) => bytes + job.words.byteLength, 0),
      bytesOut: results.reduce((bytes, result) => bytes + result.byteLength, 0),
    };
  }

  async close(): Promise<void> {
    await this.engine.close?.();
  }
}

/** Header, weights of the tile, and all rows. */
function packet(tile: Tile, matrix: Uint32Array, rows: number, rowWords: number): Job {
  const words = new Uint32Array(3 + tile.weights.length + rows * tile.words);
  words.set([rows, tile.columns, tile.words]);
  words.set(tile.weights, 3);
  let at = 3 + tile.weights.length;
  for (let row = 0; row < rows; row++, at += tile.words) {
    const from = row * rowWords + tile.firstWord;
    words.set(matrix.subarray(from, from + tile.words), at);
  }
  return { words, results: rows * tile.columns };
}

/**
 * sum (a - za)(w - zw) = a.w - zw sum(a) - za sum(w) + k za zw; then bias and requantisation. Padding beyond k is zero in
 * both operands and adds nothing to any of the sums.
 */
function finish({ layer, weightSums, rowBytes }: SystemCLayer, matrix: Uint8Array, sums: Int32Array): Uint8Array {
  const { m, n, k } = gemmShape(layer);
  const [za, zw] = [layer.inputZero - flip(layer), layer.weightZero - flip(layer)];
  const values = new Int8Array(matrix.buffer);
  const output = new Uint8Array(m * n);
  for (let row = 0; row < m; row++) {
    let rowSum = 0;
    if (zw !== 0) for (let i = 0; i < rowBytes; i++) rowSum += values[row * rowBytes + i]!;
    for (let column = 0; column < n; column++) {
      const dot = sums[row * n + column]! - zw * rowSum - za * weightSums[column]! + k * za * zw;
      const acc = (dot + layer.bias[column]!) | 0;
      output[row * n + column] = requantise(acc, layer.multipliers[column]!, layer.shifts[column]!, layer);
    }
  }
  return output;
}
