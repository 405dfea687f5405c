/**
 * Finds statements that add products to sums. Variables that are matrices of sums: each statement of a kind adds an outer product, `sums[r][c] + a[r] * b[c]`
 * modulo 2^32, perhaps to zeros instead. Nobody but the process sees its variable, so the sums need not be there before the
 * process reads them: the factors are collected meanwhile, and are one matrix product (sum-code.ts). The algebra of the
 * IR decides, not names: which lanes a factor depends on, and what ranges it has. Other statements that add products lane by
 * lane, without outer products, are done in place (sum-lanes.ts).
 */
import type { Expr, Local, Loop, ProcessIr, StateField, Stmt } from "../../hw/ir/ir.js";
import {
  children,
  expressionsIn,
  expressionsOf,
  expressionsWithin,
  sameExpr,
  someExpr,
  statementsIn,
} from "../../hw/ir/walk.js";
import { bool, type IntType, type VecType } from "../../hw/types.js";
import { counted } from "./bank-code.js";
import { boundsOf } from "./expr.js";
import { isScalar } from "./layout.js";
import { foldLanes, type Lanes } from "./lanes.js";

export type Variable = Local | StateField;

/** A number of 8 bits for every row, or every column, of the sums. */
export interface Factor {
  readonly value: Expr;
  readonly lanes: Lanes;
  readonly signed: boolean;
}

/** One statement's part: the sums start anew if `reset` holds; then products are added. */
export interface Adding {
  readonly of: SumForm;
  readonly reset: { readonly condition: Expr; readonly holds: boolean } | undefined;
  readonly products: readonly { readonly rows: Factor; readonly columns: Factor }[];
}

/** A statement that adds products of numbers of 16 bits lane by lane, in place. */
export interface InPlace {
  readonly variable: Variable;
  readonly lanes: Lanes;
  readonly reset: Adding["reset"];
  readonly products: readonly (readonly [Expr, Expr])[];
}

/** A loop that only adds, written out. */
export interface AddingLoop {
  readonly counter: Local;
  readonly trips: number;
  readonly adding: Adding | InPlace;
}

export interface SumForm {
  readonly variable: Variable;
  readonly rows: number;
  readonly columns: number;
  readonly signed: { readonly rows: boolean; readonly columns: boolean };
}

/** What a process's statements have to do with its sums. */
export interface Sums {
  readonly forms: readonly SumForm[];
  readonly adding: ReadonlyMap<Stmt, Adding>;
  readonly inPlace: ReadonlyMap<Stmt, InPlace>;
  readonly loops: ReadonlyMap<Loop, AddingLoop>;
  /** Statements that only give the sums, which are named here, another name for one that adds. */
  readonly aliases: ReadonlyMap<Stmt, Variable>;
}

/** Columns are computed eight at a time. */
export const COLUMN_STEP = 8;
/** Lanes are done eight at a time. */
export const LANE_STEP = 8;
const FEWEST_ROWS = 2;
const WRITTEN_OUT = 16;

/** Statements that may read sums: before them, what was collected is added up. */
const reading = new Set(["let", "assign", "push", "write"]);

export function findSums({ locals, fields, body }: Pick<ProcessIr, "locals" | "fields" | "body">): Sums {
  const forms: SumForm[] = [];
  const adding = new Map<Stmt, Adding>();
  const inPlace = new Map<Stmt, InPlace>();
  const aliases = new Map<Stmt, Variable>();
  for (const variable of [...locals.filter(({ mutable }) => mutable), ...fields]) {
    const lengths = lengthsOf(variable);
    const read = lengths && new SumReader(variable, lengths).read(body);
    if (!read) continue;
    if (read.form) forms.push(read.form);
    for (const [stmt, each] of read.adding) adding.set(stmt, each);
    for (const [stmt, each] of read.inPlace) inPlace.set(stmt, each);
    for (const alias of read.aliases) aliases.set(alias, variable);
  }
  const loops = new Map<Loop, AddingLoop>();
  const every = new Map<Stmt, Adding | InPlace>([...adding, ...inPlace]);
  for (const stmt of statementsIn(body)) {
    const loop = stmt.kind === "loop" ? addingLoop(stmt, every, aliases) : undefined;
    if (loop) loops.set(stmt as Loop, loop);
  }
  return { forms, adding, inPlace, loops, aliases };
}

