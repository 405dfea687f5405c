/**
 * A convolution as a matrix product: each output pixel is a row of the taps that it sees, in the order of the weights
 * (kernel row, kernel column, channel). Taps outside the picture are the input's zero point.
 */
import { TandemError } from "../hw/errors.js";
import { COPY_BYTES, openCopyTaps } from "./im2col-code.js";
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

/** Rows of the matrix are made in pieces of about so many bytes, which stay in the second level cache. */
const PIECE = 1 << 17;

/**
 * The matrix `[m][rowBytes]` of a layer's input `[batch][inHeight][inWidth][inChannels]`, rows padded with `filler`
 * beyond k; written to `into`, if given.
 */
export function im2col(
  layer: ConvLayer,
  input: Uint8Array,
  rowBytes: number,
  filler: number,
  into?: Uint8Array,
): Uint8Array {
  const { batch, inHeight, inWidth, inChannels, outHeight, outWidth, kernelHeight, kernelWidth } = layer;
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padTop, padLeft } = layer;
  const inBytes = inHeight * inWidth * inChannels;
  if (input.length !== batch * inBytes)
    throw new TandemError(`Layer ${layer.name}: an input of ${input.length} bytes, expected ${batch * inBytes}`);
  const out = into ?? new Uint8Array(gemmShape(layer).m * rowBytes);
  // The picture with its border: all that a tap can reach.
  const width = Math.max((outWidth - 1) * strideWidth + (kernelWidth - 1) * dilationWidth + 1, padLeft + inWidth);
  const height = Math.max((outHeight - 1) * strideHeight + (kernelHeight - 1) * dilationHeight + 1, padTop + inHeight);
  const lineBytes = width * inChannels;
  const lines = Math.max(1, Math.min(outHeight, Math.floor(PIECE / (outWidth * rowBytes))));
  const raw = height * lineBytes;
  const rows = raw + inBytes + COPY_BYTES;
  const { functions, room } = openCopyTaps();
  const { copyTaps } = functions;
  const memory = room(rows + lines * outWidth * rowBytes + COPY_BYTES);
  // Taps that are neighbours in the picture are neighbours in memory.
  const [runs, runBytes] = dilationWidth === 1 ? [1, kernelWidth * inChannels] : [kernelWidth, inChannels];
  const lineTaps = outWidth * rowBytes;
  memory.fill(layer.inputZero & 0xff, 0, raw);
  for (let n = 0; n < batch; n++) {
    memory.set(batch === 1 ? input : input.subarray(n * inBytes, (n + 1) * inBytes), raw);
    for (let y = 0; y < inHeight; y++) {
      const from = raw + y * inWidth * inChannels;
      memory.copyWithin((y + padTop) * lineBytes + padLeft * inChannels, from, from + inWidth * inChannels);
    }
    for (let y = 0; y < outHeight; y += lines) {
      const count = Math.min(lines, outHeight - y);
      for (let i = 0; i < count; i++)
        copyTaps(
          (y + i) * strideHeight * lineBytes,
          rows + i * lineTaps,
          outWidth,
          strideWidth * inChannels,
          kernelHeight,
          dilationHeight * lineBytes,
          runs,
          dilationWidth * inChannels,
          runBytes,
          rowBytes,
          filler,
        );
      out.set(memory.subarray(rows, rows + count * lineTaps), (n * outHeight + y) * lineTaps);
    }
  }
  return out;
}
