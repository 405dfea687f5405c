/**
 * What many passes of a loop (rounds.ts) do, told from one: variables that grow by the same number in every pass (linear induction
 * variables; Aho, Lam, Sethi and Ullman, *Compilers*, 2nd ed., 9.1.8), and for how many passes in a row a condition on them keeps to
 * hold. A wrapping cast is the identity as long as its operand stays in range, which is one more such condition.
 */
import type { Expr, ExprType, Local, StateField, Stmt } from "../../hw/ir/ir.js";
import { operandsOf, sameExpr, statementsIn } from "../../hw/ir/walk.js";
import type { IntType } from "../../hw/types.js";
import { boundsOf, fitsSigned, MAX, type ExprCompiler } from "./expr.js";
import { Known, variableOf } from "./known.js";
import type { PassStep } from "./rounds.js";

export type Variable = Local | StateField;
type Pop = Extract<PassStep, { kind: "pop" }>;

/** `expr`, as it stands before the first pass, grows by `step` in each; it has to stay in `least..most`. */
export interface Limit {
  readonly expr: Expr;
  readonly step: number;
  readonly least: number;
  readonly most: number;
}

/** For how many passes in a row something holds, from the next one on. */
export type Count =
  | { readonly kind: "limit"; readonly limit: Limit }
  /** No pass changes it: it holds for ever, or not at all. */
  | { readonly kind: "constant"; readonly condition: Expr; readonly holds: boolean }
  | { readonly kind: "all" | "any"; readonly of: readonly Count[] };

/** By how much an expression grows in a pass, as long as what is in `while` holds. */
export interface Linear {
  readonly step: number;
  readonly while: readonly Count[];
}

/** A count that no run reaches. */
export const FOREVER = 0x3fffffff;

/**
 * Go through the steps of a pass; `visit` sees each with what is known in front of it, as expressions of what stands before the pass.
 * Tokens of pops that are `ahead` count as known before it; what other tokens, loops and branches that wait assign does not. Returns
 * what is known behind the pass.
 */
export function followPass(
  steps: readonly PassStep[],
  visit: (step: PassStep, known: Known) => void = () => undefined,
  ahead: (pop: Pop) => boolean = () => false,
): Known {
  const known = new Known();
  for (const step of steps) {
    visit(step, known);
    goBehind(known, step, ahead);
  }
  return known;
}

/** What is known behind a step. */
export function goBehind(known: Known, step: PassStep, ahead: (pop: Pop) => boolean = () => false): void {
  if (step.kind === "plain") known.after(step.stmt);
  else if (step.kind === "count") known.count(step.counter, step.value);
  else if (step.kind === "pop" && step.into && ahead(step)) known.token(step.into);
  else for (const of of assignedIn([step])) known.forget(of);
}

/** Variables that steps assign, tokens among them. */
export function assignedIn(steps: readonly PassStep[]): Set<Variable> {
  const found = new Set<Variable>();
  const stmts = (list: Iterable<Stmt>): void => {
    for (const stmt of statementsIn(list))
      if (stmt.kind === "let") found.add(stmt.local);
      else if (stmt.kind === "assign") found.add(variableOf(stmt.target));
      else if (stmt.kind === "pop" && stmt.into) found.add(stmt.into);
  };
  for (const step of steps)
    if (step.kind === "plain" || step.kind === "outside") stmts([step.stmt]);
    else if (step.kind === "repeat") stmts([step.loop]);
    else if (step.kind === "pop" && step.into) found.add(step.into);
    else if (step.kind === "count") found.add(step.counter);
    else if (step.kind === "feed") found.add(step.loop.counter);
    else if (step.kind === "if") for (const of of assignedIn([...step.then, ...step.else])) found.add(of);
  return found;
}

/** Passes one after the other, nothing between them. */
export class Induction {
  readonly #variables = new Map<Variable, Linear | undefined>();
  readonly #leaf: (expr: Expr) => number | undefined;

