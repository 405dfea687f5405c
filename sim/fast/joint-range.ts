/**
 * What many passes of a round's processes do at once (joint-range-code.ts), told from one pass of each: for how many rounds each takes
 * the same way through its pass, what its variables grow by, which words of banks it reads, what the tokens say. A process's pass is
 * read with the branches that wait left out; that none of them is taken is one of the conditions.
 */
import type { Channel } from "../../hw/channel.js";
import type { Expr, Local, Stmt } from "../../hw/ir/ir.js";
import { bool } from "../../hw/types.js";
import { expressionsIn, expressionsWithin, operandsOf, sameExpr, someExpr } from "../../hw/ir/walk.js";
import { boundsOf } from "./expr.js";
import type { OneHot } from "./feed-burst.js";
import { assignedIn, followPass, Induction, type Count, type Variable } from "./induction.js";
import type { Products, Repeat } from "./joint-products.js";
import type { Known } from "./known.js";
import { isScalar } from "./layout.js";
import { BLOCK } from "./product-kernel.js";
import type { Pass, PassStep } from "./rounds.js";
import { variablesOf } from "./rounds-code.js";
import type { DesignSums } from "./sum-code.js";

/** What is known of a process's part in a leap, beside its pass. */
export interface Part {
  readonly pass: Pass;
  /** The statement is not done in a leap; what it does is made up for when the leap ends. */
  readonly leaves: (stmt: Stmt) => boolean;
  /** The variable is only what such statements move. */
  readonly isMoved: (of: Variable) => boolean;
  /** Reads of banks: their addresses, the depth, and how many banks are used. */
  readonly reads: readonly { readonly address: Expr; readonly depth: number; readonly used: Expr | undefined }[];
  /** Tokens pushed into the channel stand among the words of banks. */
  readonly isView: (channel: Channel) => boolean;
  /** The flags of the waves that a feed of the pass feeds. */
  readonly flags: (feed: Extract<PassStep, { kind: "feed" }>) => readonly (OneHot | undefined)[] | undefined;
  /** The products that a loop of the pass adds to sums, of factors that stand among the words of banks. */
  readonly products: (step: Repeat) => Products | undefined;
  /** What a statement adds to sums. */
  readonly adds: DesignSums["adds"];
}

/** A process's part in a range. Expressions are of what stands before the first pass. */
export interface PartRange {
  /** For how many passes it does the same. */
  readonly counts: readonly Count[];
  readonly grows: readonly (readonly [of: Variable, step: number])[];
  /** Addresses of the reads go on by so much. */
  readonly readSteps: readonly number[];
  /** What it pushes in the first pass, but for words of banks. */
  readonly tokens: readonly { readonly channel: Channel; readonly value: Expr }[];
  /** Counts of the steps that are clocks. */
  readonly clocks: ReadonlyMap<PassStep, Expr>;
  /** Of the first part, if its loop is gone round within the loop around it. */
  readonly wayRound: WayRoundRange | undefined;
}

/**
 * When the first process's loop has ended and it has gone the way round to its next first pass, all go on as before if what
 * others are told, and what decides clocks, is what it would be without: then nobody else can see it.
 */
export interface WayRoundRange {
  /** For how many passes another follows without the way round; not among the range's counts. */
  readonly again: readonly Count[];
  /** What grows from pass to pass, and has to behind the way round. */
  readonly told: readonly { readonly value: Expr; readonly step: number }[];
  /** Variables that passes and the way round change. */
  readonly changed: readonly Variable[];
}

class NoRange extends Error {}

/** The ranges of all parts of a round, producers first; undefined if there is none. */
export function rangeOf(parts: readonly Part[]): readonly PartRange[] | undefined {
  const values = new Map<Channel, Pushed>();
  try {
    const readers = parts.map((part) => new RangeReader(part, values));
    const ranges = readers.map((reader) => reader.range);
    return ranges.map((range, i) => {
      const { again } = readers[i]!;
      const wayRound = i === 0 ? readers[i]!.wayRound : undefined;
      if (wayRound) return { ...range, counts: tidy(range.counts), wayRound: { ...wayRound, again: tidy(again) } };
      return { ...range, counts: tidy([...range.counts, ...again]), wayRound };
    });
  } catch (error) {
    if (error instanceof NoRange) return undefined;
    throw error;
  }
}

