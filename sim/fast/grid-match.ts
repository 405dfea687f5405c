/**
 * Recognises the output-stationary family of cells by its algebra, whatever the names: links pass through unchanged;
 * every register is a sum that a flag of the west value resets, to which each wave adds products of a west and a north
 * member; what is emitted, under another flag of the west value, are the sums. Such a tile is a matrix product.
 */
import type { CellIr, Expr, Local } from "../../hw/ir/ir.js";
import type { IntType } from "../../hw/types.js";
import { CellAlgebra, constant, samePath, type LinkPath } from "./cell-algebra.js";

export interface ProductForm {
  /** Flag that resets the sums before the wave is added; undefined if nothing does. */
  readonly reset: LinkPath | undefined;
  readonly emitWhen: LinkPath;
  readonly west: LinkPath;
  /** By sum of a cell: the north operand. */
  readonly north: readonly LinkPath[];
}

interface Sum {
  readonly reset: LinkPath | undefined;
  readonly west: LinkPath;
  readonly north: LinkPath;
}

type Term =
  | { readonly kind: "state"; readonly name: string; readonly reset: LinkPath | undefined }
  | { readonly kind: "product"; readonly west: LinkPath; readonly north: LinkPath };

class Matcher extends CellAlgebra {
  match(): ProductForm | undefined {
    const { body, east, south, west, north } = this.cell;
    const sums = new Map<string, Sum>();
    for (const stmt of body) {
      if (stmt.kind === "let" && !stmt.local.mutable) this.lets.set(stmt.local, stmt.value);
      else if (stmt.kind === "assign") {
        const name = this.register(stmt.target);
        const sum = name === undefined || sums.has(name) ? undefined : this.#sum(name, stmt.value);
        if (name === undefined || !sum) return undefined;
        sums.set(name, sum);
      } else return undefined;
    }
    if (!this.passes(east, west) || !this.passes(south, north)) return undefined;
    const emitted = this.#emitted(this.cell.emit)?.map((name) => sums.get(name));
    const emitWhen = this.link(this.cell.emitWhen, west);
    const [first] = emitted ?? [];
    if (!emitted || !first || !emitWhen || sums.size !== this.#registers()) return undefined;
    if (!emitted.every((sum) => sum && samePath(sum.west, first.west) && samePath(sum.reset, first.reset)))
      return undefined;
    return { reset: first.reset, emitWhen, west: first.west, north: emitted.map((sum) => sum!.north) };
  }

  #registers(): number {
    const type = this.cell.grid.cell.state as { kind: string; fields?: object };
    return type.kind === "struct" ? Object.keys(type.fields!).length : -1;
  }

  #sum(name: string, value: Expr): Sum | undefined {
    const type = value.kind === "cast" ? (value.type as IntType) : undefined;
    // Sums of 32 bits wrap as the products are added, in any order.
    if (type?.kind !== "int" || type.bits !== 32) return undefined;
    const terms = this.#terms(value);
    const states = terms?.filter((term) => term.kind === "state");
    const products = terms?.filter((term) => term.kind === "product");
    if (states?.length !== 1 || products?.length !== 1 || states[0]!.name !== name) return undefined;
    return { reset: states[0]!.reset, west: products[0]!.west, north: products[0]!.north };
  }

  #terms(given: Expr): Term[] | undefined {
    const expr = this.strip(given);
    if (expr.kind === "binary" && expr.op === "+") {
      const [left, right] = [this.#terms(expr.left), this.#terms(expr.right)];
      return left && right && [...left, ...right];
    }
    const name = this.register(expr);
    if (name !== undefined) return [{ kind: "state", name, reset: undefined }];
    if (expr.kind === "select") {
      const not = expr.condition.kind === "unary" && expr.condition.op === "!";
      const condition = expr.condition.kind === "unary" && not ? expr.condition.operand : expr.condition;
      const reset = this.link(condition, this.cell.west);
      const [zero, kept] = not ? [expr.else, expr.then] : [expr.then, expr.else];
      const register = this.register(this.strip(kept));
      const start = this.strip(zero);
      if (!reset || register === undefined || start.kind !== "const" || Number(start.value) !== 0) return undefined;
      return [{ kind: "state", name: register, reset }];
    }
    if (expr.kind === "binary" && expr.op === "*") return this.#product(expr.left, expr.right);
    if (expr.kind === "index") {
      const pair = this.resolve(expr.base);
      const lane = constant(expr.index);
      if (pair.kind === "call" && pair.helper === "mulPair" && lane !== undefined)
        return this.#product(pair.args[0]!, pair.args[1 + lane]!);
    }
    return undefined;
  }

  #product(a: Expr, b: Expr): Term[] | undefined {
    for (const [x, y] of [
      [a, b],
      [b, a],
    ] as const) {
      const west = this.operand(x, this.cell.west);
      const north = this.operand(y, this.cell.north);
      if (west && north) return [{ kind: "product", west, north }];
    }
    return undefined;
  }

  /** The registers that the emitted value consists of, lane by lane. */
  #emitted(expr: Expr): string[] | undefined {
    const one = (e: Expr, lanes: ReadonlyMap<Local, number>): string | undefined => {
      const stripped = this.strip(e);
      if (stripped.kind === "select") {
        const condition = fold(stripped.condition, lanes);
        return condition === undefined ? undefined : one(condition !== 0 ? stripped.then : stripped.else, lanes);
      }
      return this.register(stripped);
    };
    const none = new Map<Local, number>();
    const value = this.resolve(expr);
    const names =
      value.kind === "map"
        ? Array.from({ length: value.length }, (_, lane) => one(value.body, new Map([[value.lane, lane]])))
        : value.kind === "vector"
          ? value.items.map((item) => one(item, none))
          : [one(value, none)];
    return names.every((name) => name !== undefined) ? names : undefined;
  }
}

/** The value of an expression of lane numbers. */
function fold(expr: Expr, lanes: ReadonlyMap<Local, number>): number | undefined {
  if (expr.kind === "const") return Number(expr.value);
  if (expr.kind === "local") return lanes.get(expr.local);
  if (expr.kind === "cast") return fold(expr.operand, lanes);
  if (expr.kind !== "binary") return undefined;
  const [a, b] = [fold(expr.left, lanes), fold(expr.right, lanes)];
  if (a === undefined || b === undefined) return undefined;
  if (expr.op === "===") return Number(a === b);
  if (expr.op === "!==") return Number(a !== b);
  if (expr.op === "<") return Number(a < b);
  return expr.op === ">" ? Number(a > b) : undefined;
}

export const matchProduct = (cell: CellIr): ProductForm | undefined => new Matcher(cell).match();
