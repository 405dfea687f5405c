/** Expressions of the source. */
import type { Expr } from "../ir/ir.js";
import { call } from "./calls.js";
import type { Context } from "./context.js";
import { toBool } from "./convert.js";
import { element, member } from "./members.js";
import { binary, logical, select, unary } from "./operators.js";
import { strip, type Ast, type Node } from "./parse.js";
import { constantOf, known, type Value } from "./values.js";

/** What a process may use of the global object. */
const globals: Readonly<Record<string, unknown>> = { Math, Number, Array, Object, console, undefined, NaN, Infinity };
const changing = new Set(["Date", "performance", "crypto", "process", "globalThis", "window", "setTimeout", "fetch"]);

/** The value of an expression. It must not have effects unless it is a call that stands alone (`lowerSole`). */
export function lower(cx: Context, source: Ast.Expression): Value {
  const node = strip(source);
  switch (node.type) {
    case "Literal":
      return literal(cx, node);
    case "TemplateLiteral":
      return template(cx, node);
    case "Identifier":
      return identifier(cx, node);
    case "ThisExpression":
      return cx.self;
    case "MemberExpression":
      return memberExpression(cx, node);
    case "UnaryExpression":
      return unary(cx, node.operator, lower(cx, node.argument), node, node.argument);
    case "BinaryExpression": {
      if (node.left.type === "PrivateIdentifier") return cx.fail(node, "syntax", "#x in y has no hardware", "");
      const left = lower(cx, node.left);
      const right = lower(cx, node.right);
      if (left.kind === "poison" || right.kind === "poison") return { kind: "poison" };
      return binary(cx, node.operator, left, right, node, [node.left, node.right]);
    }
    case "LogicalExpression":
      return logicalExpression(cx, node);
    case "ConditionalExpression": {
      const test = condition(cx, node.test);
      return select(
        cx,
        test,
        () => lower(cx, node.consequent),
        () => lower(cx, node.alternate),
        node,
        [node.consequent, node.alternate],
      );
    }
    case "CallExpression":
      return cx.without(`the expression ${cx.text(source)}`, () => call(cx, node));
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return { kind: "function", fn: node, file: cx.file, scope: cx.scope, self: cx.self, name: "the function" };
    case "ObjectExpression":
      return objectLiteral(cx, node);
    case "ArrayExpression":
      return {
        kind: "array",
        items: node.elements.map((item) => {
          if (!item || item.type === "SpreadElement")
            return cx.fail(
              item ?? node,
              "syntax",
              "a spread or a hole in an array has no hardware",
              "Write every element.",
            );
          return lower(cx, item);
        }),
      };
    case "YieldExpression":
      return cx.fail(
        node,
        "yield-place",
        `${node.delegate ? "yield*" : "yield"} stands inside an expression`,
        "Give its result a name first: const x = yield* ...; then use x.",
      );
    case "AssignmentExpression":
    case "UpdateExpression":
      return cx.fail(
        node,
        "effects",
        `${cx.text(node)} assigns inside an expression`,
        "Put the assignment on a line of its own.",
      );
    default:
      return cx.fail(node, "syntax", `${cx.text(node)}: ${nameOf(node)} has no hardware`, hints[node.type] ?? "");
  }
}

/** A call that stands alone (a statement, or all of an initialiser) may have effects. */
export function lowerSole(cx: Context, source: Ast.Expression): Value {
  const node = strip(source);
  return node.type === "CallExpression" ? call(cx, node) : lower(cx, node);
}

const nameOf = (node: Node): string =>
  node.type
    .replace(/(Expression|Statement)$/, "")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();

const hints: Readonly<Record<string, string>> = {
  NewExpression: "Make objects in the constructor, which runs, and use them here.",
  ChainExpression: "Test for undefined first.",
  SequenceExpression: "Write two statements.",
  AwaitExpression: "Time passes at yield only.",
  ClassExpression: "Declare the class at the top of the file.",
};

function literal(cx: Context, node: Ast.Expression & { type: "Literal" }): Value {
  if (typeof node.value === "bigint" || node.value instanceof RegExp)
    return cx.fail(node, "syntax", `${cx.text(node)} has no hardware`, "Use numbers: they are exact up to 53 bits.");
  return known(node.value);
}

