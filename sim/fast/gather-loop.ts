/**
 * Combinational loops in loops that give each element of a vector another value once, as where columns of several streams become one
 * row: one vector expression, since the loops can be taken in the order of the elements.
 */
import type { Expr, Local, Loop, Stmt } from "../../hw/ir/ir.js";
import { someExpr } from "../../hw/ir/walk.js";
import { counted, type Counted } from "./bank-code.js";
import { foldLanes, laneValues, type Lanes } from "./lanes.js";
import { rules } from "./rules.js";

type MapExpr = Extract<Expr, { kind: "map" }>;

/** Elements that are worth it to be one expression. */
const MOST = 64;

export interface GatherLoop extends Pick<Counted, "counter" | "trips"> {
  readonly target: Expr;
  /** The elements of the target, in their order. */
  readonly value: MapExpr;
}

export function gatherLoop(loop: Loop): GatherLoop | undefined {
  const outer = counted(loop);
  const [start, nested, ...more] = outer?.body ?? [];
  const inner = nested?.kind === "loop" && more.length === 0 ? counted(nested) : undefined;
  if (!outer || !inner || !startsAtZero(start, inner.counter)) return undefined;
  const [only, ...others] = inner.body;
  if (only?.kind !== "assign" || others.length > 0 || only.target.kind !== "index") return undefined;
  const { base, index } = only.target;
  if (base.kind !== "local" || base.type.kind !== "vec") return undefined;
  const count = outer.trips * inner.trips;
  const elements = base.type as unknown as { readonly length: number };
  if (count > MOST || count !== elements.length || !isElement(only.value, base.local)) return undefined;
  for (const [slow, fast] of [
    [outer, inner],
    [inner, outer],
  ] as const) {
    const lanes: Lanes = { locals: [slow.counter, fast.counter], lengths: [slow.trips, fast.trips], count };
    const inOrder = Array.from({ length: count }, (_, i) => foldLanes(index, laneValues(lanes, i)) === i);
    if (inOrder.includes(false) && rules.round.gathered === 0) continue;
    const { at } = only.value;
    // The elements are what counts, not how they are grouped.
    const { type } = base;
    const columns: MapExpr = { kind: "map", at, type, length: fast.trips, lane: fast.counter, body: only.value };
    const value: MapExpr = { kind: "map", at, type, length: slow.trips, lane: slow.counter, body: columns };
    return { counter: outer.counter, trips: outer.trips, target: base, value };
  }
  return undefined;
}

const startsAtZero = (stmt: Stmt | undefined, counter: Local): boolean =>
  stmt?.kind === "let" && stmt.local === counter && stmt.value.kind === "const" && Number(stmt.value.value) === 0;

/** An element of another variable. */
function isElement(value: Expr, target: Local): boolean {
  if (value.kind !== "index" || someExpr(value, (e) => e.kind === "local" && e.local === target)) return false;
  let root: Expr = value;
  while (root.kind === "index" || root.kind === "member") root = root.base;
  return root.kind === "local" || root.kind === "field";
}
