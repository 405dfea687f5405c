/**
 * The level `functional` of a convolution: a pure function on typed arrays, TFLite's reference arithmetic to the bit (see
 * ConvLayer). The oracle that every design is held against; written for clarity, not for speed.
 */
import { doublingHighMul, roundingShiftRight } from "../hw/arithmetic.js";
import type { ConvLayer } from "./layer.js";

/** Output tensor `[batch][outHeight][outWidth][outChannels]` of the layer's type, as bytes; `input` likewise, NHWC. */
export function convolve(layer: ConvLayer, input: Uint8Array): Uint8Array {
  const { batch, outHeight, outWidth, outChannels, kernelHeight, kernelWidth, inChannels, inHeight, inWidth } = layer;
  const outputs = batch * outHeight * outWidth * outChannels;
  const bytes = new Uint8Array(layer.sums ? 4 * outputs : outputs);
  const sums = new DataView(bytes.buffer);
  const typed = (b: Uint8Array): Int8Array | Uint8Array =>
    layer.dtype === "int8" ? new Int8Array(b.buffer, b.byteOffset, b.length) : b;
  const x = typed(input);
  const out = typed(bytes);
  const acc = new Int32Array(outChannels);
  let at = 0;
  for (let n = 0; n < batch; n++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++) {
        acc.set(layer.bias);
        for (let ky = 0; ky < kernelHeight; ky++) {
          const iy = oy * layer.strideHeight - layer.padTop + ky * layer.dilationHeight;
          if (iy < 0 || iy >= inHeight) continue;
          for (let kx = 0; kx < kernelWidth; kx++) {
            const ix = ox * layer.strideWidth - layer.padLeft + kx * layer.dilationWidth;
            if (ix < 0 || ix >= inWidth) continue;
            const from = ((n * inHeight + iy) * inWidth + ix) * inChannels;
            if (layer.depthwise) {
              addChannels(acc, layer, x, from, ky * kernelWidth + kx);
              continue;
            }
            for (let c = 0; c < outChannels; c++) {
              const weights = ((c * kernelHeight + ky) * kernelWidth + kx) * inChannels;
              let sum = acc[c]!;
              for (let i = 0; i < inChannels; i++)
                sum += (x[from + i]! - layer.inputZero) * (layer.weights[weights + i]! - layer.weightZero);
              acc[c] = sum;
            }
          }
        }
        for (let c = 0; c < outChannels; c++, at++)
          if (layer.sums) sums.setInt32(4 * at, acc[c]!, true);
          else out[at] = requantise(acc[c]!, layer.multipliers[c]!, layer.shifts[c]!, layer);
      }
  return bytes;
}

/** One tap of a depthwise convolution: each output channel takes its own input channel of the pixel at `from`. */
function addChannels(acc: Int32Array, layer: ConvLayer, x: ArrayLike<number>, from: number, tap: number): void {
  const { inChannels, outChannels, inputZero, weightZero, weights } = layer;
  for (let c = 0; c < outChannels; c++) {
    const channel = Math.floor(c / (outChannels / inChannels));
    acc[c]! += (x[from + channel]! - inputZero) * (weights[tap * outChannels + c]! - weightZero);
  }
}

type Range = Pick<ConvLayer, "outputZero" | "clampMin" | "clampMax">;

/** TFLite's MultiplyByQuantizedMultiplier (double rounding), output zero point and clamp. */
export function requantise(acc: number, multiplier: number, shift: number, range: Range): number {
  // A shift below -31 leaves nothing of the multiplier (TFLite makes it zero when it prepares the layer).
  const scaled = shift < -31 ? 0 : doublingHighMul(shift > 0 ? acc << shift : acc, multiplier);
  const value = (shift < 0 && shift >= -31 ? roundingShiftRight(scaled, -shift) : scaled) + range.outputZero;
  return Math.min(Math.max(value, range.clampMin), range.clampMax);
}
