/**
 * What is known of values at one point of a process: narrower ranges than their types have, learned from assignments,
 * conditions and assertions. Keys are places (locals, registers, members of them); whatever is missing has the range of
 * its type.
 */
import type { Expr, ExprType, Range } from "../ir/ir.js";
import { asInt } from "./types.js";
import { union } from "./ranges.js";

/** A name for a place whose value stays until it is assigned; undefined for other expressions. */
export function placeOf(expr: Expr): string | undefined {
  switch (expr.kind) {
    case "local":
      return `${expr.local.id}`;
    case "field":
      return `this.${expr.field.name}`;
    case "member": {
      const base = placeOf(expr.base);
      return base === undefined ? undefined : `${base}/${expr.name}`;
    }
    default:
      return undefined;
  }
}

export function typeRange(type: ExprType): Range | undefined {
  if (type.kind === "exact") return type.range;
  if (type.kind === "bool") return { lo: 0, hi: 1 };
  const int = asInt(type);
  return int ? { lo: int.min, hi: int.max } : undefined;
}

export class Env {
  #ranges: Map<string, Range>;
  /** Pairs `a<b` of places that are known to be in order. */
  #less = new Set<string>();
  /** Control never gets here. */
  dead = false;

  constructor(ranges: ReadonlyMap<string, Range> = new Map()) {
    this.#ranges = new Map(ranges);
  }

