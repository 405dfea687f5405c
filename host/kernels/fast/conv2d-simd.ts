/**
 * CONV_2D in blocks of output lines: the taps of each pixel as a row of a matrix, times the weights, requantised
 * (conv2d-code.ts). A 1 x 1 kernel that meets every pixel once needs no matrix: the picture is it.
 */
import { isMatrix } from "../../../driver/im2col.js";
import { openCopyTaps } from "../../../driver/im2col-code.js";
import { reserveRoom } from "../../../driver/wasm-kernels.js";
import { B_STEP, BLOCK, ROW_BYTES } from "../../../sim/fast/product-kernel.js";
import type { Bytes } from "../implementation.js";
import type { GroupedConvLayer } from "../parameters/conv.js";
import { openConv2d, SCRATCH_BYTES, wholeBlocks, type Conv2dExports } from "./conv2d-code.js";
import { placePicture, type Picture } from "./picture.js";
import { LANES, TABLE_BYTES, writeTables } from "./requantise-simd.js";
import { GROUP_BYTES, Places } from "./rows-code.js";

/** A block of rows is worth a pass over all weights, and stays in the second level cache. */
const ENOUGH_ROWS = 64;
const MOST_BYTES = 1 << 18;

const up = (n: number, to: number): number => Math.ceil(n / to) * to;

/** A layer's sizes, and where its parts stand in memory; addresses and steps in bytes. */
interface Layout extends Picture {
  readonly direct: boolean;
  /** Columns and taps of a group; blocks of eight taps, groups of four columns. */
  readonly columns: number;
  readonly blocks: number;
  readonly columnGroups: number;
  readonly rowBytes: number;
  readonly sumBytes: number;
  /** Output lines (or rows of the matrix, if direct) at a time. */
  readonly lines: number;
  readonly padded: number;
  readonly weights: number;
  readonly wide: number;
  readonly rows: number;
  readonly sums: number;
  readonly output: number;
  readonly end: number;
}

function layoutOf(layer: GroupedConvLayer): Layout {
  const { inChannels, inHeight, inWidth, outChannels, outHeight, outWidth, groups } = layer;
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth, padTop, padLeft } =
    layer;
  const direct = isMatrix(layer) && groups === 1 && inChannels % BLOCK === 0;
  const columns = outChannels / groups;
  const blocks = wholeBlocks((kernelHeight * kernelWidth * inChannels) / groups);
  const columnGroups = Math.ceil(columns / B_STEP);
  const rowBytes = blocks * ROW_BYTES;
  const sumBytes = up(columns, LANES) * 4;
  const width = Math.max((outWidth - 1) * strideWidth + (kernelWidth - 1) * dilationWidth + 1, padLeft + inWidth);
  const height = Math.max((outHeight - 1) * strideHeight + (kernelHeight - 1) * dilationHeight + 1, padTop + inHeight);
  const pixelBytes = 2 * inChannels;
  const lineBytes = width * pixelBytes;
  const pixelsOfLine = direct ? 1 : outWidth;
  const lines = Math.max(
    1,
    Math.min(Math.ceil(ENOUGH_ROWS / pixelsOfLine), Math.floor(MOST_BYTES / (pixelsOfLine * rowBytes))),
  );
  const rowsAtOnce = up(lines * pixelsOfLine, 2);
  const padded = up(outChannels, LANES) + LANES;
  const places = new Places(SCRATCH_BYTES);
  places.take(padded * TABLE_BYTES);
  return {
    direct,
    columns,
    blocks,
    columnGroups,
    rowBytes,
    sumBytes,
    lineBytes,
    pixelBytes,
    lines,
    padded,
    weights: places.take(layer.weights.length),
    wide: places.take(groups * columnGroups * blocks * GROUP_BYTES),
    image: places.take(height * lineBytes),
    raw: places.take(inHeight * inWidth * inChannels),
    rows: places.take(direct ? 0 : rowsAtOnce * rowBytes),
    sums: places.take(rowsAtOnce * sumBytes),
    output: places.take(outHeight * outWidth * outChannels),
    end: places.end,
  };
}

