/**
 * Takes apart what a design shares between branches. Hardware has one multiplier for two modes and chooses its operands:
 *
 *     const products = map(... (wide ? a : b) * c ...);
 *     if (wide) sums = sums + products; else others = others + products;
 *
 * A program is better off with a branch, and a text for each mode: then its sums of products are seen (sum-match.ts), and a
 * mode does not pay for the other. So names that stand in front of a branch, that only the branch uses, and whose value chooses by the
 * branch's condition, are put into both its sides, where the condition is known; a combinational loop around such a branch goes
 * into the branch; and branches of the same condition in a row become one. All else stays as it is.
 */
import type { Expr, Local, Loop, ProcessIr, Ref, Stmt } from "../../hw/ir/ir.js";
import { expressionsWithin, sameExpr, someExpr, statementsIn } from "../../hw/ir/walk.js";
import { simplify, type Known } from "./simplify.js";

type If = Extract<Stmt, { kind: "if" }>;
type Let = Extract<Stmt, { kind: "let" }>;

/** A process that does the same in the same clocks; the process itself if nothing in it is shared. */
export function unshare(process: ProcessIr): ProcessIr {
  const split = new Set<Stmt>();
  const body = list(process.body, split);
  if (split.size === 0) return process;
  const declared = new Set<Local>();
  for (const stmt of statementsIn(body)) if (stmt.kind === "let") declared.add(stmt.local);
  const before = new Set<Local>();
  for (const stmt of statementsIn(process.body)) if (stmt.kind === "let") before.add(stmt.local);
  return { ...process, body, locals: process.locals.filter((local) => !before.has(local) || declared.has(local)) };
}

/** `split`: branches that were taken apart. */
function list(stmts: readonly Stmt[], split: Set<Stmt>): readonly Stmt[] {
  const out: Stmt[] = [];
  stmts.forEach((stmt, i) => {
    const later = stmts.slice(i + 1);
    const inside = within(stmt, split);
    const apart = inside.kind === "if" ? intoBranches(inside, out, later, split) : inside;
    const turned = apart.kind === "loop" ? intoBranch(apart, out, later, split) : apart;
    out.push(turned.kind === "if" ? joined(turned, out, later, split) : turned);
  });
  return out;
}

function within(stmt: Stmt, split: Set<Stmt>): Stmt {
  switch (stmt.kind) {
    case "if": {
      const [then, other] = [list(stmt.then, split), list(stmt.else, split)];
      return same(then, stmt.then) && same(other, stmt.else) ? stmt : { ...stmt, then, else: other };
    }
    case "loop":
    case "block": {
      const body = list(stmt.body, split);
      return same(body, stmt.body) ? stmt : { ...stmt, body };
    }
    default:
      return stmt;
  }
}

const same = (a: readonly Stmt[], b: readonly Stmt[]): boolean =>
  a.length === b.length && a.every((s, i) => s === b[i]);

const mentions = (exprs: Iterable<Expr>, local: Local): boolean => {
  for (const expr of exprs) if (expr.kind === "local" && expr.local === local) return true;
  return false;
};
const usedIn = (stmts: Iterable<Stmt>, local: Local): boolean => mentions(expressionsWithin(stmts), local);

/** A condition that stays as it is: of names that are set once. */
const isFixed = (condition: Expr): boolean =>
  (condition.kind === "member" && isFixed(condition.base)) || (condition.kind === "local" && !condition.local.mutable);

/** The names in front of a branch that choose by its condition go into its sides; they are taken off `before`. */
function intoBranches(branch: If, before: Stmt[], later: readonly Stmt[], split: Set<Stmt>): Stmt {
  if (!isFixed(branch.condition)) return branch;
  const names: Let[] = [];
  for (
    let at = before.at(-1);
    at?.kind === "let" && !at.local.mutable && !usedIn(later, at.local);
    at = before.at(-1)
  ) {
    names.unshift(at);
    before.pop();
  }
  // Those that stand before the first one that chooses can stay.
  const chooses = names.findIndex(({ value }) => someExpr(value, (e) => sameExpr(e, branch.condition)));
  before.push(...names.splice(0, chooses < 0 ? names.length : chooses));
  if (names.length === 0) return branch;
  const side = (stmts: readonly Stmt[], holds: boolean): readonly Stmt[] => {
    const fact = { condition: branch.condition, holds };
    const values = new Map<Local, Expr>();
    for (const { local, value } of names) values.set(local, simplify(value, { fact, values }));
    return stmts.map((stmt) => put(stmt, { fact, values }));
  };
  const apart: If = { ...branch, then: side(branch.then, true), else: side(branch.else, false) };
  split.add(apart);
  return apart;
}

/** A combinational loop that is one branch, taken apart before, becomes a branch of two loops. */
function intoBranch(loop: Loop, before: Stmt[], later: readonly Stmt[], split: Set<Stmt>): Stmt {
  const [only, ...more] = loop.body;
  if (!loop.combinational || more.length > 0 || only?.kind !== "if" || !split.has(only)) return loop;
  for (const stmt of statementsIn(loop.body))
    if (stmt.kind === "let" && mentions([only.condition], stmt.local)) return loop;
  // Its counter goes along.
  const counter = before.at(-1);
  const goes = counter?.kind === "let" && counter.value.kind === "const" && !usedIn(later, counter.local);
  const own = goes ? [counter] : [];
  if (own.length > 0) before.pop();
  const side = (body: readonly Stmt[]): readonly Stmt[] => [...own, { ...loop, body }];
  const turned: If = { ...only, then: side(only.then), else: side(only.else) };
  split.add(turned);
  return turned;
}

