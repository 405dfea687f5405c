/** Ranges over the end of an inner loop (range-nest.ts): how many steps there are up to the end of the outer one, and what both count behind them. */
import type { ExprCompiler } from "./expr.js";
import { emitCount, type Count, type Variable } from "./induction.js";
import type { Nest } from "./range-facts.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

/** More steps are not taken at once. */
export const MOST_TAKEN = 1 << 20;

export class NestCode {
  readonly #code: Code;
  readonly #exprs: ExprCompiler;
  readonly #nest: Nest;
  readonly #follows: Count;
  readonly #local: (of: Variable) => number;
  /** Locals with the steps up to the end of the inner loop, and those of all of it. */
  readonly #toEnd: number;
  readonly #length: number;

  /** `follows`: for how many steps the inner loop goes on behind them; `local` has a variable. */
  constructor(code: Code, exprs: ExprCompiler, nest: Nest, follows: Count, local: (of: Variable) => number) {
    this.#code = code;
    this.#exprs = exprs;
    this.#nest = nest;
    this.#follows = follows;
    this.#local = local;
    [this.#toEnd, this.#length] = [code.local("i32"), code.local("i32")];
  }

  /** Steps end where the inner loop does, or before. */
  emitAlone(): void {
    this.#code.i32(MOST_TAKEN).set(this.#toEnd);
  }

  /** `can`, a local with the steps up to the end of the inner loop, becomes how many there are up to the end of the outer one. */
  emitSteps(can: number): void {
    const [code, exprs] = [this.#code, this.#exprs];
    const { inner, taken, around } = this.#nest;
    /** With what counts the inner loop as it is in front of it. */
    const anew = (emit: () => void): void => {
      let all = emit;
      for (const { of, value } of inner) {
        const then = all;
        all = () => {
          exprs.withLane(of, { lane: value }, then);
        };
      }
      all();
    };
    const rounds = code.temp("i32");
    code.get(can).set(this.#toEnd);
    emitCount(exprs, taken);
    setLeast(code, can);
    anew(() => {
      emitCount(exprs, this.#follows);
    });
    code.i32(1).op("i32.add").set(this.#length);
    // If the inner loop's end is that of a step, here and behind each way round.
    code.get(can).get(this.#toEnd).op("i32.eq");
    anew(() => {
      emitCount(exprs, taken);
    });
    code.get(this.#length).op("i32.ge_s").op("i32.and").if();
    code.i32(MOST_TAKEN).get(this.#length).op("i32.div_u").set(rounds);
    emitCount(exprs, around);
    if (rules.round.rangeAround !== 0) code.i32(rules.round.rangeAround).op("i32.add");
    setLeast(code, rounds);
    code.get(this.#toEnd).get(rounds).get(this.#length).op("i32.mul").op("i32.add").set(can);
    code.end();
    code.free("i32", rounds);
  }

  /** What counts both loops, as it stands behind so many steps (a local), in front of the next way round. */
  emitGrow(steps: number): void {
    const code = this.#code;
    const { inner, outer } = this.#nest;
    const [over, rounds] = [code.temp("i32"), code.temp("i32")];
    const add = (local: number, count: number, step: number): Code =>
      code.get(local).get(count).i32(step).op("i32.mul").op("i32.add").set(local);
    code.get(steps).get(this.#toEnd).op("i32.sub").i32(1).op("i32.sub").tee(over).i32(0).op("i32.lt_s").if();
    for (const { of, step } of inner) add(this.#local(of), steps, step);
    code.else();
    code.get(over).get(this.#length).op("i32.div_u").i32(1).op("i32.add").set(rounds);
    code.get(over).get(this.#length).op("i32.rem_u").i32(1).op("i32.add").set(over);
    for (const { of, value, step } of inner) {
      code.i32(value).set(this.#local(of));
      add(this.#local(of), over, step);
    }
    for (const { of, step } of outer) add(this.#local(of), rounds, step);
    code.end();
    code.free("i32", over, rounds);
  }
}

/** A local becomes the number on the stack, if that is less. */
export function setLeast(code: Code, local: number): void {
  const other = code.temp("i32");
  code.tee(other).get(local).get(other).get(local).op("i32.lt_s").op("select").set(local);
  code.free("i32", other);
}
