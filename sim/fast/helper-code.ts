/** Compiles the helpers of hw/arithmetic.ts on scalars, each exactly as its JavaScript twin computes. */
import type { Expr } from "../../hw/ir/ir.js";
import { boundsOf, fitsSigned, MAX, type ExprCompiler } from "./expr.js";
import type { Op } from "./wasm.js";

type Call = Extract<Expr, { kind: "call" }>;

/** The low 32 bits of a helper's result. */
export function emitCall32(compiler: ExprCompiler, expr: Call): void {
  const { code } = compiler;
  const [a, b, c] = expr.args as [Expr, Expr, Expr];
  const both = (op: Op): void => {
    compiler.emit32(a);
    compiler.emit32(b);
    code.op(op);
  };
  switch (expr.helper) {
    case "asr":
      if (fitsSigned(boundsOf(a))) both("i32.shr_s");
      else {
        emitCall64(compiler, expr);
        code.op("i32.wrap_i64");
      }
      return;
    case "shl":
      if (boundsOf(b).hi < 32) both("i32.shl");
      else {
        emitCall64(compiler, expr);
        code.op("i32.wrap_i64");
      }
      return;
    case "bits": {
      // Bits below 32 stand in the low half, whatever is above.
      if (fitsSigned(boundsOf(a)) || boundsOf(b).hi < 32) {
        compiler.emit32(a);
        compiler.emit32(c);
        code.op("i32.shr_s");
      } else {
        compiler.emit64(a);
        compiler.emit32(c);
        code.op("i64.extend_i32_u").op("i64.shr_s").op("i32.wrap_i64");
      }
      const [high, low] = [compiler.constant(b), compiler.constant(c)];
      if (high !== undefined && low !== undefined) {
        if (high - low < 31) code.i32(2 ** (high - low + 1) - 1).op("i32.and");
        return;
      }
      // A mask of high - low + 1 ones, which may be all 32.
      code.i32(-1).i32(31);
      compiler.emit32(b);
      compiler.emit32(c);
      code.op("i32.sub").op("i32.sub").op("i32.shr_u").op("i32.and");
      return;
    }
    case "andU":
      both("i32.and");
      return;
    case "orU":
      both("i32.or");
      return;
    case "xorU":
      both("i32.xor");
      return;
    case "doublingHighMul": {
      // round(a * b / 2^31) = floor((a * b + 2^30) / 2^31) for both signs; only -2^31 * -2^31 leaves the range.
      const product = code.temp("i64");
      compiler.emit64(a);
      compiler.emit64(b);
      code.op("i64.mul").i64(1073741824).op("i64.add").i64(31).op("i64.shr_s").tee(product);
      code.op("i32.wrap_i64").i32(MAX).get(product).i64(2147483648).op("i64.ne").op("select");
      code.free("i64", product);
      return;
    }
    case "roundingShiftRight": {
      const [x, n, mask] = [code.temp("i32"), code.temp("i32"), code.temp("i32")];
      compiler.emit32(a);
      code.set(x);
      compiler.emit32(b);
      code.set(n).i32(1).get(n).op("i32.shl").i32(1).op("i32.sub").set(mask);
      code.get(x).get(n).op("i32.shr_s").get(x).get(mask).op("i32.and");
      // n = 31 has the mask 0x7fffffff, whose half is a signed shift of a positive number: unsigned does for all.
      code.get(mask).i32(1).op("i32.shr_u").get(x).i32(31).op("i32.shr_u").op("i32.add");
      code.op("i32.gt_u").op("i32.add");
      code.free("i32", x, n, mask);
      return;
    }
    case "clamp":
    case "min":
    case "max":
      if (expr.args.every((arg) => fitsSigned(boundsOf(arg)))) emitLimit(compiler, expr, "i32");
      else {
        emitLimit(compiler, expr, "i64");
        code.op("i32.wrap_i64");
      }
      return;
    case "abs":
      if (fitsSigned(boundsOf(a))) {
        const x = code.temp("i32");
        compiler.emit32(a);
        code.tee(x).i32(0).get(x).op("i32.sub").get(x).i32(0).op("i32.ge_s").op("select");
        code.free("i32", x);
      } else {
        emitCall64(compiler, expr);
        code.op("i32.wrap_i64");
      }
      return;
    case "mulPair":
      throw new Error("mulPair gives a vector");
  }
}

function emitLimit(compiler: ExprCompiler, expr: Call, type: "i32" | "i64"): void {
  const { code } = compiler;
  const emit = (e: Expr): void => (type === "i32" ? compiler.emit32(e) : compiler.emit64(e));
  const pick = (op: "lt_s" | "gt_s", other: Expr): void => {
    const [x, y] = [code.temp(type), code.temp(type)];
    code.set(x);
    emit(other);
    code.set(y);
    code.get(x).get(y).get(x).get(y).op(`${type}.${op}`).op("select");
    code.free(type, x, y);
  };
  const [a, b, c] = expr.args as [Expr, Expr, Expr];
  emit(a);
  if (expr.helper === "clamp") {
    // x < low ? low : x > high ? high : x
    const [x, low, high] = [code.temp(type), code.temp(type), code.temp(type)];
    code.set(x);
    emit(b);
    code.set(low);
    emit(c);
    code.set(high);
    code.get(low).get(high).get(x).get(x).get(high).op(`${type}.gt_s`).op("select");
    code.get(x).get(low).op(`${type}.lt_s`).op("select");
    code.free(type, x, low, high);
  } else pick(expr.helper === "min" ? "lt_s" : "gt_s", b);
}

/** A helper's result as an exact i64. */
export function emitCall64(compiler: ExprCompiler, expr: Call): void {
  const { code } = compiler;
  const [a, b] = expr.args as [Expr, Expr];
  switch (expr.helper) {
    case "shl":
      compiler.emit64(a);
      compiler.emit64(b);
      code.op("i64.shl");
      return;
    case "asr":
      compiler.emit64(a);
      compiler.emit64(b);
      code.op("i64.shr_s");
      return;
    case "clamp":
    case "min":
    case "max":
      emitLimit(compiler, expr, "i64");
      return;
    case "abs": {
      const x = code.temp("i64");
      compiler.emit64(a);
      code.tee(x).i64(0).get(x).op("i64.sub").get(x).i64(0).op("i64.ge_s").op("select");
      code.free("i64", x);
      return;
    }
    default:
      throw new Error(`${expr.helper} of more than 32 bits`);
  }
}
