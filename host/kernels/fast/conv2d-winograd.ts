/**
 * CONV_2D of 3 x 3 taps by Winograd's minimal filtering (Winograd 1980; Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016), in whole
 * numbers: 16 products give the 2 x 2 outputs that take 36 otherwise. The transform of the weights has halves in each direction; doubled, it gives four times the sums, which is
 * undone by a shift.
 *
 * Why it is exact: a weight less its zero point is within 255, so a transformed one is within 9 x 255 = 2,295; a pixel within 4 x 255. Both are 16-bit numbers. Sums wrap
 * modulo 2^32, and four times the true sum stays below 2^31 for up to 512 channels (4 x 9 x 512 x 255^2 < 1.2e9), so what wraps in between does not matter.
 */
import { BLOCK, B_STEP } from "../../../sim/fast/product-kernel.js";
import { reserveRoom } from "../../../driver/wasm-kernels.js";
import type { Bytes } from "../implementation.js";
import type { GroupedConvLayer } from "../parameters/conv.js";
import { openConv2d, SCRATCH_BYTES } from "./conv2d-code.js";
import { placePicture, type Picture } from "./picture.js";
import { LANES, TABLE_BYTES, writeTables } from "./requantise-simd.js";
import { Places } from "./rows-code.js";
import { openWinograd, POSITIONS } from "./winograd-code.js";

/** More would not be exact by the bound above. */
const MOST_CHANNELS = 512;
/** Fewer cost more in transforms than they save in products. */
const LEAST_CHANNELS = 16;
const LEAST_TILES = 36;
/** Of transformed pixels, and of sums, at a time: the former stay in the second level cache, the latter nearly in the first. */
const PICTURE_BYTES = 1 << 17;
const SUMS_BYTES = 1 << 15;
/** Between the 16 positions, lest they all meet in the same lines of the cache. */
const APART = 64;

const up = (n: number, to: number): number => Math.ceil(n / to) * to;

/** True if a layer can be done so, and is faster. */
export function suitsWinograd(layer: GroupedConvLayer): boolean {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth, groups, inChannels } =
    layer;
  const tiles = Math.ceil(layer.outHeight / 2) * Math.ceil(layer.outWidth / 2);
  return (
    [strideHeight, strideWidth, dilationHeight, dilationWidth, groups].every((each) => each === 1) &&
    kernelHeight === 3 &&
    kernelWidth === 3 &&
    inChannels % BLOCK === 0 &&
    inChannels >= LEAST_CHANNELS &&
    inChannels <= MOST_CHANNELS &&
    tiles >= LEAST_TILES
  );
}

/** Sizes, and where things stand in memory; addresses and steps in bytes. */
interface Layout extends Picture {
  /** Tiles of a line; lines of tiles at a time. */
  readonly tiles: number;
  readonly lines: number;
  /** Columns at a time. */
  readonly columns: number;
  readonly picturePosition: number;
  readonly weightPosition: number;
  readonly sumPosition: number;
  readonly padded: number;
  readonly weights: number;
  readonly placed: number;
  readonly transformed: number;
  readonly sums: number;
  readonly rows: number;
  readonly output: number;
  readonly end: number;
}

function layoutOf(layer: GroupedConvLayer): Layout {
  const { inChannels, inHeight, inWidth, outChannels, outHeight, outWidth, padTop, padLeft } = layer;
  const tiles = Math.ceil(outWidth / 2);
  const tileLines = Math.ceil(outHeight / 2);
  const pixelBytes = 2 * inChannels;
  const lineBytes = Math.max(2 * tiles + 2, padLeft + inWidth) * pixelBytes;
  const height = Math.max(2 * tileLines + 2, padTop + inHeight);
  const most = Math.max(1, Math.floor(PICTURE_BYTES / (POSITIONS * tiles * pixelBytes)));
  // As many lines each time as can be, and about the same number.
  const lines = Math.ceil(tileLines / Math.ceil(tileLines / most));
  const atOnce = up(lines * tiles, 2);
  const columns = Math.min(
    up(outChannels, LANES),
    Math.max(LANES, Math.floor(SUMS_BYTES / (POSITIONS * atOnce * 4 * LANES)) * LANES),
  );
  const padded = up(outChannels, LANES) + LANES;
  const picturePosition = atOnce * pixelBytes + APART;
  const weightPosition = up(outChannels, B_STEP) * pixelBytes;
  const sumPosition = atOnce * columns * 4 + APART;
  const places = new Places(SCRATCH_BYTES);
  places.take(padded * TABLE_BYTES);
  return {
    pixelBytes,
    lineBytes,
    tiles,
    lines,
    columns,
    picturePosition,
    weightPosition,
    sumPosition,
    padded,
    weights: places.take(layer.weights.length),
    placed: places.take(POSITIONS * weightPosition),
    image: places.take(height * lineBytes),
    raw: places.take(inHeight * inWidth * inChannels),
    transformed: places.take(POSITIONS * picturePosition),
    sums: places.take(POSITIONS * sumPosition),
    rows: places.take(4 * atOnce * columns * 4),
    output: places.take(outHeight * outWidth * outChannels),
    end: places.end,
  };
}