function template(cx: Context, node: Ast.TemplateLiteral): Value {
  const parts = node.expressions.map((expr) => constantOf(lower(cx, expr)));
  if (parts.some((part) => !part))
    return cx.fail(node, "constant", "a text made at run time has no hardware", "Use constants in the text.");
  return known(
    node.quasis
      .map(({ value }, i) => `${value.cooked ?? ""}${i < parts.length ? String(parts[i]!.value) : ""}`)
      .join(""),
  );
}

function identifier(cx: Context, node: Ast.IdentifierReference): Value {
  const { name } = node;
  const found = cx.scope.find(name);
  if (found) {
    const { binding } = found;
    if (binding.value) return binding.value;
    const { lazy } = binding;
    if (!lazy) return cx.fail(node, "name", `${name} is used before it has a value`, "");
    binding.lazy = undefined;
    binding.value = lazy();
    return binding.value;
  }
  if (Object.hasOwn(globals, name)) return known(globals[name]);
  if (changing.has(name))
    return cx.fail(
      node,
      "nondeterminism",
      `${name} is not the same in every run`,
      "Give the process what it needs through a channel.",
    );
  return cx.fail(
    node,
    "name",
    `${name} is not a name that the compiler knows`,
    "Import it, make it a constant of the file, or a field of the module.",
  );
}

function memberExpression(cx: Context, node: Ast.MemberExpression): Value {
  if (node.property.type === "PrivateIdentifier")
    return cx.fail(
      node,
      "name",
      `${cx.text(node)}: the compiler cannot look into private names (#)`,
      `Use a field with TypeScript's private instead: private ${node.property.name}`,
    );
  if (node.optional) return cx.fail(node, "syntax", "?. has no hardware", "Test for undefined first.");
  if (node.object.type === "Super")
    return cx.fail(
      node,
      "syntax",
      "super has no hardware",
      "Give the inherited method a name of its own and call it with this.",
    );
  const base = lower(cx, node.object);
  if (!node.computed) return member(cx, base, node.property.name, node);
  return element(cx, base, lower(cx, node.property), node, [node.object, node.property]);
}

function logicalExpression(cx: Context, node: Ast.LogicalExpression): Value {
  const left = lower(cx, node.left);
  if (node.operator !== "??")
    return logical(cx, node.operator, left, () => lower(cx, node.right), node, [node.left, node.right]);
  if (left.kind === "static") return left.value === undefined || left.value === null ? lower(cx, node.right) : left;
  if (left.kind !== "maybe") return left;
  const at = cx.at(node);
  const ok: Expr = { kind: "local", local: left.ok, type: left.ok.type, at };
  return select(
    cx,
    ok,
    () => left,
    () => lower(cx, node.right),
    node,
    [node.left, node.right],
  );
}

function objectLiteral(cx: Context, node: Ast.ObjectExpression): Value {
  const fields = new Map<string, Value>();
  for (const property of node.properties) {
    if (property.type === "SpreadElement") {
      const from = lower(cx, property.argument);
      for (const name of fieldNames(cx, from, property)) fields.set(name, member(cx, from, name, property));
      continue;
    }
    const { key } = property;
    if (property.computed || property.kind !== "init" || (key.type !== "Identifier" && key.type !== "Literal"))
      return cx.fail(
        property,
        "syntax",
        "a computed name or an accessor has no hardware",
        "Write the name of the field.",
      );
    fields.set(key.type === "Identifier" ? key.name : String(key.value), lower(cx, property.value));
  }
  return { kind: "object", fields };
}

function fieldNames(cx: Context, value: Value, node: Node): string[] {
  if (value.kind === "object") return [...value.fields.keys()];
  if (value.kind === "static" && typeof value.value === "object" && value.value) return Object.keys(value.value);
  const type = value.kind === "expr" ? value.expr.type : value.kind === "maybe" ? value.into.type : undefined;
  if (type?.kind === "struct") return Object.keys((type as unknown as { fields: object }).fields);
  return cx.fail(node, "syntax", `${cx.text(node)}: only a struct can be spread`, "");
}

/** A condition: a boolean. */
export function condition(cx: Context, node: Ast.Expression): Expr {
  return toBool(cx, lower(cx, node), node);
}
