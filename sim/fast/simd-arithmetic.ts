/** Arithmetic on four 32-bit lanes at a time, with 64-bit lanes where an exact integer needs them (for simd.ts). */
import type { Expr } from "../../hw/ir/ir.js";
import type { IntType } from "../../hw/types.js";
import { boundsOf, fitsSigned, fitsUnsigned, type ExprCompiler } from "./expr.js";
import { foldLanes } from "./lanes.js";
import type { Code, Op } from "./wasm.js";

/** A value in all four lanes of one register, or in the lanes of two. */
type Wide = readonly [low: number, high: number];

/** Stops where an expression has no SIMD form. */
export class Unsupported extends Error {}

const ring: Partial<Record<string, Op>> = {
  "+": "i32x4.add",
  "-": "i32x4.sub",
  "*": "i32x4.mul",
  "&": "v128.and",
  "|": "v128.or",
  "^": "v128.xor",
  andU: "v128.and",
  orU: "v128.or",
  xorU: "v128.xor",
};
const comparisons: Partial<Record<string, [Op, Op]>> = {
  "<": ["i32x4.lt_s", "i32x4.lt_u"],
  "<=": ["i32x4.le_s", "i32x4.le_u"],
  ">": ["i32x4.gt_s", "i32x4.gt_u"],
  ">=": ["i32x4.ge_s", "i32x4.ge_u"],
  "===": ["i32x4.eq", "i32x4.eq"],
  "!==": ["i32x4.ne", "i32x4.ne"],
};
const even = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];

export abstract class LaneArithmetic {
  protected readonly compiler: ExprCompiler;
  protected readonly code: Code;

  constructor(compiler: ExprCompiler) {
    this.compiler = compiler;
    this.code = compiler.code;
  }

  /** Leave the low 32 bits of an expression on the stack, for the four lanes at work. */
  protected abstract vector(expr: Expr): void;
  /** The expression depends on the lane. */
  protected abstract varies(expr: Expr): boolean;

  protected wrap({ bits, signed, min, max }: IntType, from: Expr): void {
    const code = this.code;
    const { lo, hi } = boundsOf(from);
    if (from.type.kind === "bool") code.i32(1).op("i32x4.splat").op("v128.and");
    if (bits === 32 || (lo >= min && hi <= max)) return;
    if (!signed)
      code
        .i32(2 ** bits - 1)
        .op("i32x4.splat")
        .op("v128.and");
    else
      code
        .i32(32 - bits)
        .op("i32x4.shl")
        .i32(32 - bits)
        .op("i32x4.shr_s");
  }

  protected binary(expr: Extract<Expr, { kind: "binary" }>): void {
    const code = this.code;
    const { op, left, right } = expr;
    if (op === "&&" || op === "||") {
      this.vector(left);
      this.vector(right);
      code.op(op === "&&" ? "v128.and" : "v128.or");
      return;
    }
    const compare = comparisons[op];
    if (compare) {
      const [a, b] = [boundsOf(left), boundsOf(right)];
      const signed = fitsSigned(a) && fitsSigned(b);
      if (!signed && !(fitsUnsigned(a) && fitsUnsigned(b))) throw new Unsupported();
      if (left.type.kind === "bool" || right.type.kind === "bool") throw new Unsupported();
      this.vector(left);
      this.vector(right);
      code.op(compare[signed ? 0 : 1]);
      return;
    }
    if (op === "<<" || op === ">>" || op === ">>>") {
      if (this.varies(right)) throw new Unsupported();
      this.vector(left);
      this.compiler.emit32(right);
      code.op(op === "<<" ? "i32x4.shl" : op === ">>" ? "i32x4.shr_s" : "i32x4.shr_u");
      return;
    }
    const known = ring[op];
    if (!known || left.type.kind === "bool" || right.type.kind === "bool") throw new Unsupported();
    this.vector(left);
    this.vector(right);
    code.op(known);
  }

