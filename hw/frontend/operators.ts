/** Operators: exact ranges, and refusal of what JavaScript and hardware would compute differently. */
import type { BinaryOp, Expr, Range } from "../ir/ir.js";
import { applyBinary, type Scalar } from "../ir/operators.js";
import { bool } from "../types.js";
import type { Context } from "./context.js";
import { commonType, toBool, toExpr, toInt } from "./convert.js";
import type { Node } from "./parse.js";
import { binaryRange, inside, INT32, isSafe, showRange, UINT32 } from "./ranges.js";
import { constantOf, dynamic, known, type Value } from "./values.js";
import { isAggregate, showType } from "./types.js";

const comparisons = new Set(["<", "<=", ">", ">=", "===", "!=="]);

/** `left op right` for all operators but `&&` and `||`. */
export function binary(cx: Context, op: string, left: Value, right: Value, node: Node, at: [Node, Node]): Value {
  if (op === "==" || op === "!=") cx.fail(node, "syntax", `${op} converts its operands`, `Write ${op}=`);
  const presence = comparePresence(cx, op, left, right, node);
  if (presence) return presence;
  const a = constantOf(left);
  const b = constantOf(right);
  if (a && b && isPlain(a.value) && isPlain(b.value)) return known(fold(cx, op, a.value, b.value, node));
  if (op === "===" || op === "!==") {
    const l = toExpr(cx, left, at[0]);
    const r = toExpr(cx, right, at[1]);
    if (isAggregate(l.type) || isAggregate(r.type))
      cx.fail(node, "type", `${op} compares ${showType(l.type)} by reference in JavaScript`, "Compare lane by lane.");
    if ((l.type.kind === "bool") !== (r.type.kind === "bool"))
      cx.fail(node, "type", `${showType(l.type)} is compared with ${showType(r.type)}`, "");
    return dynamic({ kind: "binary", op, left: l, right: r, type: bool, at: cx.at(node) });
  }
  if (!(op in operators)) return cx.fail(node, "operator", `${op} has no hardware`, hints[op] ?? "");
  const l = toInt(cx, left, at[0]);
  const r = toInt(cx, right, at[1]);
  const type = op as BinaryOp;
  if (comparisons.has(op)) return dynamic({ kind: "binary", op: type, left: l, right: r, type: bool, at: cx.at(node) });
  const x = cx.env.range(l);
  const y = cx.env.range(r);
  operators[op]!(cx, x, y, node);
  const whole = binaryRange(type, x, y);
  const range = op === "-" && cx.env.isLess(r, l) ? { lo: Math.max(1, whole.lo), hi: Math.max(1, whole.hi) } : whole;
  checkRange(cx, range, node);
  if (op === "<<" && !inside(range, INT32))
    cx.fail(
      node,
      "operator",
      `${cx.text(node)} reaches ${showRange(range)}, beyond JavaScript's 32-bit <<`,
      "Use shl(x, n), which is exact.",
    );
  return dynamic({ kind: "binary", op: type, left: l, right: r, type: { kind: "exact", range }, at: cx.at(node) });
}

export function checkRange(cx: Context, range: Range, node: Node): void {
  if (!isSafe(range))
    cx.fail(
      node,
      "range",
      `${cx.text(node)} reaches ${showRange(range)}, beyond the 53 bits that JavaScript computes exactly`,
      "Truncate an operand with a type first, or use a helper such as doublingHighMul.",
    );
}

const isPlain = (value: unknown): boolean => typeof value !== "object" && typeof value !== "function";

const hints: Readonly<Record<string, string>> = {
  "/": "Shift with asr(x, n), or multiply with a reciprocal.",
  "**": "Use shl(1, n) for powers of two.",
};

type Check = (cx: Context, a: Range, b: Range, node: Node) => void;

const bitwise: Check = (cx, a, b, node) => {
  for (const range of [a, b])
    if (!inside(range, INT32))
      cx.fail(
        node,
        "operator",
        `an operand of ${cx.text(node)} is in ${showRange(range)}; JavaScript's bitwise operators take -2^31..2^31-1`,
        "Use andU, orU or xorU for unsigned 32-bit words, or bits(x, high, low).",
      );
};

const shiftBy: Check = (cx, _, n, node) => {
  if (!inside(n, { lo: 0, hi: 31 }))
    cx.fail(node, "operator", `the distance of ${cx.text(node)} is in ${showRange(n)}; it has to be in 0..31`, "");
};

