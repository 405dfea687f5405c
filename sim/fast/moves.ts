/**
 * Elements of tokens that a pass only moves to places of its own, for a grid to be fed from (feed-burst.ts) or for sums that their products
 * are added to (sum-match.ts). In a leap (leap.ts) they are used where the tokens stand, and the moves are not done: another pass follows, which moves
 * its own before anything uses them. Only where the loop may be over behind a leap those of the last pass are done then.
 */
import type { Channel } from "../../hw/channel.js";
import type { Expr, Local, Stmt } from "../../hw/ir/ir.js";
import type { Variable } from "./sum-match.js";
import { expressionsIn, expressionsOf, inner, someExpr, statementsIn } from "../../hw/ir/walk.js";
import { movingLoop } from "./bank-code.js";
import type { ExprCompiler } from "./expr.js";
import { accessOf, contiguous } from "./lanes.js";
import type { LeafRef } from "./place.js";
import type { Pass, PassStep } from "./rounds.js";

/** Bytes from fixed place `to` on stand at `offset` from the address in a local. */
interface Moved {
  readonly to: number;
  readonly bytes: number;
  readonly local: number;
  readonly offset: number;
}

/** Where else a byte stands. */
export interface Elsewhere {
  readonly local: number;
  readonly offset: number;
  /** Emits an `and` of the vector of 16-bit numbers on the stack with what is to be seen of them. */
  readonly mask?: () => void;
}

/** The condition under which a statement that adds products to sums sets them to zero first, if it is such a statement. */
export type Adds = (stmt: Stmt) => { readonly variable: Variable; readonly reset: Expr | undefined } | undefined;

export class Moves {
  /** Variables that nothing in the pass reads but a feed, or statements that add products. */
  readonly #variables: ReadonlySet<Local>;
  readonly #moved: Moved[] = [];
  readonly #left: (() => void)[] = [];

  /** `adds`: the statement adds products to sums. */
  constructor(pass: Pass, adds: Adds) {
    this.#variables = onlyFed(pass) ?? onlyAdded(pass, adds);
  }

  /** It is only moved to, for a grid. */
  has(of: Local): boolean {
    return this.#variables.has(of);
  }

