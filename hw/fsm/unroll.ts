/**
 * First step of the lowering: loops that take no clock become straight text (language rule 7), with their counters folded
 * into every use; constants are followed through the text. What remains of loops takes clocks.
 */
import { TandemError } from "../errors.js";
import type { Expr, Local, Loop, Position, Stmt, Target } from "../ir/ir.js";
import { fold, foldRef, type Scalar } from "./fold.js";

/** More copies than this is a mistake of the source, not hardware. */
const maxCopies = 4096;
const maxWaitingCopies = 64;

type Known = Map<Local, Scalar>;

export const where = (at: Position): string => `${at.file}:${at.line}:${at.column}`;

/** The local or field that an assignment changes. */
export function rootOf(target: Target | Expr): Expr {
  let e: Expr = target;
  while (e.kind === "index" || e.kind === "member") e = e.base;
  return e;
}

export function unroll(stmts: readonly Stmt[]): Stmt[] {
  return sequence(stmts, new Map());
}

function sequence(stmts: readonly Stmt[], known: Known): Stmt[] {
  return stmts.flatMap((stmt) => statement(stmt, known));
}

function statement(s: Stmt, known: Known): Stmt[] {
  switch (s.kind) {
    case "let": {
      const value = fold(s.value, known);
      if (value.kind === "const") {
        known.set(s.local, value.value);
        if (!s.local.mutable) return [];
      } else known.delete(s.local);
      return [{ ...s, value }];
    }
    case "assign": {
      const value = fold(s.value, known);
      if (s.target.kind === "local") {
        if (value.kind === "const") known.set(s.target.local, value.value);
        else known.delete(s.target.local);
      }
      return [{ ...s, target: lvalue(s.target, known), value }];
    }
    case "if": {
      const condition = fold(s.condition, known);
      if (condition.kind === "const") return sequence(condition.value ? s.then : s.else, known);
      const result: Stmt = {
        ...s,
        condition,
        then: sequence(s.then, new Map(known)),
        else: sequence(s.else, new Map(known)),
      };
      forget([s], known);
      return [result];
    }
    case "loop":
      return unrollLoop(s, known) ?? [keepLoop(s, known)];
    case "block": {
      const body = sequence(s.body, known);
      if (jumps(s.body)) forget([s], known);
      return [{ ...s, body }];
    }
    case "clocks":
      return [{ ...s, count: fold(s.count, known) }];
    case "pop":
    case "tryPop":
    case "peek":
      if (s.into) known.delete(s.into);
      if (s.kind !== "pop") known.delete(s.ok);
      return [{ ...s, channel: foldRef(s.channel, known) }];
    case "push":
    case "tryPush":
      if (s.kind === "tryPush") known.delete(s.ok);
      return [{ ...s, channel: foldRef(s.channel, known), value: fold(s.value, known) }];
    case "read":
      return [{ ...s, port: foldRef(s.port, known), address: fold(s.address, known) }];
    case "write":
      return [{ ...s, port: foldRef(s.port, known), address: fold(s.address, known), value: fold(s.value, known) }];
    case "signal":
      return [{ ...s, signal: foldRef(s.signal, known), value: fold(s.value, known) }];
    case "feed":
      return [{ ...s, west: fold(s.west, known), north: fold(s.north, known) }];
    case "assert":
      return [{ ...s, condition: fold(s.condition, known) }];
    case "break":
    case "continue":
    case "end":
    case "edge":
      return [s];
  }
}

/** The indices of a target are folded; its root stays a place. */
function lvalue(target: Target, known: Known): Target {
  if (target.kind === "index")
    return { ...target, base: lvalue(target.base as Target, known), index: fold(target.index, known) };
  if (target.kind === "member") return { ...target, base: lvalue(target.base as Target, known) };
  return target;
}

function keepLoop(loop: Loop, known: Known): Stmt {
  forget([loop], known);
  const condition = fold(loop.condition, known);
  const body = sequence(loop.body, new Map(known));
  const update = sequence(loop.update, new Map(known));
  return { ...loop, condition, body, update };
}

/**
 * The copies of a loop that takes no clock, or that need not take one in every pass: pushes to different channels happen in
 * one clock, so that each pass has hardware of its own. Undefined for a loop that stays one.
 */