function addingLoop(
  loop: Loop,
  adding: ReadonlyMap<Stmt, Adding | InPlace>,
  aliases: ReadonlyMap<Stmt, Variable>,
): AddingLoop | undefined {
  const found = counted(loop);
  const last = found?.body.at(-1);
  const known = last && adding.get(last);
  if (!found || !known || found.trips < 1 || found.trips > WRITTEN_OUT) return undefined;
  if (!found.body.slice(0, -1).every((stmt) => aliases.has(stmt))) return undefined;
  return { counter: found.counter, trips: found.trips, adding: known };
}

/** The lengths of a vector of vectors of ... of 32-bit integers. */
function lengthsOf({ type }: Variable): readonly number[] | undefined {
  const lengths: number[] = [];
  let of = type;
  while (of.kind === "vec") {
    const vector = of as VecType;
    lengths.push(vector.length);
    of = vector.of;
  }
  return lengths.length >= 1 && of.kind === "int" && (of as IntType).bits === 32 ? lengths : undefined;
}

interface Read {
  readonly form: SumForm | undefined;
  readonly adding: ReadonlyMap<Stmt, Adding>;
  readonly inPlace: ReadonlyMap<Stmt, InPlace>;
  readonly aliases: ReadonlySet<Stmt>;
}

/** What is left of a statement's value when the sums are taken away. */
interface Terms {
  readonly reset: Adding["reset"];
  readonly products: readonly (readonly [Expr, Expr])[];
  readonly lanes: readonly Local[];
}

class SumReader {
  readonly #variable: Variable;
  readonly #lengths: readonly number[];

  constructor(variable: Variable, lengths: readonly number[]) {
    this.#variable = variable;
    this.#lengths = lengths;
  }

  read(body: readonly Stmt[]): Read | undefined {
    const terms = new Map<Stmt, Terms>();
    const aliases = new Map<Stmt, Local>();
    this.#list(body, terms, aliases);
    if (terms.size === 0 || !onlyNames(body, terms, aliases)) return undefined;
    const names = new Set(aliases.keys());
    const matrix = this.#readable(body, terms, aliases) ? this.#matrix(terms) : undefined;
    if (matrix) return { ...matrix, inPlace: new Map(), aliases: names };
    const inPlace = this.#inPlace(terms);
    return inPlace && { form: undefined, adding: new Map(), inPlace, aliases: names };
  }

