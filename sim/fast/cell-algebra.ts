/** What the expressions of a cell say, whatever the names: links, registers, and products modulo 2^32. */
import type { CellIr, Expr, Local } from "../../hw/ir/ir.js";
import type { IntType } from "../../hw/types.js";
import { boundsOf } from "./expr.js";

/** A scalar of a link: member names, and lanes where the link holds a vector. */
export type LinkPath = readonly (string | number)[];

export const samePath = (a: LinkPath | undefined, b: LinkPath | undefined): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

export class CellAlgebra {
  protected readonly cell: CellIr;
  protected readonly lets = new Map<Local, Expr>();

  constructor(cell: CellIr) {
    this.cell = cell;
  }

  protected resolve(expr: Expr): Expr {
    const value = expr.kind === "local" ? this.lets.get(expr.local) : undefined;
    return value ? this.resolve(value) : expr;
  }

  /** The register that `s.name` names. */
  protected register(expr: Expr): string | undefined {
    return expr.kind === "member" && isLocal(expr.base, this.cell.state) && expr.type.kind === "int"
      ? expr.name
      : undefined;
  }

  protected operand(expr: Expr, link: Local): LinkPath | undefined {
    const stripped = this.strip(expr);
    const { lo, hi } = boundsOf(stripped);
    return lo >= -32768 && hi <= 32767 ? this.link(stripped, link) : undefined;
  }

  /** Without names, and without casts that change nothing modulo 2^32. */
  protected strip(given: Expr): Expr {
    const expr = this.resolve(given);
    if (expr.kind !== "cast" || expr.type.kind !== "int") return expr;
    const { bits, min, max } = expr.type as IntType;
    const { lo, hi } = boundsOf(expr.operand);
    return bits === 32 || (lo >= min && hi <= max) ? this.strip(expr.operand) : expr;
  }

  protected link(given: Expr, link: Local): LinkPath | undefined {
    const expr = this.resolve(given);
    if (isLocal(expr, link)) return [];
    if (expr.kind === "member") {
      const base = this.link(expr.base, link);
      return base && [...base, expr.name];
    }
    if (expr.kind === "index") {
      const base = this.link(expr.base, link);
      const lane = constant(expr.index);
      return base && lane !== undefined ? [...base, lane] : undefined;
    }
    return undefined;
  }

  /** The link passes on as it came: whole, or put together again from all its members. */
  protected passes(given: Expr, link: Local, path: LinkPath = []): boolean {
    const expr = this.resolve(given);
    const from = this.link(expr, link);
    if (from) return samePath(from, path);
    // A literal names every member of its type, once.
    if (expr.kind === "struct")
      return expr.fields.every(({ name, value }) => this.passes(value, link, [...path, name]));
    if (expr.kind === "vector") return expr.items.every((item, lane) => this.passes(item, link, [...path, lane]));
    return false;
  }
}

export const isLocal = (expr: Expr, local: Local): boolean => expr.kind === "local" && expr.local === local;

export function constant(expr: Expr): number | undefined {
  if (expr.kind === "cast") return constant(expr.operand);
  return expr.kind === "const" ? Number(expr.value) : undefined;
}
