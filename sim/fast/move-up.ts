/**
 * Names for what a vector was before it changes, where they are not needed. Elements that move towards the first, as a shift register's,
 *
 *     const before = sums;
 *     sums = vec((i) => before[i + 1 < n ? i + 1 : i]);
 *
 * can be moved where they stand, if they are taken in their order; of others only those that change are stored (changed-elements.ts); and a few bytes are stored at once, behind all that is read of them
 * (`const { kept } = this; ... this.kept = bytes((b) => (full ? turned[b] : kept[b]))`).
 */
import type { Expr, Local, ProcessIr, Stmt } from "../../hw/ir/ir.js";
import { expressionsWithin, statementsIn } from "../../hw/ir/walk.js";
import { changedElements } from "./changed-elements.js";
import { foldLanes } from "./lanes.js";
import { isScalar, layoutOf } from "./layout.js";
import { simplify } from "./simplify.js";

/** Bytes that are stored at once. */
const AT_ONCE = 16;

type Assign = Extract<Stmt, { kind: "assign" }>;

/** Of each element, the number of the one that it becomes; undefined if it is no such move of elements of `of`. */
export function movesUp(given: Expr, of: Local): readonly number[] | undefined {
  const value = given.kind === "cast" ? given.operand : given;
  if (value.kind !== "map" || value.body.kind !== "index") return undefined;
  const { base, index } = value.body;
  if (base.kind !== "local" || base.local !== of) return undefined;
  const from = Array.from({ length: value.length }, (_, i) => foldLanes(index, new Map([[value.lane, i]])));
  const up = from.every((at, i): at is number => at !== undefined && at >= i && at < value.length);
  return up ? from : undefined;
}

/** A process that does the same, without names for what such vectors were before. */
export function moveUp(process: ProcessIr): ProcessIr {
  const gone = new Set<Local>();
  const uses = new Map<Local, number>();
  for (const expr of expressionsWithin(process.body))
    if (expr.kind === "local") uses.set(expr.local, (uses.get(expr.local) ?? 0) + 1);
  const list = (given: readonly Stmt[]): readonly Stmt[] => {
    const stmts = given.reduce((all, stmt) => withoutName(all, stmt, uses, gone), given);
    const out: Stmt[] = [];
    for (const each of stmts) {
      const stmt = within(each);
      const before = out.at(-1);
      const moved = before && (inPlace(before, stmt, uses) ?? changedElements(before, stmt, uses));
      if (moved) {
        gone.add((before as Extract<Stmt, { kind: "let" }>).local);
        out.pop();
      }
      out.push(...(moved ?? [stmt]));
    }
    return out.length === given.length && out.every((stmt, i) => stmt === given[i]) ? given : out;
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
function inPlace(first: Stmt, stmt: Stmt, uses: ReadonlyMap<Local, number>): readonly Assign[] | undefined {
  if (first.kind !== "let" || first.value.kind !== "local" || stmt.kind !== "assign") return undefined;
  const { target } = stmt;
  const { local: of } = first.value;
  if (target.kind !== "local" || target.local !== of || uses.get(first.local) !== 1) return undefined;
  if (!movesUp(stmt.value, first.local)) return undefined;
  const value = stmt.value.kind === "cast" ? stmt.value.operand : stmt.value;
  if (value.kind !== "map" || value.body.kind !== "index") return undefined;
  return [{ ...stmt, value: { ...value, body: { ...value.body, base: first.value } } }];
}

/** Statements without the name that one of them gives to a few bytes, if what it names stays as it is as long as it is used. */
function withoutName(
  stmts: readonly Stmt[],
  name: Stmt,
  uses: ReadonlyMap<Local, number>,
  gone: Set<Local>,
): readonly Stmt[] {
  if (name.kind !== "let" || (name.value.kind !== "local" && name.value.kind !== "field")) return stmts;
  const { local, value } = name;
  if (local.mutable || !isFew(value)) return stmts;
  const of = value.kind === "local" ? value.local : value.field;
  const at = stmts.indexOf(name);
  let left = uses.get(local) ?? 0;
  const out = stmts.slice(0, at);
  for (const [i, stmt] of stmts.entries()) {
    if (i <= at) continue;
    const here =
      left === 0 ? 0 : [...expressionsWithin([stmt])].filter((e) => e.kind === "local" && e.local === local).length;
    left -= here;
    const changes = [...statementsIn([stmt])].some((each) => changed(each) === of);
    if (here === 0 && (left === 0 || !changes)) {
      out.push(stmt);
      continue;
    }
    const whole =
      stmt.kind === "let" || (stmt.kind === "assign" && stmt.target.kind !== "index" && stmt.target.kind !== "member");
    if (!whole || (changes && left > 0)) return stmts;
    out.push({ ...stmt, value: simplify(stmt.value, { values: new Map([[local, value]]) }) });
  }
  if (left > 0) return stmts;
  gone.add(local);
  return out;
}

/** A vector of bytes that is stored at once. */
function isFew({ type }: Expr): boolean {
  if (isScalar(type) || type.kind === "exact") return false;
  const { leaves, bytes } = layoutOf(type);
  return leaves.length === 1 && leaves[0]!.size === 1 && bytes <= AT_ONCE;
}

/** The variable that gets another value, wholly or in part. */
function changed(stmt: Stmt): unknown {
  if (stmt.kind === "let") return stmt.local;
  if (stmt.kind === "pop" || stmt.kind === "tryPop" || stmt.kind === "peek") return stmt.into;
  if (stmt.kind !== "assign") return undefined;
  let at: Expr = stmt.target;
  while (at.kind === "index" || at.kind === "member") at = at.base;
  return at.kind === "local" ? at.local : at.kind === "field" ? at.field : undefined;
}
