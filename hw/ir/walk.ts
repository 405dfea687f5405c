/** Walks over the IR. */
import type { Expr, Ref, Stmt } from "./ir.js";

/** The lists of statements inside a statement. */
export function children(stmt: Stmt): readonly (readonly Stmt[])[] {
  if (stmt.kind === "if") return [stmt.then, stmt.else];
  if (stmt.kind === "loop") return [stmt.body, stmt.update];
  return stmt.kind === "block" ? [stmt.body] : [];
}

/** The statements inside a statement. */
export const inner = (stmt: Stmt): readonly Stmt[] => children(stmt).flat();

/** A statement and all inside it, in the order of the text. */
export function* statementsIn(body: Iterable<Stmt>): Iterable<Stmt> {
  for (const stmt of body) {
    yield stmt;
    yield* statementsIn(inner(stmt));
  }
}

/** Does a statement, or one inside it, take clocks (perhaps)? */
export function takesTime(stmt: Stmt): boolean {
  if (stmt.kind === "edge" || stmt.kind === "clocks" || stmt.kind === "pop" || stmt.kind === "push") return true;
  for (const one of inner(stmt)) if (takesTime(one)) return true;
  return false;
}

const indexOf = ({ index }: Ref<unknown>): Expr[] => (index ? [index] : []);

/** The expressions of a statement itself, without those of statements inside it. */
export function expressionsOf(stmt: Stmt): readonly Expr[] {
  switch (stmt.kind) {
    case "let":
      return [stmt.value];
    case "assign":
      return [stmt.target, stmt.value];
    case "if":
    case "loop":
    case "assert":
      return [stmt.condition];
    case "clocks":
      return [stmt.count];
    case "pop":
    case "tryPop":
    case "peek":
      return indexOf(stmt.channel);
    case "push":
    case "tryPush":
      return [...indexOf(stmt.channel), stmt.value];
    case "read":
      return [...indexOf(stmt.port), stmt.address];
    case "write":
      return [...indexOf(stmt.port), stmt.address, stmt.value];
    case "signal":
      return [...indexOf(stmt.signal), stmt.value];
    case "feed":
      return [stmt.west, stmt.north];
    default:
      return [];
  }
}

/** The operands of an expression. */
export function operandsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "index":
      return [expr.base, expr.index];
    case "member":
      return [expr.base];
    case "unary":
    case "cast":
      return [expr.operand];
    case "binary":
      return [expr.left, expr.right];
    case "select":
      return [expr.condition, expr.then, expr.else];
    case "call":
      return expr.args;
    case "map":
      return [expr.body];
    case "let":
      return [expr.value, expr.body];
    case "vector":
      return expr.items;
    case "struct":
      return expr.fields.map(({ value }) => value);
    case "q":
      return indexOf(expr.port);
    case "signal":
      return indexOf(expr.signal);
    default:
      return [];
  }
}

/** An expression and all inside it. */
export function* expressionsIn(expr: Expr): Iterable<Expr> {
  yield expr;
  for (const operand of operandsOf(expr)) yield* expressionsIn(operand);
}

/** Does an expression, or one inside it, pass the test? */
export const someExpr = (expr: Expr, test: (expr: Expr) => boolean): boolean =>
  test(expr) || operandsOf(expr).some((operand) => someExpr(operand, test));

/** The same text of members, indices, names and constants: the same value, as nothing is assigned in an expression. */
export function sameExpr(a: Expr, b: Expr): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case "const":
      return b.kind === "const" && a.value === b.value;
    case "local":
      return b.kind === "local" && a.local === b.local;
    case "field":
      return b.kind === "field" && a.field === b.field;
    case "index":
      return b.kind === "index" && sameExpr(a.base, b.base) && sameExpr(a.index, b.index);
    case "member":
      return b.kind === "member" && a.name === b.name && sameExpr(a.base, b.base);
    case "cast":
      return b.kind === "cast" && a.type === b.type && sameExpr(a.operand, b.operand);
    case "binary":
      return b.kind === "binary" && a.op === b.op && sameExpr(a.left, b.left) && sameExpr(a.right, b.right);
    default:
      return false;
  }
}

/** All expressions of all statements of a list. */
export function* expressionsWithin(body: Iterable<Stmt>): Iterable<Expr> {
  for (const stmt of statementsIn(body)) for (const expr of expressionsOf(stmt)) yield* expressionsIn(expr);
}