/** What a token is, and who reads it in which pass. */
interface Pushed {
  readonly value: Expr;
  readonly by: RangeReader;
}

const isTaken = ({ kind }: PassStep): boolean => kind !== "if";

class RangeReader {
  readonly #part: Part;
  readonly #induction: Induction;
  readonly #values: Map<Channel, Pushed>;
  readonly #counts: Count[] = [];
  readonly #tokens: { channel: Channel; value: Expr }[] = [];
  readonly #clocks = new Map<PassStep, Expr>();
  readonly #popped = new Map<Local, Channel>();
  /** Sums that the pass adds to. */
  readonly #sums = new Set<Variable>();
  /** Expressions of this part of which others hear, and by how much they grow. */
  readonly #told: { value: Expr; step: number }[] = [];
  #again: readonly Count[] = [];

  constructor(part: Part, values: Map<Channel, Pushed>) {
    this.#part = part;
    this.#values = values;
    for (const step of part.pass.steps) if (step.kind === "pop" && step.into) this.#popped.set(step.into, step.channel);
    const steps = part.pass.steps.filter(isTaken);
    const ahead = (): boolean => true;
    this.#induction = new Induction(steps, ahead, (expr) => this.#tokenStep(expr));
  }

  get range(): Omit<PartRange, "wayRound"> {
    const { pass, reads } = this.#part;
    for (const { condition, holds } of pass.guards) this.#keeps(condition, holds);
    for (const expr of pass.decisive ?? []) this.#told.push({ value: expr, step: this.#steady(expr, true) });
    const behind = this.#follow();
    const before = this.#counts.length;
    this.#keeps(known(behind, pass.again.condition), pass.again.holds);
    this.#again = this.#counts.splice(before);
    const readSteps = reads.map(({ address, depth, used }) => {
      if (used) this.#steady(used, true);
      const step = this.#steady(address, false);
      const { at, type } = address;
      const most: Expr = { kind: "const", at, type: { kind: "exact", range: { lo: depth, hi: depth } }, value: depth };
      this.#keeps({ kind: "binary", at, type: bool, op: "<", left: address, right: most }, true);
      const zero: Expr = { kind: "const", at, type: { kind: "exact", range: { lo: 0, hi: 0 } }, value: 0 };
      if (type.kind !== "int" || step < 0) throw new NoRange();
      this.#keeps({ kind: "binary", at, type: bool, op: ">=", left: address, right: zero }, true);
      return step;
    });
    return {
      counts: this.#counts,
      grows: this.#grows(),
      readSteps,
      tokens: this.#tokens,
      clocks: this.#clocks,
    };
  }

  /** For how many passes another follows in the loop; once the range has been read. */
  get again(): readonly Count[] {
    return this.#again;
  }

