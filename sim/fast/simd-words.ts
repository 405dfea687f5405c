/**
 * Limits of vectors of bytes in lanes of sixteen bits: what is limited (`clamp`, `min`, `max`) needs more than the eight bits that are left of
 * it, but as a rule not 32. Two registers of eight lanes each become one of sixteen bytes (simd-bytes.ts).
 */
import type { Expr, Range } from "../../hw/ir/ir.js";
import type { IntType } from "../../hw/types.js";
import { boundsOf, type ExprCompiler } from "./expr.js";
import { accessOf, broadcast, contiguous, dependsOn, foldLanes, laneValues, type Lanes } from "./lanes.js";
import { emitBase } from "./place.js";
import { Unsupported } from "./simd-arithmetic.js";
import { ringOf } from "./simd-ops.js";

type Call = Extract<Expr, { kind: "call" }>;

const WORDS = 8;
const ring = ringOf("i16x8");
const fitsWord = ({ lo, hi }: Range): boolean => lo >= -32768 && hi <= 32767;

/** What a call that limits gives lies between these, whatever is limited. */
function limitsOf(call: Call): Range {
  if (call.helper !== "clamp") return boundsOf(call);
  const [low, high] = [boundsOf(call.args[1]!), boundsOf(call.args[2]!)];
  return { lo: Math.min(low.lo, high.lo), hi: Math.max(low.hi, high.hi) };
}

const isLimit = ({ helper }: Call): boolean => helper === "clamp" || helper === "min" || helper === "max";

/** Leave sixteen bytes of a call that limits on the stack, from element `first` on; throws `Unsupported` where they have no such form. */
export function emitLimited(compiler: ExprCompiler, lanes: Lanes, first: number, call: Call): void {
  const { lo, hi } = limitsOf(call);
  const signed = lo >= -128 && hi <= 127;
  if (!isLimit(call) || (!signed && !(lo >= 0 && hi <= 255))) throw new Unsupported();
  const words = new WordLanes(compiler, lanes);
  words.limit(call, first);
  words.limit(call, first + WORDS);
  compiler.code.op(signed ? "i8x16.narrow_i16x8_s" : "i8x16.narrow_i16x8_u");
}

class WordLanes {
  readonly #compiler: ExprCompiler;
  readonly #lanes: Lanes;
  readonly #splats = new Map<Expr, number>();
  #first = 0;

  constructor(compiler: ExprCompiler, lanes: Lanes) {
    this.#compiler = compiler;
    this.#lanes = lanes;
  }

  limit(call: Call, first: number): void {
    this.#first = first;
    this.#limit(call);
  }

  #limit({ helper, args }: Call): void {
    const { code } = this.#compiler;
    const [a, b, c] = args as [Expr, Expr, Expr];
    if (!args.every((arg) => fitsWord(boundsOf(arg)))) throw new Unsupported();
    if (helper !== "clamp") {
      this.#words(a);
      this.#words(b);
      code.op(helper === "min" ? "i16x8.min_s" : "i16x8.max_s");
      return;
    }
    // x < low ? low : x > high ? high : x; the lower limit counts first.
    const [x, low] = [code.temp("v128"), code.temp("v128")];
    this.#words(b);
    code.set(low);
    this.#words(a);
    code.set(x).get(low).get(x);
    this.#words(c);
    code.op("i16x8.min_s").get(x).get(low).op("i16x8.lt_s").op("v128.bitselect");
    code.free("v128", x, low);
  }

  /** The low sixteen bits of eight elements. */
  #words(expr: Expr): void {
    const { code } = this.#compiler;
    if (!dependsOn(expr, this.#lanes, new Set())) {
      this.#splat(expr);
      return;
    }
    const { count } = this.#lanes;
    const known = Array.from({ length: WORDS }, (_, i) =>
      foldLanes(expr, laneValues(this.#lanes, Math.min(this.#first + i, count - 1))),
    );
    if (known.every((x) => x !== undefined)) {
      code.v128(known.flatMap((x) => [x & 255, (x >> 8) & 255]));
      return;
    }
    switch (expr.kind) {
      case "index":
      case "member":
        this.#load(expr);
        return;
      case "cast":
        this.#cast(expr);
        return;
      case "binary":
        if (!ring[expr.op] || expr.left.type.kind === "bool" || expr.right.type.kind === "bool")
          throw new Unsupported();
        this.#words(expr.left);
        this.#words(expr.right);
        code.op(ring[expr.op]!);
        return;
      case "call":
        if (!isLimit(expr)) throw new Unsupported();
        this.#limit(expr);
        return;
      default:
        throw new Unsupported();
    }
  }

  #splat(expr: Expr): void {
    const { code } = this.#compiler;
    let register = this.#splats.get(expr);
    if (register === undefined) {
      register = code.local("v128");
      this.#splats.set(expr, register);
      this.#compiler.emit32(expr);
      code.op("i16x8.splat").set(register);
    }
    code.get(register);
  }

  #cast({ type, operand }: Extract<Expr, { kind: "cast" }>): void {
    if (type.kind !== "int" || operand.type.kind === "bool") throw new Unsupported();
    const { bits, signed, min, max } = type as IntType;
    const { lo, hi } = boundsOf(operand);
    this.#words(operand);
    if (bits >= 16 || (lo >= min && hi <= max)) return;
    if (signed) throw new Unsupported();
    this.#compiler.code
      .i32(2 ** bits - 1)
      .op("i16x8.splat")
      .op("v128.and");
  }

  /** Elements at known places, of eight or sixteen bits. */
  #load(expr: Expr): void {
    const { code } = this.#compiler;
    const access = accessOf(this.#compiler, expr, this.#lanes);
    if (!access || access.leaf.size > 2 || access.leaf.type.kind === "bool") throw new Unsupported();
    const { leaf, offsets } = access;
    const at = Math.min(this.#first, this.#lanes.count - 1);
    const sign = leaf.signed ? "s" : "u";
    if (broadcast(access, at, WORDS)) {
      emitBase(code, leaf);
      code.mem(leaf.size === 1 ? `i32.load8_${sign}` : `i32.load16_${sign}`, leaf.offset + offsets[at]!);
      code.op("i16x8.splat");
      return;
    }
    if (!contiguous(access, at, WORDS)) throw new Unsupported();
    emitBase(code, leaf);
    if (leaf.size === 2) code.mem("v128.load", leaf.offset + offsets[at]!);
    else code.mem("v128.load64_zero", leaf.offset + offsets[at]!).op(`i16x8.extend_low_i8x16_${sign}`);
  }
}
