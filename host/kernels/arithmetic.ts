/**
 * The integer arithmetic of TFLite's quantised kernels, to the bit: real multipliers as a 32-bit fixed point number and a
 * shift, applied with double rounding (Jacob et al., arXiv 1712.05877; gemmlowp's `fixedpoint.h`; TFLite's
 * `quantization_util.cc` and `common.h`). All functions take and give int32 values unless they say otherwise.
 */

/** `real = multiplier * 2^(shift - 31)`, with `multiplier` in [2^30, 2^31) or 0. */
export interface QuantisedMultiplier {
  readonly multiplier: number;
  /** Positive: shift left before the multiplication. Negative: rounding shift right after it. Never below -31. */
  readonly shift: number;
}

/**
 * TFLite's `QuantizeMultiplier`. A multiplier whose shift is below -31 becomes zero.
 * @throws RangeError if `real` is negative, not finite, or needs a left shift of more than 30.
 */
export function quantiseMultiplier(real: number): QuantisedMultiplier {
  if (!(real >= 0 && real < 2 ** 30)) throw new RangeError(`multiplier ${real} is not in 0 to 2^30`);
  if (real === 0) return { multiplier: 0, shift: 0 };
  // frexp: real = fraction * 2^shift with fraction in [0.5, 1).
  let shift = Math.floor(Math.log2(real)) + 1;
  let fraction = real / 2 ** shift;
  if (fraction >= 1) {
    fraction /= 2;
    shift++;
  } else if (fraction < 0.5) {
    fraction *= 2;
    shift--;
  }
  let multiplier = Math.round(fraction * 2 ** 31);
  if (multiplier === 2 ** 31) {
    multiplier /= 2;
    shift++;
  }
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift };
}

/**
 * gemmlowp's `SaturatingRoundingDoublingHighMul`: `(a * b * 2 + 2^31) >> 32`, that is `floor(a * b / 2^31 + 1/2)`; the one
 * overflow, both operands -2^31, saturates. (Its C++ adds a nudge of the product's sign and divides towards zero, which
 * is the same number.)
 */
export function saturatingRoundingDoublingHighMul(a: number, b: number): number {
  if (a === -0x80000000 && b === -0x80000000) return 0x7fffffff;
  // The product has up to 62 bits; a double holds 53. Split b into 16-bit halves, so that every step below is exact.
  const high = a * (b >> 16);
  const highQuotient = Math.floor(high / 0x8000);
  const low = (high - highQuotient * 0x8000) * 0x10000 + a * (b & 0xffff) + 0x40000000;
  return highQuotient + Math.floor(low / 0x80000000);
}

/** gemmlowp's `RoundingDivideByPOT`: `x / 2^exponent`, ties away from zero; `exponent` in 0 to 31. */
export function roundingDivideByPot(x: number, exponent: number): number {
  const mask = exponent === 31 ? 0x7fffffff : (1 << exponent) - 1;
  const threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + ((x & mask) > threshold ? 1 : 0);
}

/** TFLite's `MultiplyByQuantizedMultiplier`; the left shift wraps, as an int32 does. */
export function multiplyByQuantisedMultiplier(x: number, multiplier: number, shift: number): number {
  return shift > 0
    ? saturatingRoundingDoublingHighMul(x << shift, multiplier)
    : roundingDivideByPot(saturatingRoundingDoublingHighMul(x, multiplier), -shift);
}

/** gemmlowp's `SaturatingRoundingMultiplyByPOT` for a positive exponent: a left shift that saturates. */
export function saturatingShiftLeft(x: number, exponent: number): number {
  const limit = 2 ** (31 - exponent);
  if (x >= limit) return 0x7fffffff;
  if (x < -limit) return -0x80000000;
  return x << exponent;
}

/** `std::round`: to the nearest integer, ties away from zero. (`Math.round` takes ties up.) */
export function roundHalfAway(x: number): number {
  return x < 0 ? -Math.round(-x) : Math.round(x);
}

export function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}
