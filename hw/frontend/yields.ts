/** `yield` and `yield*`: where time passes. */
import { Channel, ChannelIn, ChannelOut } from "../channel.js";
import { Cell } from "../grid.js";
import { Module } from "../module.js";
import { clocks } from "../process.js";
import { argumentsOf, calleeOf } from "./calls.js";
import type { Context } from "./context.js";
import { toInt } from "./convert.js";
import { inline, methodOf } from "./inline.js";
import { strip, type Ast } from "./parse.js";
import { channelRef, checkEnd, effect, tokenOf } from "./parts.js";
import { showRange } from "./ranges.js";
import { dynamic, known, type Value } from "./values.js";

/** The result of a `yield` or `yield*` that stands alone; `name` is what the result will be called. */
export function yieldExpression(cx: Context, node: Ast.YieldExpression, name: string): Value {
  effect(cx, node);
  if (!node.delegate) {
    if (node.argument)
      cx.fail(
        node,
        "yield-star",
        `${cx.text(node)} hands a value to the engine`,
        `Write yield* ${cx.text(node.argument)}, or yield alone for one clock.`,
      );
    cx.emit({ kind: "edge", at: cx.at(node) });
    return known(undefined);
  }
  const call = strip(node.argument!);
  if (call.type !== "CallExpression")
    return cx.fail(
      node,
      "yield-star",
      `${cx.text(node)}: yield* takes a call`,
      "Write yield* this.port.pop(), for example.",
    );
  const callee = calleeOf(cx, call);
  if (callee.kind === "poison") return callee;
  if (callee.kind === "static" && callee.value === clocks) return wait(cx, call, false);
  if (callee.kind === "function" && callee.fn.generator) return inline(cx, callee, argumentsOf(cx, call), call);
  if (callee.kind === "method") return method(cx, callee.self, callee.name, call, name);
  return notAGenerator(cx, call);
}

function notAGenerator(cx: Context, call: Ast.CallExpression): never {
  return cx.fail(call, "yield-star", `${cx.text(call)} takes no time`, "Call it without yield*.");
}

function method(cx: Context, self: Value, name: string, call: Ast.CallExpression, into: string): Value {
  const part = self.kind === "static" ? self.value : self.kind === "parts" ? self.parts[0] : undefined;
  if (part instanceof Channel || part instanceof ChannelIn || part instanceof ChannelOut) {
    if (name !== "pop" && name !== "push") return notAGenerator(cx, call);
    checkEnd(cx, self, name, call);
    return operation(cx, self, name, call, into);
  }
  if (part instanceof Module || part instanceof Cell) {
    if (name === "estimate" && part instanceof Module) return wait(cx, call, true);
    if (part !== cx.unit.module)
      return cx.fail(
        call,
        "owner",
        `${cx.text(call)} runs the code of another module`,
        "Modules meet in channels; share code as a function.",
      );
    const found = methodOf(cx, part, name, call);
    if (!found.fn.generator) return notAGenerator(cx, call);
    return inline(cx, found, argumentsOf(cx, call), call);
  }
  return notAGenerator(cx, call);
}

function operation(cx: Context, self: Value, name: "pop" | "push", call: Ast.CallExpression, into: string): Value {
  const channel = channelRef(cx, self, call);
  const { type } = channel.parts[0]!;
  const at = cx.at(call);
  if (name === "push") {
    cx.emit({ kind: "push", channel, value: tokenOf(cx, call, type), at });
    return known(undefined);
  }
  const local = cx.local(into, type, false);
  cx.emit({ kind: "pop", channel, into: local, at });
  return dynamic({ kind: "local", local, type, at });
}

function wait(cx: Context, call: Ast.CallExpression, estimate: boolean): Value {
  const [n] = argumentsOf(cx, call);
  if (!n) return cx.fail(call, "type", `${cx.text(call)} has no number of clocks`, "");
  const count = toInt(cx, n, call.arguments[0]!);
  const range = cx.env.range(count);
  if (range.lo < 0)
    cx.fail(call, "range", `${cx.text(call)} waits ${showRange(range)} clocks`, "A number of clocks is 0 or more.");
  if (estimate) cx.unit.estimates = true;
  // What is known here stays with the expression: whether at least one clock passes.
  cx.emit({ kind: "clocks", count: { ...count, type: { kind: "exact", range } }, estimate, at: cx.at(call) });
  return known(undefined);
}
