/**
 * What operators and helpers of the IR give on numbers: the one place where constants are folded, by the front end and by the
 * lowering, and where the interpreter computes.
 */
import * as arithmetic from "../arithmetic.js";
import type { BinaryOp, HelperName } from "./ir.js";

export type Scalar = number | boolean;

type Arithmetic = Exclude<BinaryOp, "===" | "!==" | "&&" | "||">;

const numeric: Readonly<Record<Arithmetic, (a: number, b: number) => Scalar>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "%": (a, b) => a % b,
  "&": (a, b) => a & b,
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
  "<<": (a, b) => a << b,
  ">>": (a, b) => a >> b,
  ">>>": (a, b) => a >>> b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

export function applyBinary(op: BinaryOp, left: Scalar, right: Scalar): Scalar {
  switch (op) {
    case "===":
      return left === right;
    case "!==":
      return left !== right;
    case "&&":
      return left && right;
    case "||":
      return left || right;
    default:
      return numeric[op](Number(left), Number(right));
  }
}

export function applyUnary(op: "-" | "!" | "~", operand: Scalar): Scalar {
  if (op === "!") return !operand;
  // `+ 0` turns -0 into 0: integers have one zero.
  return op === "-" ? -Number(operand) + 0 : ~Number(operand);
}

const helpers: Readonly<Record<Exclude<HelperName, "mulPair">, (...args: readonly number[]) => number>> = {
  asr: arithmetic.asr,
  shl: arithmetic.shl,
  bits: arithmetic.bits,
  andU: arithmetic.andU,
  orU: arithmetic.orU,
  xorU: arithmetic.xorU,
  doublingHighMul: arithmetic.doublingHighMul,
  roundingShiftRight: arithmetic.roundingShiftRight,
  clamp: arithmetic.clamp,
  min: Math.min,
  max: Math.max,
  abs: Math.abs,
};

/** A helper that gives one number; `mulPair` gives two. */
export const applyHelper = (name: Exclude<HelperName, "mulPair">, args: readonly number[]): number =>
  helpers[name](...args);