  /** Once the ranges of all parts have been read; undefined where the way round may do more than give scalars other values. */
  get wayRound(): WayRoundRange | undefined {
    const { pass, reads } = this.#part;
    const { around, again, steps } = pass;
    if (!around || reads.length > 0 || steps.some(({ kind }) => kind === "feed" || kind === "repeat")) return undefined;
    if (!around.stmts.every((stmt) => stmt.kind === "assert" || isAssignment(stmt))) return undefined;
    // What the passes declare has no value here.
    const { declared } = variablesOf(pass);
    const conditions = [again, ...around.guards].map(({ condition }) => condition);
    for (const expr of [...expressionsWithin(around.stmts), ...conditions])
      for (const e of expressionsIn(expr)) if (e.kind === "local" && declared.has(e.local)) return undefined;
    const behind = assignedIn(around.stmts.map((stmt) => ({ kind: "plain", stmt })));
    const changed = new Set([...this.#grows().map(([of]) => of), ...behind]);
    if (![...changed].every((of) => isScalar(of.type))) return undefined;
    const varies = (value: Expr): boolean =>
      someExpr(
        value,
        (e) => (e.kind === "local" && changed.has(e.local)) || (e.kind === "field" && changed.has(e.field)),
      );
    const told: WayRoundRange["told"][number][] = [];
    for (const one of this.#told)
      if (varies(one.value) && !told.some((other) => sameExpr(one.value, other.value))) told.push(one);
    if (told.some(({ step }) => Number.isNaN(step))) return undefined;
    // What hangs on others of them only is told with those.
    const isTold = (value: Expr, others: readonly Expr[]): boolean =>
      others.some((other) => sameExpr(other, value)) ||
      !varies(value) ||
      (operandsOf(value).length > 0 && operandsOf(value).every((operand) => isTold(operand, others)));
    const needed = told.filter(({ value }) => {
      const others = told.flatMap((other) => (other.value !== value && other.step === 0 ? [other.value] : []));
      return !isTold(value, others);
    });
    return { again: this.#again, told: needed, changed: [...changed] };
  }

  /** By how much a part of a token grows from pass to pass; not a number if that is not known. */
  #tokenStep(expr: Expr): number | undefined {
    const path: (string | number)[] = [];
    let at = expr;
    while (at.kind === "member" || at.kind === "index") {
      if (at.kind === "member") path.unshift(at.name);
      else path.unshift(at.index.kind === "const" ? Number(at.index.value) : NaN);
      at = at.base;
    }
    const channel = at.kind === "local" ? this.#popped.get(at.local) : undefined;
    if (!channel) return undefined;
    const pushed = this.#values.get(channel);
    let value = pushed?.value;
    for (const step of path)
      value = value?.kind === "struct" ? value.fields.find(({ name }) => name === step)?.value : undefined;
    if (!value) return NaN;
    const step = pushed!.by.stepOf(value);
    pushed!.by.#told.push({ value, step });
    return step;
  }

  /** By how much a scalar of this part's pass grows, as long as its conditions hold. */
  stepOf(expr: Expr): number {
    const linear = this.#induction.linear(expr, true);
    if (!linear) return NaN;
    this.#counts.push(...linear.while);
    return linear.step;
  }

  #steady(expr: Expr, still: boolean): number {
    const step = this.stepOf(expr);
    if (Number.isNaN(step) || (still && step !== 0)) throw new NoRange();
    return step;
  }

  /** A condition is what it has to be. */
  #keeps(condition: Expr, holds: boolean): void {
    const count = this.#induction.count(condition, holds);
    if (count) this.#counts.push(count);
    else {
      this.#steady(condition, true);
      this.#counts.push({ kind: "constant", condition, holds });
    }
  }

  #follow(): Known {
    return followPass(
      this.#part.pass.steps
        .filter((step) => {
          if (isTaken(step)) return true;
          if (step.kind === "if" && step.else.length > 0) throw new NoRange();
          return step.kind === "if";
        })
        .flatMap((step) => this.#untaken(step)),
      (step, before) => this.#step(step, before),
      () => true,
    );
  }

  /** A branch that waits stands for the condition that it is not taken. */
  #untaken(step: PassStep): PassStep {
    if (step.kind !== "if") return step;
    const { condition } = step;
    const { at } = condition;
    const not: Expr = { kind: "unary", at, type: bool, op: "!", operand: condition };
    return { kind: "plain", stmt: { kind: "assert", at, condition: not, text: "" } };
  }

