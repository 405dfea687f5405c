/**
 * Vectors and structs are values in hardware, but references in JavaScript: where one has two names and is changed in
 * place through one of them, the two would differ.
 */
import type { Expr, Stmt } from "../ir/ir.js";
import type { Context } from "./context.js";
import type { Node } from "./parse.js";

type Key = object;

/** The local or register at the root of a place. */
function rootOf(expr: Expr): Key | undefined {
  switch (expr.kind) {
    case "local":
      return expr.local;
    case "field":
      return expr.field;
    case "index":
    case "member":
      return rootOf(expr.base);
    default:
      return undefined;
  }
}

function* rootsOf(expr: Expr): Iterable<Key> {
  if (expr.kind === "select") {
    yield* rootsOf(expr.then);
    yield* rootsOf(expr.else);
    return;
  }
  const root = rootOf(expr);
  if (root) yield root;
}

/** Everything that is changed in part somewhere. */
function changedInPlace(body: readonly Stmt[], found = new Set<Key>()): Set<Key> {
  for (const stmt of body) {
    if (stmt.kind === "assign" && (stmt.target.kind === "index" || stmt.target.kind === "member")) {
      const root = rootOf(stmt.target);
      if (root) found.add(root);
    } else if (stmt.kind === "if") {
      changedInPlace(stmt.then, found);
      changedInPlace(stmt.else, found);
    } else if (stmt.kind === "loop") {
      changedInPlace(stmt.body, found);
      changedInPlace(stmt.update, found);
    } else if (stmt.kind === "block") changedInPlace(stmt.body, found);
  }
  return found;
}

export function checkShares(cx: Context, body: readonly Stmt[]): void {
  const { shares } = cx.unit;
  if (shares.length === 0) return;
  const changed = changedInPlace(body);
  const reported = new Set<Node>();
  for (const { from, to, node, file } of shares) {
    const holder = to && rootOf(to);
    const bad = [...rootsOf(from)].some((root) => changed.has(root)) || (holder !== undefined && changed.has(holder));
    if (!bad || reported.has(node)) continue;
    reported.add(node);
    const { file: before } = cx;
    cx.file = file;
    const type = from.type.kind === "exact" ? "Word" : from.type.kind === "vec" ? "its vector type" : "its struct type";
    cx.breach(
      node,
      "alias",
      `${cx.text(node)} gets a second name, and one of the two is changed in place`,
      `Copy it with ${type}: T(${cx.text(node)})`,
    );
    cx.file = before;
  }
}
