/** Names for values: `const`, `let`, parameters, and patterns of them. */
import type { Expr } from "../ir/ir.js";
import { element, member } from "./members.js";
import type { Context } from "./context.js";
import { describe, isShared, share, toExpr } from "./convert.js";
import { typeRange } from "./env.js";
import { walk, type Ast, type Node } from "./parse.js";
import { assignedFields } from "./havoc.js";
import { assignedNames, reassigned } from "./scope.js";
import { isAggregate, isType } from "./types.js";
import { dynamic, known, type FunctionValue, type Value } from "./values.js";
import { lower } from "./expressions.js";

type How = "const" | "let" | "parameter";

/** Does an expression keep its value whatever happens? */
function isStable(expr: Expr): boolean {
  switch (expr.kind) {
    case "const":
      return true;
    case "local":
      return !expr.local.mutable;
    case "member":
      return isStable(expr.base);
    case "index":
      return isStable(expr.base) && isStable(expr.index);
    default:
      return false;
  }
}

function isPlace(expr: Expr): boolean {
  if (expr.kind === "member" || expr.kind === "index") return isPlace(expr.base);
  return expr.kind === "local" || expr.kind === "field";
}

/** The value, evaluated once, here: later changes of what it was made from do not show. */
export function stable(cx: Context, value: Value, name: string, byReference = false): Value {
  switch (value.kind) {
    case "expr":
      if (isStable(value.expr) || (byReference && isAggregate(value.expr.type) && isPlace(value.expr))) return value;
      return { ...value, expr: cx.name(name, value.expr) };
    case "object": {
      const fields = [...value.fields].map(([key, v]): [string, Value] => [key, stable(cx, v, key)]);
      return { kind: "object", fields: new Map(fields) };
    }
    case "array":
      return { kind: "array", items: value.items.map((item) => stable(cx, item, name)) };
    case "parts":
      return isStable(value.index) ? value : { ...value, index: cx.name(name, value.index) };
    case "option":
      return { kind: "option", when: cx.name(name, value.when), value: stable(cx, value.value, name) };
    default:
      return value;
  }
}

/** A vector or struct that keeps its value for the life of the new name needs no copy: the name stands for the place. */
function isUnchanged(cx: Context, expr: Expr): boolean {
  if (!isAggregate(expr.type) || !isPlace(expr)) return false;
  let root = expr;
  while (root.kind === "member" || root.kind === "index") {
    if (root.kind === "index" && !isStable(root.index)) return false;
    root = root.base;
  }
  if (root.kind === "field") {
    const self = cx.unit.module;
    const { name } = root.field;
    return self !== undefined && cx.rest.every((node) => !assignedFields(cx.sources, self, cx.file, node).has(name));
  }
  if (root.kind !== "local") return false;
  const { name } = root.local;
  return cx.rest.every((node) => !assignedNames(node).has(name) && !assignedNames(node).has(`&${name}`));
}

/** Bind a pattern; `around` is the text in which the names can be assigned. */
export function bind(cx: Context, pattern: Ast.BindingPattern, value: Value, around: Node, how: How): void {
  switch (pattern.type) {
    case "Identifier":
      bindName(cx, pattern, value, around, how);
      return;
    case "AssignmentPattern": {
      const missing = value.kind === "static" && value.value === undefined;
      bind(cx, pattern.left, missing ? lower(cx, pattern.right) : value, around, how);
      return;
    }
    case "ObjectPattern": {
      const whole = stable(cx, value, "token", true);
      for (const property of pattern.properties) {
        if (property.type === "RestElement")
          cx.fail(property, "syntax", "a rest pattern has no hardware", "Name every field.");
        const { key } = property;
        if (key.type !== "Identifier" || property.computed)
          cx.fail(property, "syntax", "a computed field name has no hardware", "Name the field.");
        const field =
          whole.kind === "object"
            ? (whole.fields.get(key.name) ?? known(undefined))
            : member(cx, whole, key.name, property);
        bind(cx, property.value, field, around, how);
      }
      return;
    }
    case "ArrayPattern": {
      const whole = stable(cx, value, "token", true);
      for (const [i, item] of pattern.elements.entries()) {
        if (!item) continue;
        if (item.type === "RestElement")
          cx.fail(item, "syntax", "a rest pattern has no hardware", "Name every element.");
        bind(cx, item, element(cx, whole, known(i), item, [item, item]), around, how);
      }
      return;
    }
  }
}

