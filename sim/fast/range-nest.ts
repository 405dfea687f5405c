/**
 * Ranges over the end of an inner loop (range-match.ts): where the way round the loop around it only counts, and sets what the inner loop counts
 * with to numbers, its steps go on as if there were one loop.
 */
import type { Expr, Local } from "../../hw/ir/ir.js";
import { someExpr } from "../../hw/ir/walk.js";
import { all, assignedIn, Induction, type Count, type Variable } from "./induction.js";
import { startOf, type Nest, type Range } from "./range-facts.js";
import type { PassStep, WayRound } from "./rounds.js";

/** The steps of the inner loop. `taken`: each of the conditions of a step by itself. */
interface Inner extends Pick<Range, "start" | "follows" | "grow" | "writes" | "sums" | "words"> {
  readonly taken: readonly Count[];
}

/** The nest, and the conditions that have nothing to do with it; undefined if steps cannot go on over the way round. */
export function nestOf(way: WayRound, steps: Inner): { nest: Nest; taken: readonly Count[] } | undefined {
  const plain: PassStep[] = way.stmts.map((stmt) => ({ kind: "plain", stmt }));
  if (!way.stmts.every(({ kind }) => kind === "let" || kind === "assign")) return undefined;
  const induction = new Induction(plain);
  const starts = startOf(way.stmts);
  const inner: Nest["inner"][number][] = [];
  const outer: Nest["outer"][number][] = [];
  const around: (Count | undefined)[] = way.guards.map(({ condition, holds }) => induction.count(condition, holds));
  for (const of of assignedIn(plain)) {
    const start = starts.find((one) => one.of === of);
    const part = steps.start.find((one) => one.of === of);
    const growth = steps.grow.find((one) => one.of === of)?.step ?? 0;
    if ([...steps.sums.map(({ into }) => into), ...steps.words.map((word) => word.of)].includes(of)) return undefined;
    if (part) {
      if (start?.value !== part.value) return undefined;
    } else if (start) inner.push({ of: start.of, value: start.value, step: growth });
    else {
      const linear = induction.variable(of);
      if (!linear || growth !== 0) return undefined;
      outer.push({ of, step: linear.step });
      around.push(...linear.while);
    }
  }
  const counts = new Set<Variable>(inner.map(({ of }) => of));
  const changed = new Set<Variable>([...outer, ...steps.start].map(({ of }) => of));
  const grown = new Set<Variable>(steps.grow.flatMap(({ of, step }) => (step !== 0 && !counts.has(of) ? [of] : [])));
  const [inInner, inOuter, inGrown] = [counts, changed, grown].map((of) => (count: Count) => asks(count, of)) as [
    (count: Count) => boolean,
    (count: Count) => boolean,
    (count: Count) => boolean,
  ];
  if (!around.every((count) => count !== undefined)) return undefined;
  if (around.some((count) => inInner(count) || inGrown(count))) return undefined;
  if (inOuter(steps.follows) || inGrown(steps.follows)) return undefined;
  if (steps.taken.some((count) => inOuter(count) || (inInner(count) && inGrown(count)))) return undefined;
  const within = new Set([...counts, ...changed]);
  for (const { address, bank, image } of steps.writes)
    for (const expr of [address, bank, image.mask]) if (expr && names(expr, within)) return undefined;
  const nest = { inner, outer, taken: all(steps.taken.filter(inInner)), around: all(around) };
  return { nest, taken: steps.taken.filter((count) => !inInner(count)) };
}

const names = (expr: Expr, variables: ReadonlySet<Local | Variable>): boolean =>
  someExpr(
    expr,
    (e) => (e.kind === "local" && variables.has(e.local)) || (e.kind === "field" && variables.has(e.field)),
  );

/** The count says something about one of the variables. */
function asks(count: Count, variables: ReadonlySet<Variable>): boolean {
  if (count.kind === "limit") return names(count.limit.expr, variables);
  if (count.kind === "constant") return names(count.condition, variables);
  return count.of.some((one) => asks(one, variables));
}
