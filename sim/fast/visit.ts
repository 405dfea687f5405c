/** Walks over the statements and expressions of the IR. */
import type { Expr, Stmt } from "../../hw/ir/ir.js";

/** The direct operands of an expression. */
export function operands(expr: Expr): readonly Expr[] {
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
      return expr.port.index ? [expr.port.index] : [];
    case "signal":
      return expr.signal.index ? [expr.signal.index] : [];
    default:
      return [];
  }
}

export function someExpr(expr: Expr, test: (expr: Expr) => boolean): boolean {
  return test(expr) || operands(expr).some((operand) => someExpr(operand, test));
}

/** The expressions that a statement evaluates itself, without those of the statements inside it. */
export function ownExprs(stmt: Stmt): readonly Expr[] {
  const indexed = (index: Expr | undefined): readonly Expr[] => (index ? [index] : []);
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
      return indexed(stmt.channel.index);
    case "push":
    case "tryPush":
      return [...indexed(stmt.channel.index), stmt.value];
    case "read":
      return [...indexed(stmt.port.index), stmt.address];
    case "write":
      return [...indexed(stmt.port.index), stmt.address, stmt.value];
    case "signal":
      return [...indexed(stmt.signal.index), stmt.value];
    case "feed":
      return [stmt.west, stmt.north];
    default:
      return [];
  }
}

export function children(stmt: Stmt): readonly (readonly Stmt[])[] {
  if (stmt.kind === "if") return [stmt.then, stmt.else];
  if (stmt.kind === "loop") return [stmt.body, stmt.update];
  if (stmt.kind === "block") return [stmt.body];
  return [];
}

export function visitStmts(stmts: readonly Stmt[], visit: (stmt: Stmt) => void): void {
  for (const stmt of stmts) {
    visit(stmt);
    for (const list of children(stmt)) visitStmts(list, visit);
  }
}

export function visitExprs(stmts: readonly Stmt[], visit: (expr: Expr) => void): void {
  const deep = (expr: Expr): void => {
    visit(expr);
    operands(expr).forEach(deep);
  };
  visitStmts(stmts, (stmt) => ownExprs(stmt).forEach(deep));
}