  /**
   * `steps` are those of a pass. `leaf` tells by how much an expression grows of which more is known than its variables say
   * (a member of a token that another pass makes); undefined where that is all.
   */
  constructor(
    steps: readonly PassStep[],
    ahead: (pop: Pop) => boolean = () => false,
    leaf: (expr: Expr) => number | undefined = () => undefined,
  ) {
    this.#leaf = leaf;
    const behind = followPass(steps, undefined, ahead);
    const assigned = assignedIn(steps);
    // A variable that is given its own value and a number is linear; others may hang on it, but not it on others.
    for (const of of assigned) this.#variables.set(of, undefined);
    for (const of of assigned) this.#variables.set(of, this.#ownStep(of, behind));
  }

  /** The variable's growth; undefined if it is not linear. What it is before the first pass may be anything. */
  variable(of: Variable): Linear | undefined {
    return this.#variables.has(of) ? this.#variables.get(of) : { step: 0, while: [] };
  }

  #ownStep(of: Variable, behind: Known): Linear | undefined {
    const at = { file: "", line: 0, column: 0 };
    const { type } = of;
    const self: Expr = "id" in of ? { kind: "local", at, type, local: of } : { kind: "field", at, type, field: of };
    const next = behind.at(self);
    if (!next) return undefined;
    const limits: { expr: Expr; type: ExprType }[] = [];
    let step = 0;
    for (let expr = next; ;) {
      if (expr.kind === "cast") {
        limits.push({ expr: expr.operand, type: expr.type });
        expr = expr.operand;
      } else if (expr.kind === "binary" && (expr.op === "+" || expr.op === "-")) {
        const [left, right] = [numberOf(expr.left), numberOf(expr.right)];
        if (right !== undefined) step += expr.op === "+" ? right : -right;
        else if (left !== undefined && expr.op === "+") step += left;
        else return undefined;
        expr = right !== undefined ? expr.left : expr.right;
      } else if (isVariable(expr, of)) break;
      else return undefined;
    }
    const all = limits.flatMap(({ expr, type }) => inRange(expr, step, type));
    return all.every((each) => each !== undefined) ? { step, while: all } : undefined;
  }

  /**
   * An expression of what stands before a pass. Where it is asked `steadily`, a comparison counts as a constant for as many passes as
   * it is what it is before the first.
   */
  linear(expr: Expr, steadily = false): Linear | undefined {
    const leaf = this.#leaf(expr);
    if (leaf !== undefined) return { step: leaf, while: [] };
    switch (expr.kind) {
      case "const":
        return { step: 0, while: [] };
      case "local":
        return this.variable(expr.local);
      case "field":
        return this.variable(expr.field);
      case "cast": {
        const of = this.linear(expr.operand, steadily);
        const within = of && inRange(expr.operand, of.step, expr.type);
        return within?.every((each) => each !== undefined) ? { ...of!, while: [...of!.while, ...within] } : undefined;
      }
      case "binary": {
        if (steadily && (expr.op === "&&" || expr.op === "||")) return this.#steady(expr);
        const [left, right] = [this.linear(expr.left, steadily), this.linear(expr.right, steadily)];
        if (!left || !right) return undefined;
        const both = [...left.while, ...right.while];
        if (left.step === 0 && right.step === 0) return { step: 0, while: both };
        if (steadily && COMPARISONS.has(expr.op)) {
          const now = either(this.#compare(expr, true, true), this.#compare(expr, false, true));
          return now && { step: 0, while: [now] };
        }
        if (expr.op === "+") return { step: left.step + right.step, while: both };
        if (expr.op === "-") return { step: left.step - right.step, while: both };
        const [a, b] = [numberOf(expr.left), numberOf(expr.right)];
        if (expr.op !== "*" || (a === undefined && b === undefined)) return undefined;
        return { step: left.step * (b ?? 1) + right.step * (a ?? 1), while: both };
      }
      default:
        return this.#constant(expr, steadily);
    }
  }

  /** One side that keeps to what it is may be enough. */
  #steady(expr: Extract<Expr, { kind: "binary" }>): Linear | undefined {
    const [left, right] = [this.linear(expr.left, true), this.linear(expr.right, true)];
    if (left?.step !== 0 || right?.step !== 0) return undefined;
    const decides = expr.op === "||";
    const sides = [expr.left, expr.right].flatMap((side) => this.count(side, decides) ?? []);
    return { step: 0, while: [anyOf([...sides, all([...left.while, ...right.while])])] };
  }

  /** No operand changes. */
  #constant(expr: Expr, steadily: boolean): Linear | undefined {
    if (expr.kind === "q" || expr.kind === "signal" || expr.kind === "map" || expr.kind === "let") return undefined;
    const of = operandsOf(expr).map((operand) => this.linear(operand, steadily));
    if (!of.every((each) => each?.step === 0)) return undefined;
    return { step: 0, while: of.flatMap((each) => each!.while) };
  }

  /** For how many passes a condition on what stands before each of them is what it has to be; undefined if that is not to be told. */
  count(condition: Expr, holds: boolean): Count | undefined {
    if (condition.kind === "unary" && condition.op === "!") return this.count(condition.operand, !holds);
    if (condition.kind === "const") return all([{ kind: "constant", condition, holds }]);
    const same = this.linear(condition);
    if (same?.step === 0) return all([...same.while, { kind: "constant", condition, holds }]);
    if (condition.kind !== "binary") return undefined;
    const { op, left, right } = condition;
    if (op === "&&" || op === "||") {
      const of = [this.count(left, holds), this.count(right, holds)];
      if (!of.every((each) => each !== undefined)) return undefined;
      return (op === "&&") === holds ? all(of) : anyOf(of);
    }
    return this.#compare(condition, holds);
  }

  #compare(condition: Extract<Expr, { kind: "binary" }>, holds: boolean, steadily = false): Count | undefined {
    const { op, left, right, at } = condition;
    const [a, b] = [boundsOf(left), boundsOf(right)];
    const range = { lo: a.lo - b.hi, hi: a.hi - b.lo };
    const expr: Expr = { kind: "binary", at, type: { kind: "exact", range }, op: "-", left, right };
    const linear = this.linear(expr, steadily);
    if (!linear) return undefined;
    const { step } = linear;
    const within = (least: number, most: number): Count | undefined =>
      fitsLimit(expr, step) ? { kind: "limit", limit: { expr, step, least, most } } : undefined;
    const below = (most: number): Count | undefined => within(-Infinity, most);
    const above = (least: number): Count | undefined => within(least, Infinity);
    const ways: Partial<Record<typeof op, readonly [is: () => Count | undefined, not: () => Count | undefined]>> = {
      "<": [() => below(-1), () => above(0)],
      "<=": [() => below(0), () => above(1)],
      ">": [() => above(1), () => below(0)],
      ">=": [() => above(0), () => below(-1)],
      "===": [() => within(0, 0), () => either(below(-1), above(1))],
      "!==": [() => either(below(-1), above(1)), () => within(0, 0)],
    };
    const found = ways[op]?.[holds ? 0 : 1]();
    return found && all([...linear.while, found]);
  }
}