  clone(): Env {
    const copy = new Env(this.#ranges);
    copy.#less = new Set(this.#less);
    copy.dead = this.dead;
    return copy;
  }

  get(place: string): Range | undefined {
    return this.#ranges.get(place);
  }

  set(place: string, range: Range): void {
    this.#ranges.set(place, range);
  }

  /** Forget a place and all that it holds. */
  forget(place: string): void {
    this.#ranges.delete(place);
    const inner = `${place}/`;
    for (const key of this.#ranges.keys()) if (key.startsWith(inner)) this.#ranges.delete(key);
    const isOf = (one: string): boolean => one === place || one.startsWith(inner);
    for (const pair of this.#less) if (pair.split("<").some(isOf)) this.#less.delete(pair);
  }

  /** Is it known that `left < right`? */
  isLess(left: Expr, right: Expr): boolean {
    const [a, b] = [placeOf(left), placeOf(right)];
    return a !== undefined && b !== undefined && this.#less.has(`${a}<${b}`);
  }

  #order(left: Expr, right: Expr): void {
    const [a, b] = [placeOf(left), placeOf(right)];
    if (a !== undefined && b !== undefined) this.#less.add(`${a}<${b}`);
  }

  /** The values of an integer or boolean expression here. */
  range(expr: Expr): Range {
    const whole = typeRange(expr.type);
    if (!whole) throw new Error(`no range: ${expr.kind}`);
    if (expr.kind === "const") return { lo: Number(expr.value), hi: Number(expr.value) };
    const place = placeOf(expr);
    return (place === undefined ? undefined : this.#ranges.get(place)) ?? whole;
  }

  /** Both ways lead here. */
  join(other: Env): void {
    if (other.dead) return;
    if (this.dead) {
      this.become(other);
      return;
    }
    for (const pair of this.#less) if (!other.#less.has(pair)) this.#less.delete(pair);
    for (const [key, range] of this.#ranges) {
      const theirs = other.#ranges.get(key);
      if (theirs) this.#ranges.set(key, union(range, theirs));
      else this.#ranges.delete(key);
    }
  }

  /** Take over another's knowledge. */
  become(other: Env): void {
    this.#ranges = new Map(other.#ranges);
    this.#less = new Set(other.#less);
    this.dead = other.dead;
  }

  /** Learn that a condition holds, or that it does not. */
  assume(condition: Expr, holds: boolean): void {
    if (condition.kind === "const") {
      if (condition.value !== holds) this.dead = true;
      return;
    }
    if (condition.kind === "unary" && condition.op === "!") {
      this.assume(condition.operand, !holds);
      return;
    }
    if (condition.kind === "binary") {
      const { op, left, right } = condition;
      if (op === "&&" || op === "||") {
        if ((op === "&&") === holds) {
          this.assume(left, holds);
          this.assume(right, holds);
        } else {
          // One of the two decides: join what each would teach.
          const second = this.clone();
          second.assume(left, !holds);
          second.assume(right, holds);
          this.assume(left, holds);
          this.join(second);
        }
        return;
      }
      this.#compare(op, left, right, holds);
      return;
    }
    const place = placeOf(condition);
    if (place !== undefined) this.#narrow(place, this.range(condition), { lo: +holds, hi: +holds });
  }

  #compare(op: string, left: Expr, right: Expr, holds: boolean): void {
    if (!typeRange(left.type) || !typeRange(right.type)) return;
    const a = this.range(left);
    const b = this.range(right);
    const relation = holds ? op : negated[op];
    if (contradicts(relation, this.isLess(left, right), this.isLess(right, left))) {
      this.dead = true;
      return;
    }
    if (relation === "<") this.#order(left, right);
    if (relation === ">") this.#order(right, left);
    switch (relation) {
      case "<":
        this.#bound(left, -Infinity, b.hi - 1);
        this.#bound(right, a.lo + 1, Infinity);
        break;
      case "<=":
        this.#bound(left, -Infinity, b.hi);
        this.#bound(right, a.lo, Infinity);
        break;
      case ">":
        this.#bound(left, b.lo + 1, Infinity);
        this.#bound(right, -Infinity, a.hi - 1);
        break;
      case ">=":
        this.#bound(left, b.lo, Infinity);
        this.#bound(right, -Infinity, a.hi);
        break;
      case "===":
        this.#bound(left, b.lo, b.hi);
        this.#bound(right, a.lo, a.hi);
        break;
      case "!==":
        if (b.lo === b.hi) this.#except(left, b.lo);
        if (a.lo === a.hi) this.#except(right, a.lo);
        break;
      default:
    }
  }

  /** lo <= expr <= hi; looks through `place + constant`. */
  #bound(expr: Expr, lo: number, hi: number): void {
    if (expr.kind === "binary" && (expr.op === "+" || expr.op === "-")) {
      const offset = this.range(expr.right);
      if (offset.lo !== offset.hi) return;
      const by = expr.op === "+" ? offset.lo : -offset.lo;
      this.#bound(expr.left, lo - by, hi - by);
      return;
    }
    // A cast that loses nothing is the value itself.
    if (expr.kind === "cast" && typeRange(expr.operand.type)) {
      const from = this.range(expr.operand);
      const to = typeRange(expr.type)!;
      if (from.lo >= to.lo && from.hi <= to.hi) this.#bound(expr.operand, lo, hi);
    }
    const place = placeOf(expr);
    if (place !== undefined) this.#narrow(place, this.range(expr), { lo, hi });
  }

  #except(expr: Expr, value: number): void {
    const { lo, hi } = this.range(expr);
    if (lo === value) this.#bound(expr, lo + 1, hi);
    else if (hi === value) this.#bound(expr, lo, hi - 1);
  }

  #narrow(place: string, range: Range, by: Range): void {
    const lo = Math.max(range.lo, by.lo);
    const hi = Math.min(range.hi, by.hi);
    if (lo > hi) this.dead = true;
    else this.#ranges.set(place, { lo, hi });
  }
}

/** What cannot be, where the order of two places is known. */
function contradicts(relation: string | undefined, less: boolean, greater: boolean): boolean {
  if (less) return relation === ">" || relation === ">=" || relation === "===";
  return greater && (relation === "<" || relation === "<=" || relation === "===");
}

const negated: Readonly<Record<string, string>> = {
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
  "===": "!==",
  "!==": "===",
};
