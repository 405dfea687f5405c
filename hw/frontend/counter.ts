/** Counters of `for` loops: `for (let i = first; i < limit; i = T(i + step))`, with exact ranges and constant trips. */
import type { Expr, Range } from "../ir/ir.js";
import type { Context } from "./context.js";
import { castTo, toInt } from "./convert.js";
import { placeOf, typeRange, type Env } from "./env.js";
import { lower } from "./expressions.js";
import { havoc } from "./havoc.js";
import { strip, type Ast } from "./parse.js";
import { inside, isSafe } from "./ranges.js";
import { assignedNames } from "./scope.js";
import { isType } from "./types.js";
import { constantOf, dynamic } from "./values.js";

export interface Counter {
  /** Passes, where first value, limit and step are constant. */
  readonly trips: number | undefined;
  /** Before the test, in the body, and after the loop. */
  enter(env: Env): void;
  within(env: Env): void;
  leave(env: Env): void;
  /** The update. */
  advance(cx: Context): void;
}

/** The counter of a loop, declared; undefined if the head has another form. */
export function counterOf(cx: Context, node: Ast.ForStatement): Counter | undefined {
  const head = headOf(cx, node);
  if (!head) return undefined;
  const { name, step, id } = head;
  const first = toInt(cx, lower(cx, head.first), head.first);
  if (first.type.kind === "int" && head.type === undefined)
    cx.fail(
      node.update!,
      "increment",
      `${cx.text(node.update!)} hides where the result is truncated`,
      `Write ${name} = ${first.type.name}(${name} ${step > 0 ? "+" : "-"} ${Math.abs(step)})`,
    );
  const declared = first.type.kind === "exact" ? undefined : typeRange(first.type);
  const start = cx.env.range(first);
  const limit = limitRange(cx, node, head);
  if (!limit) return undefined;
  if (head.type !== undefined && first.type.kind !== "exact" && head.type !== first.type.name) return undefined;
  const trips = start.lo === start.hi && limit.lo === limit.hi ? tripsOf(start.lo, limit.lo, step) : undefined;
  if (head.until && (trips === undefined || start.lo + trips * step !== limit.lo)) return undefined;
  const ranges = rangesOf(start, limit, step, trips);
  if (declared && !inside(ranges.whole, declared)) {
    if (trips === undefined) return undefined;
    cx.fail(
      node.test!,
      "loop-bound",
      `${name} wraps before ${cx.text(node.test!)} fails: ${head.type ?? "its type"} holds ${declared.lo}..${declared.hi}, the loop never ends`,
      "Give the counter a type that holds the limit itself.",
    );
  }
  if (!isSafe(ranges.whole)) return undefined;
  const type = declared ? first.type : ({ kind: "exact", range: ranges.whole } as const);
  const local = cx.local(name, type, true);
  const at = cx.at(id);
  cx.emit({ kind: "let", local, value: first, at });
  const place: Expr & { kind: "local" } = { kind: "local", local, type, at };
  const key = placeOf(place)!;
  // What is known at the first test stays known for loops that are entered at once.
  cx.env.set(key, start);
  cx.scope.declare(name, dynamic(place), true);
  return {
    trips,
    enter: (env) => env.set(key, ranges.whole),
    within: (env) => env.set(key, ranges.body),
    leave: (env) => env.set(key, ranges.exit),
    advance: (inner) => {
      const by: Expr = {
        kind: "const",
        value: Math.abs(step),
        type: { kind: "exact", range: { lo: Math.abs(step), hi: Math.abs(step) } },
        at,
      };
      const range = { lo: ranges.body.lo + step, hi: ranges.body.hi + step };
      const sum: Expr = {
        kind: "binary",
        op: step > 0 ? "+" : "-",
        left: place,
        right: by,
        type: { kind: "exact", range },
        at,
      };
      const value = type.kind === "exact" ? sum : castTo(sum, type);
      inner.emit({ kind: "assign", target: place, value, at: inner.at(node.update!) });
    },
  };
}

interface Head {
  readonly id: Ast.BindingIdentifier;
  readonly name: string;
  readonly first: Ast.Expression;
  readonly step: number;
  readonly limit: Ast.Expression;
  /** The limit itself is still a pass. */
  readonly inclusive: boolean;
  /** `!==`: it ends only where the counter meets the limit. */
  readonly until: boolean;
  readonly type: string | undefined;
}

