/**
 * Expressions under what is known of them: names replaced by their values, conditions that a branch has decided, lanes of
 * vectors that are written lane by lane. Maps stay maps (hw/fsm/fold.ts, for Verilog, writes them out).
 */
import type { Expr, ExprType, Local } from "../../hw/ir/ir.js";
import { sameExpr } from "../../hw/ir/walk.js";
import { boundsOf } from "./expr.js";

/** What is known where an expression stands. */
export interface Known {
  /** A condition, and whether it holds. */
  readonly fact?: { readonly condition: Expr; readonly holds: boolean };
  readonly values: ReadonlyMap<Local, Expr>;
  /** What stands for an expression, if it is known. */
  readonly put?: (expr: Expr) => Expr | undefined;
}

/** `expr` with all that is known put in; the value is the same. */
export function simplify(expr: Expr, known: Known): Expr {
  const again = (e: Expr): Expr => simplify(e, known);
  const put = known.put?.(expr);
  if (put) return put;
  if (known.fact && sameExpr(expr, known.fact.condition)) return truth(expr, known.fact.holds);
  switch (expr.kind) {
    case "const":
    case "field":
      return expr;
    case "local":
      return known.values.get(expr.local) ?? expr;
    case "index":
      return indexed(expr, again(expr.base), again(expr.index));
    case "member":
      return { ...expr, base: again(expr.base) };
    case "unary": {
      const operand = again(expr.operand);
      const value = expr.op === "!" ? truthOf(operand) : undefined;
      return value === undefined ? { ...expr, operand } : truth(expr, !value);
    }
    case "binary":
      return binary(expr, again(expr.left), again(expr.right));
    case "select": {
      const condition = again(expr.condition);
      const value = truthOf(condition);
      if (value !== undefined) return again(value ? expr.then : expr.else);
      return { ...expr, condition, then: again(expr.then), else: again(expr.else) };
    }
    case "cast":
      return { ...expr, operand: again(expr.operand) };
    case "call":
      return { ...expr, args: expr.args.map(again) };
    case "map":
      return { ...expr, body: again(expr.body) };
    case "let":
      return { ...expr, value: again(expr.value), body: again(expr.body) };
    case "vector":
      return { ...expr, items: expr.items.map(again) };
    case "struct":
      return { ...expr, fields: expr.fields.map(({ name, value }) => ({ name, value: again(value) })) };
    case "q":
      return expr.port.index ? { ...expr, port: { ...expr.port, index: again(expr.port.index) } } : expr;
    case "signal":
      return expr.signal.index ? { ...expr, signal: { ...expr.signal, index: again(expr.signal.index) } } : expr;
  }
}

type Of<K extends Expr["kind"]> = Extract<Expr, { kind: K }>;

const truth = ({ at, type }: Expr, value: boolean): Expr => ({ kind: "const", at, type, value });
const isZero = (expr: Expr): boolean => expr.kind === "const" && Number(expr.value) === 0;
const truthOf = (expr: Expr): boolean | undefined => (expr.kind === "const" ? Boolean(expr.value) : undefined);

/** A lane of a vector that is written lane by lane is what is written for it. */
function indexed(expr: Of<"index">, base: Expr, index: Expr): Expr {
  let of = base;
  while (of.kind === "cast") of = of.operand;
  if (of.kind === "map") return simplify(of.body, { values: new Map([[of.lane, index]]) });
  const item = of.kind === "vector" && index.kind === "const" ? of.items[Number(index.value)] : undefined;
  return item ?? { ...expr, base, index };
}

function binary(expr: Of<"binary">, left: Expr, right: Expr): Expr {
  const whole: Expr = { ...expr, left, right };
  const [a, b] = [truthOf(left), truthOf(right)];
  switch (expr.op) {
    case "&&":
      if (b !== undefined) return b ? left : truth(expr, false);
      return a === undefined ? whole : a ? right : truth(expr, false);
    case "||":
      if (b !== undefined) return b ? truth(expr, true) : left;
      return a === undefined ? whole : a ? truth(expr, true) : right;
    case "<": {
      const [x, y] = [boundsOf(left), boundsOf(right)];
      return x.hi < y.lo ? truth(expr, true) : x.lo >= y.hi ? truth(expr, false) : whole;
    }
    case "+":
      return isZero(right) ? left : isZero(left) ? right : whole;
    case "-":
      return isZero(right) ? left : { ...whole, type: difference(left, right) };
    default:
      return whole;
  }
}

function difference(left: Expr, right: Expr): ExprType {
  const [a, b] = [boundsOf(left), boundsOf(right)];
  return { kind: "exact", range: { lo: a.lo - b.hi, hi: a.hi - b.lo } };
}
