/**
 * Recognises the weight-stationary family of cells by its algebra, whatever the names: west links pass through unchanged; a
 * flag of the west value loads the one register from the north, and the old one goes on south, so that weights shift down;
 * a 32-bit sum comes from the north, takes the product of the register and a west member, and goes on south; the last
 * row emits it under another west flag. A wave without the loading flag is then a vector times a matrix that does not change.
 */
import type { CellIr, Expr, Local, Stmt } from "../../hw/ir/ir.js";
import type { IntType, StructType } from "../../hw/types.js";
import { CellAlgebra, constant, isLocal, samePath, type LinkPath } from "./cell-algebra.js";

export interface StationaryForm {
  /** Flag of the west value that loads the register. */
  readonly load: LinkPath;
  readonly west: LinkPath;
  /** Member of the north value with the sum so far. */
  readonly sum: string;
  readonly register: string;
  /** Flag of the west value of the last row. */
  readonly emitWhen: LinkPath;
}

class Matcher extends CellAlgebra {
  /** Names that were given before the register was loaded: they have the old one. */
  readonly #old = new Set<Local>();

  match(): StationaryForm | undefined {
    const { cell } = this;
    const load = this.#body(cell.body);
    if (!load || !this.passes(cell.east, cell.west)) return undefined;
    const south = this.resolve(cell.south);
    const type = cell.grid.cell.north as unknown as { kind: string };
    if (south.kind !== "struct" || type.kind !== "struct" || south.fields.length !== 2) return undefined;
    const names = Object.keys((type as StructType).fields);
    const weight = south.fields.find(({ name }) => samePath(load.from, [name]));
    const sum = south.fields.find(({ name }) => name !== weight?.name && names.includes(name));
    if (!weight || !sum || !this.#isOld(weight.value, load.register)) return undefined;
    const west = this.#sum(sum.value, sum.name, load.register);
    const emitted = west && this.#sum(cell.emit, sum.name, load.register);
    const emitWhen = this.#lastRow(cell.emitWhen);
    if (!west || !samePath(west, emitted) || !emitWhen) return undefined;
    return { load: load.flag, west, sum: sum.name, register: load.register, emitWhen };
  }

  /** One statement loads the register; all others give names. */
  #body(body: readonly Stmt[]): { flag: LinkPath; from: LinkPath; register: string } | undefined {
    const { cell } = this;
    let load: { flag: LinkPath; from: LinkPath; register: string } | undefined;
    for (const stmt of body) {
      if (stmt.kind === "let" && !stmt.local.mutable) {
        this.lets.set(stmt.local, stmt.value);
        if (!load) this.#old.add(stmt.local);
        continue;
      }
      const loading = load ? undefined : loadOf(stmt, (expr) => this.register(expr));
      const register = loading && this.register(loading.target);
      const flag = loading && this.link(loading.condition, cell.west);
      const from = loading && this.operand(loading.value, cell.north);
      if (!flag || !from || register === undefined || !this.#isOnly(register)) return undefined;
      load = { flag, from, register };
    }
    return load;
  }

  #isOnly(register: string): boolean {
    const type = this.cell.grid.cell.state as unknown as StructType;
    const fields = Object.entries(type.fields);
    return fields.length === 1 && fields[0]![0] === register && (fields[0]![1] as unknown as IntType).bits <= 16;
  }

  /** The register as it was before this wave: a name given before it was loaded. */
  #isOld(expr: Expr, register: string): boolean {
    return expr.kind === "local" && this.#old.has(expr.local) && this.register(this.resolve(expr)) === register;
  }

  /** The west operand of `north.sum + register * west`, of 32 bits. */
  #sum(given: Expr, sum: string, register: string): LinkPath | undefined {
    const { cell } = this;
    const value = this.#now(given);
    if (value?.kind !== "cast" || value.type.kind !== "int" || (value.type as IntType).bits !== 32) return undefined;
    const total = this.#now(value.operand);
    if (total?.kind !== "binary" || total.op !== "+") return undefined;
    for (const [x, y] of [
      [total.left, total.right],
      [total.right, total.left],
    ] as const) {
      const product = this.#now(y);
      if (!samePath(this.link(x, cell.north), [sum]) || product?.kind !== "binary" || product.op !== "*") continue;
      for (const [w, a] of [
        [product.left, product.right],
        [product.right, product.left],
      ] as const) {
        const now = this.#now(w);
        const west = this.operand(a, cell.west);
        if (now && west && this.register(now) === register) return west;
      }
    }
    return undefined;
  }

  /** Without names; undefined where the name was given before the register was loaded. */
  #now(expr: Expr): Expr | undefined {
    if (expr.kind !== "local") return expr;
    if (this.#old.has(expr.local)) return undefined;
    const value = this.lets.get(expr.local);
    return value ? this.#now(value) : expr;
  }

  /** The flag of `row === last && flag`. */
  #lastRow(given: Expr): LinkPath | undefined {
    const { row, west, grid } = this.cell;
    const expr = this.resolve(given);
    if (expr.kind !== "binary" || expr.op !== "&&") return undefined;
    for (const [x, y] of [
      [expr.left, expr.right],
      [expr.right, expr.left],
    ] as const) {
      const test = this.resolve(x);
      if (test.kind !== "binary" || test.op !== "===" || !isLocal(test.left, row)) continue;
      if (constant(test.right) === grid.rows - 1) return this.link(y, west);
    }
    return undefined;
  }
}

/** `if (condition) target = value`, or the same with a conditional expression. */
function loadOf(
  stmt: Stmt,
  register: (expr: Expr) => string | undefined,
): { condition: Expr; target: Expr; value: Expr } | undefined {
  if (stmt.kind === "if" && stmt.else.length === 0 && stmt.then.length === 1) {
    const [only] = stmt.then;
    return only!.kind === "assign"
      ? { condition: stmt.condition, target: only!.target, value: only!.value }
      : undefined;
  }
  if (stmt.kind !== "assign") return undefined;
  const value = stmt.value.kind === "cast" ? stmt.value.operand : stmt.value;
  if (value.kind !== "select" || register(value.else) !== register(stmt.target)) return undefined;
  return { condition: value.condition, target: stmt.target, value: value.then };
}

export const matchStationary = (cell: CellIr): StationaryForm | undefined => new Matcher(cell).match();