  #inPlace(terms: ReadonlyMap<Stmt, Terms>): ReadonlyMap<Stmt, InPlace> | undefined {
    const count = product(this.#lengths);
    const all = [...terms.values()].flatMap(({ products }) => products.flat());
    if (count % LANE_STEP !== 0 || !all.every(isShort)) return undefined;
    const variable = this.#variable;
    return new Map(
      [...terms].map(([stmt, { lanes: locals, reset, products }]) => {
        const lanes = { locals, lengths: this.#lengths, count };
        return [stmt, { variable, lanes, reset, products }];
      }),
    );
  }

  #matrix(terms: ReadonlyMap<Stmt, Terms>): Pick<Read, "form" | "adding"> | undefined {
    const bytes = [...terms.values()].every(({ products }) => products.flat().every(isByte));
    const split = bytes ? this.#split([...terms.values()]) : undefined;
    if (split === undefined) return undefined;
    const [rows, columns] = [product(this.#lengths.slice(0, split)), product(this.#lengths.slice(split))];
    if (rows < FEWEST_ROWS || columns % COLUMN_STEP !== 0) return undefined;
    const factors = [...terms].map(([stmt, each]) => [stmt, each.reset, this.#factors(each, split)] as const);
    const all = factors.flatMap(([, , products]) => products);
    const signed = { rows: all[0]!.rows.signed, columns: all[0]!.columns.signed };
    if (!all.every((each) => each.rows.signed === signed.rows && each.columns.signed === signed.columns))
      return undefined;
    const form = { variable: this.#variable, rows, columns, signed };
    const adding = new Map(factors.map(([stmt, reset, products]) => [stmt, { of: form, reset, products }]));
    return { form, adding };
  }

  #list(stmts: readonly Stmt[], terms: Map<Stmt, Terms>, aliases: Map<Stmt, Local>): void {
    stmts.forEach((stmt, i) => {
      for (const list of children(stmt)) this.#list(list, terms, aliases);
      if (stmt.kind !== "assign" || !this.#isVariable(stmt.target)) return;
      const before = stmts[i - 1];
      const alias =
        before?.kind === "let" && !before.local.mutable && this.#isVariable(before.value) ? before : undefined;
      const read = this.#terms(stmt.value, alias?.local);
      if (!read) return;
      terms.set(stmt, read);
      if (alias) aliases.set(alias, alias.local);
    });
  }

  #isVariable(expr: Expr): boolean {
    return expr.kind === "local"
      ? expr.local === this.#variable
      : expr.kind === "field" && expr.field === this.#variable;
  }
  #mentions(expr: Expr, alias?: Local): boolean {
    return someExpr(expr, (e) => this.#isVariable(e) || (e.kind === "local" && e.local === alias));
  }

  /** Whatever else reads or changes the variable is a statement before which the sums can be made. */
  #readable(body: readonly Stmt[], terms: ReadonlyMap<Stmt, Terms>, aliases: ReadonlyMap<Stmt, Local>): boolean {
    for (const stmt of statementsIn(body)) {
      if (terms.has(stmt) || aliases.has(stmt) || reading.has(stmt.kind)) continue;
      if (expressionsOf(stmt).some((expr) => this.#mentions(expr))) return false;
    }
    return true;
  }

  #terms(value: Expr, alias: Local | undefined): Terms | undefined {
    const lanes: Local[] = [];
    let body = value;
    for (const length of this.#lengths) {
      if (body.kind === "cast") body = body.operand;
      if (body.kind !== "map" || body.length !== length) return undefined;
      lanes.push(body.lane);
      body = body.body;
    }
    if (!isWrap(body)) return undefined;
    const isBase = (expr: Expr): boolean => this.#isElement(expr, lanes, alias);
    let reset: Adding["reset"];
    let bases = 0;
    const products: (readonly [Expr, Expr])[] = [];
    for (const term of termsOf(body)) {
      const pair = factorsOf(term);
      if (pair) {
        if (pair.some((factor) => this.#mentions(factor, alias))) return undefined;
        products.push(pair);
        continue;
      }
      bases++;
      if (isBase(term)) continue;
      if (term.kind !== "select") return undefined;
      const holds = numberOf(term.then) === 0 && isBase(term.else);
      if (!holds && !(isBase(term.then) && numberOf(term.else) === 0)) return undefined;
      if (this.#mentions(term.condition, alias) || lanes.some((lane) => names(term.condition, lane))) return undefined;
      reset = { condition: term.condition, holds };
    }
    return bases === 1 && products.length > 0 ? { reset, products, lanes } : undefined;
  }

  /** `variable[lane][lane]...`, lane by lane in order. */
  #isElement(expr: Expr, lanes: readonly Local[], alias: Local | undefined): boolean {
    let at = expr;
    for (const lane of [...lanes].reverse()) {
      if (at.kind !== "index" || at.index.kind !== "local" || at.index.local !== lane) return false;
      at = at.base;
    }
    return this.#isVariable(at) || (at.kind === "local" && at.local === alias);
  }

  /** The number of outer lanes that are rows, the same for all statements; the others are columns. */
  #split(all: readonly Terms[]): number | undefined {
    const most = this.#lengths.length;
    return Array.from({ length: most - 1 }, (_, i) => most - 1 - i).find((split) =>
      all.every(({ products, lanes }) => products.every((pair) => inOrder(pair, lanes, split) !== undefined)),
    );
  }

  #factors({ products, lanes }: Terms, split: number): Adding["products"] {
    const part = (value: Expr, from: number, to: number): Factor => {
      const [locals, lengths] = [lanes.slice(from, to), this.#lengths.slice(from, to)];
      const count = product(lengths);
      return { value, lanes: { locals, lengths, count }, signed: boundsOf(value).lo < 0 };
    };
    return products.map((pair) => {
      const [rows, columns] = inOrder(pair, lanes, split)!;
      return { rows: part(rows, 0, split), columns: part(columns, split, lanes.length) };
    });
  }
}

const names = (expr: Expr, local: Local): boolean => someExpr(expr, (e) => e.kind === "local" && e.local === local);

/** The factor of the rows first; undefined if one depends on both. */
function inOrder(
  [a, b]: readonly [Expr, Expr],
  lanes: readonly Local[],
  split: number,
): readonly [Expr, Expr] | undefined {
  const only = (expr: Expr, others: readonly Local[]): boolean => !others.some((lane) => names(expr, lane));
  const [rows, columns] = [lanes.slice(0, split), lanes.slice(split)];
  if (only(a, columns) && only(b, rows)) return [a, b];
  return only(b, columns) && only(a, rows) ? [b, a] : undefined;
}

/** The other names are used for nothing else. */
function onlyNames(body: readonly Stmt[], terms: ReadonlyMap<Stmt, Terms>, aliases: ReadonlyMap<Stmt, Local>): boolean {
  const uses = (exprs: Iterable<Expr>, local: Local): number => {
    let count = 0;
    for (const expr of exprs) if (expr.kind === "local" && expr.local === local) count++;
    return count;
  };
  return [...aliases.values()].every((local) => {
    let inTerms = 0;
    for (const stmt of terms.keys()) if (stmt.kind === "assign") inTerms += uses(expressionsIn(stmt.value), local);
    return uses(expressionsWithin(body), local) === inTerms;
  });
}

/** A cast to 32 bits: what is under it counts modulo 2^32. */
const isWrap = (expr: Expr): boolean =>
  expr.kind === "cast" && expr.type.kind === "int" && (expr.type as IntType).bits === 32;

/** The terms of a sum modulo 2^32. */
function termsOf(expr: Expr): readonly Expr[] {
  if (expr.kind === "cast" && (isWrap(expr) || losesNothing(expr))) return termsOf(expr.operand);
  if (expr.kind === "binary" && expr.op === "+") return [...termsOf(expr.left), ...termsOf(expr.right)];
  return [expr];
}

const product = (numbers: readonly number[]): number => numbers.reduce((all, n) => all * n, 1);

/** What is under the cast fits its type. */
function losesNothing(expr: Extract<Expr, { kind: "cast" }>): boolean {
  if (!isScalar(expr.type)) return false;
  const { lo, hi } = boundsOf(expr.operand);
  const { lo: least, hi: most } = boundsOf(expr);
  return lo >= least && hi <= most;
}

/** Two factors whose exact product a term is. */
function factorsOf(term: Expr): readonly [Expr, Expr] | undefined {
  if (term.kind === "cast") return losesNothing(term) ? factorsOf(term.operand) : undefined;
  if (term.kind === "binary" && term.op === "*") return [term.left, term.right];
  if (term.kind !== "index" || term.base.kind !== "call" || term.base.helper !== "mulPair") return undefined;
  const [a, first, second] = term.base.args as readonly [Expr, Expr, Expr];
  const { lo, hi } = boundsOf(term.index);
  if (lo < 0 || hi > 1) return undefined;
  const { at } = term;
  const one: Expr = { kind: "const", at, type: { kind: "exact", range: { lo: 1, hi: 1 } }, value: 1 };
  const condition: Expr = { kind: "binary", at, type: bool, op: "===", left: term.index, right: one };
  return [a, chosen(condition, second, first)];
}

/** One of two expressions; of two differences from the same number, the difference of one of two. */
function chosen(condition: Expr, one: Expr, other: Expr): Expr {
  const [a, b] = [boundsOf(one), boundsOf(other)];
  const range = { lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
  const place = { at: one.at, type: { kind: "exact", range } as const };
  if (one.kind === "binary" && other.kind === "binary" && one.op === "-" && other.op === "-")
    if (sameExpr(one.right, other.right))
      return { kind: "binary", ...place, op: "-", left: chosen(condition, one.left, other.left), right: one.right };
  return { kind: "select", ...place, condition, then: one, else: other };
}

/** It fits a signed number of 16 bits. */
export function isShort(expr: Expr): boolean {
  const { lo, hi } = boundsOf(expr);
  return expr.type.kind !== "bool" && lo >= -32768 && hi <= 32767;
}

function isByte(expr: Expr): boolean {
  const { lo, hi } = boundsOf(expr);
  return expr.type.kind !== "bool" && ((lo >= -128 && hi <= 127) || (lo >= 0 && hi <= 255));
}

function numberOf(expr: Expr): number | undefined {
  if (expr.kind === "cast") return numberOf(expr.operand);
  return expr.kind === "const" ? Number(expr.value) : undefined;
}

/** Lanes with the numbers of a loop that is written out around them, which count slowest. */
export const lanesWithin = ({ locals, lengths, count }: Lanes, counter: Local, trips: number): Lanes => ({
  locals: [counter, ...locals],
  lengths: [trips, ...lengths],
  count: count * trips,
});

/** The condition cannot be `holds` where the locals have these values. */
export function isNever(expr: Expr, at: ReadonlyMap<Local, number>, holds: boolean): boolean {
  const value = foldLanes(expr, at);
  if (value !== undefined) return (value !== 0) !== holds;
  if (expr.kind !== "binary") return false;
  const sides = [expr.left, expr.right];
  if (holds && expr.op === "&&") return sides.some((side) => isNever(side, at, true));
  return !holds && expr.op === "||" && sides.some((side) => isNever(side, at, false));
}
