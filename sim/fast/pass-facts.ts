/** What is told of passes (pass-reader.ts) beforehand: by guards that hold, by the form of a loop that counts, by statements that take time. */
import type { Expr, Local, Loop, Stmt } from "../../hw/ir/ir.js";
import { sameExpr, statementsIn } from "../../hw/ir/walk.js";
import { bool } from "../../hw/types.js";
import { boundsOf } from "./expr.js";
import type { Guard } from "./rounds.js";

/** The condition without its negation. */
export const positive = (guard: Guard): Guard =>
  guard.condition.kind === "unary" && guard.condition.op === "!"
    ? { condition: guard.condition.operand, holds: !guard.holds }
    : guard;

/** The same number cannot be both. */
export const areApart = (a: Expr, b: Expr): boolean =>
  a.kind === "binary" &&
  b.kind === "binary" &&
  a.op === "===" &&
  b.op === "===" &&
  sameExpr(a.left, b.left) &&
  a.right.kind === "const" &&
  b.right.kind === "const" &&
  a.right.value !== b.right.value;

export const atMost = (left: Expr, most: number): Expr => {
  const { at } = left;
  const right: Expr = { kind: "const", at, type: { kind: "exact", range: { lo: most, hi: most } }, value: most };
  return { kind: "binary", at, type: bool, op: "<=", left, right };
};

/** `for (counter = first; counter < bound; counter += step)` with a counter of up to `most`. */
interface Counting {
  readonly counter: Local;
  readonly first: number;
  readonly step: number;
  readonly most: number;
  readonly bound: Expr;
}

export function countingLoop({ condition, update, body, label }: Loop, before: Stmt | undefined): Counting | undefined {
  const [only, ...more] = update;
  if (more.length > 0 || only?.kind !== "assign" || only.target.kind !== "local") return undefined;
  const counter = only.target.local;
  const next = only.value.kind === "cast" ? only.value.operand : only.value;
  if (next.kind !== "binary" || next.op !== "+" || !isLocal(next.left, counter)) return undefined;
  const [step, first] = [numberOf(next.right), before?.kind === "let" ? numberOf(before.value) : undefined];
  if (condition.kind !== "binary" || condition.op !== "<" || !isLocal(condition.left, counter)) return undefined;
  if (before?.kind !== "let" || before.local !== counter || first === undefined || !step || step < 1) return undefined;
  for (const stmt of statementsIn(body)) {
    if ("label" in stmt && stmt.kind !== "loop" && stmt.label === label) return undefined;
    if (stmt.kind === "assign" && rootOf(stmt.target) === counter) return undefined;
  }
  return { counter, first, step, most: boundsOf(only.target).hi, bound: condition.right };
}

export const isLocal = (expr: Expr, local: Local): boolean => expr.kind === "local" && expr.local === local;

export function numberOf(expr: Expr): number | undefined {
  if (expr.kind === "cast") return numberOf(expr.operand);
  return expr.kind === "const" ? Number(expr.value) : undefined;
}

export function rootOf(target: Expr): Local | undefined {
  let at = target;
  while (at.kind === "index" || at.kind === "member") at = at.base;
  return at.kind === "local" ? at.local : undefined;
}

const mattering = new WeakMap<Stmt, boolean>();
const waiting = new Set(["edge", "clocks", "pop", "push", "feed", "tryPop", "tryPush", "peek", "signal"]);
const leaving = new Set(["break", "continue", "end"]);

/** It takes time, or leaves the list in which it stands. */
export function matters(stmt: Stmt): boolean {
  let known = mattering.get(stmt);
  if (known === undefined) {
    known = lookWhether(stmt);
    mattering.set(stmt, known);
  }
  return known;
}

function lookWhether(stmt: Stmt): boolean {
  const own = new Set<string>();
  for (const one of statementsIn([stmt])) {
    if (waiting.has(one.kind)) return true;
    if (one.kind === "loop" || one.kind === "block") own.add(one.label);
    if (leaving.has(one.kind) && !("label" in one && own.has(one.label))) return true;
  }
  return false;
}

export const usesChannels = (stmt: Stmt): boolean =>
  [...statementsIn([stmt])].some(({ kind }) => kind === "pop" || kind === "push");

export const takesClocks = (stmt: Stmt): boolean =>
  [...statementsIn([stmt])].some(({ kind }) => kind === "edge" || kind === "clocks");