const exactly: Check = () => undefined;

const operators: Readonly<Record<string, Check>> = {
  "+": exactly,
  "-": exactly,
  "*": exactly,
  "<": exactly,
  "<=": exactly,
  ">": exactly,
  ">=": exactly,
  "&": bitwise,
  "|": bitwise,
  "^": bitwise,
  "%": (cx, a, b, node) => {
    if (a.lo < 0)
      cx.fail(
        node,
        "operator",
        `${cx.text(node)} of a number in ${showRange(a)}: the remainder of a negative number is negative in JavaScript`,
        "Add a multiple of the divisor first, or assert that the number is not negative.",
      );
    if (b.lo < 1)
      cx.fail(node, "operator", `the divisor of ${cx.text(node)} is in ${showRange(b)}; it has to be at least 1`, "");
    if (b.lo !== b.hi)
      cx.fail(
        node,
        "operator",
        `the divisor of ${cx.text(node)} is not constant`,
        "Count with a counter that wraps instead.",
      );
  },
  "<<": (cx, a, n, node) => {
    bitwise(cx, a, a, node);
    shiftBy(cx, a, n, node);
  },
  ">>": (cx, a, n, node) => {
    shiftBy(cx, a, n, node);
    if (a.lo < 0)
      cx.fail(
        node,
        "operator",
        `${cx.text(node)} shifts a number in ${showRange(a)}, which may be negative`,
        "Say what is meant: asr(x, n) rounds down.",
      );
    if (!inside(a, INT32))
      cx.fail(
        node,
        "operator",
        `${cx.text(node)} shifts a number in ${showRange(a)}; JavaScript's >> takes 32 bits`,
        "Use >>> or bits(x, high, low) for unsigned words.",
      );
  },
  ">>>": (cx, a, n, node) => {
    shiftBy(cx, a, n, node);
    if (!inside(a, UINT32))
      cx.fail(
        node,
        "operator",
        `${cx.text(node)} shifts a number in ${showRange(a)}; JavaScript's >>> takes 0..2^32-1`,
        "Use asr(x, n) for signed numbers.",
      );
  },
};

/** `x === undefined` of a polled token. */
function comparePresence(cx: Context, op: string, left: Value, right: Value, node: Node): Value | undefined {
  if (op !== "===" && op !== "!==") return undefined;
  const nothing = (value: Value): boolean => value.kind === "static" && value.value === undefined;
  const maybe = nothing(right) ? left : nothing(left) ? right : undefined;
  if (!maybe) return undefined;
  const at = cx.at(node);
  if (maybe.kind === "maybe") {
    const ok: Expr = { kind: "local", local: maybe.ok, type: bool, at };
    return dynamic(op === "!==" ? ok : { kind: "unary", op: "!", operand: ok, type: bool, at });
  }
  if (maybe.kind === "static") return known((maybe.value === undefined) === (op === "==="));
  return maybe.kind === "poison" ? maybe : known(op === "!==");
}

/** Constants, as JavaScript computes them; `/` and `**` have no hardware, but may give a constant. */
function fold(cx: Context, op: string, x: unknown, y: unknown, node: Node): unknown {
  if (op === "===") return x === y;
  if (op === "!==") return x !== y;
  if (op === "/") return (x as number) / (y as number);
  if (op === "**") return (x as number) ** (y as number);
  if (!(op in operators)) return cx.fail(node, "operator", `${op} has no hardware`, "");
  if (op === "+" && (typeof x === "string" || typeof y === "string")) return String(x) + String(y);
  for (const value of [x, y])
    if (typeof value !== "number" && typeof value !== "boolean")
      cx.fail(node, "type", `${cx.text(node)} computes with ${String(value)}, which is no number`, "");
  return applyBinary(op as BinaryOp, x as Scalar, y as Scalar);
}

