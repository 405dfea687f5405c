/** Calls on the parts of a design: channels, memory ports, signals, grids. */
import { Channel, ChannelIn, ChannelOut } from "../channel.js";
import type { Grid } from "../grid.js";
import type { Expr, Local, Ref } from "../ir/ir.js";
import { MemoryPort } from "../memory.js";
import type { Signal } from "../signal.js";
import { bool, vec, type Type } from "../types.js";
import { argumentsOf } from "./calls.js";
import type { Context } from "./context.js";
import { coerce, forgotten, toInt } from "./convert.js";
import type { Ast, Node } from "./parse.js";
import { inside, showRange, UINT32 } from "./ranges.js";
import { sameType } from "./types.js";
import { dynamic, known, type Value } from "./values.js";

/** Effects are statements: refuse one inside an expression. */
export function effect(cx: Context, node: Node): void {
  if (cx.unit.kind === "cell")
    cx.fail(
      node,
      "effects",
      `${cx.text(node)}: a cell meets its neighbours through its links alone`,
      "Do it in the process that feeds the grid.",
    );
  if (cx.forbidden || !cx.out)
    cx.fail(
      node,
      "effects",
      `${cx.text(node)} does something, inside ${cx.forbidden ?? "an expression"}`,
      "Put it on a line of its own and name its result.",
    );
}

/** The live parts behind a value, all of one type. */
export function refOf<P>(
  cx: Context,
  self: Value,
  pick: (part: unknown) => P,
  typeOf: (part: P) => Type,
  node: Node,
): Ref<P> {
  const parts = (self.kind === "static" ? [self.value] : self.kind === "parts" ? self.parts : []).map(pick);
  const type = typeOf(parts[0]!);
  for (const part of parts)
    if (!sameType(typeOf(part), type))
      cx.fail(
        node,
        "type",
        `${cx.text(node)} chooses among parts of types ${type.name} and ${typeOf(part).name}`,
        "Give them one type.",
      );
  return self.kind === "parts" ? { parts, index: self.index } : { parts };
}

export const channelRef = (cx: Context, self: Value, node: Node): Ref<Channel> =>
  refOf(
    cx,
    self,
    (part) => (part instanceof Channel ? part : (part as ChannelIn | ChannelOut).channel),
    (channel) => channel.type,
    node,
  );

/** Operands of a call, each with its place in the text; exactly `count` of them. */
function operands(cx: Context, node: Ast.CallExpression, count: number): { value: Value; at: Node }[] {
  const values = argumentsOf(cx, node);
  if (values.length !== count)
    cx.fail(node, "type", `${cx.text(node)} has ${values.length} operands; ${count} expected`, "");
  return values.map((value, i) => ({ value, at: node.arguments[i]! }));
}

/** The token of a push, copied as the channel does. */
export function tokenOf(cx: Context, node: Ast.CallExpression, type: Type): Expr {
  return cx.copying(() => {
    const [token] = operands(cx, node, 1);
    return coerce(cx, token!.value, type, token!.at);
  });
}

/** Does this end of the channel have the operation? TypeScript sees it, JavaScript does not. */
export function checkEnd(cx: Context, self: Value, name: string, node: Node): void {
  const part = self.kind === "parts" ? self.parts[0] : self.kind === "static" ? self.value : undefined;
  const pushes = name === "push" || name === "tryPush";
  if ((pushes && part instanceof ChannelIn) || (!pushes && part instanceof ChannelOut))
    cx.fail(node, "type", `${cx.text(node)}: the port is an ${pushes ? "input" : "output"}`, "");
}

export function channelCall(cx: Context, self: Value, name: string, node: Ast.CallExpression): Value {
  if (name === "pop" || name === "push") forgotten(cx, node, cx.text(node.callee));
  if (name !== "tryPop" && name !== "peek" && name !== "tryPush")
    return cx.fail(node, "name", `a channel has no ${name}`, "Use pop, push, tryPop, peek or tryPush.");
  checkEnd(cx, self, name, node);
  effect(cx, node);
  const channel = channelRef(cx, self, node);
  const { type } = channel.parts[0]!;
  const at = cx.at(node);
  cx.unit.polls = true;
  const ok: Local = cx.local("ok", bool, false);
  if (name === "tryPush") {
    cx.emit({ kind: "tryPush", channel, value: tokenOf(cx, node, type), ok, at });
    return dynamic({ kind: "local", local: ok, type: bool, at });
  }
  const into = cx.local("token", type, false);
  cx.emit({ kind: name, channel, ok, into, at });
  return { kind: "maybe", ok, into };
}

export function memoryCall(cx: Context, self: Value, name: string, node: Ast.CallExpression): Value {
  if (name !== "read" && name !== "write")
    return cx.fail(node, "name", `a memory port has no ${name}`, "Use read, write and q.");
  effect(cx, node);
  const port = refOf(
    cx,
    self,
    (part) => part as MemoryPort,
    (one) => one.memory.type,
    node,
  );
  for (const one of port.parts)
    if (name === "read" ? !one.canRead : !one.canWrite)
      cx.fail(node, "type", `${cx.text(node)}: ${one.path} cannot ${name}`, `Declare it with ${name}Port() or port().`);
  const [where, word] = cx.copying(() => operands(cx, node, name === "read" ? 1 : 2));
  const address = toInt(cx, where!.value, where!.at);
  checkAddress(cx, address, port.parts, where!.at);
  const at = cx.at(node);
  if (name === "read") cx.emit({ kind: "read", port, address, at });
  else {
    const stored = cx.copying(() => coerce(cx, word!.value, port.parts[0]!.memory.type, word!.at));
    cx.emit({ kind: "write", port, address, value: stored, at });
  }
  return known(undefined);
}

/** An address is an unsigned word; the kernel watches that it is inside, but what never is, is refused here. */
function checkAddress(cx: Context, address: Expr, ports: readonly MemoryPort[], node: Node): void {
  const range = cx.env.range(address);
  const depth = Math.min(...ports.map(({ memory }) => memory.depth));
  if (range.lo >= 0 && range.lo < depth && inside(range, UINT32)) return;
  cx.fail(
    node,
    "index",
    `address ${cx.text(node)} is in ${showRange(range)}; ${ports[0]!.memory.path} has ${depth} words`,
    "Wrap it with an unsigned type, or bound it with a condition or an assertion.",
  );
}

export function signalCall(cx: Context, self: Value, name: string, node: Ast.CallExpression): Value {
  const signal = refOf(
    cx,
    self,
    (part) => part as Signal,
    (one) => one.type,
    node,
  );
  const { type } = signal.parts[0]!;
  const at = cx.at(node);
  if (name === "read") {
    if (cx.unit.kind !== "process") effect(cx, node);
    return dynamic({ kind: "signal", signal, type, at });
  }
  if (name !== "write") return cx.fail(node, "name", `a signal has no ${name}`, "Use read and write.");
  effect(cx, node);
  cx.emit({ kind: "signal", signal, value: tokenOf(cx, node, type), at });
  return known(undefined);
}

export function gridCall(cx: Context, grid: Grid, name: string, node: Ast.CallExpression): Value {
  if (name !== "feed") return cx.fail(node, "name", `a grid has no ${name}`, "Use feed, and pop its results.");
  effect(cx, node);
  const [rows, cols] = operands(cx, node, 2);
  const west = coerce(cx, rows!.value, vec(grid.cell.west, grid.rows), rows!.at);
  const north = coerce(cx, cols!.value, vec(grid.cell.north, grid.cols), cols!.at);
  cx.emit({ kind: "feed", grid, west, north, at: cx.at(node) });
  return known(undefined);
}