  /** Leave a statement of a leap undone, if it does nothing but move elements of tokens that stand still; `later` emits it then. */
  leave(exprs: ExprCompiler, stmt: Stmt, later: () => void): boolean {
    const loop = stmt.kind === "loop" ? movingLoop(stmt) : undefined;
    if (!loop) {
      const whole = this.#moveVector(exprs, stmt);
      if (!whole) return false;
      this.#moved.push(whole);
      this.#left.push(later);
      return true;
    }
    const moved: Moved[] = [];
    for (let lane = 0; lane < loop.trips; lane++)
      for (const each of loop.body) {
        const move = exprs.withLane(loop.counter, { lane }, () => this.#move(exprs, each));
        if (!move) return false;
        moved.push(move);
      }
    this.#moved.push(...moved);
    this.#left.push(later);
    return true;
  }

  #move(exprs: ExprCompiler, stmt: Stmt): Moved | undefined {
    if (stmt.kind !== "assign" || !this.#variables.has(rootOf(stmt.target)!)) return undefined;
    const { code } = exprs;
    const mark = code.mark();
    const value = source(stmt.value);
    const [to, ...more] = exprs.resolvePlace(stmt.target, []) ?? [];
    const [from, ...others] = (rootOf(value) && exprs.resolvePlace(value, [])) ?? [];
    const emitted = code.mark() !== mark;
    code.cut(mark);
    if (emitted || !to || !from || more.length > 0 || others.length > 0 || to.terms.length > 0) return undefined;
    const [term, ...terms] = from.terms;
    if (term?.scale !== 1 || terms.length > 0 || to.size !== from.size || to.count !== from.count) return undefined;
    return { to: to.offset, bytes: to.count * to.size, local: term.local, offset: from.offset };
  }

  /** A vector whose lanes are the bytes of a token, one after the other. */
  #moveVector(exprs: ExprCompiler, stmt: Stmt): Moved | undefined {
    if (stmt.kind !== "assign" || stmt.target.kind !== "index") return undefined;
    if (!this.#variables.has(rootOf(stmt.target)!)) return undefined;
    const { locals, lengths, body } = lanesOf(source(stmt.value));
    const count = lengths.reduce((product, n) => product * n, 1);
    if (locals.length === 0) return undefined;
    const { code } = exprs;
    const mark = code.mark();
    const [to, ...more] = exprs.resolvePlace(stmt.target, []) ?? [];
    const from = accessOf(exprs, body, { locals, lengths, count });
    const emitted = code.mark() !== mark;
    code.cut(mark);
    if (emitted || !to || more.length > 0 || to.terms.length > 0 || to.count !== count || to.size !== 1)
      return undefined;
    const [term, ...terms] = from?.leaf.terms ?? [];
    if (!from || term?.scale !== 1 || terms.length > 0 || from.leaf.size !== 1 || !contiguous(from, 0, count))
      return undefined;
    return { to: to.offset, bytes: count, local: term.local, offset: from.leaf.offset + from.offsets[0]! };
  }

  /** Where the byte stands that a move would have put at a fixed place; the last one counts. */
  find(at: number): Elsewhere | undefined {
    const moved = this.#moved.findLast(({ to, bytes }) => at >= to && at < to + bytes);
    return moved && { local: moved.local, offset: moved.offset + at - moved.to };
  }

  /** What was left undone. */
  emitSettle(): void {
    for (const later of this.#left) later();
  }

  /** Do what was left undone also now. */
  emitAlso(): void {
    this.emitSettle();
  }

  /** Do now what was left undone: somebody needs it. */
  emitNow(): void {
    this.emitSettle();
    this.#left.length = 0;
    this.#moved.length = 0;
  }
}

/** The lanes of nested maps, the innermost counting fastest, and what an element is. */
function lanesOf(value: Expr): { locals: Local[]; lengths: number[]; body: Expr } {
  const [locals, lengths]: [Local[], number[]] = [[], []];
  let body = value;
  for (; body.kind === "map"; body = source(body.body)) {
    locals.push(body.lane);
    lengths.push(body.length);
  }
  return { locals, lengths, body };
}

/** Variables of a pass that are named by a loop that adds products to sums and, before it, by moves to them, and by nothing else. */
function onlyAdded({ guards, decisive, outside, around, steps }: Pass, adds: Adds): Set<Local> {
  const [used, others] = [new Set<Local>(), new Set<Local>()];
  const names = (expr: Expr, into: Set<Local>): void => {
    for (const e of expressionsIn(expr)) if (e.kind === "local") into.add(e.local);
  };
  let added = 0;
  const look = (stmts: Iterable<Stmt>): void => {
    for (const stmt of statementsIn(stmts))
      if (stmt.kind === "assign" && stmt.target.kind === "index" && rootOf(stmt.target) && added === 0) {
        names(stmt.value, others);
        names(stmt.target.index, others);
      } else for (const expr of expressionsOf(stmt)) names(expr, others);
  };
  const addition = (stmt: Stmt): boolean => {
    const adding = adds(stmt);
    if (!adding) return false;
    added++;
    for (const one of statementsIn([stmt])) for (const expr of expressionsOf(one)) names(expr, used);
    if (adding.reset) names(adding.reset, others);
    if ("id" in adding.variable) others.add(adding.variable);
    return true;
  };
  const walk = (list: readonly PassStep[], depth: number): void => {
    for (const step of list)
      if (step.kind === "plain") {
        if (depth === 0 || !addition(step.stmt)) look([step.stmt]);
      } else if (step.kind === "repeat") {
        names(step.loop.condition, others);
        look(step.loop.update);
        walk(step.steps, depth + 1);
      } else if (step.kind === "if") {
        names(step.condition, others);
        walk([...step.then, ...step.else], depth);
      } else if (step.kind === "push") names(step.value, others);
      else if (step.kind === "clocks") {
        if (step.count !== 1) names(step.count, others);
      } else if (step.kind === "outside") look([step.stmt]);
      else if (step.kind === "feed" || step.kind === "wave") added = Infinity;
  };
  walk(steps, 0);
  if (added !== 1) return new Set();
  look(around?.stmts ?? []);
  const known = [...guards, ...outside.flatMap(({ path }) => path), ...(around?.guards ?? [])];
  for (const expr of [...known.map(({ condition }) => condition), ...(decisive ?? [])]) names(expr, others);
  return new Set([...used].filter((local) => !others.has(local)));
}

/** Variables of a pass that are named by a loop that feeds and, before it, by moves to them, and by nothing else; undefined if none feeds. */
function onlyFed({ loop, guards, decisive, outside, around, steps }: Pass): Set<Local> | undefined {
  const fed = steps.findIndex(({ kind }) => kind === "feed");
  if (fed < 0) return undefined;
  if (steps.slice(fed + 1).some(({ kind }) => kind === "feed" || kind === "wave")) return new Set();
  const feeding = new Set<Local>();
  const others = new Set<Local>();
  const names = (expr: Expr, into: Set<Local>): void => {
    for (const e of expressionsIn(expr)) if (e.kind === "local") into.add(e.local);
  };
  const known = [...guards, ...outside.flatMap(({ path }) => path), ...(around?.guards ?? [])];
  for (const { condition } of known) names(condition, others);
  for (const expr of decisive ?? []) names(expr, others);
  const after = steps.slice(fed).flatMap((step) => (step.kind === "plain" ? [step.stmt] : []));
  for (const stmt of statementsIn([...after, ...(around?.stmts ?? [])]))
    if (stmt.kind === "assign" && rootOf(stmt.target)) others.add(rootOf(stmt.target)!);
  for (const stmt of statementsIn([loop, ...(around?.stmts ?? [])])) {
    if (stmt.kind === "feed") for (const expr of expressionsOf(stmt)) names(expr, feeding);
    else if (stmt.kind === "assign" && stmt.target.kind === "index" && rootOf(stmt.target)) {
      names(stmt.value, others);
      names(stmt.target.index, others);
    } else for (const expr of expressionsOf(stmt)) names(expr, others);
  }
  return new Set([...feeding].filter((local) => !others.has(local)));
}

/** All that a pass does with the token of a channel is to move its elements, for a grid to be fed from or for sums. */
export function movesOnly(pass: Pass, channel: Channel, adds: Adds): boolean {
  const pop = pass.steps.find((step) => step.kind === "pop" && step.channel === channel);
  const into = pop?.kind === "pop" ? pop.into : undefined;
  if (!into) return true;
  const fed = onlyFed(pass) ?? onlyAdded(pass, adds);
  const names = (expr: Expr): boolean => someExpr(expr, (e) => e.kind === "local" && e.local === into);
  const inText = (stmt: Stmt): boolean => {
    const moving = stmt.kind === "loop" ? movingLoop(stmt) : undefined;
    const isMove = (each: Stmt): boolean =>
      each.kind === "assign" &&
      fed.has(rootOf(each.target)!) &&
      !names(each.target) &&
      rootOf(source(each.value)) === into;
    if (moving?.body.every(isMove)) return false;
    return expressionsOf(stmt).some(names) || inner(stmt).some(inText);
  };
  const known = [...pass.guards, ...pass.outside.flatMap(({ path }) => path), ...(pass.around?.guards ?? [])];
  const others = [...known.map(({ condition }) => condition), ...(pass.decisive ?? [])];
  return !others.some(names) && ![pass.loop, ...(pass.around?.stmts ?? [])].some(inText);
}

const source = (value: Expr): Expr => (value.kind === "cast" ? value.operand : value);

/** The variable of a chain of members and indices. */
export function rootOf(expr: Expr): Local | undefined {
  let at = expr;
  while (at.kind === "index" || at.kind === "member") at = at.base;
  return at.kind === "local" ? at.local : undefined;
}

/** An element of a burst's operand stands at a fixed place, but for the counter. */
export const isFixed = ({ terms }: LeafRef): boolean => terms.length === 1 && terms[0]!.scale === 1;
