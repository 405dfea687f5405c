/**
 * Vectors whose elements move towards the first, as a shift register's:
 *
 *     const before = sums;
 *     sums = vec((i) => before[i + 1 < n ? i + 1 : i]);
 *
 * Taken in their order, they can be moved where they stand, and nothing needs to be kept of what was there before.
 */
import type { Expr, Local, ProcessIr, Stmt } from "../../hw/ir/ir.js";
import { expressionsWithin } from "../../hw/ir/walk.js";
import { foldLanes } from "./lanes.js";

type Assign = Extract<Stmt, { kind: "assign" }>;

/** Of each element, the number of the one that it becomes; undefined if it is no such move of elements of `of`. */
export function movesUp(given: Expr, of: Local): readonly number[] | undefined {
  const value = given.kind === "cast" ? given.operand : given;
  if (value.kind !== "map" || value.body.kind !== "index") return undefined;
  const { base, index } = value.body;
  if (base.kind !== "local" || base.local !== of) return undefined;
  const from = Array.from({ length: value.length }, (_, i) => foldLanes(index, new Map([[value.lane, i]])));
  const up = from.every((at, i): at is number => at !== undefined && at >= i && at < value.length);
  return up ? (from) : undefined;
}

/** A process that does the same, without names for what such vectors were before. */
export function moveUp(process: ProcessIr): ProcessIr {
  const gone = new Set<Local>();
  const uses = new Map<Local, number>();
  for (const expr of expressionsWithin(process.body))
    if (expr.kind === "local") uses.set(expr.local, (uses.get(expr.local) ?? 0) + 1);
  const list = (stmts: readonly Stmt[]): readonly Stmt[] => {
    const out: Stmt[] = [];
    for (const each of stmts) {
      const stmt = within(each);
      const before = out.at(-1);
      const moved = before && inPlace(before, stmt, uses);
      if (moved) {
        gone.add((before as Extract<Stmt, { kind: "let" }>).local);
        out.pop();
      }
      out.push(moved ?? stmt);
    }
    return out.length === stmts.length && out.every((stmt, i) => stmt === stmts[i]) ? stmts : out;
  };
  const within = (stmt: Stmt): Stmt => {
    if (stmt.kind === "if") {
      const [then, other] = [list(stmt.then), list(stmt.else)];
      return then === stmt.then && other === stmt.else ? stmt : { ...stmt, then, else: other };
    }
    if (stmt.kind !== "loop" && stmt.kind !== "block") return stmt;
    const body = list(stmt.body);
    return body === stmt.body ? stmt : { ...stmt, body };
  };
  const body = list(process.body);
  return gone.size === 0 ? process : { ...process, body, locals: process.locals.filter((local) => !gone.has(local)) };
}

/** The two statements as one. */
function inPlace(first: Stmt, stmt: Stmt, uses: ReadonlyMap<Local, number>): Assign | undefined {
  if (first.kind !== "let" || first.value.kind !== "local" || stmt.kind !== "assign") return undefined;
  const { target } = stmt;
  const { local: of } = first.value;
  if (target.kind !== "local" || target.local !== of || uses.get(first.local) !== 1) return undefined;
  if (!movesUp(stmt.value, first.local)) return undefined;
  const value = stmt.value.kind === "cast" ? stmt.value.operand : stmt.value;
  if (value.kind !== "map" || value.body.kind !== "index") return undefined;
  return { ...stmt, value: { ...value, body: { ...value.body, base: first.value } } };
}
