/** Products and sums of more than 32 bits that are shifted right, without 64-bit lanes (for simd-arithmetic.ts). */
import type { Expr } from "../../hw/ir/ir.js";
import { boundsOf, fitsSigned, fitsUnsigned, UMAX, type Bounds } from "./expr.js";
import type { Code } from "./wasm.js";

/** Leaves the low 32 bits of an expression on the stack, for the four lanes at work. */
type Vector = (expr: Expr) => void;

/** The low 32 bits of an expression shifted right by 1 to 31; false, and nothing emitted, where that takes more than 32 bits. */
export function emitShifted(code: Code, vector: Vector, expr: Expr, n: number): boolean {
  return shiftedProduct(code, vector, expr, n) || shiftedSum(code, vector, expr, n);
}

/** With b = high 2^n + low, a b >> n is a high + (a low >> n), if a low fits 32 bits. */
function shiftedProduct(code: Code, vector: Vector, product: Expr, n: number): boolean {
  if (product.kind !== "binary" || product.op !== "*") return false;
  const signed = ({ lo, hi }: Bounds): boolean => Math.max(-lo, hi) <= 2 ** (31 - n);
  const unsigned = ({ lo, hi }: Bounds): boolean => lo >= 0 && hi <= 2 ** (32 - n);
  const { left, right } = product;
  for (const [a, b] of [
    [left, right],
    [right, left],
  ] as const) {
    const [short, long] = [boundsOf(a), boundsOf(b)];
    if (!(signed(short) || unsigned(short)) || !(fitsSigned(long) || fitsUnsigned(long))) continue;
    const [x, y] = [code.local("v128"), code.local("v128")];
    vector(a);
    code.set(x);
    vector(b);
    code.set(y);
    code.get(x).get(y).i32(n);
    code.op(fitsSigned(long) ? "i32x4.shr_s" : "i32x4.shr_u").op("i32x4.mul");
    code.get(x).get(y);
    code.i32(2 ** n - 1).op("i32x4.splat");
    code.op("v128.and").op("i32x4.mul").i32(n);
    code.op(signed(short) ? "i32x4.shr_s" : "i32x4.shr_u").op("i32x4.add");
    return true;
  }
  return false;
}

/** Two numbers of 32 bits without sign, whose sum may take 33: a + b >> 1 is (a >> 1) + (b >> 1) + (a & b & 1). */
function shiftedSum(code: Code, vector: Vector, sum: Expr, n: number): boolean {
  const terms = termsOf(sum).sort((a, b) => boundsOf(b).hi - boundsOf(a).hi);
  const [greatest, ...rest] = terms;
  const least = rest.reduce((total, term) => total + boundsOf(term).hi, 0);
  if (rest.length === 0 || least > UMAX || !terms.every((term) => fitsUnsigned(boundsOf(term)))) return false;
  const [x, y] = [code.local("v128"), code.local("v128")];
  vector(greatest!);
  code.set(x);
  rest.forEach((term, i) => {
    vector(term);
    if (i > 0) code.op("i32x4.add");
  });
  code.set(y).get(x).i32(1).op("i32x4.shr_u").get(y).i32(1).op("i32x4.shr_u").op("i32x4.add");
  code.get(x).get(y).op("v128.and").i32(1).op("i32x4.splat").op("v128.and").op("i32x4.add");
  if (n > 1) code.i32(n - 1).op("i32x4.shr_u");
  return true;
}

/** What is added up, however it is grouped. */
const termsOf = (expr: Expr): Expr[] =>
  expr.kind === "binary" && expr.op === "+" ? [...termsOf(expr.left), ...termsOf(expr.right)] : [expr];
