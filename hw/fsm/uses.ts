/** Which locals, fields and ports the expressions and nodes of a process read and write. */
import type { MemoryPort } from "../memory.js";
import type { Expr, Local, Ref, StateField, Target } from "../ir/ir.js";
import type { Node } from "./graph.js";
import { rootOf } from "./unroll.js";

/** Visit an expression and all its parts. */
export function visitExpr(e: Expr, see: (e: Expr) => void): void {
  see(e);
  for (const part of partsOf(e)) visitExpr(part, see);
}

function partsOf(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case "index":
      return [e.base, e.index];
    case "member":
      return [e.base];
    case "unary":
    case "cast":
      return [e.operand];
    case "binary":
      return [e.left, e.right];
    case "select":
      return [e.condition, e.then, e.else];
    case "call":
      return e.args;
    case "map":
      return [e.body];
    case "let":
      return [e.value, e.body];
    case "vector":
      return e.items;
    case "struct":
      return e.fields.map(({ value }) => value);
    case "q":
      return e.port.index ? [e.port.index] : [];
    case "signal":
      return e.signal.index ? [e.signal.index] : [];
    default:
      return [];
  }
}

const refIndex = (ref: Ref<unknown>): Expr[] => (ref.index ? [ref.index] : []);

/** Expressions inside the place that an assignment changes: its indices. */
function indicesOf(target: Target | Expr): Expr[] {
  if (target.kind === "index") return [target.index, ...indicesOf(target.base)];
  return target.kind === "member" ? indicesOf(target.base) : [];
}

/** What a node evaluates. */
export function exprsOf(node: Node): Expr[] {
  switch (node.kind) {
    case "branch":
      return [node.condition];
    case "pop":
      return refIndex(node.channel);
    case "push":
      return [...refIndex(node.channel), node.value];
    case "action": {
      const s = node.action;
      switch (s.kind) {
        case "let":
          return [s.value];
        case "assign":
          return [s.value, ...indicesOf(s.target)];
        case "tryPop":
        case "peek":
          return refIndex(s.channel);
        case "tryPush":
          return [...refIndex(s.channel), s.value];
        case "read":
          return [...refIndex(s.port), s.address];
        case "write":
          return [...refIndex(s.port), s.address, s.value];
        case "signal":
          return [...refIndex(s.signal), s.value];
        case "feed":
          return [s.west, s.north];
        case "assert":
          return [];
      }
    }

    default:
      return [];
  }
}

/** A register or variable. */
export type Variable = Local | StateField;

export interface Definition {
  readonly variable: Variable;
  /** All of it, not one lane or member. */
  readonly whole: boolean;
}

export function definitionsOf(node: Node): Definition[] {
  if (node.kind === "pop") return node.into ? [{ variable: node.into, whole: true }] : [];
  if (node.kind !== "action") return [];
  const s = node.action;
  if (s.kind === "let") return [{ variable: s.local, whole: true }];
  if (s.kind === "assign") {
    const root = rootOf(s.target);
    const whole = root === s.target;
    if (root.kind === "local") return [{ variable: root.local, whole }];
    return root.kind === "field" ? [{ variable: root.field, whole }] : [];
  }
  if (s.kind === "tryPop" || s.kind === "peek") return [s.ok, s.into].map((variable) => ({ variable, whole: true }));
  return s.kind === "tryPush" ? [{ variable: s.ok, whole: true }] : [];
}

export function localsIn(exprs: readonly Expr[]): Set<Local> {
  const found = new Set<Local>();
  const bound: Local[] = [];
  for (const e of exprs)
    visitExpr(e, (x) => {
      if (x.kind === "local") found.add(x.local);
      if (x.kind === "let") bound.push(x.local);
    });
  for (const local of bound) found.delete(local);
  return found;
}

export function portsIn(e: Expr): Set<MemoryPort> {
  const found = new Set<MemoryPort>();
  visitExpr(e, (x) => {
    if (x.kind === "q") for (const port of x.port.parts) found.add(port);
  });
  return found;
}
