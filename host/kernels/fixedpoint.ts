/**
 * Fixed point functions of the quantised softmax: exponential and reciprocal as in gemmlowp's `fixedpoint.h`. A value with
 * n integer bits is an int32 that stands for `raw * 2^(n - 31)`; products are rounding doubling high multiplies.
 */
import {
  roundingDivideByPot,
  saturatingRoundingDoublingHighMul as multiply,
  saturatingShiftLeft,
} from "./arithmetic.js";

/** One with no integer bits: the largest value there is. */
const ONE_0 = 0x7fffffff;
/** One with two integer bits. */
const ONE_2 = 1 << 29;

/** exp(a) for a in [-1/4, 0), 0 integer bits: Taylor expansion to the fourth order around -1/8. */
function expOnQuarter(a: number): number {
  const expOfMinusEighth = 1895147668;
  const third = 715827883;
  const x = a + (1 << 28);
  const x2 = multiply(x, x);
  const x3 = multiply(x2, x);
  const x4 = multiply(x2, x2);
  const x4Over4 = roundingDivideByPot(x4, 2);
  const tail = roundingDivideByPot((multiply((x4Over4 + x3) | 0, third) + x2) | 0, 1);
  return (expOfMinusEighth + multiply(expOfMinusEighth, (x + tail) | 0)) | 0;
}

/** exp(-2^k) for k = -2 to 4, 0 integer bits. */
const EXP_OF_POWERS = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242] as const;

/** exp(a) with 0 integer bits, for a <= 0 with 5 integer bits: the last quarter by series, the rest bit by bit. */
export function expOnNegative(a: number): number {
  if (a === 0) return ONE_0;
  const quarter = 1 << 24;
  const inLastQuarter = (a & (quarter - 1)) - quarter;
  let result = expOnQuarter(saturatingShiftLeft(inLastQuarter, 5));
  const remainder = inLastQuarter - a;
  EXP_OF_POWERS.forEach((factor, i) => {
    if ((remainder & (1 << (24 + i))) !== 0) result = multiply(result, factor);
  });
  return result;
}

/** 1 / (1 + a) for a in [0, 1), 0 integer bits, by three steps of Newton-Raphson on half the denominator. */
function oneOverOnePlus(a: number): number {
  const sum = a + ONE_0;
  const halfDenominator = Math.trunc((sum + (sum >= 0 ? 1 : -1)) / 2);
  const fortyEightOver17 = 1515870810;
  const minus32Over17 = -1010580540;
  let x = (fortyEightOver17 + multiply(halfDenominator, minus32Over17)) | 0;
  for (let step = 0; step < 3; step++) {
    const error = (ONE_2 - multiply(halfDenominator, x)) | 0;
    x = (x + saturatingShiftLeft(multiply(x, error), 2)) | 0;
  }
  return saturatingShiftLeft(x, 1);
}

/**
 * TFLite's `GetReciprocal`: `1 / x = scale * 2^-bitsOverUnit`, for x > 0 with `integerBits` integer bits; `scale` has 0
 * integer bits.
 */
export function reciprocal(x: number, integerBits: number): { scale: number; bitsOverUnit: number } {
  const headroomPlusOne = Math.clz32(x);
  const fraction = ((x << headroomPlusOne) >>> 0) - 0x80000000;
  return { scale: oneOverOnePlus(fraction), bitsOverUnit: integerBits - headroomPlusOne };
}
