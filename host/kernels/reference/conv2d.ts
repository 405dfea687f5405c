/** CONV_2D as TFLite's reference kernel computes it (`reference/integer_ops/conv.h`, `reference/conv.h`). */
import { clamp, multiplyByQuantisedMultiplier } from "../arithmetic.js";
import { cpu, type Bytes } from "../implementation.js";
import { convLayer, type GroupedConvLayer } from "../parameters/conv.js";

export const conv2d = cpu({
  name: "reference",
  operator: "CONV_2D",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const layer = convLayer(graph, operator);
    return ([input], output) => convolve(layer, input!, output);
  },
});

/** `input` is `[batch][inHeight][inWidth][inChannels]`, `output` `[batch][outHeight][outWidth][outChannels]`. */
export function convolve(layer: GroupedConvLayer, input: Bytes, output: Bytes): void {
  let index = 0;
  for (let b = 0; b < layer.batch; b++) {
    for (let y = 0; y < layer.outHeight; y++) {
      for (let x = 0; x < layer.outWidth; x++) {
        for (let c = 0; c < layer.outChannels; c++) {
          const sum = (accumulate(layer, input, b, y, x, c) + layer.bias[c]!) | 0;
          const scaled = multiplyByQuantisedMultiplier(sum, layer.multipliers[c]!, layer.shifts[c]!);
          output[index++] = clamp(scaled + layer.outputZero, layer.clampMin, layer.clampMax);
        }
      }
    }
  }
}

/** The sum over all taps inside the picture, in int32. */
function accumulate(layer: GroupedConvLayer, input: Bytes, b: number, y: number, x: number, c: number): number {
  const { inHeight, inWidth, inChannels, kernelHeight, kernelWidth, inputZero, weightZero, weights } = layer;
  const depth = inChannels / layer.groups;
  const firstChannel = Math.floor(c / (layer.outChannels / layer.groups)) * depth;
  let sum = 0;
  for (let ky = 0; ky < kernelHeight; ky++) {
    const iy = y * layer.strideHeight - layer.padTop + ky * layer.dilationHeight;
    if (iy < 0 || iy >= inHeight) continue;
    for (let kx = 0; kx < kernelWidth; kx++) {
      const ix = x * layer.strideWidth - layer.padLeft + kx * layer.dilationWidth;
      if (ix < 0 || ix >= inWidth) continue;
      const from = ((b * inHeight + iy) * inWidth + ix) * inChannels + firstChannel;
      const tap = ((c * kernelHeight + ky) * kernelWidth + kx) * depth;
      for (let i = 0; i < depth; i++) {
        sum = (sum + (input[from + i]! - inputZero) * (weights[tap + i]! - weightZero)) | 0;
      }
    }
  }
  return sum;
}
