/**
 * A vector of which a few elements change, as the text of hardware writes it:
 *
 *     const others = sums;
 *     sums = vec((r) => (r === 0 ? row : others[r]));
 *
 * All that has to be stored is the elements that change.
 */
import type { Expr, Local, Stmt } from "../../hw/ir/ir.js";
import { someExpr } from "../../hw/ir/walk.js";
import { foldLanes } from "./lanes.js";
import { isScalar } from "./layout.js";
import { rules } from "./rules.js";
import { simplify } from "./simplify.js";

type MapExpr = Extract<Expr, { kind: "map" }>;
type Assign = Extract<Stmt, { kind: "assign" }>;

/**
 * Assignments of the elements that change, in place of a `let` that names a vector, nowhere else used, and of an assignment to that
 * vector. Undefined if none stays as it is, or one is made of others: they would have changed before it is read.
 */
export function changedElements(
  first: Stmt,
  stmt: Stmt,
  uses: ReadonlyMap<Local, number>,
): readonly Assign[] | undefined {
  if (first.kind !== "let" || first.local.mutable || first.value.kind !== "local" || stmt.kind !== "assign")
    return undefined;
  const { local: name, value: of } = first;
  if (stmt.target.kind !== "local" || stmt.target.local !== of.local || uses.get(name) !== 1) return undefined;
  const value = stmt.value.kind === "cast" ? stmt.value.operand : stmt.value;
  if (value.kind !== "map") return undefined;
  const changed: Assign[] = [];
  for (let i = 0; i < value.length; i++) {
    const element = elementOf(value, i);
    if (isElement(element, name, i)) continue;
    if (reads(element, name) || reads(element, of.local)) return undefined;
    const to = (i + rules.round.changedElement) % value.length;
    const index: Expr = { kind: "const", at: stmt.at, type: constant(to), value: to };
    const target = { kind: "index", at: stmt.target.at, type: element.type, base: of, index } as const;
    changed.push({ ...stmt, target, value: element });
  }
  return changed.length < value.length ? changed : undefined;
}

const constant = (value: number): Expr["type"] => ({ kind: "exact", range: { lo: value, hi: value } });
const reads = (expr: Expr, of: Local): boolean => someExpr(expr, (e) => e.kind === "local" && e.local === of);

/** Element `i`, with what its number decides decided. */
function elementOf({ lane, body }: MapExpr, i: number): Expr {
  const lanes = new Map([[lane, i]]);
  const values = new Map<Local, Expr>([[lane, { kind: "const", at: body.at, type: constant(i), value: i }]]);
  const put = (expr: Expr): Expr | undefined => {
    const condition = expr.kind === "select" ? foldLanes(expr.condition, lanes) : undefined;
    if (expr.kind !== "select" || condition === undefined) return undefined;
    return simplify(condition === 0 ? expr.else : expr.then, { values, put });
  };
  return simplify(body, { values, put });
}

/** The expression is element `i` of the vector, perhaps written element by element. */
function isElement(expr: Expr, of: Local, i: number): boolean {
  const lanes: Local[] = [];
  let at = expr;
  while (at.kind === "map") {
    lanes.push(at.lane);
    at = at.body;
  }
  if (lanes.length > 0 && at.type.kind !== "exact" && !isScalar(at.type)) return false;
  for (const lane of lanes.reverse()) {
    if (at.kind !== "index" || at.index.kind !== "local" || at.index.local !== lane) return false;
    at = at.base;
  }
  if (at.kind !== "index" || foldLanes(at.index, new Map()) !== i) return false;
  return at.base.kind === "local" && at.base.local === of;
}
