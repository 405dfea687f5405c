/** From int32 sums to stored bytes, a row of channels at a time. The arithmetic is `multiplyByQuantisedMultiplier`'s. */
import type { ConvLayer } from "../../../driver/layer.js";
import { multiplyByQuantisedMultiplier } from "../arithmetic.js";
import type { Bytes } from "../implementation.js";

/**
 * Channels `first` to `first + count - 1`: bias added, scaled, clamped. `sums` is read from `from`, one per channel, and
 * `output` written from `to`.
 */
export function requantise(
  layer: ConvLayer,
  first: number,
  count: number,
  sums: Int32Array,
  from: number,
  output: Bytes,
  to: number,
): void {
  const { bias, multipliers, shifts, outputZero, clampMin, clampMax } = layer;
  for (let c = 0; c < count; c++) {
    const sum = (sums[from + c]! + bias[first + c]!) | 0;
    const value = multiplyByQuantisedMultiplier(sum, multipliers[first + c]!, shifts[first + c]!) + outputZero;
    output[to + c] = value < clampMin ? clampMin : value > clampMax ? clampMax : value;
  }
}