function unrollLoop(loop: Loop, outer: Known): Stmt[] | undefined {
  const { at } = loop;
  const endless = loop.condition.kind === "const" && loop.condition.value !== false;
  if (!loop.combinational && (endless || (takesClock(loop.body, loop.label) && !passesOnce(loop, outer))))
    return undefined;
  const known = new Map(outer);
  const out: Stmt[] = [];
  const leaves = mentions(loop.body, "break", loop.label);
  for (let pass = 0; ; pass++) {
    const condition = fold(loop.condition, known);
    if (condition.kind !== "const" && !(pass === 0 && loop.atLeastOnce)) {
      if (!loop.combinational) return undefined;
      throw new TandemError(`${where(at)}: a loop without a clock needs constant bounds to become hardware`, {
        hint: "Give it a constant number of passes, or put a yield in its body.",
      });
    }
    if (condition.kind === "const" && condition.value === false) break;
    if (pass >= maxCopies || (pass >= maxWaitingCopies && !loop.combinational)) {
      if (!loop.combinational) return undefined;
      throw new TandemError(`${where(at)}: a loop without a clock would become more than ${maxCopies} copies`, {
        hint: "Put a yield in its body, so that the copies share hardware.",
      });
    }
    const label = `${loop.label}.${pass}`;
    const body = sequence(relabel(loop.body, loop.label, label), known);
    if (mentions(loop.body, "continue", loop.label)) {
      out.push({ kind: "block", label, body, at });
      forget(loop.body, known);
    } else out.push(...body);
    if (leaves) forget(loop.body, known);
    out.push(...sequence(loop.update, known));
  }
  outer.clear();
  for (const [local, value] of known) outer.set(local, value);
  if (!leaves) return out;
  forget([loop], outer);
  return [{ kind: "block", label: loop.label, body: out, at }];
}

/** One pass is no loop: its text stands for itself, and nothing goes round (`streams` of a design that has one). */
function passesOnce(loop: Loop, outer: Known): boolean {
  const known = new Map(outer);
  const first = fold(loop.condition, known);
  if (!loop.atLeastOnce && !(first.kind === "const" && first.value)) return false;
  forget(loop.body, known);
  sequence(loop.update, known);
  const second = fold(loop.condition, known);
  return second.kind === "const" && !second.value;
}

/** Every path through the statements to the next pass of the loop `label` takes a clock, or will before the pass after it. */
function takesClock(stmts: readonly Stmt[], label: string): boolean {
  for (const s of stmts) {
    if (s.kind === "edge" || s.kind === "end") return true;
    if (s.kind === "clocks" && s.count.kind === "const" && Number(s.count.value) > 0) return true;
    // One channel has only so many lanes a clock; one of several may be another each time.
    if ((s.kind === "pop" || s.kind === "push") && s.channel.parts.length === 1) return true;
    if (s.kind === "if" && takesClock(s.then, label) && takesClock(s.else, label)) return true;
    if (s.kind === "loop" && s.atLeastOnce && takesClock(s.body, label)) return true;
    if (s.kind === "block" && !mentions(s.body, "break", s.label) && takesClock(s.body, label)) return true;
    if (s.kind === "break" || s.kind === "continue") return s.kind === "break" && s.label === label;
    if (mentions([s], "continue", label)) return false;
  }
  return false;
}

/** `continue` of an unrolled loop leaves the copy's own block. */
function relabel(stmts: readonly Stmt[], from: string, to: string): Stmt[] {
  return stmts.map((s): Stmt => {
    if (s.kind === "continue" && s.label === from) return { kind: "break", label: to, at: s.at };
    if (s.kind === "if") return { ...s, then: relabel(s.then, from, to), else: relabel(s.else, from, to) };
    if (s.kind === "loop" || s.kind === "block") return { ...s, body: relabel(s.body, from, to) };
    return s;
  });
}

const inside = (s: Stmt): readonly Stmt[] =>
  s.kind === "if"
    ? [...s.then, ...s.else]
    : s.kind === "loop"
      ? [...s.body, ...s.update]
      : s.kind === "block"
        ? s.body
        : [];

const jumps = (stmts: readonly Stmt[]): boolean =>
  stmts.some((s) => s.kind === "break" || s.kind === "continue" || jumps(inside(s)));

const mentions = (stmts: readonly Stmt[], kind: "break" | "continue", label: string): boolean =>
  stmts.some((s) => (s.kind === kind && s.label === label) || mentions(inside(s), kind, label));

/** Drop what is known of every local that the statements may set. */
function forget(stmts: readonly Stmt[], known: Known): void {
  for (const s of stmts) {
    if (s.kind === "let") known.delete(s.local);
    if (s.kind === "assign") {
      const root = rootOf(s.target);
      if (root.kind === "local") known.delete(root.local);
    }
    if (s.kind === "pop" && s.into) known.delete(s.into);
    if (s.kind === "tryPop" || s.kind === "peek") {
      known.delete(s.ok);
      known.delete(s.into);
    }
    if (s.kind === "tryPush") known.delete(s.ok);
    forget(inside(s), known);
  }
}
