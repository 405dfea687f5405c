/** From what the source says to typed expressions: constants, casts, struct and vector literals, and what may be stored where. */
import { Breach } from "../check/diagnostic.js";
import type { Expr, ExprType } from "../ir/ir.js";
import type { Type } from "../types.js";
import { bool } from "../types.js";
import type { Context } from "./context.js";
import { typeRange, type Env } from "./env.js";
import type { Node } from "./parse.js";
import { exact, inside, LIMIT, showRange, union } from "./ranges.js";
import { asInt, asStruct, asVec, isAggregate, isType, sameType, showType } from "./types.js";
import { constantOf, dynamic, type Value } from "./values.js";
import { inline } from "./inline.js";

/** What a value is, for messages. */
export function describe(value: Value): string {
  switch (value.kind) {
    case "expr":
      return showType(value.expr.type);
    case "static":
      if (value.value === undefined) return "undefined";
      if (isType(value.value)) return `the type ${value.value.name}`;
      return typeof value.value === "object" ? "an object" : JSON.stringify(value.value);
    case "object":
      return "an object literal";
    case "array":
      return "an array";
    case "function":
    case "method":
      return `the function ${value.name}`;
    case "maybe":
    case "option":
      return "a value that may be undefined";
    case "operation":
      return `${value.name}, which needs yield*`;
    default:
      return "one of several parts";
  }
}

/** An expression for a value that needs no type from outside; `what` says what it is for. */
export function toExpr(cx: Context, value: Value, node: Node): Expr {
  if (value.kind === "expr") return value.expr;
  if (value.kind === "poison") throw new Breach();
  const at = cx.at(node);
  if (value.kind === "static") {
    const constant = value.value;
    if (typeof constant === "boolean") return { kind: "const", value: constant, type: bool, at };
    if (typeof constant === "number") {
      if (!Number.isInteger(constant))
        cx.fail(
          node,
          "type",
          `${constant} is not an integer`,
          "Hardware values are integers, booleans, vectors and structs.",
        );
      if (Math.abs(constant) >= LIMIT)
        cx.fail(node, "range", `${constant} does not fit in 53 bits`, "Split the number into parts.");
      return { kind: "const", value: constant, type: { kind: "exact", range: exact(constant) }, at };
    }
  }
  if (value.kind === "maybe") {
    const ok = cx.env.get(`${value.ok.id}`);
    if (ok?.lo !== 1)
      cx.fail(
        node,
        "undefined-token",
        `${cx.text(node)} may be undefined here`,
        "Test it first: if (x !== undefined) { ... }",
      );
    return { kind: "local", local: value.into, type: value.into.type, at };
  }
  if (value.kind === "object" || value.kind === "array")
    cx.fail(
      node,
      "type",
      `${cx.text(node)} has no type here`,
      value.kind === "object"
        ? "Give it one with a struct type: Pair({ ... })."
        : "Give it one with a vector type: Word([ ... ]) or Word((lane) => ...).",
    );
  if (value.kind === "operation") forgotten(cx, node, value.name);
  return cx.fail(node, "type", `${cx.text(node)} is ${describe(value)}; a hardware value is expected`, "");
}

export function forgotten(cx: Context, node: Node, name: string): never {
  return cx.fail(node, "yield-star", `${name} is not awaited: nothing happens here`, `Write yield* ${cx.text(node)}`);
}

/** An integer of any range. */
export function toInt(cx: Context, value: Value, node: Node): Expr {
  const expr = toExpr(cx, value, node);
  if (expr.type.kind === "exact" || expr.type.kind === "int") return expr;
  const hint = expr.type.kind === "bool" ? `Write ${cx.text(node)} ? 1 : 0` : "";
  return cx.fail(node, "type", `${cx.text(node)} is ${showType(expr.type)}; an integer is expected`, hint);
}

export function toBool(cx: Context, value: Value, node: Node): Expr {
  const expr = toExpr(cx, value, node);
  if (expr.type.kind === "bool") return expr;
  return cx.fail(
    node,
    "type",
    `${cx.text(node)} is ${showType(expr.type)}; a condition is a boolean`,
    `Write ${cx.text(node)} !== 0`,
  );
}

/** A value for a place of type `type`: literals take the type, an integer has to fit. */
export function coerce(cx: Context, value: Value, type: Type, node: Node): Expr {
  const at = cx.at(node);
  const struct = asStruct(type);
  if (struct && value.kind !== "expr" && value.kind !== "maybe") {
    const fields = fieldsOf(value);
    if (!fields) cx.fail(node, "type", `${describe(value)} where ${type.name} is expected`, "");
    for (const name of fields.keys())
      if (!(name in struct.fields)) cx.fail(node, "type", `${type.name} has no field "${name}"`, "");
    const list = Object.entries(struct.fields).map(([name, of]) => {
      const field = fields.get(name);
      if (!field) cx.fail(node, "type", `field "${name}" of ${type.name} is missing`, "");
      return { name, value: coerce(cx, field, of, node) };
    });
    return { kind: "struct", fields: list, type, at };
  }
  const vector = asVec(type);
  if (vector && (value.kind === "array" || (value.kind === "static" && Array.isArray(value.value)))) {
    const items =
      value.kind === "array"
        ? value.items
        : (value.value as unknown[]).map((v): Value => ({ kind: "static", value: v }));
    if (items.length !== vector.length)
      cx.fail(node, "type", `${items.length} values where ${type.name} is expected`, "Give one value per lane.");
    return { kind: "vector", items: items.map((item) => coerce(cx, item, vector.of, node)), type, at };
  }
  const expr = toExpr(cx, value, node);
  if (isAggregate(expr.type)) share(cx, value, undefined, node);
  return fit(cx, expr, type, node);
}