  protected call(expr: Extract<Expr, { kind: "call" }>): void {
    const code = this.code;
    const [a, b, c] = expr.args as [Expr, Expr, Expr];
    switch (expr.helper) {
      case "andU":
      case "orU":
      case "xorU":
        this.vector(a);
        this.vector(b);
        code.op(ring[expr.helper]!);
        return;
      case "min":
      case "max":
      case "clamp":
        if (!expr.args.every((arg) => fitsSigned(boundsOf(arg)))) throw new Unsupported();
        if (expr.helper === "clamp") {
          // x < low ? low : x > high ? high : x; the lower limit counts first.
          const [x, low] = [code.local("v128"), code.local("v128")];
          this.vector(b);
          code.set(low);
          this.vector(a);
          code.set(x).get(low).get(x);
          this.vector(c);
          code.op("i32x4.min_s").get(x).get(low).op("i32x4.lt_s").op("v128.bitselect");
          return;
        }
        this.vector(a);
        this.vector(b);
        code.op(expr.helper === "min" ? "i32x4.min_s" : "i32x4.max_s");
        return;
      case "abs":
        if (!fitsSigned(boundsOf(a))) throw new Unsupported();
        this.vector(a);
        code.op("i32x4.abs");
        return;
      case "shl":
        this.vector(a);
        if (this.varies(b)) {
          if (boundsOf(b).hi > 31) throw new Unsupported();
          this.#powerOfTwo(b, false);
          code.op("i32x4.mul");
        } else {
          if (boundsOf(b).hi > 31) throw new Unsupported();
          this.compiler.emit32(b);
          code.op("i32x4.shl");
        }
        return;
      case "asr":
        if (this.varies(b)) throw new Unsupported();
        if (fitsSigned(boundsOf(a))) {
          this.vector(a);
          this.compiler.emit32(b);
          code.op("i32x4.shr_s");
          return;
        }
        this.#join(this.#wide(expr));
        return;
      case "bits":
        this.#bits(a, b, c);
        return;
      case "doublingHighMul":
        this.#doublingHighMul(a, b);
        return;
      case "roundingShiftRight":
        this.#roundingShiftRight(a, b);
        return;
      case "mulPair":
        throw new Unsupported();
    }
  }