const COMPARISONS: ReadonlySet<string> = new Set(["<", "<=", ">", ">=", "===", "!=="]);

/** All of them hold; each is asked for once. */
export function all(of: readonly Count[]): Count {
  const each: Count[] = [];
  for (const one of of.flatMap((count) => (count.kind === "all" ? count.of : [count]))) {
    if (one.kind === "constant" && one.condition.kind === "const" && Boolean(one.condition.value) === one.holds)
      continue;
    if (!each.some((other) => sameCount(one, other))) each.push(one);
  }
  return each.length === 1 ? each[0]! : { kind: "all", of: each };
}

function sameCount(a: Count, b: Count): boolean {
  if (a.kind === "limit" && b.kind === "limit") {
    const { step, least, most, expr } = a.limit;
    const other = b.limit;
    return step === other.step && least === other.least && most === other.most && sameExpr(expr, other.expr);
  }
  if (a.kind === "constant" && b.kind === "constant") return a.holds === b.holds && sameExpr(a.condition, b.condition);
  return false;
}

/** One of them holds; what never does is left out, and where one always does nothing is asked. */
function anyOf(of: readonly Count[]): Count {
  if (of.some((one) => one.kind === "all" && one.of.length === 0)) return all([]);
  const each = of.filter((one) => one.kind !== "constant" || one.condition.kind !== "const");
  return each.length === 1 ? each[0]! : { kind: "any", of: each };
}

