/** `a.b` and `a[i]`: of live objects (known now), of vectors and structs, and of arrays of ports. */
import { Channel, ChannelIn, ChannelOut } from "../channel.js";
import { Grid } from "../grid.js";
import type { Expr } from "../ir/ir.js";
import { Memory, MemoryPort } from "../memory.js";
import { Module } from "../module.js";
import { Signal } from "../signal.js";
import { int, uint, vec, type Type } from "../types.js";
import type { Context } from "./context.js";
import { coerce, describe, toExpr, toInt } from "./convert.js";
import { inlineGetter } from "./inline.js";
import type { Node } from "./parse.js";
import { bitsFor, exact, inside, showRange, union } from "./ranges.js";
import { asStruct, asVec, isType, sameType } from "./types.js";
import { constantOf, dynamic, known, type Value } from "./values.js";

/** What is fixed at elaboration in the parts of a design; everything else of them is state of a run. */
const fixed: readonly [abstract new (...args: never[]) => unknown, ReadonlySet<string>][] = [
  [Channel, new Set(["type", "depth", "lanes", "name", "path"])],
  [ChannelIn, new Set(["type", "name", "path", "channel"])],
  [ChannelOut, new Set(["type", "name", "path", "channel"])],
  [Memory, new Set(["type", "depth", "name", "path"])],
  [MemoryPort, new Set(["memory", "name", "path"])],
  [Signal, new Set(["type", "initial", "name", "path"])],
  [Grid, new Set(["rows", "cols", "cell", "results", "name", "path"])],
];

const isPart = (value: unknown): boolean => fixed.some(([part]) => value instanceof part);

/** `base.name`. */
export function member(cx: Context, base: Value, name: string, node: Node): Value {
  switch (base.kind) {
    case "poison":
      return base;
    case "static":
      return ofLive(cx, base.value, name, node);
    case "object":
      return base.fields.get(name) ?? known(undefined);
    case "array":
      if (name === "length") return known(base.items.length);
      return { kind: "method", self: base, name };
    case "parts":
      return ofParts(cx, base.parts, base.index, (part) => ofLive(cx, part, name, node), node, {
        kind: "method",
        self: base,
        name,
      });
    case "function":
    case "method":
    case "operation":
    case "option":
      return cx.fail(node, "syntax", `${cx.text(node)}: ${describe(base)} has no members`, "");
    default:
      return ofExpr(cx, toExpr(cx, base, node), name, node);
  }
}

function ofExpr(cx: Context, expr: Expr, name: string, node: Node): Value {
  const struct = asStruct(expr.type);
  if (struct) {
    const type = struct.fields[name];
    if (!type) cx.fail(node, "type", `${struct.name} has no field "${name}"`, "");
    if (expr.kind === "struct") return dynamic(expr.fields.find((field) => field.name === name)!.value);
    return dynamic({ kind: "member", base: expr, name, type, at: cx.at(node) });
  }
  const vector = asVec(expr.type);
  if (vector && name === "length") return known(vector.length);
  if (vector) return { kind: "method", self: dynamic(expr), name };
  return cx.fail(node, "syntax", `${cx.text(node)}: an integer has no members`, "");
}

function ofLive(cx: Context, object: unknown, name: string, node: Node): Value {
  if (object === undefined || object === null)
    return cx.fail(
      node,
      "name",
      `${cx.text(node)}: the object is ${String(object)} in the live design`,
      "Set the field in the constructor.",
    );
  const register = cx.unit.registers.get(object)?.get(name);
  if (register) {
    if (register.owner !== cx.unit.node)
      cx.fail(
        node,
        "owner",
        `${cx.text(node)} belongs to ${register.owner.path}, which assigns it, and is used by ${cx.unit.node?.path ?? "something else"}`,
        "Send the value over a channel, or use a Signal.",
      );
    cx.unit.fields.add(register.field);
    return dynamic({ kind: "field", field: register.field, type: register.field.type, at: cx.at(node) });
  }
  if (object instanceof Module) {
    const getter = inlineGetter(cx, object, name, node);
    if (getter) return getter;
  }
  if (object instanceof MemoryPort && name === "q") {
    if (!object.canRead) cx.fail(node, "type", `${cx.text(node)}: a write port has no q`, "Use readPort() or port().");
    return dynamic({ kind: "q", port: { parts: [object] }, type: object.memory.type, at: cx.at(node) });
  }
  if (object instanceof Memory && (name === "read" || name === "write"))
    return { kind: "method", self: known(object), name };
  const record = Object(object) as Record<string, unknown>;
  if (!(name in record))
    return cx.fail(
      node,
      "name",
      `${cx.text(node)}: there is no "${name}" in the live object`,
      "Declare the field in the class.",
    );
  const allowed = fixed.find(([part]) => object instanceof part)?.[1];
  const isMethod = typeof record[name] === "function" && !isType(record[name]);
  if (isMethod) return { kind: "method", self: known(object), name };
  if (allowed && !allowed.has(name))
    cx.fail(
      node,
      "constant",
      `${cx.text(node)} changes while the design runs`,
      "Poll with tryPop, tryPush or peek, or send the value over a channel.",
    );
  return known(record[name]);
}