  #step(step: PassStep, before: Known): void {
    switch (step.kind) {
      case "plain":
        this.#plain(step.stmt, before);
        return;
      case "clocks":
        if (step.count !== 1) this.#clocks.set(step, known(before, step.count));
        return;
      case "push":
        this.#push(step, before);
        return;
      case "feed":
        this.#feed(step, before);
        return;
      case "repeat":
        this.#repeat(step, before);
        return;
      case "pop":
      case "count":
        return;
      default:
        throw new NoRange();
    }
  }

  /** A loop that adds products: always as often as it can, and the sums go on. */
  #repeat(step: Repeat, before: Known): void {
    const { pass, reads, products: productsOf, adds } = this.#part;
    const products = productsOf(step);
    // Clocks of reads behind it are not worked out, nor is the order of two loops.
    if (!products || reads.length > 0 || this.#sums.size > 0) throw new NoRange();
    this.#sums.add(products.variable);
    const { values } = products;
    const { at } = step.bound;
    const number = (value: number): Expr => ({
      kind: "const",
      at,
      type: { kind: "exact", range: { lo: value, hi: value } },
      value,
    });
    const compare = (op: "<" | "<=", left: Expr, right: Expr): Expr => ({
      kind: "binary",
      at,
      type: bool,
      op,
      left,
      right,
    });
    const bound = known(before, step.bound);
    this.#keeps(compare("<", number(values.at(-1)!), bound), true);
    this.#keeps(compare("<=", bound, number(values.at(-1)! + step.by)), true);
    for (const value of values) {
      const now = before.copy();
      now.count(step.counter, value);
      for (const each of step.steps) {
        if (each.kind === "clocks" && each.count === 1) continue;
        if (each.kind !== "plain") throw new NoRange();
        const adding = adds(each.stmt);
        if (adding) this.#unreset(adding, now);
        else this.#plain(each.stmt, now);
        now.after(each.stmt);
      }
    }
    if (pass.steps.some(({ kind }) => kind === "feed")) throw new NoRange();
  }

  /** The sums are not set to zero. */
  #unreset({ adding, loop }: NonNullable<ReturnType<DesignSums["adds"]>>, before: Known): void {
    if (!adding.reset) return;
    for (let pass = 0; pass < (loop?.trips ?? 1); pass++) {
      const now = before.copy();
      if (loop) now.count(loop.counter, pass);
      this.#keeps(known(now, adding.reset.condition), !adding.reset.holds);
    }
  }

  /** Nothing is lost if it is not done, but for variables. */
  #plain(stmt: Stmt, before: Known): void {
    if (this.#part.leaves(stmt)) return;
    if (stmt.kind === "assert") this.#keeps(known(before, stmt.condition), true);
    else if (!isAssignment(stmt)) throw new NoRange();
  }

  #push({ channel, value }: Extract<PassStep, { kind: "push" }>, before: Known): void {
    if (this.#part.isView(channel)) return;
    const at = atFirst(before, value);
    this.#tokens.push({ channel, value: at });
    this.#values.set(channel, { value: at, by: this });
  }

  /** A word of waves: as many as go to a block, none of them flagged. */
  #feed(step: Extract<PassStep, { kind: "feed" }>, before: Known): void {
    const { counter, bound } = step.loop;
    const { at } = bound;
    const first = before.number({ kind: "local", at, type: counter.type, local: counter });
    const flags = this.#part.flags(step);
    if (first !== 0 || !flags) throw new NoRange();
    const type: Expr["type"] = { kind: "exact", range: { lo: BLOCK, hi: BLOCK } };
    const whole: Expr = { kind: "const", at, type, value: BLOCK };
    this.#keeps({ kind: "binary", at, type: bool, op: "===", left: known(before, bound), right: whole }, true);
    for (const flag of flags) {
      if (!flag) continue;
      const [condition, ...others] = flag.conditions.map((each) => known(before, each));
      if (!condition) throw new NoRange();
      const all = others.reduce<Expr>(
        (left, right) => ({ kind: "binary", at, type: bool, op: "&&", left, right }),
        condition,
      );
      this.#keeps(all, false);
    }
  }

  /** Variables that live on from pass to pass. */
  #grows(): (readonly [Variable, number])[] {
    const { pass, isMoved } = this.#part;
    const { used, declared } = variablesOf(pass);
    const grows: (readonly [Variable, number])[] = [];
    for (const of of assignedIn(pass.steps.filter(isTaken))) {
      if (declared.has(of as Local) || !used.has(of) || isMoved(of) || this.#sums.has(of)) continue;
      const linear = this.#induction.variable(of);
      if (!linear) throw new NoRange();
      this.#counts.push(...linear.while);
      if (linear.step !== 0) grows.push([of, linear.step]);
    }
    return grows;
  }
}