/** A layer made ready; the function takes input and output. `requantisesInSimd` must hold. */
export function conv2dSimd(layer: GroupedConvLayer): (input: Bytes, output: Bytes) => void {
  const layout = layoutOf(layer);
  const tables = new Uint8Array(layout.padded * TABLE_BYTES);
  writeTables(tables, layer, layout.padded);
  const signed = layer.dtype === "int8";
  reserveRoom(layout.end);
  return (input, output) => {
    const { functions: exports, room } = openConv2d();
    const bytes = room(layout.end);
    const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = layer;
    bytes.set(tables, SCRATCH_BYTES);
    placeWeights(layer, layout, exports, bytes);
    const inBytes = inHeight * inWidth * inChannels;
    const outBytes = outHeight * outWidth * outChannels;
    for (let b = 0; b < layer.batch; b++) {
      bytes.set(new Uint8Array(input.buffer, input.byteOffset + b * inBytes, inBytes), layout.raw);
      if (layout.direct) {
        const widen = signed ? exports.widenSigned : exports.widenUnsigned;
        widen(layout.raw, layout.image, inBytes, layer.inputZero);
        multiplyDirectly(layer, layout, exports, bytes);
      } else {
        placePicture(layer, layout, bytes);
        multiplyLines(layer, layout, exports, bytes);
      }
      new Uint8Array(output.buffer, output.byteOffset + b * outBytes, outBytes).set(
        bytes.subarray(layout.output, layout.output + outBytes),
      );
    }
  };
}

/** Where the matrix product wants them: `[group][columns / 4][taps / 8][4][8]` of 16 bits. */
function placeWeights(
  { groups, weights, weightZero, dtype }: GroupedConvLayer,
  { weights: from, wide, columns, blocks, columnGroups }: Layout,
  exports: Conv2dExports,
  bytes: Uint8Array,
): void {
  bytes.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.length), from);
  const place = dtype === "int8" ? exports.placeSigned : exports.placeUnsigned;
  const panelBytes = blocks * GROUP_BYTES;
  const taps = weights.length / (groups * columns);
  for (let group = 0; group < groups; group++)
    place(
      from + group * columns * taps,
      wide + group * columnGroups * panelBytes,
      columns,
      taps,
      panelBytes,
      weightZero,
    );
}

function multiplyLines(layer: GroupedConvLayer, layout: Layout, exports: Conv2dExports, bytes: Uint8Array): void {
  const { outHeight, outWidth, groups, inChannels, kernelHeight, kernelWidth } = layer;
  const { lines, rowBytes, lineBytes, pixelBytes, rows, image } = layout;
  const groupBytes = pixelBytes / groups;
  const { copyTaps } = openCopyTaps().functions;
  // Neighbouring taps are one run.
  const together = groups === 1 && layer.dilationWidth === 1;
  const [runs, runBytes] = together ? [1, kernelWidth * inChannels * 2] : [kernelWidth, groupBytes];
  for (let y = 0; y < outHeight; y += lines) {
    const count = Math.min(lines, outHeight - y);
    for (let group = 0; group < groups; group++) {
      for (let i = 0; i < count; i++)
        copyTaps(
          image + (y + i) * layer.strideHeight * lineBytes + group * groupBytes,
          rows + i * outWidth * rowBytes,
          outWidth,
          layer.strideWidth * pixelBytes,
          kernelHeight,
          layer.dilationHeight * lineBytes,
          runs,
          layer.dilationWidth * pixelBytes,
          runBytes,
          rowBytes,
          0,
        );
      finishRows(layer, layout, exports, bytes, { a: rows, count: count * outWidth, first: y * outWidth, group });
    }
  }
}

function multiplyDirectly(layer: GroupedConvLayer, layout: Layout, exports: Conv2dExports, bytes: Uint8Array): void {
  const total = layer.outHeight * layer.outWidth;
  for (let first = 0; first < total; first += layout.lines) {
    const count = Math.min(layout.lines, total - first);
    finishRows(layer, layout, exports, bytes, { a: layout.image + first * layout.rowBytes, count, first, group: 0 });
  }
}

interface Rows {
  /** Address of `count` rows of taps of a group of channels; `first` is their first output pixel. */
  readonly a: number;
  readonly count: number;
  readonly first: number;
  readonly group: number;
}

function finishRows(
  layer: GroupedConvLayer,
  layout: Layout,
  exports: Conv2dExports,
  bytes: Uint8Array,
  { a, count, first, group }: Rows,
): void {
  const { rowBytes, blocks, columnGroups, columns, sums, sumBytes, output, padded, wide } = layout;
  const { outChannels, outputZero, clampMin, clampMax } = layer;
  bytes.fill(0, sums, sums + up(count, 2) * sumBytes);
  const weights = wide + group * columnGroups * blocks * GROUP_BYTES;
  exports.multiply(a, rowBytes, weights, blocks, sums, sumBytes, count, columnGroups);
  const finish = layer.dtype === "int8" ? exports.finishSigned : exports.finishUnsigned;
  const channel = group * columns;
  const to = output + first * outChannels + channel;
  const end = channel + columns;
  finish(sums, sumBytes, count, to, outChannels, channel, end, SCRATCH_BYTES, padded, outputZero, clampMin, clampMax);
}
