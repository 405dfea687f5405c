/**
 * A convolution as a matrix product: each output pixel is a row of the taps that it sees, in the order of the weights
 * (kernel row, kernel column, channel). Taps outside the picture are the input's zero point.
 */
import { TandemError } from "../hw/errors.js";
import type { ConvLayer } from "./layer.js";

export interface GemmShape {
  /** Rows: output pixels over the whole batch. */
  readonly m: number;
  /** Columns: output channels. */
  readonly n: number;
  /** Depth: taps of a kernel over all input channels. */
  readonly k: number;
}

export function gemmShape(layer: ConvLayer): GemmShape {
  return {
    m: layer.batch * layer.outHeight * layer.outWidth,
    n: layer.outChannels,
    k: layer.kernelHeight * layer.kernelWidth * layer.inChannels,
  };
}

/** True if the input tensor is its own matrix: a 1 x 1 kernel that meets each pixel once. */
export function isMatrix(layer: ConvLayer): boolean {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft } = layer;
  return (
    kernelHeight === 1 &&
    kernelWidth === 1 &&
    strideHeight === 1 &&
    strideWidth === 1 &&
    padTop === 0 &&
    padLeft === 0 &&
    layer.inHeight === layer.outHeight &&
    layer.inWidth === layer.outWidth
  );
}

/**
 * The matrix `[m][rowBytes]` of a layer's input `[batch][inHeight][inWidth][inChannels]`, rows padded with `filler`
 * beyond k.
 */
export function im2col(layer: ConvLayer, input: Uint8Array, rowBytes: number, filler: number): Uint8Array {
  const { batch, inHeight, inWidth, inChannels, outHeight, outWidth, kernelHeight, kernelWidth } = layer;
  const expected = batch * inHeight * inWidth * inChannels;
  if (input.length !== expected)
    throw new TandemError(`Layer ${layer.name}: an input of ${input.length} bytes, expected ${expected}`);
  const { m, k } = gemmShape(layer);
  const out = new Uint8Array(m * rowBytes);
  const zero = layer.inputZero & 0xff;
  const kernelRow = kernelWidth * inChannels;
  const inside = inWidth - kernelWidth;
  let row = 0;
  for (let n = 0; n < batch; n++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++) {
        let at = row * rowBytes;
        row++;
        const left = ox * layer.strideWidth - layer.padLeft;
        // Taps that are neighbours in the picture are neighbours in memory: a row of the kernel is one copy.
        const whole = layer.dilationWidth === 1 && left >= 0 && left <= inside;
        for (let ky = 0; ky < kernelHeight; ky++) {
          const iy = oy * layer.strideHeight - layer.padTop + ky * layer.dilationHeight;
          const line = (n * inHeight + iy) * inWidth;
          if (iy < 0 || iy >= inHeight) {
            out.fill(zero, at, at + kernelRow);
            at += kernelRow;
            continue;
          }
          if (whole) {
            const from = (line + left) * inChannels;
            copy(input, from, out, at, kernelRow);
            at += kernelRow;
            continue;
          }
          for (let kx = 0; kx < kernelWidth; kx++, at += inChannels) {
            const ix = left + kx * layer.dilationWidth;
            const from = (line + ix) * inChannels;
            if (ix < 0 || ix >= inWidth) out.fill(zero, at, at + inChannels);
            else copy(input, from, out, at, inChannels);
          }
        }
        if (rowBytes > k) out.fill(filler, at, row * rowBytes);
      }
  return out;
}

/** Below this a view costs more than its bytes. */
const FEW = 48;

function copy(from: Uint8Array, start: number, to: Uint8Array, at: number, count: number): void {
  if (count < FEW) for (let i = 0; i < count; i++) to[at + i] = from[start + i]!;
  else to.set(from.subarray(start, start + count), at);
}