/** `base[index]`. */
export function element(cx: Context, base: Value, index: Value, node: Node, at: [Node, Node]): Value {
  if (base.kind === "poison") return base;
  const number = constantOf(index);
  if (number && typeof number.value === "string") return member(cx, base, number.value, node);
  if (base.kind === "static" || base.kind === "array" || base.kind === "parts")
    return ofArray(cx, base, index, node, at);
  const expr = toExpr(cx, base, at[0]);
  const vector = asVec(expr.type);
  if (!vector) return cx.fail(node, "type", `${cx.text(at[0])} is ${describe(base)}; only a vector has lanes`, "");
  const i = checkIndex(cx, index, vector.length, node, at[1]);
  if (expr.kind === "vector" && i.kind === "const") return dynamic(expr.items[i.value as number]!);
  return dynamic({ kind: "index", base: expr, index: i, type: vector.of, at: cx.at(node) });
}

/** An index that is certainly inside. */
function checkIndex(cx: Context, index: Value, length: number, node: Node, at: Node): Expr {
  const i = toInt(cx, index, at);
  const range = cx.env.range(i);
  if (!inside(range, { lo: 0, hi: length - 1 }))
    cx.fail(
      node,
      "index",
      `${cx.text(node)}: the index is in ${showRange(range)}, but there are ${length} elements`,
      `Bound it, with a type, a condition or assert(${cx.text(at)} < ${length}, "...").`,
    );
  return i;
}

function ofArray(cx: Context, base: Value, index: Value, node: Node, at: [Node, Node]): Value {
  const chosen = constantOf(index);
  if (base.kind === "array") {
    const i = checkIndex(cx, index, base.items.length, node, at[1]);
    if (i.kind === "const") return base.items[i.value as number]!;
    return dynamic(
      tableOf(
        cx,
        base.items.map((item) => toExpr(cx, item, at[0])),
        i,
        node,
      ),
    );
  }
  if (base.kind === "static") {
    if (chosen) return ofLive(cx, base.value, String(chosen.value), node);
    if (!Array.isArray(base.value))
      return cx.fail(node, "constant", `${cx.text(node)}: a name that is not known at elaboration`, "");
    const i = checkIndex(cx, index, base.value.length, node, at[1]);
    return ofParts(cx, base.value, i, known, node);
  }
  if (base.kind !== "parts") throw new Error("not an array");
  // An array of arrays: pick in each, or flatten.
  const rows = base.parts as readonly (readonly unknown[])[];
  const length = rows[0]?.length ?? 0;
  if (!rows.every((row) => Array.isArray(row) && row.length === length))
    return cx.fail(node, "constant", `${cx.text(node)}: the arrays differ in length`, "");
  const i = checkIndex(cx, index, length, node, at[1]);
  if (i.kind === "const")
    return ofParts(
      cx,
      rows.map((row) => row[i.value as number]),
      base.index,
      known,
      node,
    );
  const position = cx.at(node);
  const size = { kind: "const", value: length, type: { kind: "exact", range: exact(length) }, at: position } as const;
  const hi = (rows.length - 1) * length;
  const product: Expr = {
    kind: "binary",
    op: "*",
    left: base.index,
    right: size,
    type: { kind: "exact", range: { lo: 0, hi } },
    at: position,
  };
  const flat: Expr = {
    kind: "binary",
    op: "+",
    left: product,
    right: i,
    type: { kind: "exact", range: { lo: 0, hi: hi + length - 1 } },
    at: position,
  };
  return ofParts(cx, rows.flat(), flat, known, node);
}

/** One of several live objects by a dynamic index: of numbers a table, of ports a choice. */
function ofParts(
  cx: Context,
  parts: readonly unknown[],
  index: Expr,
  pick: (part: unknown) => Value,
  node: Node,
  method?: Value,
): Value {
  const values = parts.map(pick);
  const [first] = values;
  if (!first) return cx.fail(node, "index", `${cx.text(node)}: the array is empty`, "");
  if (method && values.every(({ kind }) => kind === "method")) return method;
  if (values.every((value) => value.kind === "static")) {
    const list = values.map(({ value }) => value);
    if (list.every((value) => value === list[0])) return first;
    if (list.every((value) => typeof value === "object" && value !== null && (isPart(value) || !isType(value))))
      return { kind: "parts", parts: list, index };
  }
  if (values.every((value) => value.kind === "expr" && value.expr.kind === "q")) {
    const ports = parts as readonly MemoryPort[];
    return dynamic({ kind: "q", port: { parts: ports, index }, type: ports[0]!.memory.type, at: cx.at(node) });
  }
  return dynamic(
    tableOf(
      cx,
      values.map((value) => toExpr(cx, value, node)),
      index,
      node,
    ),
  );
}

/** A table of values (constants, mostly) by a dynamic index: a vector of the narrowest type that holds them all. */
function tableOf(cx: Context, items: readonly Expr[], index: Expr, node: Node): Expr {
  const at = cx.at(node);
  const type = narrowest(cx, items, node);
  const list = items.map((item) => coerce(cx, dynamic(item), type, node));
  const base: Expr = { kind: "vector", items: list, type: vec(type, items.length), at };
  return { kind: "index", base, index, type, at };
}

function narrowest(cx: Context, items: readonly Expr[], node: Node): Type {
  const [first] = items;
  if (first!.type.kind !== "exact" && items.every((item) => sameType(item.type, first!.type))) return first!.type;
  const { lo, hi } = items.map((item) => cx.env.range(item)).reduce(union);
  const bits = lo < 0 ? Math.max(bitsFor(-lo - 1), bitsFor(Math.max(hi, 0))) + 1 : Math.max(1, bitsFor(hi));
  if (bits > 32)
    cx.fail(
      node,
      "range",
      `${cx.text(node)} chooses among numbers in ${showRange({ lo, hi })}`,
      "Keep tables within 32 bits.",
    );
  return lo < 0 ? int(bits) : uint(bits);
}
