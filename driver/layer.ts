/**
 * What an accelerator is asked to compute: one quantised 2-D convolution, in TFLite's arithmetic and NHWC layout.
 * A fully connected layer is the case of one pixel whose `sums` are asked for: TFLite's reference kernel scales them in double
 * precision (docs/operators.md), which is left to the host.
 *
 * Real value = scale * (stored value - zero point). Per output channel the scales are folded into a 32-bit fixed point
 * multiplier and a shift (Jacob et al., arXiv 1712.05877; TFLite's `MultiplyByQuantizedMultiplier`, double rounding):
 * `out = clamp(outputZero + roundingShift(saturatingRoundingDoublingHighMul(acc << left, multiplier), right))`.
 */
export interface ConvLayer {
  readonly name: string;
  /** Type of input, weights and output: `int8` (weights symmetric, per channel) or `uint8` (per tensor, zero points). */
  readonly dtype: "int8" | "uint8";
  readonly batch: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly inChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  /** Rows of zero-point pixels above the picture, and columns left of it (TFLite's SAME or VALID, already resolved). */
  readonly padTop: number;
  readonly padLeft: number;
  /** `[outChannels][kernelHeight][kernelWidth][inChannels]`, as stored in the model. */
  readonly weights: Int8Array | Uint8Array;
  /** `[outChannels]`; all zero where the model has none. */
  readonly bias: Int32Array;
  /** Zero points, in the units of the stored type. `weightZero` is 0 for int8. */
  readonly inputZero: number;
  readonly weightZero: number;
  readonly outputZero: number;
  /** `[outChannels]` fixed point multipliers in [2^30, 2^31), or 0; a per-tensor model repeats its one. */
  readonly multipliers: Int32Array;
  /** `[outChannels]` exponents: positive shifts left before the multiplication, negative right after it. */
  readonly shifts: Int32Array;
  /** Range of the fused activation, in the units of the stored output type, both ends included. */
  readonly clampMin: number;
  readonly clampMax: number;
  /**
   * Depthwise: output channel c reads input channel `floor(c / (outChannels / inChannels))`, and `weights` is
   * `[kernelHeight][kernelWidth][outChannels]`.
   */
  readonly depthwise?: boolean;
  /** The outputs are the int32 sums, bias included, four bytes each (little-endian); multipliers, shifts, clamps do not count. */
  readonly sums?: boolean;
}

/** The shape of a product of M x K inputs by N channels of K weights: a 1 x 1 convolution over a picture of 1 x M pixels. */
export const productShape = (m: number, n: number, k: number) =>
  ({
    batch: 1,
    inHeight: 1,
    inWidth: m,
    inChannels: k,
    outHeight: 1,
    outWidth: m,
    outChannels: n,
    kernelHeight: 1,
    kernelWidth: 1,
    strideHeight: 1,
    strideWidth: 1,
    dilationHeight: 1,
    dilationWidth: 1,
    padTop: 0,
    padLeft: 0,
  }) as const;

/** Multiply-accumulates of a layer, padding counted as TFLite's arithmetic sees it (every tap of every output). */
export function layerMacs(layer: ConvLayer): number {
  const { batch, outHeight, outWidth, outChannels, kernelHeight, kernelWidth, inChannels } = layer;
  return batch * outHeight * outWidth * outChannels * kernelHeight * kernelWidth * (layer.depthwise ? 1 : inChannels);
}
