/**
 * The meaning of the IR's expressions, by the shortest way: one value at a time, on the live objects. Every integer is
 * held against the range that the front end gave it. For tests; engines compile.
 */
import { mulPair } from "../arithmetic.js";
import type { Expr, Local, Position, Ref, Target } from "./ir.js";
import { applyBinary, applyHelper, applyUnary, type Scalar } from "./operators.js";
import type { Type } from "../types.js";

/** Where the names of one process, or one step of a cell, live. */
export class Frame {
  readonly values: unknown[] = [];

  get(local: Local): unknown {
    return this.values[local.id];
  }

  /** Name a value; vectors and structs are values, so the name gets its own copy. */
  set(local: Local, value: unknown): void {
    this.values[local.id] = copyOf(value);
  }
}

export const copyOf = (value: unknown): unknown => (typeof value === "object" ? structuredClone(value) : value);

const where = ({ file, line, column }: Position): string => `${file}:${line}:${column}`;

/** The part that a reference means now. */
export function partOf<P>(frame: Frame, { parts, index }: Ref<P>): P {
  const i = index ? (evaluate(frame, index) as number) : 0;
  const part = parts[i];
  if (part === undefined) throw new Error(`part ${i} of ${parts.length}${index ? ` at ${where(index.at)}` : ""}`);
  return part;
}

export function evaluate(frame: Frame, expr: Expr): unknown {
  const value = compute(frame, expr);
  const { type } = expr;
  if (type.kind === "exact") {
    const { lo, hi } = type.range;
    if (!Number.isSafeInteger(value) || (value as number) < lo || (value as number) > hi)
      throw new Error(`${where(expr.at)}: ${expr.kind} is ${String(value)}, outside its range ${lo}..${hi}`);
  } else if (value === undefined) throw new Error(`${where(expr.at)}: ${expr.kind} has no value`);
  return value;
}

function compute(frame: Frame, expr: Expr): unknown {
  const of = (inner: Expr): unknown => evaluate(frame, inner);
  switch (expr.kind) {
    case "const":
      return expr.value;
    case "local":
      return frame.get(expr.local);
    case "field":
      return (expr.field.module as unknown as Record<string, unknown>)[expr.field.name];
    case "index":
      return (of(expr.base) as readonly unknown[])[of(expr.index) as number];
    case "member":
      return (of(expr.base) as Readonly<Record<string, unknown>>)[expr.name];
    case "unary":
      return applyUnary(expr.op, of(expr.operand) as Scalar);
    case "binary":
      if (expr.op === "&&") return of(expr.left) && of(expr.right);
      if (expr.op === "||") return of(expr.left) || of(expr.right);
      return applyBinary(expr.op, of(expr.left) as Scalar, of(expr.right) as Scalar);
    case "select":
      return of(expr.condition) ? of(expr.then) : of(expr.else);
    case "cast":
      return (expr.type as Type & ((x: number) => number))(of(expr.operand) as number);
    case "call": {
      const args = expr.args.map((arg) => of(arg) as number);
      return expr.helper === "mulPair" ? mulPair(args[0]!, args[1]!, args[2]!) : applyHelper(expr.helper, args);
    }
    case "map":
      return Array.from({ length: expr.length }, (_, lane) => {
        frame.set(expr.lane, lane);
        return of(expr.body);
      });
    case "let":
      frame.set(expr.local, of(expr.value));
      return of(expr.body);
    case "vector":
      return expr.items.map(of);
    case "struct":
      return Object.fromEntries(expr.fields.map(({ name, value }) => [name, of(value)]));
    case "q":
      return partOf(frame, expr.port).q;
    case "signal":
      return partOf(frame, expr.signal).read();
  }
}

/** Set a place: a whole local or register, or a part of one. */
export function assign(frame: Frame, target: Target, value: unknown): void {
  const copy = copyOf(value);
  switch (target.kind) {
    case "local":
      frame.values[target.local.id] = copy;
      return;
    case "field":
      (target.field.module as unknown as Record<string, unknown>)[target.field.name] = copy;
      return;
    case "index": {
      const base = evaluate(frame, target.base) as unknown[];
      const i = evaluate(frame, target.index) as number;
      if (i < 0 || i >= base.length) throw new Error(`${where(target.at)}: lane ${i} of ${base.length}`);
      base[i] = copy;
      return;
    }
    case "member":
      (evaluate(frame, target.base) as Record<string, unknown>)[target.name] = copy;
  }
}
