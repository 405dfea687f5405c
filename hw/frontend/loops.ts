/** Loops: structure kept, counters with exact ranges, constant trip counts where the bounds are constant. */
import type { Expr, Local, Loop, Range, Stmt } from "../ir/ir.js";
import { takesTime } from "../ir/walk.js";
import { bool } from "../types.js";
import { bind } from "./bind.js";
import type { Context, Jump } from "./context.js";
import { describe } from "./convert.js";
import { counterOf, type Counter } from "./counter.js";
import { Env, placeOf } from "./env.js";
import { condition, lower } from "./expressions.js";
import { havoc } from "./havoc.js";
import { element } from "./members.js";
import { not } from "./operators.js";
import type { Ast, Node } from "./parse.js";
import { Scope } from "./scope.js";
import { nested, soleCondition, statements } from "./statements.js";
import { asVec } from "./types.js";
import { dynamic, known, type Value } from "./values.js";

const always = (cx: Context, node: Node): Expr => ({ kind: "const", value: true, type: bool, at: cx.at(node) });

interface Parts {
  readonly node: Node;
  readonly name: string;
  /** The test, with the statements that it needs. */
  readonly test: () => Expr;
  readonly body: () => void;
  readonly update: () => void;
  readonly counter?: Counter | undefined;
}

export function forLoop(cx: Context, node: Ast.ForStatement): void {
  const { around, pendingLabel } = cx;
  cx.around = node;
  cx.pendingLabel = undefined;
  cx.inner(new Scope(cx.scope), () => {
    const counter = counterOf(cx, node);
    if (!counter && node.init) initialise(cx, node.init, node);
    cx.pendingLabel = pendingLabel;
    const { test, update } = node;
    emitLoop(cx, {
      node,
      name: "for",
      test: () => (test ? soleCondition(cx, test) : always(cx, node)),
      body: () => nested(cx, node.body),
      update: () => {
        if (counter) counter.advance(cx);
        else if (update)
          statements(cx, [{ type: "ExpressionStatement", expression: update, start: update.start, end: update.end }]);
      },
      counter,
    });
  });
  cx.around = around;
}

function initialise(cx: Context, init: Ast.ForStatementInit, node: Ast.ForStatement): void {
  if (init.type !== "VariableDeclaration")
    return cx.fail(init, "syntax", "the head of the loop declares no counter", "Write for (let i = ...; ...; ...).");
  for (const { id, init: first } of init.declarations) {
    if (!first) return cx.fail(id, "type", `${cx.text(id)} has no first value`, "");
    bind(cx, id, lower(cx, first), node, init.kind === "const" ? "const" : "let");
  }
}

export function whileLoop(cx: Context, node: Ast.WhileStatement): void {
  emitLoop(cx, {
    node,
    name: "while",
    test: () => soleCondition(cx, node.test),
    body: () => nested(cx, node.body),
    update: () => undefined,
  });
}

function emitLoop(cx: Context, { node, name, test, body, update, counter }: Parts): void {
  const before = cx.env.clone();
  havoc(cx, node);
  counter?.enter(cx.env);
  let condition: Expr | undefined;
  const pre = cx.collect(() => (condition = test()));
  const given = condition!;
  const exit = cx.env.clone();
  exit.assume(given, false);
  cx.env.assume(given, true);
  if (counter?.trips === 0) {
    // The body is never entered.
    cx.env.become(before);
    return;
  }
  const moved = pre.length > 0;
  const here = jumpOf(cx, name, undefined);
  cx.jumps.push(here);
  counter?.within(cx.env);
  const list = cx.collect(body);
  cx.jumps.pop();
  for (const env of here.continues) cx.env.join(env);
  const after = cx.env.dead ? [] : cx.collect(update);
  if (counter) counter.leave(exit);
  const at = cx.at(node);
  const first: Stmt[] = moved
    ? [...pre, { kind: "if", condition: not(given), then: [{ kind: "break", label: here.label, at }], else: [], at }]
    : [];
  const whole = [...first, ...list];
  before.assume(given, false);
  const loop: Loop = {
    kind: "loop",
    label: here.label,
    condition: moved ? always(cx, node) : given,
    update: after,
    body: whole,
    ...(counter?.trips === undefined ? {} : { trips: counter.trips }),
    atLeastOnce: moved || before.dead || (counter?.trips ?? 0) > 0,
    combinational: !whole.some(takesTime),
    at,
  };
  cx.emit(loop);
  for (const env of here.breaks) exit.join(env);
  cx.env.become(exit);
}

function jumpOf(cx: Context, name: string, next: string | undefined): Jump {
  const label = cx.label(cx.pendingLabel ?? name);
  const here: Jump = { name: cx.pendingLabel, label, isLoop: true, isSwitch: false, next, breaks: [], continues: [] };
  cx.pendingLabel = undefined;
  return here;
}

