/** Calls: of types, of the language's helpers, of methods of live objects, of functions of the source. */
import { assert } from "../arithmetic.js";
import { Channel, ChannelIn, ChannelOut } from "../channel.js";
import { Cell, Grid } from "../grid.js";
import { Memory, MemoryPort } from "../memory.js";
import { Module } from "../module.js";
import { clocks } from "../process.js";
import { Signal } from "../signal.js";
import type { Context } from "./context.js";
import { callType, coerce, constant, forgotten, toBool, zeroOf } from "./convert.js";
import { lower } from "./expressions.js";
import { helperCall, helperOf } from "./helpers.js";
import { inline, methodOf } from "./inline.js";
import { channelCall, gridCall, memoryCall, signalCall } from "./parts.js";
import type { Ast, Node } from "./parse.js";
import { isType } from "./types.js";
import { constantOf, known, type Value } from "./values.js";

/** The value of a call; it may have effects unless `cx.forbidden` says why not. */
export function call(cx: Context, node: Ast.CallExpression): Value {
  const callee = calleeOf(cx, node);
  if (callee.kind === "poison") return callee;
  if (callee.kind === "method") return callMethod(cx, callee.self, callee.name, node);
  if (callee.kind === "function") {
    if (callee.fn.generator) forgotten(cx, node, callee.name);
    const args = argumentsOf(cx, node);
    return foldable(callee.live, args) ?? inline(cx, callee, args, node);
  }
  if (callee.kind !== "static" || typeof callee.value !== "function")
    return cx.fail(node, "name", `${cx.text(node.callee)} is not a function`, "");
  return callLive(cx, callee.value, node);
}

export function calleeOf(cx: Context, node: Ast.CallExpression): Value {
  if (node.callee.type === "Super") return cx.fail(node, "syntax", "super has no hardware", "");
  if (node.optional) return cx.fail(node, "syntax", "?. has no hardware", "Test for undefined first.");
  return lower(cx, node.callee);
}

/** Arguments are evaluated before the call and have no effects. */
export function argumentsOf(cx: Context, node: Ast.CallExpression): Value[] {
  return cx.without(`an operand of ${cx.text(node.callee)}`, () =>
    node.arguments.map((argument) => {
      if (argument.type === "SpreadElement")
        return cx.fail(argument, "syntax", "a spread has no hardware", "Write every argument.");
      return lower(cx, argument);
    }),
  );
}

function callLive(cx: Context, target: object, node: Ast.CallExpression): Value {
  if (isType(target)) {
    const [argument] = argumentsOf(cx, node);
    if (!argument) return cx.fail(node, "type", `${cx.text(node)} has no operand`, "");
    return callType(cx, target, argument, node, node.arguments[0]!);
  }
  if (target === assert) return assertion(cx, node);
  if (target === clocks) forgotten(cx, node, "clocks");
  const helper = helperOf(target);
  const args = argumentsOf(cx, node);
  const folded = foldable(target, args);
  if (folded) return folded;
  if (helper) return helperCall(cx, helper, args, node);
  return cx.fail(
    node,
    "source",
    `the text of ${cx.text(node.callee)} cannot be read, and not all its arguments are constants`,
    "Write it as an exported function of a file of yours, or call it with constants.",
  );
}

/** A function of constants is called, now; functions as arguments cannot be. */
function foldable(live: unknown, args: readonly Value[], self?: unknown): Value | undefined {
  if (typeof live !== "function") return undefined;
  const constants = args.map(constantOf);
  if (constants.some((one) => !one)) return undefined;
  return known(
    (live as (...args: unknown[]) => unknown).apply(
      self,
      constants.map((one) => one!.value),
    ),
  );
}

