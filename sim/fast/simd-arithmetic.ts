/** Arithmetic on four 32-bit lanes at a time, with 64-bit lanes where an exact integer needs them (for simd.ts). */
import type { Expr } from "../../hw/ir/ir.js";
import type { IntType } from "../../hw/types.js";
import { boundsOf, fitsSigned, fitsUnsigned, type ExprCompiler } from "./expr.js";
import { foldLanes } from "./lanes.js";
import { comparisonsOf, ringOf } from "./simd-ops.js";
import { emitShifted } from "./simd-shifts.js";
import type { Power } from "./simd-powers.js";
import type { Code } from "./wasm.js";

/** A value in all four lanes of one register, or in the lanes of two. */
type Wide = readonly [low: number, high: number];

/** Stops where an expression has no SIMD form. */
export class Unsupported extends Error {}

const ring = ringOf("i32x4");
const comparisons = comparisonsOf("i32x4");
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
  /** Leave on the stack what is kept of an amount, for the four lanes at work; false if it is not. */
  protected abstract kept(n: Expr, power: Power): boolean;
  protected abstract keeps(n: Expr): boolean;
  /** It is known that these lanes are not shifted. */
  protected abstract still(n: Expr): boolean;

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
    const power = op === "*" ? this.#exponent(right) : undefined;
    if (power !== undefined && left.type.kind !== "bool") {
      this.vector(left);
      code.i32(power).op("i32x4.shl");
      return;
    }
    const known = ring[op];
    if (!known || left.type.kind === "bool" || right.type.kind === "bool") throw new Unsupported();
    this.vector(left);
    this.vector(right);
    code.op(known);
  }

  /** The exponent of a constant power of two. */
  #exponent(expr: Expr): number | undefined {
    const value = this.varies(expr) ? undefined : foldLanes(expr, new Map());
    const exponent = value === undefined ? undefined : Math.log2(value);
    return exponent !== undefined && Number.isInteger(exponent) && exponent >= 0 && exponent < 32
      ? exponent
      : undefined;
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
        if (expr.helper === "clamp" && this.#ordered(b, c)) {
          for (const [x, op] of [[a], [c, "i32x4.min_s"], [b, "i32x4.max_s"]] as const) {
            this.vector(x);
            if (op) code.op(op);
          }
          return;
        }
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
        if (boundsOf(b).hi > 31) throw new Unsupported();
        this.vector(a);
        if (this.still(b)) return;
        if (this.kept(b, "power")) code.op("i32x4.mul");
        else if (this.varies(b)) {
          const [x, by] = [code.local("v128"), code.local("v128")];
          code.set(x);
          this.vector(b);
          // As a rule nothing is shifted, where shifts go by lane.
          code.tee(by).op("v128.any_true").if("v128");
          code.get(x).get(by);
          this.#powerOfTwo();
          code.op("i32x4.mul").else().get(x).end();
        } else {
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
        this.#wideShift(a, b);
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

  /**
   * 2^n for n on the stack, from -32 to 63; 0 where n is not in 0..31. Byte j of it is bit n - 8 j of a table of bits, and a swizzle
   * gives 0 for what lies outside of its table.
   */
  #powerOfTwo(): void {
    const code = this.code;
    const bits = [1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0];
    const n = code.temp("v128");
    code.set(n).v128(bits).get(n).get(n);
    code.shuffle([0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12]);
    code.v128([0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24]).op("i8x16.sub").op("i8x16.swizzle");
    code.free("v128", n);
  }

  /** A form of the amount in a local (see `Power`). */
  form(power: Power, amount: number): void {
    const code = this.code;
    if (power === "power") code.get(amount);
    // Nothing for n = 0.
    else if (power === "half") code.get(amount).i32(1).op("i32x4.splat").op("i32x4.sub");
    else code.i32(31).op("i32x4.splat").get(amount).op("i32x4.sub");
    this.#powerOfTwo();
  }

  /** round(a b / 2^31) = floor((a b + 2^30) / 2^31); only -2^31 times itself leaves the range. */
  #doublingHighMul(a: Expr, b: Expr): void {
    const code = this.code;
    const [x, y, half] = [code.local("v128"), code.local("v128"), code.local("v128")];
    this.vector(a);
    code.set(x);
    this.vector(b);
    code.set(y).i64(1073741824).op("i64x2.splat").set(half);
    const least = ({ lo }: { readonly lo: number }): boolean => lo <= -2147483648;
    const saturates = least(boundsOf(a)) && least(boundsOf(b));
    const saturated = saturates ? code.local("v128") : undefined;
    if (saturated !== undefined) {
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
    }
    code.get(x).get(y).op("i64x2.extmul_low_i32x4_s").get(half).op("i64x2.add").i32(31).op("i64x2.shr_u");
    code.get(x).get(y).op("i64x2.extmul_high_i32x4_s").get(half).op("i64x2.add").i32(31).op("i64x2.shr_u");
    code.shuffle(even);
    if (saturated !== undefined) code.get(saturated).op("v128.bitselect");
  }

  /** Constants, of which the first is the lesser: then a number is not above one and below the other. */
  #ordered(low: Expr, high: Expr): boolean {
    const [a, b] = [foldLanes(low, new Map()), foldLanes(high, new Map())];
    return a !== undefined && b !== undefined && a <= b;
  }

  /** The low 32 bits of a wide number shifted right: what comes in from above is not among them for shifts up to 32. */
  #wideShift(a: Expr, by: Expr): void {
    const code = this.code;
    const n = foldLanes(by, new Map());
    if (n !== undefined && n >= 1 && n <= 31 && emitShifted(this.code, (expr) => this.vector(expr), a, n)) return;
    const x = this.#wide(a);
    for (const half of [0, 1] as const) {
      code.get(x[half]);
      this.compiler.emit32(by);
      code.op(boundsOf(by).hi <= 32 ? "i64x2.shr_u" : "i64x2.shr_s");
    }
    code.shuffle(even);
  }

  /** Ties go away from zero: the magnitude is rounded, half up. */
  #roundingShiftRight(a: Expr, n: Expr): void {
    const code = this.code;
    const [x, shifted] = [code.local("v128"), code.local("v128")];
    this.vector(a);
    code.set(x);
    if (this.varies(n)) {
      const [amount, magnitude, power] = [code.local("v128"), code.local("v128"), code.local("v128")];
      const form = (of: Power): void => {
        if (!this.kept(n, of)) this.form(of, amount);
      };
      if (!this.keeps(n)) {
        this.vector(n);
        code.set(amount);
      }
      form("half");
      // At most 2^31 + 2^30: unsigned.
      code.get(x).op("i32x4.abs").op("i32x4.add").set(magnitude);
      form("rest");
      code.set(power);
      // m >> n = m 2^(31 - n) >> 31.
      for (const half of ["low", "high"] as const)
        code.get(magnitude).get(power).op(`i64x2.extmul_${half}_i32x4_u`).i32(31).op("i64x2.shr_u");
      code.shuffle(even);
    } else {
      const by = code.local("i32");
      this.compiler.emit32(n);
      code.set(by).get(x).op("i32x4.abs");
      code.i32(1).get(by).op("i32.shl").i32(1).op("i32.shr_u").op("i32x4.splat").op("i32x4.add");
      code.get(by).op("i32x4.shr_u");
    }
    const sign = shifted;
    code.get(x).i32(31).op("i32x4.shr_s").tee(sign).op("v128.xor").get(sign).op("i32x4.sub");
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
}
