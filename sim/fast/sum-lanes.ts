/**
 * Sums of products lane by lane (sum-match.ts), `sums[i] + a[i] * b[i]` modulo 2^32: eight lanes at a time, factors as 16-bit
 * numbers, the sums in registers over all passes of a loop that is written out.
 */
import type { Expr } from "../../hw/ir/ir.js";
import { boundsOf, type ExprCompiler } from "./expr.js";
import { accessOf, contiguous, dependsOn, type Access, type Lanes } from "./lanes.js";
import { emitBase } from "./place.js";
import { Unsupported } from "./simd-arithmetic.js";
import { isNever, isShort, lanesWithin, LANE_STEP, type AddingLoop, type InPlace } from "./sum-match.js";

/** Emit a statement, or the loop that holds nothing else; false if it has no such form (then nothing was emitted). */
export function emitInPlace(exprs: ExprCompiler, sums: InPlace, loop?: AddingLoop): boolean {
  const mark = exprs.code.mark();
  try {
    new InPlaceCode(exprs, sums, loop).emit();
    return true;
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    exprs.code.cut(mark);
    return false;
  }
}

class InPlaceCode {
  readonly #exprs: ExprCompiler;
  readonly #sums: InPlace;
  readonly #loop: AddingLoop | undefined;
  /** The numbers of the loop's passes, slowest, and the lanes. */
  readonly #lanes: Lanes;
  readonly #accesses = new Map<Expr, Access | undefined>();
  /** By pass: registers with what is the same in all lanes. */
  readonly #splats = new Map<Expr, Map<number, number>>();

  constructor(exprs: ExprCompiler, sums: InPlace, loop: AddingLoop | undefined) {
    this.#exprs = exprs;
    this.#sums = sums;
    this.#loop = loop;
    this.#lanes = loop ? lanesWithin(sums.lanes, loop.counter, loop.trips) : sums.lanes;
  }

  emit(): void {
    const { code } = this.#exprs;
    const { variable, lanes, reset, products } = this.#sums;
    const binding = this.#exprs.around.binding(variable);
    if (!("place" in binding)) throw new Unsupported();
    const [leaf] = binding.place;
    const [low, high, factor] = [code.local("v128"), code.local("v128"), code.local("v128")];
    const sums = [low, high];
    const passes = Array.from({ length: this.#loop?.trips ?? 1 }, (_, i) => i);
    for (let first = 0; first < lanes.count; first += LANE_STEP) {
      sums.forEach((sum, i) => {
        emitBase(code, leaf!);
        code.mem("v128.load", leaf!.offset + first * 4 + i * 16).set(sum);
      });
      for (const pass of passes) {
        if (reset && !isNever(reset.condition, new Map(this.#loop ? [[this.#loop.counter, pass]] : []), reset.holds))
          for (const sum of sums) {
            code.get(sum);
            this.#kept(reset, pass);
            code.op("v128.and").set(sum);
          }
        for (const [a, b] of products) {
          const other = code.temp("v128");
          this.#shorts(a, pass, first);
          code.set(factor);
          this.#shorts(b, pass, first);
          code.set(other);
          sums.forEach((sum, i) => {
            code.get(factor).get(other);
            code.op(i === 0 ? "i32x4.extmul_low_i16x8_s" : "i32x4.extmul_high_i16x8_s");
            code.get(sum).op("i32x4.add").set(sum);
          });
          code.free("v128", other);
        }
      }
      sums.forEach((sum, i) => {
        emitBase(code, leaf!);
        code.get(sum).mem("v128.store", leaf!.offset + first * 4 + i * 16);
      });
    }
  }

  /** All ones, or zeros where the sums start anew. */
  #kept({ condition, holds }: NonNullable<InPlace["reset"]>, pass: number): void {
    this.#same(condition, pass, () => {
      const { code } = this.#exprs;
      if (holds) code.op("i32.eqz");
      code.i32(0).i32(1).op("i32.sub").op("i32.mul").op("i32x4.splat");
    });
  }

  /** A register with what `splat` makes of the number on the stack. */
  #same(expr: Expr, pass: number, splat: () => void): void {
    const { code } = this.#exprs;
    const known = this.#splats.get(expr) ?? new Map<number, number>();
    this.#splats.set(expr, known);
    let register = known.get(pass);
    if (register === undefined) {
      register = code.local("v128");
      known.set(pass, register);
      const emit = (): void => this.#exprs.emit32(expr);
      if (this.#loop) this.#exprs.withLane(this.#loop.counter, { lane: pass }, emit);
      else emit();
      splat();
      code.set(register);
    }
    code.get(register);
  }

  /** Eight lanes from `first` on, in 16 bits each. */
  #shorts(expr: Expr, pass: number, first: number): void {
    const { code } = this.#exprs;
    if (!isShort(expr)) throw new Unsupported();
    if (!dependsOn(expr, this.#sums.lanes, new Set())) {
      this.#same(expr, pass, () => code.op("i16x8.splat"));
      return;
    }
    if (expr.kind === "cast") {
      const { lo, hi } = boundsOf(expr.operand);
      const { lo: least, hi: most } = boundsOf(expr);
      if (lo < least || hi > most) throw new Unsupported();
      this.#shorts(expr.operand, pass, first);
      return;
    }
    if (expr.kind === "binary" && (expr.op === "+" || expr.op === "-")) {
      this.#shorts(expr.left, pass, first);
      this.#shorts(expr.right, pass, first);
      code.op(expr.op === "+" ? "i16x8.add" : "i16x8.sub");
      return;
    }
    if (!this.#accesses.has(expr)) this.#accesses.set(expr, accessOf(this.#exprs, expr, this.#lanes));
    const access = this.#accesses.get(expr);
    const at = pass * this.#sums.lanes.count + first;
    if (!access || access.leaf.size === 4 || !contiguous(access, at, LANE_STEP)) throw new Unsupported();
    const { leaf, offsets } = access;
    emitBase(code, leaf);
    const load = leaf.size === 2 ? "v128.load" : leaf.signed ? "v128.load8x8_s" : "v128.load8x8_u";
    code.mem(load, leaf.offset + offsets[at]!);
  }
}
