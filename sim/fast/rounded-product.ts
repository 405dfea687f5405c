/**
 * A product of 32 by 31 bits, rounded to its upper half, as two stages of a pipeline make it of short multipliers:
 *
 *     high = (x >> 16) y >> 15,  rest = the 15 bits below,  low = (x & 65535) y >> 16,
 *     high + ((rest + low + 2^14) >> 15) = (x y + 2^30) >> 31       where y is not negative.
 *
 * Where the stages are in step (in-step.ts), it is one product of 64 bits, and its parts are not made. It is found by its form.
 */
import type { Expr, Local, Stmt } from "../../hw/ir/ir.js";
import { expressionsWithin, sameExpr } from "../../hw/ir/walk.js";
import type { IntType } from "../../hw/types.js";
import { boundsOf } from "./expr.js";
import { numberOf } from "./pass-facts.js";

export interface RoundedProduct {
  /** The member of what the second stage pushes. */
  readonly name: string;
  readonly made: Extract<Expr, { kind: "map" }>;
  /** The same in one product; its factors stand in variables of the first stage. */
  readonly product: Extract<Expr, { kind: "map" }>;
  /** The factor that must not be negative, as the elements of `product`. */
  readonly factor: Expr;
  /** Members of what the first stage pushes that nothing else asks for. */
  readonly parts: ReadonlySet<string>;
}

type MapExpr = Extract<Expr, { kind: "map" }>;
interface Factors {
  readonly x: Expr;
  readonly y: Expr;
}

/** In what the stage behind pushes, a product of parts that stand in a token of `pushed`; the token is `into` there. */
export function roundedProduct(pushed: Expr, into: Local, behind: readonly Stmt[]): RoundedProduct | undefined {
  const parts = membersOf(pushed);
  const push = behind.find((stmt) => stmt.kind === "push");
  if (!parts || push?.kind !== "push") return undefined;
  for (const [name, made] of membersOf(push.value) ?? []) {
    const used = made.kind === "map" ? partsOf(made, into) : undefined;
    if (!used || made.kind !== "map" || !usedOnce(used, into, behind)) continue;
    const [high, ...others] = used.map((part) => parts.get(part));
    const factors = high && others[0] && others[1] && factorsOf(high, others[0], others[1]);
    if (!factors) continue;
    const { at, type, lane } = made;
    const index: Expr = { kind: "local", at, type: lane.type, local: lane };
    const element = (base: Expr, of: Expr["type"]): Expr => ({ kind: "index", at, type: of, base, index });
    const y = element(factors.y, { kind: "exact", range: { lo: 0, hi: 2 ** 31 - 1 } });
    const args = [element(factors.x, made.body.type), y];
    const body: Expr = { kind: "call", helper: "doublingHighMul", at, type: made.body.type, args };
    const factor = element(factors.y, made.body.type);
    return { name, made, product: { ...made, type, body }, factor, parts: new Set(used) };
  }
  return undefined;
}

/** The members of a struct that is made here. */
function membersOf(expr: Expr): ReadonlyMap<string, Expr> | undefined {
  const value = expr.kind === "cast" ? expr.operand : expr;
  return value.kind === "struct" ? new Map(value.fields.map((field) => [field.name, field.value])) : undefined;
}

const isInt32 = ({ type }: Expr): boolean => type.kind === "int" && (type as IntType).bits === 32;

/** Without a cast to 32 bits. */
const uncast = (expr: Expr): Expr => (expr.kind === "cast" && isInt32(expr) ? expr.operand : expr);

function shifted(expr: Expr, by: number): Expr | undefined {
  if (expr.kind !== "call" || expr.helper !== "asr" || numberOf(expr.args[1]!) !== by) return undefined;
  return expr.args[0];
}

function sumOf(expr: Expr): readonly Expr[] {
  return expr.kind === "binary" && expr.op === "+" ? [...sumOf(expr.left), ...sumOf(expr.right)] : [expr];
}