export function unary(cx: Context, op: string, operand: Value, node: Node, inner: Node): Value {
  const constant = constantOf(operand);
  if (constant && isPlain(constant.value)) {
    const x = constant.value;
    if (op === "-") return known(-(x as number) + 0);
    if (op === "!") return known(!x);
    if (op === "~") return known(~(x as number));
    if (op === "+") return known(Number(x));
    if (op === "typeof") return known(typeof x);
  }
  const at = cx.at(node);
  if (op === "!") return dynamic(not(toBool(cx, operand, inner)));
  if (op === "-" || op === "~") {
    const expr = toInt(cx, operand, inner);
    const { lo, hi } = cx.env.range(expr);
    if (op === "~") bitwise(cx, { lo, hi }, { lo, hi }, node);
    const range = op === "-" ? { lo: -hi + 0, hi: -lo + 0 } : { lo: -hi - 1, hi: -lo - 1 };
    checkRange(cx, range, node);
    return dynamic({ kind: "unary", op, operand: expr, type: { kind: "exact", range }, at });
  }
  const hint = op === "+" ? `Write ${cx.text(inner)} ? 1 : 0 for a boolean.` : "";
  return cx.fail(node, "syntax", `${op} has no hardware`, hint);
}

export const not = (operand: Expr): Expr =>
  operand.kind === "unary" && operand.op === "!"
    ? operand.operand
    : { kind: "unary", op: "!", operand, type: bool, at: operand.at };

/** `&&` and `||` of booleans; the right side is read under what the left one says. */
export function logical(
  cx: Context,
  op: "&&" | "||",
  left: Value,
  right: () => Value,
  node: Node,
  at: [Node, Node],
): Value {
  const constant = constantOf(left);
  if (constant) return Boolean(constant.value) === (op === "&&") ? right() : left;
  const l = toBool(cx, left, at[0]);
  const env = cx.env.clone();
  env.assume(l, op === "&&");
  const r = cx.under(env, () => cx.pureExpr(`the right side of ${op}`, () => toBool(cx, right(), at[1])));
  if (r.kind === "const") {
    if (r.value === (op === "&&")) return dynamic(l);
    // l && false, l || true: l has no effects.
    return dynamic(r);
  }
  return dynamic({ kind: "binary", op, left: l, right: r, type: bool, at: cx.at(node) });
}

/** `condition ? then : else`. */
export function select(
  cx: Context,
  condition: Expr,
  then: () => Value,
  otherwise: () => Value,
  node: Node,
  at: [Node, Node],
): Value {
  if (condition.kind === "const") return condition.value ? then() : otherwise();
  const yes = cx.env.clone();
  yes.assume(condition, true);
  const no = cx.env.clone();
  no.assume(condition, false);
  if (no.dead && !yes.dead) return then();
  if (yes.dead && !no.dead) return otherwise();
  const arm = (env: typeof yes, value: () => Value): Value =>
    cx.under(env, () => cx.pure("a conditional expression", value));
  const a = arm(yes, then);
  const b = arm(no, otherwise);
  return merge(cx, condition, { value: a, env: yes, at: at[0] }, { value: b, env: no, at: at[1] }, node);
}

interface Arm {
  readonly value: Value;
  readonly env: Context["env"];
  readonly at: Node;
}

export function merge(cx: Context, condition: Expr, a: Arm, b: Arm, node: Node): Value {
  if (a.value.kind === "poison" || b.value.kind === "poison") return { kind: "poison" };
  const none = (arm: Arm): boolean => arm.value.kind === "static" && arm.value.value === undefined;
  if (none(a) && none(b)) return a.value;
  if (none(b)) return { kind: "option", when: condition, value: a.value };
  if (none(a)) return { kind: "option", when: not(condition), value: b.value };
  if (a.value.kind === "object" && b.value.kind === "object") {
    const fields = new Map<string, Value>();
    for (const name of new Set([...a.value.fields.keys(), ...b.value.fields.keys()])) {
      const [x, y] = [a.value.fields.get(name) ?? known(undefined), b.value.fields.get(name) ?? known(undefined)];
      fields.set(name, merge(cx, condition, { ...a, value: x }, { ...b, value: y }, node));
    }
    return { kind: "object", fields };
  }
  if (a.value.kind === "array" && b.value.kind === "array" && a.value.items.length === b.value.items.length) {
    const others = b.value.items;
    const items = a.value.items.map((x, i) =>
      merge(cx, condition, { ...a, value: x }, { ...b, value: others[i]! }, node),
    );
    return { kind: "array", items };
  }
  if (a.value.kind === "static" && b.value.kind === "static" && a.value.value === b.value.value) return a.value;
  const x = cx.under(a.env, () => toExpr(cx, a.value, a.at));
  const y = cx.under(b.env, () => toExpr(cx, b.value, b.at));
  const type = commonType(cx, x, y, [a.env, b.env], node);
  return dynamic({ kind: "select", condition, then: x, else: y, type, at: cx.at(node) });
}
