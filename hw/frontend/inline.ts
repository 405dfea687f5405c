/**
 * Functions of the source become part of the process that calls them: an expression where the function only names values
 * and chooses between them, else statements, in a labelled block where it returns early.
 */
import { Cell } from "../grid.js";
import { Module } from "../module.js";
import type { Expr, Local, Stmt } from "../ir/ir.js";
import { toExpr, zeroOf } from "./convert.js";
import type { Context, Returns } from "./context.js";
import { bind, stable } from "./bind.js";
import { merge } from "./operators.js";
import { condition, lower, lowerSole } from "./expressions.js";
import { constantScope } from "./constants.js";
import { walk, type Ast, type Node } from "./parse.js";
import { union } from "./ranges.js";
import { Scope } from "./scope.js";
import { classesOf, sourceUrl, type ClassText, type Sources } from "./sources.js";
import { statements } from "./statements.js";
import { sameType } from "./types.js";
import { dynamic, known, type FunctionValue, type Value } from "./values.js";

/** The class that defines `name` for a live object, and the member's text; undefined if nothing in the source does. */
export function memberText(
  sources: Sources,
  object: object,
  name: string,
): { text: ClassText; member: Ast.MethodDefinition | Ast.PropertyDefinition } | undefined {
  for (const constructor of classesOf(object, object instanceof Cell ? Cell : Module)) {
    const text = sources.classText(constructor);
    const member = text?.node.body.body.find(
      (one): one is Ast.MethodDefinition | Ast.PropertyDefinition =>
        (one.type === "MethodDefinition" || one.type === "PropertyDefinition") &&
        !one.static &&
        keyName(one.key) === name,
    );
    if (text && member) return { text, member };
    if (Object.hasOwn(constructor.prototype as object, name)) return undefined;
  }
  return undefined;
}

const keyName = (key: Ast.PropertyKey): string | undefined =>
  key.type === "Identifier" ? key.name : key.type === "Literal" ? String(key.value) : undefined;

/** A method of a live object as a function of the source. */
export function methodOf(cx: Context, object: object, name: string, node: Node): FunctionValue {
  const found = memberText(cx.sources, object, name);
  const member = found?.member;
  const fn = member?.type === "MethodDefinition" ? member.value : member?.value;
  if (!found || !fn || (fn.type !== "FunctionExpression" && fn.type !== "ArrowFunctionExpression")) {
    const owner = classesOf(object, object instanceof Cell ? Cell : Module).find((one) =>
      Object.hasOwn(one.prototype as object, name),
    );
    const where = owner ? `class ${owner.name}` : "its class";
    return cx.fail(
      node,
      "source",
      `the text of ${cx.text(node)} cannot be read${owner && sourceUrl(owner) === undefined ? `: ${where} does not say where it stands` : ""}`,
      `Add to ${where}: static readonly source = import.meta.url;`,
    );
  }
  const { file, node: owner } = found.text;
  return { kind: "function", fn, file, scope: constantScope(cx, file, owner), self: known(object), name };
}

/** The value of `get name()`, if the source has one. */
export function inlineGetter(cx: Context, object: object, name: string, node: Node): Value | undefined {
  const found = memberText(cx.sources, object, name)?.member;
  if (found?.type !== "MethodDefinition" || found.kind !== "get") return undefined;
  return inline(cx, methodOf(cx, object, name, node), [], node);
}

/** The value of a call. Generators come here only from `yield*`. */
export function inline(cx: Context, callee: FunctionValue, args: readonly Value[], node: Node): Value {
  const { fn, file, scope, self } = callee;
  if (cx.inlining.includes(fn))
    cx.fail(node, "recursion", `${callee.name} calls itself`, "Write a loop: hardware has no call stack.");
  if (fn.async) cx.fail(node, "syntax", `${callee.name} is asynchronous`, "");
  const inner = new Scope(scope, true);
  const given = args.map((arg, i) => stable(cx, arg, paramName(fn.params[i]), true));
  const before = {
    file: cx.file,
    scope: cx.scope,
    self: cx.self,
    returns: cx.returns,
    jumps: cx.jumps,
    around: cx.around,
    rest: cx.rest,
  };
  cx.inlining.push(fn);
  cx.file = file;
  cx.scope = inner;
  cx.self = self;
  cx.returns = undefined;
  cx.jumps = [];
  cx.around = fn;
  cx.rest = [fn];
  try {
    fn.params.forEach((param, i) => {
      if (param.type === "RestElement" || param.type === "TSParameterProperty")
        return cx.fail(param, "syntax", "rest parameters have no hardware", "Name every parameter.");
      bind(cx, param, given[i] ?? known(undefined), fn, "parameter");
    });
    const { body } = fn;
    if (!body) return cx.fail(fn, "syntax", `${callee.name} has no body`, "");
    if (body.type !== "BlockStatement") return lower(cx, body);
    const named = !fn.generator && isExpressionLike(body.body);
    if (named && (!cx.out || !(body.body.some(({ type }) => type === "IfStatement") && touches(body))))
      return expressionBody(cx, body.body, 0, fn);
    return statementBody(cx, body, callee, node);
  } finally {
    cx.inlining.pop();
    Object.assign(cx, before);
  }
}

function paramName(param: Node | undefined): string {
  return param?.type === "Identifier" ? param.name : "argument";
}