/** A branch that was taken apart and the one of the same condition before it become one. */
function joined(branch: If, before: Stmt[], later: readonly Stmt[], split: Set<Stmt>): Stmt {
  const first = before.at(-1);
  if (!split.has(branch) || first?.kind !== "if" || !sameExpr(first.condition, branch.condition)) return branch;
  before.pop();
  let then = [...onceOnly(first.then), ...branch.then];
  let other = [...onceOnly(first.else), ...branch.else];
  // What is only used on one side is set there.
  for (let at = before.at(-1); at?.kind === "let" && at.value.kind !== "q"; at = before.at(-1)) {
    const { local } = at;
    if (!local.mutable || usedIn(later, local)) break;
    const [here, there] = [usedIn(then, local), usedIn(other, local)];
    if (here === there) break;
    before.pop();
    if (here) then = named([at, ...then]);
    else other = named([at, ...other]);
  }
  const whole: If = { ...branch, then, else: other };
  split.add(whole);
  return whole;
}

/** A loop of one pass, that a list of one part is gone through by, is its body. */
function onceOnly(stmts: readonly Stmt[]): readonly Stmt[] {
  const [counter, loop, ...more] = stmts;
  if (counter?.kind !== "let" || counter.value.kind !== "const" || loop?.kind !== "loop" || loop.trips !== 1)
    return stmts;
  const leaves = [...statementsIn(loop.body)].some(({ kind }) => kind === "break" || kind === "continue");
  const counts = [...statementsIn(loop.body)].some((s) => s.kind === "assign" && rootOf(s.target) === counter.local);
  if (leaves || counts || !loop.atLeastOnce || usedIn(more, counter.local)) return stmts;
  const known = { values: new Map([[counter.local, counter.value]]) };
  return [...loop.body.map((stmt) => put(stmt, known)), ...more];
}

/** The first of a list is a variable: if all that happens to it is one statement that gives it parts of a token, it stands for these. */
function named(stmts: readonly Stmt[]): Stmt[] {
  const [first, ...rest] = stmts as [Let, ...Stmt[]];
  const sets = [...statementsIn(rest)].filter((stmt) => stmt.kind === "assign" && rootOf(stmt.target) === first.local);
  const [set] = sets;
  const at = rest.findIndex((stmt) => stmt === set);
  if (sets.length !== 1 || set?.kind !== "assign" || set.target.kind !== "local" || at < 0 || !isFixed(set.value))
    return [...stmts];
  if (usedIn(rest.slice(0, at), first.local)) return [...stmts];
  const known = { values: new Map([[first.local, set.value]]) };
  return [...rest.slice(0, at), ...rest.slice(at + 1).map((stmt) => put(stmt, known))];
}

function rootOf(expr: Expr): Local | undefined {
  if (expr.kind === "index" || expr.kind === "member") return rootOf(expr.base);
  return expr.kind === "local" ? expr.local : undefined;
}

/** A statement, and all in it, with what is known put in. */
function put(stmt: Stmt, known: Known): Stmt {
  const again = (e: Expr): Expr => simplify(e, known);
  const all = (stmts: readonly Stmt[]): readonly Stmt[] => stmts.map((one) => put(one, known));
  const ref = <P>({ parts, index }: Ref<P>): Ref<P> => ({ parts, ...(index && { index: again(index) }) });
  switch (stmt.kind) {
    case "let":
      return { ...stmt, value: again(stmt.value) };
    case "assign":
      return { ...stmt, target: again(stmt.target) as typeof stmt.target, value: again(stmt.value) };
    case "if":
      return { ...stmt, condition: again(stmt.condition), then: all(stmt.then), else: all(stmt.else) };
    case "loop":
      return { ...stmt, condition: again(stmt.condition), update: all(stmt.update), body: all(stmt.body) };
    case "block":
      return { ...stmt, body: all(stmt.body) };
    case "assert":
      return { ...stmt, condition: again(stmt.condition) };
    case "clocks":
      return { ...stmt, count: again(stmt.count) };
    case "pop":
    case "tryPop":
    case "peek":
      return { ...stmt, channel: ref(stmt.channel) };
    case "push":
    case "tryPush":
      return { ...stmt, channel: ref(stmt.channel), value: again(stmt.value) };
    case "read":
      return { ...stmt, port: ref(stmt.port), address: again(stmt.address) };
    case "write":
      return { ...stmt, port: ref(stmt.port), address: again(stmt.address), value: again(stmt.value) };
    case "signal":
      return { ...stmt, signal: ref(stmt.signal), value: again(stmt.value) };
    case "feed":
      return { ...stmt, west: again(stmt.west), north: again(stmt.north) };
    default:
      return stmt;
  }
}