const either = (a: Count | undefined, b: Count | undefined): Count | undefined => a && b && anyOf([a, b]);

const isVariable = (expr: Expr, of: Variable): boolean =>
  (expr.kind === "local" && expr.local === of) || (expr.kind === "field" && expr.field === of);

const numberOf = (expr: Expr): number | undefined => (expr.kind === "const" ? Number(expr.value) : undefined);

/** What an expression and its distance to a limit can be are 32-bit numbers. */
const fitsLimit = (expr: Expr, step: number): boolean => {
  const { lo, hi } = boundsOf(expr);
  return fitsSigned({ lo, hi }) && hi - lo < MAX && Number.isInteger(step) && Math.abs(step) <= MAX;
};

/** A cast to the type loses nothing: nothing to ask, a limit, or undefined where that is not to be told. */
function inRange(expr: Expr, step: number, type: ExprType): (Count | undefined)[] {
  const [{ lo, hi }, to] = [boundsOf(expr), boundsOf({ ...expr, type })];
  if (lo >= to.lo && hi <= to.hi) return [];
  if (type.kind !== "int" || !fitsLimit(expr, step) || step === 0) return step === 0 ? [] : [undefined];
  const { min: least, max: most } = type as IntType;
  return [{ kind: "limit", limit: { expr, step, least, most } }];
}

/** Leave on the stack for how many passes a count says that it holds, `FOREVER` at most. */
export function emitCount(exprs: ExprCompiler, count: Count): void {
  const { code } = exprs;
  if (count.kind === "constant") {
    code.i32(FOREVER).i32(0);
    exprs.emit32(count.condition);
    if (!count.holds) code.op("i32.eqz");
    code.op("select");
  } else if (count.kind === "limit") emitLimit(exprs, count.limit);
  else {
    const [first, ...others] = count.of;
    if (!first) {
      code.i32(count.kind === "all" ? FOREVER : 0);
      return;
    }
    const [least, other] = [code.temp("i32"), code.temp("i32")];
    emitCount(exprs, first);
    code.set(least);
    for (const each of others) {
      emitCount(exprs, each);
      code.tee(other).get(least).get(other).get(least);
      code
        .op(count.kind === "all" ? "i32.lt_s" : "i32.gt_s")
        .op("select")
        .set(least);
    }
    code.get(least);
    code.free("i32", least, other);
  }
}

function emitLimit(exprs: ExprCompiler, { expr, step, ...limit }: Limit): void {
  const { code } = exprs;
  const { lo, hi } = boundsOf(expr);
  // Where its type keeps it, nothing has to be asked.
  const least = limit.least > lo ? Math.min(limit.least, hi + 1) : undefined;
  const most = limit.most < hi ? Math.max(limit.most, lo - 1) : undefined;
  const value = code.temp("i32");
  exprs.emit32(expr);
  code.set(value);
  // The limit that it moves to says for how long; the other, whether at all.
  const [end, start] = step < 0 ? [least, most] : [most, least];
  const within = (limit: number, up: boolean): void => {
    code
      .i32(0)
      .get(value)
      .i32(limit)
      .op(up ? "i32.le_s" : "i32.ge_s")
      .op("select");
  };
  if (end === undefined || step === 0) code.i32(FOREVER);
  else {
    if (step > 0) code.i32(end).get(value).op("i32.sub");
    else code.get(value).i32(end).op("i32.sub");
    if (Math.abs(step) !== 1) code.i32(Math.abs(step)).op("i32.div_u");
    code.i32(1).op("i32.add");
  }
  if (end !== undefined) within(end, step >= 0);
  if (start !== undefined) within(start, step < 0);
  code.free("i32", value);
}
