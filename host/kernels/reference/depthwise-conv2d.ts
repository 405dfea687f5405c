/** DEPTHWISE_CONV_2D (`reference/integer_ops/depthwise_conv.h`, `reference/depthwiseconv_uint8.h`). */
import { clamp, multiplyByQuantisedMultiplier } from "../arithmetic.js";
import { cpu, type Bytes } from "../implementation.js";
import { depthwiseLayer, type DepthwiseLayer } from "../parameters/conv.js";

export const depthwiseConv2d = cpu({
  name: "reference",
  operator: "DEPTHWISE_CONV_2D",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const layer = depthwiseLayer(graph, operator);
    return ([input], output) => convolveDepthwise(layer, input!, output);
  },
});

function convolveDepthwise(layer: DepthwiseLayer, input: Bytes, output: Bytes): void {
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

function accumulate(layer: DepthwiseLayer, input: Bytes, b: number, y: number, x: number, c: number): number {
  const { inHeight, inWidth, inChannels, outChannels, kernelHeight, kernelWidth, inputZero, weightZero, weights } =
    layer;
  const channel = Math.floor(c / (outChannels / inChannels));
  let sum = 0;
  for (let ky = 0; ky < kernelHeight; ky++) {
    const iy = y * layer.strideHeight - layer.padTop + ky * layer.dilationHeight;
    if (iy < 0 || iy >= inHeight) continue;
    for (let kx = 0; kx < kernelWidth; kx++) {
      const ix = x * layer.strideWidth - layer.padLeft + kx * layer.dilationWidth;
      if (ix < 0 || ix >= inWidth) continue;
      const pixel = input[((b * inHeight + iy) * inWidth + ix) * inChannels + channel]!;
      const weight = weights[(ky * kernelWidth + kx) * outChannels + c]!;
      sum = (sum + (pixel - inputZero) * (weight - weightZero)) | 0;
    }
  }
  return sum;
}
