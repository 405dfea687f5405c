/**
 * Loops with a text for each mode (loop unswitching; Allen and Kennedy, *Optimizing Compilers for Modern Architectures*, 2002, 5.7.4).
 * Where a branch that waits stands in an innermost loop and its mode is a token from outside that loop, or a member of one, the outermost loop that the mode
 * does not change in is written twice, under a branch: once as it is where the mode holds, once where it does not. So each text has
 * passes of its own (rounds.ts), and what the other mode needs is gone from it.
 */
import type { Expr, Local, Loop, ProcessIr, Ref, Stmt, Target } from "../../hw/ir/ir.js";
import { children, expressionsIn, expressionsWithin, statementsIn } from "../../hw/ir/walk.js";
import type { IntType } from "../../hw/types.js";
import { matters } from "./pass-facts.js";
import { simplify } from "./simplify.js";

/** A process that does the same in the same clocks; the process itself if it has no such loop. */
export function unswitch(process: ProcessIr): ProcessIr {
  const names: Names = { locals: [...process.locals], tokens: new Set() };
  for (const stmt of statementsIn(process.body)) if (stmt.kind === "pop" && stmt.into) names.tokens.add(stmt.into);
  const body = list(process.body, names);
  return body === process.body ? process : { ...process, body, locals: names.locals };
}

interface Names {
  readonly locals: Local[];
  /** Those that are tokens. */
  readonly tokens: Set<Local>;
}

function list(stmts: readonly Stmt[], names: Names): readonly Stmt[] {
  const out: Stmt[] = [];
  let changed = false;
  for (const stmt of stmts) {
    const mode = stmt.kind === "loop" ? modeOf(stmt, names.tokens) : undefined;
    if (mode) {
      // The counter goes along, where it starts with a number.
      const before = out.at(-1);
      const rest = stmts.slice(stmts.indexOf(stmt) + 1);
      const counts = before?.kind === "let" && before.value.kind === "const" && !namedIn(rest, before.local);
      if (counts) out.pop();
      const whole = counts ? [before, stmt] : [stmt];
      const copy = (holds: boolean): readonly Stmt[] =>
        new Copy(mode, holds, holds ? undefined : names.locals).all(whole);
      out.push({ kind: "if", at: stmt.at, condition: mode, then: copy(true), else: copy(false) });
      changed = true;
      continue;
    }
    const inside = within(stmt, names);
    changed ||= inside !== stmt;
    out.push(inside);
  }
  return changed ? out : stmts;
}

function within(stmt: Stmt, names: Names): Stmt {
  if (stmt.kind === "if") {
    const [then, other] = [list(stmt.then, names), list(stmt.else, names)];
    return then === stmt.then && other === stmt.else ? stmt : { ...stmt, then, else: other };
  }
  if (stmt.kind !== "loop" && stmt.kind !== "block") return stmt;
  const body = list(stmt.body, names);
  return body === stmt.body ? stmt : { ...stmt, body };
}

const namedIn = (stmts: readonly Stmt[], local: Local): boolean => {
  for (const expr of expressionsWithin(stmts)) if (expr.kind === "local" && expr.local === local) return true;
  return false;
};

/** What decides a branch that waits in an innermost loop of this one, and is known before it. */
function modeOf(loop: Loop, tokens: ReadonlySet<Local>): Expr | undefined {
  if (loop.combinational || !matters(loop)) return undefined;
  const own = new Set<Local>();
  for (const stmt of statementsIn([loop])) {
    if (stmt.kind === "let") own.add(stmt.local);
    else if (stmt.kind === "pop" && stmt.into) own.add(stmt.into);
    else if (stmt.kind === "tryPop" || stmt.kind === "peek") own.add(stmt.ok).add(stmt.into);
    else if (stmt.kind === "tryPush") own.add(stmt.ok);
  }
  for (const inner of innermost(loop))
    for (const stmt of inner.body) {
      if (stmt.kind !== "if" || !matters(stmt)) continue;
      for (const expr of expressionsIn(stmt.condition)) if (isMode(expr, own, tokens)) return expr;
    }
  return undefined;
}

/** Loops that take time themselves and hold none that does, but for loops over a few parts. */
function innermost(loop: Loop): readonly Loop[] {
  const inside = loop.body.flatMap((stmt) => [...statementsIn([stmt])]);
  const loops = inside.filter(
    (stmt): stmt is Loop => stmt.kind === "loop" && matters(stmt) && stmt.trips === undefined,
  );
  if (loops.length > 0) return loops.flatMap((each) => (directly(loop, each) ? innermost(each) : []));
  return loop.body.some(({ kind }) => kind === "edge") ? [loop] : [];
}

