/**
 * Named arithmetic where JavaScript and hardware part. Each helper is exact, and each has a twin in the compiler (same
 * name) for the fast engine and for Verilog. All operands and results are integers.
 */
import { TandemError } from "./errors.js";
import { i16, i32, type I16, type I32 } from "./types.js";

/** Arithmetic shift right: floor(x / 2^n). `x` is any exact integer, n in 0..31. */
export function asr(x: number, n: number): number {
  return (x | 0) === x ? x >> n : Math.floor(x / 2 ** n);
}

/** x * 2^n as an exact integer; the result has to stay below 2^53. */
export function shl(x: number, n: number): number {
  return x * 2 ** n;
}

/** Bits `high` down to `low` of any exact integer (two's complement), as an unsigned integer of at most 32 bits. */
export function bits(x: number, high: number, low: number): number {
  const width = high - low + 1;
  const shifted = asr(x, low);
  return width === 32 ? shifted >>> 0 : (shifted & (2 ** width - 1)) >>> 0;
}

/** Bitwise operators on unsigned operands of up to 32 bits (JavaScript's own give signed results). */
export const andU = (a: number, b: number): number => (a & b) >>> 0;
export const orU = (a: number, b: number): number => (a | b) >>> 0;
export const xorU = (a: number, b: number): number => (a ^ b) >>> 0;

/**
 * gemmlowp's SaturatingRoundingDoublingHighMul: round(a * b / 2^31), ties away from zero for positive products and
 * towards zero for negative ones, and -2^31 * -2^31 saturates to 2^31 - 1. One 32 x 32 product: four DSP48E1.
 */
export function doublingHighMul(a: number, b: number): I32 {
  if (a === -2147483648 && b === -2147483648) return i32(2147483647);
  // The product needs 63 bits: split a into 16-bit halves, so that each partial product is exact.
  const high = (a >> 16) * b;
  const low = (a & 0xffff) * b;
  // floor of (product + nudge) / 2^31 where the quotient is truncated towards zero, as in C++.
  const negative = a !== 0 && b !== 0 && a < 0 !== b < 0;
  const nudge = negative ? 1 - 1073741824 : 1073741824;
  // product = high * 2^16 + low; high = q * 2^15 + r, so that product = q * 2^31 + (r * 2^16 + low).
  const q = Math.floor(high / 32768);
  const rest = (high - q * 32768) * 65536 + low + nudge;
  const whole = q + Math.floor(rest / 2147483648);
  const exact = rest - Math.floor(rest / 2147483648) * 2147483648 === 0;
  return i32(whole < 0 && !exact ? whole + 1 : whole);
}

/** gemmlowp's RoundingDivideByPOT: round(x / 2^n), ties away from zero. n in 0..31. */
export function roundingShiftRight(x: number, n: number): I32 {
  const mask = n === 31 ? 0x7fffffff : (1 << n) - 1;
  const remainder = x & mask;
  const threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return i32((x >> n) + (remainder > threshold ? 1 : 0));
}

/** x limited to low..high. */
export function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}

/**
 * Two products with one int8: [a * b0, a * b1] on one 25 x 18 multiplier (after Xilinx WP486: b1 stands 2^16 above b0, the
 * borrow of a negative low product is corrected). b0 and b1 in -255..255, as differences of two int8 are: that is what 25
 * bits hold and what keeps the products in 16. Exact for all operands, -128 x -128 included.
 */
export function mulPair(a: number, b0: number, b1: number): [I16, I16] {
  return [i16(a * b0), i16(a * b1)];
}

/** A statement that the simulation checks, and from which the compiler takes ranges. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new TandemError(`Assertion failed in simulated hardware: ${what}`);
}
