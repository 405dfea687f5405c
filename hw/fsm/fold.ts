/** Constant folding over expressions of the IR: what an unrolled loop knows about its counter, and what follows from it. */
import type { BinaryOp, Expr, Local, Ref } from "../ir/ir.js";
import { applyBinary, applyHelper, applyUnary, type Scalar } from "../ir/operators.js";
import type { IntType } from "../types.js";

export type { Scalar };
/** Locals whose value is known at a point of the program. */
export type Constants = ReadonlyMap<Local, Scalar>;

export const constantOf = (e: Expr): Scalar | undefined => (e.kind === "const" ? e.value : undefined);

/** `e` with known locals replaced and everything computed that can be. */
export function fold(e: Expr, known: Constants): Expr {
  const again = (x: Expr): Expr => fold(x, known);
  const constant = (value: Scalar): Expr => ({ kind: "const", value, type: e.type, at: e.at });
  switch (e.kind) {
    case "const":
    case "field":
      return e;
    case "local": {
      const value = known.get(e.local);
      return value === undefined ? e : constant(value);
    }
    case "index": {
      const base = again(e.base);
      const index = again(e.index);
      if (base.kind === "vector" && index.kind === "const") return base.items[Number(index.value)] ?? e;
      return { ...e, base, index };
    }
    case "member": {
      const base = again(e.base);
      const field = base.kind === "struct" ? base.fields.find(({ name }) => name === e.name) : undefined;
      return field ? field.value : { ...e, base };
    }
    case "unary": {
      const operand = again(e.operand);
      if (operand.kind !== "const") return { ...e, operand };
      return constant(applyUnary(e.op, operand.value));
    }
    case "binary": {
      const left = again(e.left);
      const right = again(e.right);
      if (left.kind === "const") {
        if (e.op === "&&") return left.value ? right : constant(false);
        if (e.op === "||") return left.value ? constant(true) : right;
        if (right.kind === "const") return constant(applyBinary(e.op, left.value, right.value));
      }
      return withoutEffect(e.op, left, right) ?? { ...e, left, right };
    }
    case "select": {
      const condition = again(e.condition);
      if (condition.kind === "const") return again(condition.value ? e.then : e.else);
      return { ...e, condition, then: again(e.then), else: again(e.else) };
    }
    case "cast": {
      const operand = again(e.operand);
      if (operand.kind !== "const") return { ...e, operand };
      if (typeof operand.value === "boolean") return constant(operand.value);
      return constant((e.type as IntType)(operand.value));
    }
    case "call": {
      const args = e.args.map(again);
      const values = args.map(constantOf);
      if (e.helper !== "mulPair" && values.every((v) => typeof v === "number"))
        return constant(applyHelper(e.helper, values));
      return { ...e, args };
    }
    case "map": {
      const items: Expr[] = [];
      for (let lane = 0; lane < e.length; lane++) items.push(fold(e.body, new Map([...known, [e.lane, lane]])));
      return { kind: "vector", items, type: e.type, at: e.at };
    }
    case "let": {
      const value = again(e.value);
      if (value.kind === "const") return fold(e.body, new Map([...known, [e.local, value.value]]));
      return { ...e, value, body: again(e.body) };
    }
    case "vector":
      return { ...e, items: e.items.map(again) };
    case "struct":
      return { ...e, fields: e.fields.map(({ name, value }) => ({ name, value: again(value) })) };
    case "q":
      return { ...e, port: foldRef(e.port, known) };
    case "signal":
      return { ...e, signal: foldRef(e.signal, known) };
  }
}

/** The operand that a constant on the other side leaves as it is: x + 0, x && true. */
function withoutEffect(op: BinaryOp, left: Expr, right: Expr): Expr | undefined {
  const [a, b] = [constantOf(left), constantOf(right)];
  switch (op) {
    case "+":
      return b === 0 ? left : a === 0 ? right : undefined;
    case "-":
      return b === 0 ? left : undefined;
    case "*":
      return b === 1 ? left : a === 1 ? right : undefined;
    case "&&":
      return b === undefined ? undefined : b ? left : right;
    case "||":
      return b === undefined ? undefined : b ? right : left;
    default:
      return undefined;
  }
}

/** A reference with a known index becomes one to a single part. */
export function foldRef<P>(ref: Ref<P>, known: Constants): Ref<P> {
  if (!ref.index) return ref;
  const index = fold(ref.index, known);
  if (index.kind !== "const") return ref.parts.length === 1 ? { parts: ref.parts } : { parts: ref.parts, index };
  const part = ref.parts[Number(index.value)];
  return part === undefined ? { parts: ref.parts, index } : { parts: [part] };
}