function bindName(cx: Context, pattern: Ast.BindingIdentifier, value: Value, around: Node, how: How): void {
  const { name } = pattern;
  if (value.kind === "function") checkClosure(cx, value);
  if (value.kind === "operation") {
    cx.scope.declare(name, { kind: "poison" });
    cx.fail(
      pattern,
      "yield-star",
      `${value.name} is not awaited: ${name} would be the operation, not its result`,
      `Write const ${name} = yield* ...`,
    );
  }
  const whole = how !== "const" && reassigned(around, name);
  const inPlace = !whole && assignedNames(around).has(name);
  // What others hold stays as it is; the assignment is refused where it stands.
  const held =
    value.kind === "expr" && !value.copy && !(how === "parameter" && isPlace(value.expr)) && isShared(value.expr);
  if (!whole && (!inPlace || held)) {
    if (how !== "parameter" && value.kind === "expr" && !value.copy && isUnchanged(cx, value.expr)) {
      cx.scope.declare(name, value);
      return;
    }
    if (value.kind === "expr" && how !== "parameter") share(cx, value, undefined, pattern);
    cx.scope.declare(name, stable(cx, value, name, how === "parameter"));
    return;
  }
  if (value.kind === "poison") {
    cx.scope.declare(name, value);
    return;
  }
  if (
    value.kind === "maybe" ||
    value.kind === "parts" ||
    value.kind === "function" ||
    (value.kind === "static" && isType(value.value))
  )
    cx.fail(pattern, "type", `${name} is assigned, but is ${describe(value)}`, "Use a const for it.");
  if (how === "parameter" && inPlace && value.kind === "expr" && isPlace(value.expr)) {
    // A change in place of what was given by reference changes the original, as in JavaScript.
    cx.scope.declare(name, value, true);
    return;
  }
  declareMutable(cx, pattern, value);
}

/** A local that is assigned later: it needs a type of the language. */
function declareMutable(cx: Context, pattern: Ast.BindingIdentifier, value: Value): void {
  const { name } = pattern;
  const expr = toExpr(cx, value, pattern);
  cx.scope.declare(name, { kind: "poison" });
  if (expr.type.kind === "exact")
    cx.fail(
      pattern,
      "type",
      `${name} is assigned again, but has no type that gives its width`,
      `Give it one where it is declared: let ${name} = i32(...)`,
    );
  if (!cx.out) cx.fail(pattern, "effects", `${name} is assigned inside an expression`, "Use const here.");
  const local = cx.local(name, expr.type, true);
  const place: Expr = { kind: "local", local, type: local.type, at: cx.at(pattern) };
  share(cx, value, place, pattern);
  cx.emit({ kind: "let", local, value: expr, at: cx.at(pattern) });
  if (typeRange(expr.type)) cx.env.set(`${local.id}`, cx.env.range(expr));
  cx.scope.declare(name, dynamic(place), true);
}

/** A function with a name must not see what changes. */
function checkClosure(cx: Context, { fn, scope }: FunctionValue): void {
  walk(fn, (child) => {
    if (child.type !== "Identifier") return undefined;
    const found = scope.find(child.name);
    if (found?.binding.mutable)
      cx.fail(
        child,
        "closure",
        `the function closes over ${child.name}, which is assigned`,
        `Give ${child.name} to it as a parameter.`,
      );
    return undefined;
  });
}