/** The names of `high`, and of the two that are added below it. */
function partsOf({ lane, body }: MapExpr, into: Local): readonly [string, string, string] | undefined {
  const isElement = (expr: Expr): string | undefined => {
    if (expr.kind !== "index" || expr.index.kind !== "local" || expr.index.local !== lane) return undefined;
    const { base } = expr;
    return base.kind === "member" && base.base.kind === "local" && base.base.local === into ? base.name : undefined;
  };
  if (body.kind !== "cast" || !isInt32(body)) return undefined;
  const terms = sumOf(body.operand);
  if (terms.length !== 2) return undefined;
  const [high] = terms.map(isElement).filter((name) => name !== undefined);
  const [below] = terms.map((term) => shifted(term, 15)).filter((sum) => sum !== undefined);
  const under = below ? sumOf(below) : [];
  const names = under.map(isElement).filter((name) => name !== undefined);
  const half = under.filter((term) => numberOf(term) === 16384);
  if (high === undefined || under.length !== 3 || names.length !== 2 || half.length !== 1) return undefined;
  return [high, names[0]!, names[1]!];
}

/** These members of a token are asked for once each, and it is used by its members only. */
function usedOnce(names: readonly string[], into: Local, stmts: readonly Stmt[]): boolean {
  let [whole, members, found] = [0, 0, 0];
  for (const expr of expressionsWithin(stmts)) {
    if (expr.kind === "local" && expr.local === into) whole++;
    if (expr.kind !== "member" || expr.base.kind !== "local" || expr.base.local !== into) continue;
    members++;
    if (names.includes(expr.name)) found++;
  }
  return whole === members && found === names.length && new Set(names).size === names.length;
}

function factorsOf(high: Expr, one: Expr, other: Expr): Factors | undefined {
  for (const [rest, low] of [
    [one, other],
    [other, one],
  ] as const) {
    const all = [upper(high, highProduct), upper(rest, restOf), upper(low, lowProduct)];
    const [first] = all;
    if (first && all.every((each) => each && sameExpr(each.x, first.x) && sameExpr(each.y, first.y))) return first;
  }
  return undefined;
}

/** The two vectors whose elements, lane by lane, are factors of what a map gives. */
function upper(map: Expr, product: (body: Expr) => Factors | undefined): Factors | undefined {
  if (map.kind !== "map") return undefined;
  const found = product(map.body);
  const element = (expr: Expr): Expr | undefined =>
    expr.kind === "index" && expr.index.kind === "local" && expr.index.local === map.lane && isSigned(expr)
      ? expr.base
      : undefined;
  const [x, y] = [found && element(found.x), found && element(found.y)];
  return x && y ? { x, y } : undefined;
}

const isSigned = (expr: Expr): boolean => isInt32(expr) && (expr.type as IntType).signed;

/** asr(asr(x, 16) y, 15), modulo 2^32. */
const highProduct = (body: Expr): Factors | undefined => product(shifted(uncast(body), 15), (x) => shifted(x, 16));

/** The 15 bits below. */
function restOf(body: Expr): Factors | undefined {
  const bits = fits(body) ? body.operand : body;
  return product(bitsOf(bits, 14), (x) => shifted(x, 16));
}

/** asr(bits(x, 15, 0) y, 16): of a y that is not negative, it fits 32 bits. */
const lowProduct = (body: Expr): Factors | undefined => product(shifted(uncast(body), 16), (x) => bitsOf(x, 15));

function product(expr: Expr | undefined, half: (expr: Expr) => Expr | undefined): Factors | undefined {
  if (expr?.kind !== "binary" || expr.op !== "*") return undefined;
  const x = half(expr.left);
  return x && { x, y: expr.right };
}

/** The bits from 0 up to one. */
function bitsOf(expr: Expr, high: number): Expr | undefined {
  if (expr.kind !== "call" || expr.helper !== "bits") return undefined;
  return numberOf(expr.args[1]!) === high && numberOf(expr.args[2]!) === 0 ? expr.args[0] : undefined;
}

/** A cast that changes nothing. */
function fits(expr: Expr): expr is Extract<Expr, { kind: "cast" }> {
  if (expr.kind !== "cast" || expr.type.kind !== "int") return false;
  const [{ min, max }, { lo, hi }] = [expr.type as IntType, boundsOf(expr.operand)];
  return lo >= min && hi <= max;
}