/** A vector or struct gets a second name: remember it, for the check of what is changed in place. */
export function share(cx: Context, value: Value, to: Expr | undefined, node: Node): void {
  if (cx.copies || value.kind !== "expr" || value.copy || !isShared(value.expr)) return;
  cx.unit.shares.push({ from: value.expr, to, node, file: cx.file });
}

/** Stands for an object that someone else holds. */
export function isShared(expr: Expr): boolean {
  switch (expr.kind) {
    case "local":
    case "field":
    case "index":
    case "member":
    case "q":
    case "signal":
      return isAggregate(expr.type);
    case "select":
      return isShared(expr.then) || isShared(expr.else);
    default:
      return false;
  }
}

function fieldsOf(value: Value): ReadonlyMap<string, Value> | undefined {
  if (value.kind === "object") return value.fields;
  if (value.kind !== "static" || typeof value.value !== "object" || value.value === null) return undefined;
  return new Map(Object.entries(value.value).map(([name, v]) => [name, { kind: "static", value: v as unknown }]));
}

function fit(cx: Context, expr: Expr, type: Type, node: Node): Expr {
  if (sameType(expr.type, type)) return expr;
  const int = asInt(type);
  if (int && (expr.type.kind === "exact" || expr.type.kind === "int")) {
    const range = cx.env.range(expr);
    if (!inside(range, { lo: int.min, hi: int.max }))
      cx.fail(
        node,
        "uncast",
        `${cx.text(node)} is in ${showRange(range)}, but ${int.name} holds ${int.min}..${int.max}`,
        `Show the truncation: ${int.name}(${cx.text(node)})`,
      );
    return castTo(expr, type);
  }
  return cx.fail(node, "type", `${cx.text(node)} is ${showType(expr.type)}; ${type.name} is expected`, "");
}

/** Wrap an integer to an integer type; constants are folded. */
export function castTo(expr: Expr, type: Type): Expr {
  if (sameType(expr.type, type)) return expr;
  const { at } = expr;
  if (expr.kind === "const") {
    const call = type as unknown as (x: number) => number;
    return { kind: "const", value: call(expr.value as number), type, at };
  }
  return { kind: "cast", operand: expr, type, at };
}

/** Every bit zero. */
export function zeroOf(cx: Context, type: Type, node: Node): Expr {
  const at = cx.at(node);
  const vector = asVec(type);
  const struct = asStruct(type);
  if (vector)
    return {
      kind: "map",
      length: vector.length,
      lane: laneOf(cx, vector.length, "lane"),
      body: zeroOf(cx, vector.of, node),
      type,
      at,
    };
  if (struct) {
    const fields = Object.entries(struct.fields).map(([name, of]) => ({ name, value: zeroOf(cx, of, node) }));
    return { kind: "struct", fields, type, at };
  }
  return { kind: "const", value: type.kind === "bool" ? false : 0, type, at };
}

export const laneOf = (cx: Context, length: number, name: string): ReturnType<Context["local"]> =>
  cx.local(name, { kind: "exact", range: { lo: 0, hi: length - 1 } }, false);

/** A call of a type: `i32(x)`, `Word((lane) => ...)`, `Pair({ ... })`. */
export function callType(cx: Context, type: Type, argument: Value, node: Node, at: Node): Value {
  const int = asInt(type);
  if (int) {
    const expr = toInt(cx, argument, at);
    return dynamic(castTo(expr, type));
  }
  const vector = asVec(type);
  if (vector && argument.kind === "function") {
    const lane = laneOf(cx, vector.length, laneName(argument.fn) ?? "lane");
    const position = cx.at(node);
    const body = cx.pureExpr("a lane of a vector", () => {
      const index: Value = dynamic({ kind: "local", local: lane, type: lane.type, at: position });
      return coerce(cx, inline(cx, argument, [index], node), vector.of, at);
    });
    return dynamic({ kind: "map", length: vector.length, lane, body, type, at: position });
  }
  if (vector && argument.kind === "static" && typeof argument.value === "function")
    cx.fail(
      node,
      "constant",
      `${cx.text(node)}: the text of this function cannot be read`,
      "Write the function in place.",
    );
  return { kind: "expr", expr: cx.copying(() => coerce(cx, argument, type, at)), copy: true };
}

function laneName({ params }: { params: readonly Node[] }): string | undefined {
  const first = params[0];
  return first?.type === "Identifier" ? first.name : undefined;
}

/** One type for two ways to the same value, each under its own knowledge. */
export function commonType(cx: Context, a: Expr, b: Expr, envs: readonly [Env, Env], node: Node): ExprType {
  const integers = (type: ExprType): boolean => type.kind === "exact" || type.kind === "int";
  if (integers(a.type) && integers(b.type)) {
    const range = union(envs[0].range(a), envs[1].range(b));
    const whole = sameType(a.type, b.type) ? typeRange(a.type) : undefined;
    return whole && whole.lo === range.lo && whole.hi === range.hi ? a.type : { kind: "exact", range };
  }
  if (sameType(a.type, b.type)) return a.type;
  return cx.fail(
    node,
    "type",
    `one way this is ${showType(a.type)}, the other way ${showType(b.type)}`,
    "Give both ways one type.",
  );
}

/** The number, boolean, type or object that an expression is at elaboration. */
export function constant(cx: Context, value: Value, node: Node): unknown {
  const found = constantOf(value);
  if (!found && value.kind !== "poison")
    cx.fail(
      node,
      "constant",
      `${cx.text(node)} is not known at elaboration`,
      "Use a constant, or a field of the module that no process assigns.",
    );
  return found?.value;
}
