/** DEPTHWISE_CONV_2D with all channels of a pixel together; for one output channel per input channel. */
import { inputTensor, outputTensor } from "../../graph/graph.js";
import { cpu, type Bytes } from "../implementation.js";
import { depthwiseLayer, type DepthwiseLayer } from "../parameters/conv.js";
import { requantise } from "./requantise.js";

export const depthwiseConv2d = cpu({
  name: "fast",
  operator: "DEPTHWISE_CONV_2D",
  dtypes: ["uint8", "int8"],
  refuses(graph, operator) {
    const multiplier = outputTensor(graph, operator).shape[3]! / inputTensor(graph, operator, 0)!.shape[3]!;
    return multiplier === 1 ? null : `depth multiplier ${multiplier}`;
  },
  prepare(graph, operator) {
    const layer = depthwiseLayer(graph, operator);
    const weights = Int16Array.from(layer.weights, (weight) => weight - layer.weightZero);
    const sums = new Int32Array(layer.outChannels);
    return ([input], output) => {
      let to = 0;
      for (let b = 0; b < layer.batch; b++) {
        for (let y = 0; y < layer.outHeight; y++) {
          for (let x = 0; x < layer.outWidth; x++, to += layer.outChannels) {
            accumulate(layer, weights, input!, b, y, x, sums);
            requantise(layer, 0, layer.outChannels, sums, 0, output, to);
          }
        }
      }
    };
  },
});

function accumulate(
  layer: DepthwiseLayer,
  weights: Int16Array,
  input: Bytes,
  b: number,
  y: number,
  x: number,
  sums: Int32Array,
): void {
  const { inHeight, inWidth, inChannels, kernelHeight, kernelWidth, inputZero } = layer;
  sums.fill(0);
  for (let ky = 0; ky < kernelHeight; ky++) {
    const iy = y * layer.strideHeight - layer.padTop + ky * layer.dilationHeight;
    if (iy < 0 || iy >= inHeight) continue;
    for (let kx = 0; kx < kernelWidth; kx++) {
      const ix = x * layer.strideWidth - layer.padLeft + kx * layer.dilationWidth;
      if (ix < 0 || ix >= inWidth) continue;
      const from = ((b * inHeight + iy) * inWidth + ix) * inChannels;
      const tap = (ky * kernelWidth + kx) * inChannels;
      for (let c = 0; c < inChannels; c++) sums[c]! += (input[from + c]! - inputZero) * weights[tap + c]!;
    }
  }
}
