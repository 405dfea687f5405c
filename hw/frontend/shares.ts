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

/** Lanes and fields between the root and the place. */
function depthOf(expr: Expr): number {
  return expr.kind === "index" || expr.kind === "member" ? 1 + depthOf(expr.base) : 0;
}

/** The places that an expression may stand for. */
function* placesOf(expr: Expr): Iterable<Expr> {
  if (expr.kind === "select") {
    yield* placesOf(expr.then);
    yield* placesOf(expr.else);
  } else if (rootOf(expr)) yield expr;
}

/** How deep each local and register is changed: 1 for a lane, 2 for a lane of a lane. */
function changedInPlace(body: readonly Stmt[], found = new Map<Key, number>()): Map<Key, number> {
  for (const stmt of body) {
    if (stmt.kind === "assign") {
      const root = rootOf(stmt.target);
      if (root) found.set(root, Math.max(found.get(root) ?? 0, depthOf(stmt.target)));
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
  const isChanged = (place: Expr): boolean => (changed.get(rootOf(place)!) ?? 0) > depthOf(place);
  const reported = new Set<Node>();
  for (const { from, to, node, file } of shares) {
    const places = [...placesOf(from), ...(to ? [to] : [])];
    if (!places.some(isChanged) || reported.has(node)) continue;
    reported.add(node);
    const { file: before } = cx;
    cx.file = file;
    cx.breach(
      node,
      "alias",
      `${cx.text(node)} gets a second name, and one of the two is changed in place`,
      `Copy it with its ${from.type.kind === "vec" ? "vector" : "struct"} type: Word(${cx.text(node)})`,
    );
    cx.file = before;
  }
}
