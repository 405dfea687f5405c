/** Compiles vector expressions with SIMD where all lanes do the same on neighbouring elements. */
import type { Expr } from "../../hw/ir/ir.js";
import type { ExprCompiler } from "./expr.js";
import type { LeafRef } from "./place.js";

/** Emit `to` = the leaf of `expr`; false where this expression has no SIMD form (then nothing was emitted). */
export function emitSimdLeaf(_compiler: ExprCompiler, _to: LeafRef, _expr: Expr): boolean {
  return false;
}
