/**
 * A loop within a pass that adds products to sums, a few waves in each clock, of factors that were moved from the words of banks
 * (moves.ts). Where it goes round the same number of times in all passes, those of many rounds are added where the words stand
 * (sum-blocks.ts; joint-range.ts says for how many rounds).
 */
import type { Stmt } from "../../hw/ir/ir.js";
import type { ExprCompiler } from "./expr.js";
import { accessOf, foldLanes } from "./lanes.js";
import type { PassStep } from "./rounds.js";
import { isInPlace, type Factors, type Spot } from "./sum-blocks.js";
import type { DesignSums } from "./sum-code.js";
import type { Factor, Variable } from "./sum-match.js";

export type Repeat = Extract<PassStep, { kind: "repeat" }>;

/** What the loop adds in a whole pass. */
export interface Products {
  readonly variable: Variable;
  /** The statement that adds. */
  readonly stmt: Stmt;
  /** Values of the loop's counter, one for each time round. */
  readonly values: readonly number[];
  readonly factors: Factors;
}

const MOST_TIMES = 16;

/** `spot` tells where the byte stands that a pass would have moved to a place. Emits nothing. */
export function productsOf(
  exprs: ExprCompiler,
  sums: DesignSums,
  step: Repeat,
  spot: (byte: number) => Spot | undefined,
): Products | undefined {
  const adders = step.steps.flatMap((each) => {
    const found = each.kind === "plain" ? sums.adds(each.stmt) : undefined;
    return found && each.kind === "plain" ? [{ ...found, stmt: each.stmt }] : [];
  });
  const values = timesRound(step);
  const [adder, ...others] = adders;
  if (!adder || others.length > 0 || !values) return undefined;
  const { adding, loop, variable, stmt } = adder;
  const { code } = exprs;
  const mark = code.mark();
  const bytes = (factor: Factor): readonly Spot[] | undefined => {
    const access = accessOf(exprs, factor.value, factor.lanes);
    if (access?.leaf.size !== 1 || access.leaf.terms.length > 0 || access.leaf.signed !== factor.signed)
      return undefined;
    const spots = access.offsets.map((offset) => spot(access.leaf.offset + offset));
    return spots.every((each) => each !== undefined) ? spots : undefined;
  };
  const waves: { readonly rows: readonly Spot[]; readonly columns: readonly Spot[] }[] = [];
  for (const value of values)
    for (let pass = 0; pass < (loop?.trips ?? 1); pass++)
      for (const product of adding.products) {
        const both = (): (readonly Spot[] | undefined)[] => [bytes(product.rows), bytes(product.columns)];
        const within = (): (readonly Spot[] | undefined)[] =>
          loop ? exprs.withLane(loop.counter, { lane: pass }, both) : both();
        const [rows, columns] = exprs.withLane(step.counter, { lane: value }, within);
        const emitted = code.mark() !== mark;
        code.cut(mark);
        if (!rows || !columns || emitted) return undefined;
        waves.push({ rows, columns });
      }
  const factors: Factors = {
    waves: waves.length,
    rows: Array.from({ length: adding.of.rows }, (_, r) => waves.map(({ rows }) => rows[r]!)),
    columns: Array.from({ length: adding.of.columns }, (_, c) => waves.map(({ columns }) => columns[c]!)),
  };
  return isInPlace(factors) ? { variable, stmt, values, factors } : undefined;
}

/** As often as assertions about the counter let the loop go round. */
function timesRound({ steps, counter, first, by }: Repeat): readonly number[] | undefined {
  const values: number[] = [];
  for (let value = first; values.length <= MOST_TIMES; value += by) {
    const known = new Map([[counter, value]]);
    const fails = steps.some(
      (step) => step.kind === "plain" && step.stmt.kind === "assert" && foldLanes(step.stmt.condition, known) === 0,
    );
    if (fails) return values.length > 0 ? values : undefined;
    values.push(value);
  }
  return undefined;
}