/** The test stands at the end: an endless loop that it leaves. */
export function doWhile(cx: Context, node: Ast.DoWhileStatement): void {
  havoc(cx, node);
  const next = cx.label("next");
  const here = jumpOf(cx, "do", next);
  cx.jumps.push(here);
  const at = cx.at(node);
  const body = cx.collect(() => {
    const inside = cx.collect(() => nested(cx, node.body));
    const used = here.continues.length > 0;
    for (const env of here.continues) cx.env.join(env);
    if (used) cx.emit({ kind: "block", label: next, body: inside, at });
    else for (const stmt of inside) cx.emit(stmt);
    const test = condition(cx, node.test);
    cx.env.assume(test, false);
    cx.emit({ kind: "if", condition: not(test), then: [{ kind: "break", label: here.label, at }], else: [], at });
  });
  cx.jumps.pop();
  for (const env of here.breaks) cx.env.join(env);
  cx.emit({
    kind: "loop",
    label: here.label,
    condition: always(cx, node),
    update: [],
    body,
    atLeastOnce: true,
    combinational: !body.some(takesTime),
    at,
  });
}

/** Over an array of live parts, or over the lanes of a vector. */
export function forOf(cx: Context, node: Ast.ForOfStatement): void {
  if (node.left.type !== "VariableDeclaration" || node.left.kind !== "const")
    return cx.fail(node.left, "syntax", "for ... of declares its name with const", "");
  const list = lower(cx, node.right);
  const length = lengthOf(cx, list, node.right);
  const { id } = node.left.declarations[0]!;
  const { around, pendingLabel } = cx;
  cx.around = node;
  const bindAt = (index: Value): void =>
    bind(cx, id, element(cx, list, index, node.right, [node.right, node.right]), node, "const");
  cx.inner(new Scope(cx.scope), () => {
    if (alike(list, length)) indexed(cx, node, length, bindAt);
    else unrolled(cx, node, length, bindAt, pendingLabel);
  });
  cx.around = around;
}

function lengthOf(cx: Context, list: Value, node: Node): number {
  if (list.kind === "static" && Array.isArray(list.value)) return list.value.length;
  if (list.kind === "array") return list.items.length;
  const type = list.kind === "expr" ? asVec(list.expr.type) : undefined;
  return (
    type?.length ??
    cx.fail(node, "syntax", `for ... of over ${describe(list)}`, "Loop over an array of parts or a vector.")
  );
}

/** Can one expression with an index stand for every element? */
function alike(list: Value, length: number): boolean {
  if (length === 0) return true;
  if (list.kind === "expr") return true;
  if (list.kind !== "static") return false;
  const items = list.value as readonly unknown[];
  const first = items[0];
  if (typeof first === "number" || typeof first === "boolean")
    return items.every((item) => typeof item === typeof first);
  const type = (item: unknown): unknown => (item as { type?: { name?: string } } | undefined)?.type?.name;
  return (
    typeof first === "object" &&
    first !== null &&
    type(first) !== undefined &&
    items.every((item) => Object.getPrototypeOf(item) === Object.getPrototypeOf(first) && type(item) === type(first))
  );
}

function indexed(cx: Context, node: Ast.ForOfStatement, length: number, bindAt: (index: Value) => void): void {
  if (length === 0) return;
  const at = cx.at(node);
  const local: Local = cx.local("index", { kind: "exact", range: { lo: 0, hi: length } }, true);
  const place: Expr & { kind: "local" } = { kind: "local", local, type: local.type, at };
  const number = (value: number): Expr => ({
    kind: "const",
    value,
    type: { kind: "exact", range: { lo: value, hi: value } },
    at,
  });
  const inside: Range = { lo: 0, hi: length - 1 };
  cx.emit({ kind: "let", local, value: number(0), at });
  const key = placeOf(place)!;
  emitLoop(cx, {
    node,
    name: "of",
    test: () => ({ kind: "binary", op: "<", left: place, right: number(length), type: bool, at }),
    body: () => {
      bindAt(dynamic(place));
      nested(cx, node.body);
    },
    update: () => {
      const value: Expr = {
        kind: "binary",
        op: "+",
        left: place,
        right: number(1),
        type: { kind: "exact", range: { lo: 1, hi: length } },
        at,
      };
      cx.emit({ kind: "assign", target: place, value, at });
    },
    counter: {
      trips: length,
      enter: (env: Env) => env.set(key, { lo: 0, hi: length }),
      within: (env: Env) => env.set(key, inside),
      leave: (env: Env) => env.set(key, { lo: length, hi: length }),
      advance: () => undefined,
    },
  });
}

/** Elements that differ in kind: the body once for each. */
function unrolled(
  cx: Context,
  node: Ast.ForOfStatement,
  length: number,
  bindAt: (index: Value) => void,
  name: string | undefined,
): void {
  const outer = cx.label(name ?? "of");
  cx.pendingLabel = undefined;
  const at = cx.at(node);
  const breaks: Env[] = [];
  const all = cx.collect(() => {
    for (let i = 0; i < length && !cx.env.dead; i++) {
      const next = cx.label("next");
      const here: Jump = { name, label: outer, isLoop: true, isSwitch: false, next, breaks, continues: [] };
      cx.jumps.push(here);
      const body = cx.collect(() =>
        cx.inner(new Scope(cx.scope), () => {
          bindAt(known(i));
          nested(cx, node.body);
        }),
      );
      cx.jumps.pop();
      for (const env of here.continues) cx.env.join(env);
      if (here.continues.length > 0) cx.emit({ kind: "block", label: next, body, at });
      else for (const stmt of body) cx.emit(stmt);
    }
  });
  for (const env of breaks) cx.env.join(env);
  if (breaks.length > 0) cx.emit({ kind: "block", label: outer, body: all, at });
  else for (const stmt of all) cx.emit(stmt);
}