/** Only names for values, choices and a value at the end. */
function isExpressionLike(body: readonly (Ast.Statement | Ast.Directive)[]): boolean {
  return (
    body.length > 0 &&
    body.every((statement, i) => {
      const last = i === body.length - 1;
      if (statement.type === "VariableDeclaration") return !last && statement.kind === "const" && !hasYield(statement);
      if (statement.type === "ReturnStatement") return last && statement.argument !== null;
      if (statement.type !== "IfStatement") return false;
      const branches = [statement.consequent, ...(statement.alternate ? [statement.alternate] : [])];
      return branches.every((branch) => isExpressionLike(blockOf(branch))) && (!last || statement.alternate !== null);
    })
  );
}

/** Calls something that may have effects, which a conditional expression cannot hold. */
function touches(body: Node): boolean {
  let found = false;
  walk(body, (node) => {
    if (
      node.type === "CallExpression" &&
      node.callee.type === "MemberExpression" &&
      node.callee.property.type === "Identifier"
    )
      found ||= effects.has(node.callee.property.name);
    return !found;
  });
  return found;
}

const effects = new Set(["tryPop", "tryPush", "peek", "read", "write", "feed"]);

const hasYield = (declaration: Ast.VariableDeclaration): boolean =>
  declaration.declarations.some(({ init }) => init?.type === "YieldExpression");

const blockOf = (statement: Ast.Statement): readonly Ast.Statement[] =>
  statement.type === "BlockStatement" ? statement.body : [statement];

function expressionBody(
  cx: Context,
  body: readonly (Ast.Statement | Ast.Directive)[],
  from: number,
  around: Node,
): Value {
  const statement = body[from];
  if (!statement) throw new Error("a function body without a value");
  if (statement.type === "VariableDeclaration") {
    for (const { id, init } of statement.declarations) if (init) bind(cx, id, lowerSole(cx, init), around, "const");
    return expressionBody(cx, body, from + 1, around);
  }
  if (statement.type === "ReturnStatement") return lower(cx, statement.argument!);
  if (statement.type !== "IfStatement") throw new Error(statement.type);
  const test = condition(cx, statement.test);
  const then = (): Value =>
    cx.inner(new Scope(cx.scope), () => expressionBody(cx, blockOf(statement.consequent), 0, around));
  const rest = (): Value =>
    cx.inner(new Scope(cx.scope), () =>
      statement.alternate
        ? expressionBody(cx, blockOf(statement.alternate), 0, around)
        : expressionBody(cx, body, from + 1, around),
    );
  if (test.kind === "const") return test.value ? then() : rest();
  const yes = cx.env.clone();
  yes.assume(test, true);
  const no = cx.env.clone();
  no.assume(test, false);
  if (yes.dead) return rest();
  if (no.dead) return then();
  const a = cx.under(yes, () => cx.pure("a conditional return", then));
  const b = cx.under(no, () => cx.pure("a conditional return", rest));
  return merge(
    cx,
    test,
    { value: a, env: yes, at: statement.consequent },
    { value: b, env: no, at: statement },
    statement,
  );
}

function statementBody(cx: Context, body: Ast.FunctionBody, callee: FunctionValue, node: Node): Value {
  if (!cx.out)
    return cx.fail(
      node,
      "effects",
      `${callee.name} has statements and cannot be used ${cx.forbidden ? `in ${cx.forbidden}` : "here"}`,
      "Call it on a line of its own and name its value, or write it with const and return alone.",
    );
  const returns: Returns = { label: cx.label(callee.name), values: [], result: undefined, used: false };
  cx.returns = returns;
  const list = cx.collect(() => statements(cx, body.body, returns));
  const fallsOff = !cx.env.dead;
  for (const { env } of returns.values) cx.env.join(env);
  if (
    returns.values.length === 0 ||
    returns.values.every(({ value }) => value.kind === "static" && value.value === undefined)
  ) {
    place(cx, list, returns, node);
    return known(undefined);
  }
  if (fallsOff)
    return cx.fail(node, "type", `${callee.name} returns a value on some paths only`, "Return one on every path.");
  const [only] = returns.values;
  // A single return at the very end: the value itself, no matter of what kind.
  if (returns.values.length === 1 && !returns.used) {
    place(cx, list, returns, node);
    return only!.value;
  }
  return resultOf(cx, list, returns, node);
}

function place(cx: Context, list: readonly Stmt[], { label, used }: Returns, node: Node): void {
  if (used) cx.emit({ kind: "block", label, body: list, at: cx.at(node) });
  else for (const stmt of list) cx.emit(stmt);
}

/** Early returns: each assigns one local, whose type is known once all have been seen. */
function resultOf(cx: Context, list: readonly Stmt[], returns: Returns, node: Node): Value {
  const exprs = returns.values.map(({ value, env }) => ({ expr: cx.under(env, () => toExpr(cx, value, node)), env }));
  const [first] = exprs;
  const { type } = first!.expr;
  const same = exprs.every(({ expr }) => sameType(expr.type, type));
  if (!same && exprs.some(({ expr }) => expr.type.kind !== "exact" && expr.type.kind !== "int"))
    return cx.fail(node, "type", "the returns differ in type", "Return one type on every path.");
  const local = returns.result as { -readonly [K in keyof Local]: Local[K] };
  local.type =
    same && type.kind !== "exact"
      ? type
      : { kind: "exact", range: exprs.map(({ expr, env }) => env.range(expr)).reduce(union) };
  const at = cx.at(node);
  cx.emit({ kind: "let", local, value: defaultOf(cx, local, node), at });
  place(cx, list, returns, node);
  return dynamic({ kind: "local", local, type: local.type, at });
}

/** What the local holds before a return sets it; never seen. */
function defaultOf(cx: Context, { type }: Local, node: Node): Expr {
  if (type.kind !== "exact") return zeroOf(cx, type, node);
  const { lo, hi } = type.range;
  return { kind: "const", value: Math.min(Math.max(0, lo), hi), type, at: cx.at(node) };
}