/** No other such loop stands between the two. */
function directly(outer: Loop, inner: Loop): boolean {
  const look = (stmts: readonly Stmt[]): boolean =>
    stmts.some((stmt) => stmt === inner || ((stmt.kind !== "loop" || !matters(stmt)) && children(stmt).some(look)));
  return look(outer.body);
}

const isMode = (expr: Expr, own: ReadonlySet<Local>, tokens: ReadonlySet<Local>): boolean => {
  if (expr.type.kind !== "bool") return false;
  if (expr.kind === "local" && !tokens.has(expr.local)) return false;
  let at: Expr = expr;
  while (at.kind === "member") at = at.base;
  return at.kind === "local" && !at.local.mutable && !own.has(at.local);
};

/** Statements once more, where a mode is known; with variables of their own if there are `locals` to add them to. */
class Copy {
  readonly #fact: { readonly condition: Expr; readonly holds: boolean };
  readonly #locals: Local[] | undefined;
  readonly #values = new Map<Local, Expr>();

  constructor(condition: Expr, holds: boolean, locals: Local[] | undefined) {
    this.#fact = { condition, holds };
    this.#locals = locals;
  }

  all(stmts: readonly Stmt[]): readonly Stmt[] {
    return stmts.flatMap((stmt) => this.#stmt(stmt));
  }

  #expr(expr: Expr): Expr {
    return simplify(expr, { fact: this.#fact, values: this.#values });
  }

  #local(local: Local): Local {
    if (!this.#locals) return local;
    const id = this.#locals.reduce((most, each) => Math.max(most, each.id), 0) + 1;
    const copy: Local = { ...local, id };
    this.#locals.push(copy);
    this.#values.set(local, { kind: "local", at: { file: "", line: 0, column: 0 }, type: local.type, local: copy });
    return copy;
  }

  #ref<P>({ parts, index }: Ref<P>): Ref<P> {
    return { parts, ...(index && { index: this.#expr(index) }) };
  }

  #stmt(stmt: Stmt): readonly Stmt[] {
    switch (stmt.kind) {
      case "let": {
        const value = this.#expr(stmt.value);
        const number = stmt.local.mutable ? undefined : constant(value);
        const named: Stmt = { ...stmt, value, local: this.#local(stmt.local) };
        if (number) this.#values.set(stmt.local, number);
        return [named];
      }
      case "if": {
        const condition = this.#expr(stmt.condition);
        if (condition.kind === "const") return this.all(condition.value ? stmt.then : stmt.else);
        return [{ ...stmt, condition, then: this.all(stmt.then), else: this.all(stmt.else) }];
      }
      case "loop": {
        const body = this.all(stmt.body);
        return [{ ...stmt, condition: this.#expr(stmt.condition), body, update: this.all(stmt.update) }];
      }
      case "block":
        return [{ ...stmt, body: this.all(stmt.body) }];
      case "assign":
        return [{ ...stmt, target: this.#expr(stmt.target) as Target, value: this.#expr(stmt.value) }];
      case "assert":
        return [{ ...stmt, condition: this.#expr(stmt.condition) }];
      case "clocks":
        return [{ ...stmt, count: this.#expr(stmt.count) }];
      case "pop":
        return [{ ...stmt, channel: this.#ref(stmt.channel), ...(stmt.into && { into: this.#local(stmt.into) }) }];
      case "tryPop":
      case "peek": {
        const channel = this.#ref(stmt.channel);
        return [{ ...stmt, channel, ok: this.#local(stmt.ok), into: this.#local(stmt.into) }];
      }
      case "push":
        return [{ ...stmt, channel: this.#ref(stmt.channel), value: this.#expr(stmt.value) }];
      case "tryPush": {
        const [channel, value] = [this.#ref(stmt.channel), this.#expr(stmt.value)];
        return [{ ...stmt, channel, value, ok: this.#local(stmt.ok) }];
      }
      case "read":
        return [{ ...stmt, port: this.#ref(stmt.port), address: this.#expr(stmt.address) }];
      case "write":
        return [
          { ...stmt, port: this.#ref(stmt.port), address: this.#expr(stmt.address), value: this.#expr(stmt.value) },
        ];
      case "signal":
        return [{ ...stmt, signal: this.#ref(stmt.signal), value: this.#expr(stmt.value) }];
      case "feed":
        return [{ ...stmt, west: this.#expr(stmt.west), north: this.#expr(stmt.north) }];
      default:
        return [{ ...stmt }];
    }
  }
}

/** A number, whatever its type. */
function constant(expr: Expr): Expr | undefined {
  if (expr.kind === "const") return expr;
  if (expr.kind !== "cast" || expr.type.kind !== "int" || expr.operand.kind !== "const") return undefined;
  const value = (expr.type as IntType)(Number(expr.operand.value));
  return { kind: "const", at: expr.at, type: { kind: "exact", range: { lo: value, hi: value } }, value };
}