function headOf(cx: Context, { init, test, update, body }: Ast.ForStatement): Head | undefined {
  if (init?.type !== "VariableDeclaration" || init.kind !== "let" || init.declarations.length !== 1) return undefined;
  const { id, init: first } = init.declarations[0]!;
  if (id.type !== "Identifier" || !first || !test || !update || assignedNames(body).has(id.name)) return undefined;
  const { name } = id;
  const step = stepOf(cx, update, name);
  const condition = strip(test);
  if (!step || condition.type !== "BinaryExpression" || condition.left.type === "PrivateIdentifier") return undefined;
  const left = strip(condition.left);
  if (left.type !== "Identifier" || left.name !== name) return undefined;
  const { operator } = condition;
  const upwards = step.by > 0;
  if (upwards ? !["<", "<=", "!=="].includes(operator) : ![">", ">=", "!=="].includes(operator)) return undefined;
  const inclusive = operator === "<=" || operator === ">=";
  return {
    id,
    name,
    first,
    step: step.by,
    limit: condition.right,
    inclusive,
    until: operator === "!==",
    type: step.type,
  };
}

/** `i++`, `i += 2`, `i = i + 2`, `i = T(i + 2)`; and downwards. */
function stepOf(
  cx: Context,
  update: Ast.Expression,
  name: string,
): { by: number; type: string | undefined } | undefined {
  const node = strip(update);
  const is = (one: Ast.Node): boolean => one.type === "Identifier" && one.name === name;
  const amount = (expr: Ast.Expression, sign: number): number => {
    const value = constantOf(lower(cx, expr))?.value;
    return typeof value === "number" && Number.isInteger(value) ? value * sign : 0;
  };
  const made = (by: number, type?: string): { by: number; type: string | undefined } | undefined =>
    by === 0 ? undefined : { by, type };
  if (node.type === "UpdateExpression" && is(node.argument)) return made(node.operator === "++" ? 1 : -1);
  if (node.type !== "AssignmentExpression" || !is(node.left)) return undefined;
  if (node.operator === "+=") return made(amount(node.right, 1));
  if (node.operator === "-=") return made(amount(node.right, -1));
  if (node.operator !== "=") return undefined;
  let right = strip(node.right);
  let type: string | undefined;
  if (right.type === "CallExpression" && right.arguments.length === 1) {
    const callee = lower(cx, right.callee);
    if (callee.kind !== "static" || !isType(callee.value) || callee.value.kind !== "int") return undefined;
    type = callee.value.name;
    right = strip(right.arguments[0] as Ast.Expression);
  }
  if (right.type !== "BinaryExpression" || right.left.type === "PrivateIdentifier") return undefined;
  if (right.operator === "+" && is(strip(right.left))) return made(amount(right.right, 1), type);
  if (right.operator === "-" && is(strip(right.left))) return made(amount(right.right, -1), type);
  return undefined;
}

/** The limit as the first value that is no pass any more, as a range; undefined if that cannot be said. */
function limitRange(cx: Context, node: Ast.ForStatement, { limit, inclusive, step }: Head): Range | undefined {
  const env = cx.env.clone();
  return cx.under(env, () => {
    havoc(cx, node);
    let range: Range | undefined;
    cx.pureExpr("the limit of a loop", () => {
      const expr = toInt(cx, lower(cx, limit), limit);
      range = env.range(expr);
      return expr;
    });
    if (!range) return undefined;
    const by = inclusive ? Math.sign(step) : 0;
    return { lo: range.lo + by, hi: range.hi + by };
  });
}

const tripsOf = (first: number, limit: number, step: number): number => Math.max(0, Math.ceil((limit - first) / step));

function rangesOf(
  start: Range,
  limit: Range,
  step: number,
  trips: number | undefined,
): { whole: Range; body: Range; exit: Range } {
  if (trips !== undefined) {
    const first = start.lo;
    const last = first + step * (trips - 1);
    const end = first + step * trips;
    return {
      whole: around(first, end),
      body: trips > 0 ? around(first, last) : around(first, first),
      exit: around(end, end),
    };
  }
  if (step > 0) {
    const hi = Math.max(start.hi, limit.hi - 1 + step);
    return {
      whole: { lo: start.lo, hi },
      body: { lo: start.lo, hi: Math.max(start.lo, limit.hi - 1) },
      exit: { lo: Math.max(start.lo, limit.lo), hi },
    };
  }
  const lo = Math.min(start.lo, limit.lo + 1 + step);
  return {
    whole: { lo, hi: start.hi },
    body: { lo: Math.min(start.hi, limit.lo + 1), hi: start.hi },
    exit: { lo, hi: Math.min(start.hi, limit.hi) },
  };
}

const around = (a: number, b: number): Range => ({ lo: Math.min(a, b), hi: Math.max(a, b) });