function known(before: Known, expr: Expr): Expr {
  const at = before.at(expr);
  if (!at) throw new NoRange();
  return at;
}

/** A value as an expression of what stands before the pass. */
function atFirst(before: Known, value: Expr): Expr {
  if (value.kind === "cast" && value.operand.kind === "struct") return atFirst(before, value.operand);
  if (value.kind !== "struct") return known(before, value);
  return { ...value, fields: value.fields.map((field) => ({ ...field, value: atFirst(before, field.value) })) };
}

/** It does nothing but give values to whole variables. */
function isAssignment(stmt: Stmt): boolean {
  if (stmt.kind === "let") return true;
  if (stmt.kind === "assign") return stmt.target.kind === "local" || stmt.target.kind === "field";
  return stmt.kind === "if" && [...stmt.then, ...stmt.else].every(isAssignment);
}

/** Counts that together say the same: each once, and in ways of which one holds nothing that has to hold anyway. */
function tidy(counts: readonly Count[]): Count[] {
  const single: Count[] = [];
  for (const count of counts.flatMap(parts))
    if (!isFree(count) && !single.some((one) => same(one, count))) single.push(count);
  const known = single.filter(({ kind }) => kind !== "any");
  const choices = single.flatMap((count): (readonly Count[])[] => {
    if (count.kind !== "any") return [];
    const of = count.of.flatMap(ways).flatMap((way) => {
      const left = parts(way).filter((each) => !isFree(each) && !known.some((one) => same(one, each)));
      return left.length === 1 ? ways(left[0]!) : [{ kind: "all", of: left } as const];
    });
    const isKnown = of.some((way) => way.kind === "all" && way.of.length === 0);
    return isKnown || isImplied(of, known) ? [] : [of.filter((way, i) => !isAmong(way, of.slice(0, i)))];
  });
  // Where one of fewer has to hold, one of more does.
  const left = choices.filter(
    (of, i) =>
      !choices.some(
        (fewer, j) =>
          i !== j &&
          fewer.every((way) => isAmong(way, of)) &&
          (fewer.length < of.length || (fewer.length === of.length && j < i)),
      ),
  );
  return [...known, ...left.map((of): Count => ({ kind: "any", of }))];
}

const isAmong = (count: Count, of: readonly Count[]): boolean => of.some((one) => same(one, count));
const parts = (count: Count): readonly Count[] => (count.kind === "all" ? count.of.flatMap(parts) : [count]);
const ways = (count: Count): readonly Count[] => (count.kind === "any" ? count.of.flatMap(ways) : [count]);

/** It holds for ever, whatever the variables. */
function isFree(count: Count): boolean {
  if (count.kind === "constant")
    return count.condition.kind === "const" && Boolean(count.condition.value) === count.holds;
  if (count.kind !== "limit") return false;
  const { lo, hi } = boundsOf(count.limit.expr);
  return count.limit.least <= lo && count.limit.most >= hi;
}

/** A number that has to be on one side of a limit is on one side of it. */
function isImplied(of: readonly Count[], known: readonly Count[]): boolean {
  return of.some(
    (way) =>
      way.kind === "limit" &&
      known.some(
        (one) =>
          one.kind === "limit" &&
          one.limit.step === way.limit.step &&
          sameExpr(one.limit.expr, way.limit.expr) &&
          one.limit.least >= way.limit.least &&
          one.limit.most <= way.limit.most,
      ),
  );
}

function same(a: Count, b: Count): boolean {
  if (a.kind === "limit" && b.kind === "limit") {
    const [{ limit: x }, { limit: y }] = [a, b];
    return x.step === y.step && x.least === y.least && x.most === y.most && sameExpr(x.expr, y.expr);
  }
  if (a.kind === "constant" && b.kind === "constant") return a.holds === b.holds && sameExpr(a.condition, b.condition);
  if ((a.kind !== "all" && a.kind !== "any") || a.kind !== b.kind || a.of.length !== b.of.length) return false;
  return a.of.every((one, i) => same(one, b.of[i]!));
}
