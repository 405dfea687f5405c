/**
 * Loops that feed a grid a wave a clock, as the compiler sees them: `for (; k < bound; k++) { ...; feed; edge }`, where
 * the operands are bytes that follow each other in k, and the flags are up in one wave at most. Such a loop hands over
 * many waves at once (grid-feed.ts).
 */
import type { Expr, Local, Loop, Stmt } from "../../hw/ir/ir.js";
import type { IntType } from "../../hw/types.js";
import { boundsOf } from "./expr.js";
import type { LinkPath } from "./cell-algebra.js";
import type { ProductForm } from "./grid-match.js";
import type { Lanes } from "./lanes.js";
import { someExpr } from "../../hw/ir/walk.js";

/** A flag of a wave: up where all conditions hold and the counter is `at`. */
export interface OneHot {
  readonly conditions: readonly Expr[];
  readonly at: Expr;
}

export interface FeedLoop {
  readonly counter: Local;
  readonly bound: Expr;
  /** What has to hold, with the counter as it is in the last wave. */
  readonly asserts: readonly { readonly limit: Expr | undefined; readonly condition: Expr; readonly strict: boolean }[];
  readonly feed: Extract<Stmt, { kind: "feed" }>;
  readonly lets: ReadonlyMap<Local, Expr>;
}

/** The element of an operand in each lane, at the present count; the next count's stands one byte further. */
export interface BurstOperand {
  readonly element: Expr;
  readonly lanes: Lanes;
}

export interface FeedBurst extends FeedLoop {
  readonly west: BurstOperand;
  readonly north: BurstOperand;
  readonly reset: OneHot | undefined;
  readonly emitWhen: OneHot;
}

const known = new WeakMap<Loop, FeedLoop | null>();

/** The loop does nothing but feed waves, one a clock. */
export function feedLoop(loop: Loop): FeedLoop | undefined {
  let found = known.get(loop);
  if (found === undefined) {
    found = matchLoop(loop) ?? null;
    known.set(loop, found);
  }
  return found ?? undefined;
}

function matchLoop({ condition, update, body }: Loop): FeedLoop | undefined {
  const [step, ...more] = update;
  if (more.length > 0 || step?.kind !== "assign" || step.target.kind !== "local") return undefined;
  const counter = step.target.local;
  const next = step.value.kind === "cast" ? step.value.operand : step.value;
  if (next.kind !== "binary" || next.op !== "+" || !isLocal(next.left, counter) || !isOne(next.right)) return undefined;
  if (condition.kind !== "binary" || condition.op !== "<" || !isLocal(condition.left, counter)) return undefined;
  if (counter.type.kind === "exact" || counter.type.kind !== "int") return undefined;
  const feed = body.at(-2);
  if (body.at(-1)?.kind !== "edge" || feed?.kind !== "feed") return undefined;
  const lets = new Map<Local, Expr>();
  const asserts: FeedLoop["asserts"][number][] = [];
  const fixed = (expr: Expr): boolean => isFixed(expr, counter, lets);
  for (const stmt of body.slice(0, -2)) {
    if (stmt.kind === "let" && !stmt.local.mutable) lets.set(stmt.local, stmt.value);
    else if (stmt.kind === "assert") {
      const claim = resolve(stmt.condition, lets);
      const below = claim.kind === "binary" && (claim.op === "<" || claim.op === "<=");
      if (below && isLocal(claim.left, counter) && fixed(claim.right) && boundsOf(claim.right).hi < 0x7fffffff)
        asserts.push({ limit: claim.right, condition: claim, strict: claim.op === "<" });
      else if (fixed(claim)) asserts.push({ limit: undefined, condition: claim, strict: false });
      else return undefined;
    } else return undefined;
  }
  const bound = condition.right;
  const { hi } = boundsOf(bound);
  // Then the counter does not wrap.
  if (!fixed(bound) || hi > (counter.type as IntType).max || hi > 0x7fffffff) return undefined;
  return { counter, bound, asserts, feed, lets };
}

