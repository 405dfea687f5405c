/**
 * What scalars will be in the course of a pass, as expressions of what is known before it: the variables as they stand, and
 * the tokens that it is going to pop. Whatever is not such an expression is unknown.
 */
import type { Expr, Local, StateField, Stmt } from "../../hw/ir/ir.js";
import { sameExpr, statementsIn } from "../../hw/ir/walk.js";
import type { IntType } from "../../hw/types.js";
import { isScalar } from "./layout.js";

type Variable = Local | StateField;

export class Known {
  /** What has changed since the start; null: to something unknown. */
  readonly #changed = new Map<Variable, Expr | null>();

  /** One branch or the other has been executed: a variable is what it is then, as the condition says. */
  #either(stmt: Extract<Stmt, { kind: "if" }>): void {
    const condition = this.at(stmt.condition);
    const [then, otherwise] = [stmt.then, stmt.else].map((branch) => {
      const known = this.copy();
      for (const each of branch) known.after(each);
      return known.#changed;
    }) as [Map<Variable, Expr | null>, Map<Variable, Expr | null>];
    for (const variable of new Set([...then.keys(), ...otherwise.keys()])) {
      const [a, b] = [then, otherwise].map((changed) => valueOf(changed, variable, stmt.at));
      if (a && b && sameExpr(a, b)) this.#changed.set(variable, a);
      else if (!condition || !a || !b || !isScalar(variable.type)) this.#changed.set(variable, null);
      else {
        const { at } = stmt;
        this.#changed.set(variable, { kind: "select", at, type: variable.type, condition, then: a, else: b });
      }
    }
  }

  /** For a branch: what is known in it is not known behind it. */
  copy(): Known {
    const copy = new Known();
    for (const [variable, value] of this.#changed) copy.#changed.set(variable, value);
    return copy;
  }

  /** The expression as it stands at the start of the pass. */
  at(expr: Expr): Expr | undefined {
    switch (expr.kind) {
      case "const":
        return expr;
      case "local":
      case "field": {
        const changed = this.#changed.get(expr.kind === "local" ? expr.local : expr.field);
        return changed === undefined ? expr : (changed ?? undefined);
      }
      case "member": {
        const base = this.at(expr.base);
        return base && { ...expr, base };
      }
      case "index": {
        const [base, index] = [this.at(expr.base), this.at(expr.index)];
        return base && index && { ...expr, base, index };
      }
      case "unary":
      case "cast": {
        const operand = this.at(expr.operand);
        return operand && simple({ ...expr, operand });
      }
      case "binary": {
        const [left, right] = [this.at(expr.left), this.at(expr.right)];
        return left && right && simple({ ...expr, left, right });
      }
      case "select": {
        const [condition, then, otherwise] = [this.at(expr.condition), this.at(expr.then), this.at(expr.else)];
        return condition && then && otherwise && { ...expr, condition, then, else: otherwise };
      }
      case "call": {
        const args = expr.args.map((arg) => this.at(arg));
        return args.every((arg) => arg !== undefined) ? { ...expr, args } : undefined;
      }
      default:
        return undefined;
    }
  }

  /** The number that an expression is, whatever the variables. */
  number(expr: Expr): number | undefined {
    const value = this.at(expr);
    return value?.kind === "const" ? Number(value.value) : undefined;
  }

  /** The local is a token that the pass pops: it can be looked at beforehand. */
  token(into: Local): void {
    this.#changed.delete(into);
  }
  count(counter: Local, value: number): void {
    const at = { file: "", line: 0, column: 0 };
    this.#changed.set(counter, { kind: "const", at, type: { kind: "exact", range: { lo: value, hi: value } }, value });
  }
  forget(variable: Variable): void {
    this.#changed.set(variable, null);
  }

  /** A statement has been executed; no pop outside it. */
  after(stmt: Stmt): void {
    if (stmt.kind === "let") this.#changed.set(stmt.local, this.at(stmt.value) ?? null);
    else if (stmt.kind === "assign" && (stmt.target.kind === "local" || stmt.target.kind === "field")) {
      const of = stmt.target.kind === "local" ? stmt.target.local : stmt.target.field;
      this.#changed.set(of, this.at(stmt.value) ?? null);
    } else if (stmt.kind === "if") this.#either(stmt);
    else
      for (const one of statementsIn([stmt])) {
        if (one.kind === "let") this.#changed.set(one.local, null);
        else if (one.kind === "assign") this.#changed.set(variableOf(one.target), null);
        else if (one.kind === "pop" && one.into) this.#changed.set(one.into, null);
      }
  }
}

/** The variable's value; the variable itself where it has not changed. */
function valueOf(changed: ReadonlyMap<Variable, Expr | null>, variable: Variable, at: Stmt["at"]): Expr | undefined {
  const value = changed.get(variable);
  if (value !== undefined) return value ?? undefined;
  const { type } = variable;
  return "id" in variable ? { kind: "local", at, type, local: variable } : { kind: "field", at, type, field: variable };
}

export function variableOf(target: Expr): Variable {
  let at = target;
  while (at.kind === "index" || at.kind === "member") at = at.base;
  if (at.kind === "local") return at.local;
  if (at.kind === "field") return at.field;
  throw new Error("an assignment to something that is no variable");
}

/** Numbers folded, where it matters for indices and conditions. */
function simple(expr: Extract<Expr, { kind: "unary" | "cast" | "binary" }>): Expr {
  const value = fold(expr);
  if (value === undefined) return expr;
  const isBool = expr.type.kind === "bool";
  return { kind: "const", at: expr.at, type: expr.type, value: isBool ? value !== 0 : value };
}

function fold(expr: Extract<Expr, { kind: "unary" | "cast" | "binary" }>): number | undefined {
  if (expr.kind === "unary") {
    if (expr.operand.kind !== "const") return undefined;
    const x = Number(expr.operand.value);
    return expr.op === "!" ? Number(x === 0) : expr.op === "-" ? 0 - x : ~x;
  }
  if (expr.kind === "cast") {
    if (expr.operand.kind !== "const" || expr.type.kind !== "int") return undefined;
    return (expr.type as IntType)(Number(expr.operand.value));
  }
  const { op, left, right } = expr;
  const [a, b] = [left, right].map((side) => (side.kind === "const" ? Number(side.value) : undefined));
  if (op === "&&") return a === 0 || b === 0 ? 0 : a !== undefined && b !== undefined ? 1 : undefined;
  if (op === "||") return a === 1 || b === 1 ? 1 : a === 0 && b === 0 ? 0 : undefined;
  if (a === undefined || b === undefined) return undefined;
  const results: Partial<Record<typeof op, number>> = {
    "+": a + b,
    "-": a - b,
    "*": a * b,
    "<": Number(a < b),
    "<=": Number(a <= b),
    ">": Number(a > b),
    ">=": Number(a >= b),
    "===": Number(a === b),
    "!==": Number(a !== b),
  };
  return results[op];
}