  #bits(x: Expr, high: Expr, low: Expr): void {
    const code = this.code;
    const [h, l] = [foldLanes(high, new Map()), foldLanes(low, new Map())];
    if (h === undefined || l === undefined || h > 31) throw new Unsupported();
    this.vector(x);
    if (l > 0) code.i32(l).op("i32x4.shr_u");
    if (h - l < 31)
      code
        .i32(2 ** (h - l + 1) - 1)
        .op("i32x4.splat")
        .op("v128.and");
  }

  /** 2^n, or 2^(31 - n), for n in 0..31: made as a float. */
  #powerOfTwo(n: Expr, down: boolean): void {
    const code = this.code;
    if (down) code.i32(158).op("i32x4.splat");
    this.vector(n);
    if (down) code.op("i32x4.sub");
    else code.i32(127).op("i32x4.splat").op("i32x4.add");
    code.i32(23).op("i32x4.shl").op("i32x4.trunc_sat_f32x4_u");
  }

  /** round(a b / 2^31) = floor((a b + 2^30) / 2^31); only -2^31 times itself leaves the range. */
  #doublingHighMul(a: Expr, b: Expr): void {
    const code = this.code;
    const [x, y, half] = [code.local("v128"), code.local("v128"), code.local("v128")];
    this.vector(a);
    code.set(x);
    this.vector(b);
    code.set(y).i64(1073741824).op("i64x2.splat").set(half);
    const saturated = code.local("v128");
    code
      .get(x)
      .get(y)
      .op("i32x4.eq")
      .get(x)
      .i32(-2147483648)
      .op("i32x4.splat")
      .op("i32x4.eq")
      .op("v128.and")
      .set(saturated);
    code.i32(2147483647).op("i32x4.splat");
    code.get(x).get(y).op("i64x2.extmul_low_i32x4_s").get(half).op("i64x2.add").i32(31).op("i64x2.shr_s");
    code.get(x).get(y).op("i64x2.extmul_high_i32x4_s").get(half).op("i64x2.add").i32(31).op("i64x2.shr_s");
    code.shuffle(even).get(saturated).op("v128.bitselect");
  }

  #roundingShiftRight(a: Expr, n: Expr): void {
    const code = this.code;
    const [x, mask, shifted] = [code.local("v128"), code.local("v128"), code.local("v128")];
    this.vector(a);
    code.set(x);
    if (this.varies(n)) {
      const power = code.local("v128");
      this.#powerOfTwo(n, true);
      code.set(power);
      // x >> n = x 2^(31 - n) >> 31; the power may be 2^31, which is no signed 32-bit number.
      for (const half of ["low", "high"] as const) {
        code.get(x).op(`i64x2.extend_${half}_i32x4_s`).get(power).op(`i64x2.extend_${half}_i32x4_u`);
        code.op("i64x2.mul").i32(31).op("i64x2.shr_s");
      }
      code.shuffle(even).set(shifted);
      this.#powerOfTwo(n, false);
      code.i32(1).op("i32x4.splat").op("i32x4.sub").set(mask);
    } else {
      const by = code.local("i32");
      this.compiler.emit32(n);
      code.set(by).get(x).get(by).op("i32x4.shr_s").set(shifted);
      code.i32(1).get(by).op("i32.shl").i32(1).op("i32.sub").op("i32x4.splat").set(mask);
    }
    code.get(shifted);
    code.get(x).get(mask).op("v128.and");
    code.get(mask).i32(1).op("i32x4.shr_u").get(x).i32(31).op("i32x4.shr_u").op("i32x4.add");
    code.op("i32x4.gt_u").op("i32x4.sub");
  }

  /** Exact 64-bit lanes of four elements. */
  #wide(expr: Expr): Wide {
    const code = this.code;
    const out: Wide = [code.local("v128"), code.local("v128")];
    const bounds = boundsOf(expr);
    if (fitsSigned(bounds) || fitsUnsigned(bounds)) {
      const x = code.local("v128");
      // An asr of a wide operand fits 32 bits, but is made of 64.
      if (expr.kind !== "call" || expr.helper !== "asr" || fitsSigned(boundsOf(expr.args[0]!))) {
        this.vector(expr);
        code.set(x);
        const sign = fitsSigned(bounds) ? "s" : "u";
        code.get(x).op(`i64x2.extend_low_i32x4_${sign}`).set(out[0]);
        code.get(x).op(`i64x2.extend_high_i32x4_${sign}`).set(out[1]);
        return out;
      }
    }
    if (expr.kind === "binary" && (expr.op === "+" || expr.op === "-")) {
      const [a, b] = [this.#wide(expr.left), this.#wide(expr.right)];
      for (const half of [0, 1] as const)
        code
          .get(a[half])
          .get(b[half])
          .op(expr.op === "+" ? "i64x2.add" : "i64x2.sub")
          .set(out[half]);
      return out;
    }
    if (expr.kind === "binary" && expr.op === "*") {
      if (fitsSigned(boundsOf(expr.left)) && fitsSigned(boundsOf(expr.right))) {
        const [x, y] = [code.local("v128"), code.local("v128")];
        this.vector(expr.left);
        code.set(x);
        this.vector(expr.right);
        code.set(y);
        code.get(x).get(y).op("i64x2.extmul_low_i32x4_s").set(out[0]);
        code.get(x).get(y).op("i64x2.extmul_high_i32x4_s").set(out[1]);
        return out;
      }
      const [a, b] = [this.#wide(expr.left), this.#wide(expr.right)];
      for (const half of [0, 1] as const) code.get(a[half]).get(b[half]).op("i64x2.mul").set(out[half]);
      return out;
    }
    if (expr.kind === "call" && (expr.helper === "asr" || expr.helper === "shl") && !this.varies(expr.args[1]!)) {
      const x = this.#wide(expr.args[0]!);
      for (const half of [0, 1] as const) {
        code.get(x[half]);
        this.compiler.emit32(expr.args[1]!);
        code.op(expr.helper === "asr" ? "i64x2.shr_s" : "i64x2.shl").set(out[half]);
      }
      return out;
    }
    throw new Unsupported();
  }

  #join([low, high]: Wide): void {
    this.code.get(low).get(high).shuffle(even);
  }
}
