/**
 * The pass of a follower (followers.ts) with the numbers that are usual put in. A packer that joins pieces of any length turns and shifts bytes by
 * numbers that are the same in almost every pass: nothing is held from the piece before, and a piece is as long as a word. With these
 * numbers a loop of a few rounds is straight code, and what turns by zero is a copy. So the pass is written twice, under
 * a condition: that scalar registers are as after reset (those that are so again behind the pass), and that members of the token are the
 * number that its producer says in its text. Where such a pass has to wait, the process goes on in its own function: every
 * variable has the value that it would have there.
 */
import type { Channel } from "../../hw/channel.js";
import type { Expr, Local, Loop, ProcessIr, StateField, Stmt } from "../../hw/ir/ir.js";
import { statementsIn } from "../../hw/ir/walk.js";
import { bool, type IntType } from "../../hw/types.js";
import type { FollowerLoop } from "./followers.js";
import { isScalar } from "./layout.js";
import { matters, rootOf } from "./pass-facts.js";
import { exitOf } from "./pass-reader.js";
import { simplify } from "./simplify.js";

type Variable = Local | StateField;

export interface UsualPass {
  /** The condition: each of these is that number. */
  readonly guards: readonly { readonly expr: Expr; readonly value: number }[];
  readonly stmts: readonly Stmt[];
  /** Statements that wait, as they stand in the process. */
  readonly originals: ReadonlyMap<Stmt, Stmt>;
}

const MOST_ROUNDS = 4;

class NoUsualPass extends Error {}

/** Undefined where the numbers make no loop straight. */
export function usualPass(
  { head, rest, channel }: FollowerLoop,
  { fields }: ProcessIr,
  processes: readonly ProcessIr[],
): UsualPass | undefined {
  const { into } = head;
  if (!into || isScalar(into.type) || !rest.some((stmt) => stmt.kind === "loop" && matters(stmt))) return undefined;
  const members = constantsOf(channel, processes);
  let registers = fields.filter(({ type }) => isScalar(type));
  for (;;) {
    const reader = new UsualReader(into, members, registers);
    try {
      const stmts = reader.read(rest);
      const again = registers.filter((field) => reader.numbers.get(field) === Number(field.initial));
      if (again.length === registers.length) {
        const guards = reader.asked();
        return reader.unrolled && guards.length > 0 ? { guards, stmts, originals: reader.originals } : undefined;
      }
      registers = again;
    } catch (error) {
      if (error instanceof NoUsualPass) return undefined;
      throw error;
    }
  }
}

/** Members of a channel's tokens for which the text of who pushes has one number. */
function constantsOf(channel: Channel, processes: readonly ProcessIr[]): ReadonlyMap<string, number> {
  const found = new Map<string, Set<number>>();
  const numbersIn = (expr: Expr): number[] => {
    if (expr.kind === "cast") return numbersIn(expr.operand);
    if (expr.kind === "select") return [...numbersIn(expr.then), ...numbersIn(expr.else)];
    return expr.kind === "const" && typeof expr.value === "number" ? [expr.value] : [];
  };
  for (const { body } of processes)
    for (const stmt of statementsIn(body)) {
      if (stmt.kind !== "push" || !stmt.channel.parts.includes(channel)) continue;
      const value = stmt.value.kind === "cast" ? stmt.value.operand : stmt.value;
      for (const { name, value: member } of value.kind === "struct" ? value.fields : [])
        found.set(name, new Set([...(found.get(name) ?? []), ...numbersIn(member)]));
    }
  return new Map([...found].flatMap(([name, numbers]) => (numbers.size === 1 ? [[name, [...numbers][0]!]] : [])));
}

class UsualReader {
  readonly numbers = new Map<Variable, number>();
  readonly originals = new Map<Stmt, Stmt>();
  /** A loop that takes time has become straight. */
  unrolled = false;
  readonly #into: Local;
  readonly #members: ReadonlyMap<string, number>;
  readonly #registers: readonly StateField[];
  readonly #used = new Map<string | StateField, Expr>();

  constructor(into: Local, members: ReadonlyMap<string, number>, registers: readonly StateField[]) {
    this.#into = into;
    this.#members = members;
    this.#registers = registers;
    for (const field of registers) this.numbers.set(field, Number(field.initial));
  }

