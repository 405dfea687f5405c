/** CONV_2D as im2col and a packed matrix product: same result as `reference`, several times as fast. */
import { cpu, type Bytes } from "../implementation.js";
import { convLayer, type GroupedConvLayer } from "../parameters/conv.js";
import { multiply, packWeights, roundUp } from "./gemm.js";
import { requantise } from "./requantise.js";

/** Bytes of input patches that are multiplied at a time: they stay in a second level cache. */
const BLOCK_BYTES = 1 << 17;

export const conv2d = cpu({
  name: "fast",
  operator: "CONV_2D",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const layer = convLayer(graph, operator);
    const depth = (layer.kernelHeight * layer.kernelWidth * layer.inChannels) / layer.groups;
    const columns = layer.outChannels / layer.groups;
    const weights = Array.from({ length: layer.groups }, (_, group) =>
      packWeights(layer.weights, group * columns, columns, depth, layer.weightZero),
    );
    const total = layer.batch * layer.outHeight * layer.outWidth;
    const rows = Math.min(roundUp(total), Math.max(4, roundUp(Math.floor(BLOCK_BYTES / (8 * depth)) - 3)));
    const patches = new Float64Array(rows * depth);
    const sums = new Int32Array(rows * roundUp(columns));

    return ([input], output) => {
      for (let first = 0; first < total; first += rows) {
        const count = Math.min(rows, total - first);
        for (let group = 0; group < layer.groups; group++) {
          for (let row = 0; row < count; row++) packPatch(layer, group, input!, first + row, patches, row, depth);
          multiply(patches, count, weights[group]!, sums);
          for (let row = 0; row < count; row++) {
            const to = (first + row) * layer.outChannels + group * columns;
            requantise(layer, group * columns, columns, sums, row * roundUp(columns), output, to);
          }
        }
      }
    };
  },
});

/**
 * Writes the inputs under the kernel of output pixel `pixel`, less their zero point, as row `row` of the patches: panels
 * of four rows, `[row / 4][depth][4]`. Outside the picture they are zero.
 */
function packPatch(
  layer: GroupedConvLayer,
  group: number,
  input: Bytes,
  pixel: number,
  patches: Float64Array,
  row: number,
  depth: number,
): void {
  const { inHeight, inWidth, inChannels, kernelHeight, kernelWidth, inputZero, outWidth, outHeight } = layer;
  const channels = inChannels / layer.groups;
  const x = pixel % outWidth;
  const line = (pixel - x) / outWidth;
  const y = line % outHeight;
  const batch = (line - y) / outHeight;
  let target = (row - (row % 4)) * depth + (row % 4);
  for (let ky = 0; ky < kernelHeight; ky++) {
    const iy = y * layer.strideHeight - layer.padTop + ky * layer.dilationHeight;
    for (let kx = 0; kx < kernelWidth; kx++) {
      const ix = x * layer.strideWidth - layer.padLeft + kx * layer.dilationWidth;
      if (iy < 0 || iy >= inHeight || ix < 0 || ix >= inWidth) {
        for (let i = 0; i < channels; i++, target += 4) patches[target] = 0;
      } else {
        const from = ((batch * inHeight + iy) * inWidth + ix) * inChannels + group * channels;
        for (let i = 0; i < channels; i++, target += 4) patches[target] = input[from + i]! - inputZero;
      }
    }
  }
}