/** A layer made ready; the function takes input and output. `suitsWinograd` and `requantisesInSimd` must hold. */
export function conv2dWinograd(layer: GroupedConvLayer): (input: Bytes, output: Bytes) => void {
  const layout = layoutOf(layer);
  const tables = new Uint8Array(layout.padded * TABLE_BYTES);
  writeTables(tables, layer, layout.padded);
  reserveRoom(layout.end);
  return (input, output) => {
    const { functions, room } = openWinograd();
    const bytes = room(layout.end);
    const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, weights, dtype } = layer;
    bytes.set(tables, SCRATCH_BYTES);
    bytes.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.length), layout.weights);
    const place = dtype === "int8" ? functions.weightsSigned : functions.weightsUnsigned;
    place(layout.weights, layout.placed, outChannels, inChannels, layout.weightPosition, layer.weightZero);
    const inBytes = inHeight * inWidth * inChannels;
    const outBytes = outHeight * outWidth * outChannels;
    for (let b = 0; b < layer.batch; b++) {
      bytes.set(new Uint8Array(input.buffer, input.byteOffset + b * inBytes, inBytes), layout.raw);
      placePicture(layer, layout, bytes);
      for (let line = 0; 2 * line < outHeight; line += layout.lines) multiplyLines(layer, layout, line);
      new Uint8Array(output.buffer, output.byteOffset + b * outBytes, outBytes).set(
        bytes.subarray(layout.output, layout.output + outBytes),
      );
    }
  };
}

/** Some lines of tiles, from `first` on: all of their outputs. */
function multiplyLines(layer: GroupedConvLayer, layout: Layout, first: number): void {
  const { outHeight, outWidth, outChannels, outputZero, clampMin, clampMax, inChannels } = layer;
  const { tiles, transformed, picturePosition, weightPosition, sumPosition, sums, rows, padded, pixelBytes } = layout;
  const { functions } = openWinograd();
  const { finishSigned, finishUnsigned } = openConv2d().functions;
  const finish = layer.dtype === "int8" ? finishSigned : finishUnsigned;
  const count = Math.min(layout.lines, Math.ceil(outHeight / 2) - first);
  for (let i = 0; i < count; i++) {
    const from = layout.image + 2 * (first + i) * layout.lineBytes;
    functions.picture(from, layout.lineBytes, pixelBytes, transformed + i * tiles * pixelBytes, picturePosition, tiles);
  }
  const blocks = inChannels / BLOCK;
  for (let column = 0; column < outChannels; column += layout.columns) {
    const end = Math.min(outChannels, column + layout.columns);
    const sumBytes = up(end - column, LANES) * 4;
    functions.products(
      transformed,
      pixelBytes,
      picturePosition,
      layout.placed + column * pixelBytes,
      blocks,
      weightPosition,
      sums,
      sumBytes,
      sumPosition,
      count * tiles,
      Math.ceil((end - column) / B_STEP),
    );
    const lineBytes = 2 * tiles * sumBytes;
    for (let i = 0; i < count; i++)
      functions.outputs(sums + i * tiles * sumBytes, sumBytes, sumPosition, rows + 2 * i * lineBytes, lineBytes, tiles);
    // Lines are next to each other where they are as long as their tiles.
    const together = outWidth === 2 * tiles;
    const left = Math.min(2 * count, outHeight - 2 * first);
    const [pieces, pixels] = together ? [1, left * outWidth] : [left, outWidth];
    for (let i = 0; i < pieces; i++)
      finish(
        rows + i * lineBytes,
        sumBytes,
        pixels,
        layout.output + (2 * first + i) * outWidth * outChannels + column,
        outChannels,
        column,
        end,
        SCRATCH_BYTES,
        padded,
        outputZero,
        clampMin,
        clampMax,
      );
  }
}