function assertion(cx: Context, node: Ast.CallExpression): Value {
  const [test, text] = node.arguments;
  if (!test || test.type === "SpreadElement") return cx.fail(node, "syntax", "assert has no condition", "");
  if (!cx.out) return cx.fail(node, "effects", "assert stands inside an expression", "Put it on a line of its own.");
  const condition = cx.without("a condition", () => toBool(cx, lower(cx, test), test));
  const message = text && text.type !== "SpreadElement" ? constant(cx, lower(cx, text), text) : "";
  if (condition.kind !== "const" || !condition.value)
    cx.emit({ kind: "assert", condition, text: String(message), at: cx.at(node) });
  cx.env.assume(condition, true);
  return known(undefined);
}

/** A method of a live object, a vector or a type. */
function callMethod(cx: Context, self: Value, name: string, node: Ast.CallExpression): Value {
  const parts = self.kind === "static" ? [self.value] : self.kind === "parts" ? self.parts : [];
  const [first] = parts;
  if (first === console) return known(undefined);
  if (first instanceof Channel || first instanceof ChannelIn || first instanceof ChannelOut)
    return channelCall(cx, self, name, node);
  if (first instanceof MemoryPort) return memoryCall(cx, self, name, node);
  if (first instanceof Signal) return signalCall(cx, self, name, node);
  if (first instanceof Grid) return gridCall(cx, first, name, node);
  if (first instanceof Memory)
    return cx.fail(
      node,
      "port-user",
      `${cx.text(node)}: a memory is used through its ports`,
      "Declare one: readonly rd = this.mem.readPort();",
    );
  if (isType(first)) {
    if (name === "zero") return { kind: "expr", expr: zeroOf(cx, first, node), copy: true };
    const [argument] = argumentsOf(cx, node);
    if (name === "copy" && argument)
      return { kind: "expr", expr: cx.copying(() => coerce(cx, argument, first, node)), copy: true };
  }
  if (first instanceof Module || first instanceof Cell) return callOwn(cx, first, name, node);
  if (self.kind === "expr" || self.kind === "array") return vectorMethod(cx, self, name, node);
  const method: unknown = (first as Record<string, unknown> | undefined)?.[name];
  return mathOrConstant(cx, first, name, method, node);
}

function callOwn(cx: Context, object: object, name: string, node: Ast.CallExpression): Value {
  if (name === "estimate" && object instanceof Module) forgotten(cx, node, "this.estimate");
  const field: unknown = (object as Record<string, unknown>)[name];
  if (Object.hasOwn(object, name) && typeof field === "function" && isType(field)) return callLive(cx, field, node);
  if (object instanceof Module && object !== cx.unit.module && cx.unit.kind !== "constant")
    return cx.fail(
      node,
      "owner",
      `${cx.text(node)} calls a method of another module`,
      "Modules meet in channels; share code as a function.",
    );
  const method = methodOf(cx, object, name, node);
  if (method.fn.generator) forgotten(cx, node, cx.text(node.callee));
  return inline(cx, method, argumentsOf(cx, node), node);
}

function vectorMethod(cx: Context, self: Value, name: string, node: Node): never {
  const hint =
    name === "map"
      ? "Write a vector type instead: Word((lane) => ...)."
      : name === "slice"
        ? "Copy with the vector's type: Word(v)."
        : "Write a loop over the lanes.";
  return cx.fail(
    node,
    "syntax",
    `${cx.text(node)}: .${name}() of ${self.kind === "array" ? "an array" : "a vector"} has no hardware`,
    hint,
  );
}

function mathOrConstant(cx: Context, object: unknown, name: string, method: unknown, node: Ast.CallExpression): Value {
  if (object === Math && name === "random")
    return cx.fail(
      node,
      "nondeterminism",
      "Math.random is not the same in every run",
      "Give the process what it needs through a channel.",
    );
  const args = argumentsOf(cx, node);
  const folded = foldable(method, args, object);
  if (folded) return folded;
  if (object === Math && (name === "min" || name === "max" || name === "abs")) return helperCall(cx, name, args, node);
  const hint =
    object === Math ? "Use the helpers of the language: asr, shl, clamp, bits." : "Call it with constants only.";
  return cx.fail(node, "operator", `${cx.text(node)} has no hardware`, hint);
}
