/** Interval arithmetic on exact integers: the ranges of the IR. All bounds are below 2^53 in size, or the result says not. */
import type { BinaryOp, Range } from "../ir/ir.js";

export const LIMIT = 2 ** 53;
export const INT32: Range = { lo: -(2 ** 31), hi: 2 ** 31 - 1 };
export const UINT31: Range = { lo: 0, hi: 2 ** 31 - 1 };
export const UINT32: Range = { lo: 0, hi: 2 ** 32 - 1 };

export const inside = (a: Range, b: Range): boolean => a.lo >= b.lo && a.hi <= b.hi;
export const union = (a: Range, b: Range): Range => ({ lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi) });
export const exact = (value: number): Range => ({ lo: value, hi: value });
export const showRange = ({ lo, hi }: Range): string => (lo === hi ? String(lo) : `${lo}..${hi}`);
/** Both bounds are safe integers. */
export const isSafe = ({ lo, hi }: Range): boolean => lo > -LIMIT && hi < LIMIT;

const spread = (values: readonly number[]): Range => ({
  // `+ 0` turns -0 into 0.
  lo: Math.min(...values) + 0,
  hi: Math.max(...values) + 0,
});

const corners = (a: Range, b: Range, f: (x: number, y: number) => number): Range =>
  spread([f(a.lo, b.lo), f(a.lo, b.hi), f(a.hi, b.lo), f(a.hi, b.hi)]);

/** Bits that hold every value of a range that is not negative. */
export const bitsFor = (hi: number): number => (hi === 0 ? 0 : Math.floor(Math.log2(hi)) + 1);

/** Smallest range of the form -2^k..2^k-1 (or 0..2^k-1) around both operands: closed under bitwise operators. */
function bitwise(a: Range, b: Range): Range {
  const bits = Math.max(...[a.lo, a.hi, b.lo, b.hi].map((x) => bitsFor(x < 0 ? -x - 1 : x)));
  return { lo: a.lo < 0 || b.lo < 0 ? -(2 ** bits) : 0, hi: 2 ** bits - 1 };
}

/** The range of `a op b`, where the operands have been found legal for the operator. */
export function binaryRange(op: BinaryOp, a: Range, b: Range): Range {
  switch (op) {
    case "+":
      return { lo: a.lo + b.lo, hi: a.hi + b.hi };
    case "-":
      return { lo: a.lo - b.hi, hi: a.hi - b.lo };
    case "*":
      return corners(a, b, (x, y) => x * y);
    case "%":
      return a.hi < b.lo ? a : { lo: 0, hi: Math.min(a.hi, b.hi - 1) };
    case "&":
      if (a.lo >= 0 && b.lo >= 0) return { lo: 0, hi: Math.min(a.hi, b.hi) };
      if (a.lo >= 0) return { lo: 0, hi: a.hi };
      if (b.lo >= 0) return { lo: 0, hi: b.hi };
      return bitwise(a, b);
    case "|":
    case "^":
      return bitwise(a, b);
    case "<<":
      return shlRange(a, b);
    case ">>":
    case ">>>":
      return asrRange(a, b);
    default:
      return { lo: 0, hi: 1 };
  }
}

export const shlRange = (a: Range, n: Range): Range => corners(a, n, (x, s) => x * 2 ** s);
export const asrRange = (a: Range, n: Range): Range => corners(a, n, (x, s) => Math.floor(x / 2 ** s));