/** The waves of the loop can be handed to a matrix product many at a time. */
export function matchBurst(loop: FeedLoop, form: ProductForm): FeedBurst | undefined {
  const { feed, counter } = loop;
  const operand = (link: Expr, path: LinkPath, lanes: number): BurstOperand | undefined => {
    const found = follow(link, path, lanes, loop);
    const element = found && resolve(found.element, loop.lets);
    if (element?.kind !== "index" || !isLocal(element.index, counter)) return undefined;
    const { type, base } = element;
    if (type.kind !== "int" || (type as IntType).bits > 8) return undefined;
    return someExpr(base, (e) => isLocal(e, counter)) ? undefined : { element, lanes: found!.lanes };
  };
  const flag = (path: LinkPath): OneHot | undefined => {
    const found = follow(feed.west, path, 0, loop);
    return found && oneHot(found.element, loop, found.lanes.locals[0]!);
  };
  const [north] = form.north;
  const several = typeof north?.at(-1) === "number";
  const west = operand(feed.west, form.west, 0);
  const south = north && operand(feed.north, several ? north.slice(0, -1) : north, several ? form.north.length : 0);
  const reset = form.reset && flag(form.reset);
  const emitWhen = flag(form.emitWhen);
  if (!west || !south || !emitWhen || (form.reset && !reset)) return undefined;
  return { ...loop, west, north: south, reset, emitWhen };
}

/** The scalar that a path leads to in every row or column; `lanes` more of them if the path ends at a vector. */
function follow(link: Expr, path: LinkPath, lanes: number, { lets }: FeedLoop): BurstOperand | undefined {
  const outer = resolve(link, lets);
  if (outer.kind !== "map") return undefined;
  const locals = [outer.lane];
  const lengths = [outer.length];
  let at = resolve(outer.body, lets);
  for (const step of path) {
    if (at.kind === "struct") at = at.fields.find(({ name }) => name === step)!.value;
    else return undefined;
    at = resolve(at, lets);
  }
  if (lanes > 0) {
    if (at.kind !== "map" || at.length !== lanes) return undefined;
    locals.push(at.lane);
    lengths.push(at.length);
    at = at.body;
  }
  return { element: at, lanes: { locals, lengths, count: lengths.reduce((product, n) => product * n, 1) } };
}

function oneHot(given: Expr, loop: FeedLoop, lane: Local): OneHot | undefined {
  const conditions: Expr[] = [];
  let at: Expr | undefined;
  const { counter, lets } = loop;
  const split = (expr: Expr): boolean => {
    const e = resolve(expr, lets);
    if (e.kind === "binary" && e.op === "&&") return split(e.left) && split(e.right);
    if (someExpr(e, (x) => isLocal(x, lane))) return false;
    if (isFixed(e, counter, lets)) {
      conditions.push(e);
      return true;
    }
    if (e.kind !== "binary" || e.op !== "===" || at) return false;
    at = isLocal(e.left, counter) ? e.right : isLocal(e.right, counter) ? e.left : undefined;
    if (!at) return false;
    const { lo, hi } = boundsOf(at);
    return isFixed(at, counter, lets) && lo >= -0x80000000 && hi <= 0x7fffffff;
  };
  return split(given) && at ? { conditions, at } : undefined;
}

function resolve(expr: Expr, lets: ReadonlyMap<Local, Expr>): Expr {
  const value = expr.kind === "local" ? lets.get(expr.local) : undefined;
  return value ? resolve(value, lets) : expr;
}

/** The same in every pass: it names neither the counter, nor what the loop declares, nor what time changes. */
const isFixed = (expr: Expr, counter: Local, lets: ReadonlyMap<Local, Expr>): boolean =>
  !someExpr(
    expr,
    (e) => e.kind === "q" || e.kind === "signal" || (e.kind === "local" && (e.local === counter || lets.has(e.local))),
  );

const isLocal = (expr: Expr, local: Local): boolean => expr.kind === "local" && expr.local === local;
const isOne = (expr: Expr): boolean => expr.kind === "const" && Number(expr.value) === 1;