  /** Whatever was taken to be a number. */
  asked(): UsualPass["guards"] {
    const guards = [...this.#used].map(([of, expr]) => ({
      expr,
      value: typeof of === "string" ? this.#members.get(of)! : Number(of.initial),
    }));
    // A register that is not read in the pass, but is as it was, says nothing.
    return guards;
  }

  read(stmts: readonly Stmt[]): Stmt[] {
    return stmts.flatMap((stmt) => this.#stmt(stmt));
  }

  #stmt(stmt: Stmt): Stmt[] {
    switch (stmt.kind) {
      case "let":
        return [{ ...stmt, value: this.#give(stmt.local, stmt.value) }];
      case "assign": {
        const { target } = stmt;
        if (target.kind === "local") return [{ ...stmt, value: this.#give(target.local, stmt.value) }];
        if (target.kind === "field") return [{ ...stmt, value: this.#give(target.field, stmt.value) }];
        return [{ ...stmt, value: this.#with(stmt.value) }];
      }
      case "assert":
        return [{ ...stmt, condition: this.#with(stmt.condition) }];
      case "edge":
        return [stmt];
      case "push": {
        const push = { ...stmt, value: this.#with(stmt.value) };
        this.originals.set(push, stmt);
        return [push];
      }
      case "if":
        return this.#if(stmt);
      case "loop":
        if (matters(stmt)) return this.#unroll(stmt);
        this.#forget([stmt]);
        return [stmt];
      default:
        throw new NoUsualPass();
    }
  }

  /** A variable gets a value; what it is from here on, and the expression that is left. */
  #give(of: Variable, given: Expr): Expr {
    const value = this.#with(given);
    const number = isScalar(of.type) || of.type.kind === "exact" ? numberIn(value) : undefined;
    if (number === undefined) {
      this.numbers.delete(of);
      return value;
    }
    this.numbers.set(of, number);
    return constant(given, number);
  }

  #if(stmt: Extract<Stmt, { kind: "if" }>): Stmt[] {
    const condition = this.#with(stmt.condition);
    const value = numberIn(condition);
    if (value !== undefined) return this.read(value !== 0 ? stmt.then : stmt.else);
    const before = new Map(this.numbers);
    const then = this.read(stmt.then);
    const after = new Map(this.numbers);
    this.numbers.clear();
    for (const [variable, number] of before) this.numbers.set(variable, number);
    const otherwise = this.read(stmt.else);
    for (const [variable, number] of [...this.numbers])
      if (after.get(variable) !== number) this.numbers.delete(variable);
    return [{ ...stmt, condition, then, else: otherwise }];
  }

  #unroll(loop: Loop): Stmt[] {
    const exit = exitOf(loop);
    const body = exit ? loop.body.slice(0, -1) : loop.body;
    for (const one of statementsIn(body))
      if ((one.kind === "break" || one.kind === "continue") && one.label === loop.label) throw new NoUsualPass();
    const stmts: Stmt[] = [];
    for (let round = 0; ; round++) {
      if (!exit && !(round === 0 && loop.atLeastOnce) && !this.#decided(loop.condition)) break;
      if (round === MOST_ROUNDS) throw new NoUsualPass();
      stmts.push(...this.read(body), ...this.read(loop.update));
      if (exit && this.#decided(exit.condition)) break;
    }
    this.unrolled = true;
    return stmts;
  }

  #decided(condition: Expr): boolean {
    const value = numberIn(this.#with(condition));
    if (value === undefined) throw new NoUsualPass();
    return value !== 0;
  }

  #forget(stmts: readonly Stmt[]): void {
    for (const stmt of statementsIn(stmts)) {
      if (stmt.kind === "let") this.numbers.delete(stmt.local);
      if (stmt.kind !== "assign") continue;
      let at: Expr = stmt.target;
      while (at.kind === "index" || at.kind === "member") at = at.base;
      const local = rootOf(stmt.target);
      if (local) this.numbers.delete(local);
      if (at.kind === "field") this.numbers.delete(at.field);
    }
  }

  /** The expression with the numbers put in. */
  #with(expr: Expr): Expr {
    return simplify(expr, { values: new Map(), put: (each) => this.#put(each) });
  }

  #put(expr: Expr): Expr | undefined {
    if (expr.kind === "member") {
      if (expr.base.kind !== "local" || expr.base.local !== this.#into) return undefined;
      const number = this.#members.get(expr.name);
      if (number === undefined) return undefined;
      this.#used.set(expr.name, expr);
      return constant(expr, number);
    }
    if (expr.kind !== "local" && expr.kind !== "field") return undefined;
    const number = this.numbers.get(expr.kind === "local" ? expr.local : expr.field);
    if (number === undefined) return undefined;
    if (expr.kind === "field" && this.#registers.includes(expr.field)) this.#used.set(expr.field, expr);
    return constant(expr, number);
  }
}

function constant({ at, type }: Expr, value: number): Expr {
  if (type.kind === "bool") return { kind: "const", at, type: bool, value: value !== 0 };
  return { kind: "const", at, type: { kind: "exact", range: { lo: value, hi: value } }, value };
}

/** The number that an expression of constants is. */
function numberIn(expr: Expr): number | undefined {
  switch (expr.kind) {
    case "const":
      return Number(expr.value);
    case "cast": {
      const value = numberIn(expr.operand);
      return value === undefined || expr.type.kind !== "int" ? undefined : (expr.type as IntType)(value);
    }
    case "unary": {
      const value = numberIn(expr.operand);
      if (value === undefined || expr.op === "~") return undefined;
      return expr.op === "!" ? Number(value === 0) : 0 - value;
    }
    case "select": {
      const condition = numberIn(expr.condition);
      return condition === undefined ? undefined : numberIn(condition !== 0 ? expr.then : expr.else);
    }
    case "binary": {
      const [a, b] = [numberIn(expr.left), numberIn(expr.right)];
      if (expr.op === "&&" && (a === 0 || b === 0)) return 0;
      if (expr.op === "||" && (a === 1 || b === 1)) return 1;
      if (a === undefined || b === undefined) return undefined;
      const results: Partial<Record<typeof expr.op, number>> = {
        "+": a + b,
        "-": a - b,
        "<": Number(a < b),
        "<=": Number(a <= b),
        ">": Number(a > b),
        ">=": Number(a >= b),
        "===": Number(a === b),
        "!==": Number(a !== b),
        "&&": Number(a !== 0 && b !== 0),
        "||": Number(a !== 0 || b !== 0),
      };
      return results[expr.op];
    }
    default:
      return undefined;
  }
}
