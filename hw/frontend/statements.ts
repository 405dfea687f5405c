/** Statements of the source, but for loops and waiting operations. */
import { Breach } from "../check/diagnostic.js";
import type { Target } from "../ir/ir.js";
import { bind } from "./bind.js";
import type { Context, Jump, Returns } from "./context.js";
import { coerce, describe, forgotten, share, toExpr, toInt } from "./convert.js";
import { placeOf, typeRange } from "./env.js";
import { condition, lower, lowerSole } from "./expressions.js";
import { doWhile, forLoop, forOf, whileLoop } from "./loops.js";
import { binary, not } from "./operators.js";
import { strip, type Ast, type Node } from "./parse.js";
import { Scope } from "./scope.js";
import { dynamic, known, poison, type Value } from "./values.js";
import { yieldExpression } from "./yields.js";
import { toBool } from "./convert.js";

type Line = Ast.Statement | Ast.Directive;

/** A list of statements in the present scope; `tail` where the last may return the value of a function. */
export function statements(cx: Context, list: readonly Line[], tail?: Returns): void {
  for (const statement of list)
    if (statement.type === "FunctionDeclaration" && statement.id) {
      const { name } = statement.id;
      cx.scope.declare(name, { kind: "function", fn: statement, file: cx.file, scope: cx.scope, self: poison, name });
    }
  for (const [i, statement] of list.entries()) {
    // What cannot be reached has no hardware.
    if (cx.env.dead) return;
    cx.rest = list.slice(i + 1);
    const { around } = cx;
    const depth = cx.jumps.length;
    try {
      if (statement.type === "ReturnStatement") returns(cx, statement, i === list.length - 1 ? tail : undefined);
      else lowerStatement(cx, statement);
    } catch (error) {
      if (!(error instanceof Breach)) throw error;
      if (error.diagnostic) cx.report(error.diagnostic);
      cx.around = around;
      cx.jumps.length = depth;
      cx.pendingLabel = undefined;
      silence(cx, statement);
    }
  }
}

/** Names that a statement given up should have declared: what uses them is not reported again. */
function silence(cx: Context, statement: Line): void {
  if (statement.type !== "VariableDeclaration") return;
  const names = (pattern: Ast.BindingPattern): void => {
    if (pattern.type === "Identifier") cx.scope.declare(pattern.name, poison);
    else if (pattern.type === "AssignmentPattern") names(pattern.left);
    else if (pattern.type === "ObjectPattern")
      for (const property of pattern.properties)
        names(property.type === "RestElement" ? property.argument : property.value);
    else for (const item of pattern.elements) if (item) names(item.type === "RestElement" ? item.argument : item);
  };
  for (const { id } of statement.declarations) names(id);
}

/** A statement in a block of its own. */
export function nested(cx: Context, statement: Ast.Statement): void {
  const { around } = cx;
  cx.around = statement;
  cx.inner(new Scope(cx.scope), () =>
    statements(cx, statement.type === "BlockStatement" ? statement.body : [statement]),
  );
  cx.around = around;
}

function lowerStatement(cx: Context, node: Line): void {
  switch (node.type) {
    case "VariableDeclaration":
      declaration(cx, node);
      return;
    case "ExpressionStatement":
      if (!("directive" in node && node.directive)) expressionStatement(cx, node.expression);
      return;
    case "BlockStatement":
      labelled(cx, node, () => nested(cx, node));
      return;
    case "IfStatement":
      ifStatement(cx, node);
      return;
    case "ForStatement":
      forLoop(cx, node);
      return;
    case "WhileStatement":
      whileLoop(cx, node);
      return;
    case "DoWhileStatement":
      doWhile(cx, node);
      return;
    case "ForOfStatement":
      forOf(cx, node);
      return;
    case "SwitchStatement":
      switchStatement(cx, node);
      return;
    case "LabeledStatement":
      cx.pendingLabel = node.label.name;
      lowerStatement(cx, node.body);
      cx.pendingLabel = undefined;
      return;
    case "BreakStatement":
    case "ContinueStatement":
      jump(cx, node);
      return;
    case "EmptyStatement":
    case "DebuggerStatement":
    case "FunctionDeclaration":
    case "TSTypeAliasDeclaration":
    case "TSInterfaceDeclaration":
      return;
    case "ThrowStatement":
      return cx.fail(node, "syntax", "throw has no hardware", 'Write assert(condition, "what went wrong").');
    default:
      return cx.fail(
        node,
        "syntax",
        `${cx.text(node)}: ${node.type.replace(/(Statement|Declaration)$/, "")} has no hardware`,
        node.type === "ForInStatement" ? "Loop over numbers, or with for ... of over an array of parts." : "",
      );
  }
}

function declaration(cx: Context, node: Ast.VariableDeclaration): void {
  if (node.kind !== "const" && node.kind !== "let")
    cx.fail(node, "syntax", `${node.kind} has no hardware`, "Use const or let.");
  for (const { id, init } of node.declarations) {
    if (!init)
      return cx.fail(id, "type", `${cx.text(id)} has no first value`, "Give it one with a type: let x = i32(0).");
    const value = initial(cx, init, id);
    bind(cx, id, value, cx.around ?? node, node.kind);
  }
}

function initial(cx: Context, init: Ast.Expression, id: Ast.BindingPattern): Value {
  const source = strip(init);
  if (source.type !== "YieldExpression") return lowerSole(cx, init);
  return yieldExpression(cx, source, id.type === "Identifier" ? id.name : "token");
}

function expressionStatement(cx: Context, source: Ast.Expression): void {
  const node = strip(source);
  switch (node.type) {
    case "YieldExpression":
      yieldExpression(cx, node, "token");
      return;
    case "AssignmentExpression":
      assignment(cx, node);
      return;
    case "UpdateExpression":
      increment(cx, node);
      return;
    case "CallExpression": {
      const value = lowerSole(cx, node);
      if (value.kind === "operation") forgotten(cx, node, value.name);
      return;
    }
    default:
      lower(cx, node);
      return cx.fail(node, "syntax", `${cx.text(node)} has no effect`, "Remove it, or assign its value.");
  }
}

/** A place that may be assigned here. */
function targetOf(cx: Context, node: Node): Target {
  const source = strip(node as Ast.Expression);
  if (source.type !== "Identifier" && source.type !== "MemberExpression")
    return cx.fail(node, "syntax", `${cx.text(node)} = ... has no hardware`, "Assign one name at a time.");
  const value = lower(cx, source);
  if (value.kind === "poison") throw new Breach();
  const target = value.kind === "expr" ? value.expr : undefined;
  if (!target || !isTarget(target))
    return cx.fail(
      node,
      source.type === "MemberExpression" && value.kind !== "expr" ? "owner" : "type",
      `${cx.text(node)} cannot be assigned: it is ${describe(value)}`,
      source.type === "MemberExpression"
        ? "Assign registers of this module only: this.x = ..."
        : `Declare it with let and a type.`,
    );
  const root = rootPlace(target);
  if (root.kind === "local" && !root.local.mutable)
    return cx.fail(
      node,
      "alias",
      `${cx.text(node)} changes a value that others may hold (${root.local.name})`,
      `Copy it first: let ${root.local.name}Copy = Word(${root.local.name}), with its own type.`,
    );
  if (cx.forbidden !== undefined && (root.kind !== "local" || root.local.id < cx.outside))
    cx.fail(
      node,
      "effects",
      `${cx.text(node)} is assigned inside ${cx.forbidden}`,
      "Put the call on a line of its own and name its result.",
    );
  return target;
}

const isTarget = (expr: { kind: string }): expr is Target =>
  expr.kind === "local" || expr.kind === "field" || expr.kind === "index" || expr.kind === "member";

export function rootPlace(target: Target): Target {
  let at: Target = target;
  while ((at.kind === "index" || at.kind === "member") && isTarget(at.base)) at = at.base;
  return at;
}

function assignment(cx: Context, node: Ast.AssignmentExpression): void {
  const target = targetOf(cx, node.left);
  const { type } = target;
  if (type.kind === "exact")
    return cx.fail(
      node,
      "uncast",
      `${cx.text(node.left)} counts a loop and is assigned outside its head`,
      "Give it a type, and write a while loop.",
    );
  if (node.operator !== "=") {
    const op = node.operator.slice(0, -1);
    const name = cx.text(node.left);
    return cx.fail(
      node,
      "increment",
      `${node.operator} hides where the result is truncated`,
      `Write ${name} = ${type.name}(${name} ${op} ${cx.text(node.right)})`,
    );
  }
  if (strip(node.right).type === "YieldExpression")
    return cx.fail(
      node.right,
      "yield-place",
      "yield* stands in an assignment",
      `Give its result a name first: const x = ${cx.text(node.right)}; then assign it.`,
    );
  const value = lowerSole(cx, node.right);
  share(cx, value, target, node.right);
  const expr = cx.copying(() => coerce(cx, value, type, node.right));
  cx.emit({ kind: "assign", target, value: expr, at: cx.at(node) });
  const place = placeOf(target);
  if (place === undefined) return;
  const range = typeRange(expr.type) ? (expr.kind === "cast" ? castRange(cx, expr) : cx.env.range(expr)) : undefined;
  cx.env.forget(place);
  if (range) cx.env.set(place, range);
}

/** A cast that loses nothing keeps the range of its operand. */
function castRange(
  cx: Context,
  expr: Extract<ReturnType<typeof coerce>, { kind: "cast" }>,
): { lo: number; hi: number } {
  const from = cx.env.range(expr.operand);
  const to = typeRange(expr.type)!;
  return from.lo >= to.lo && from.hi <= to.hi ? from : to;
}

function increment(cx: Context, node: Ast.UpdateExpression): void {
  const target = targetOf(cx, node.argument);
  const name = cx.text(node.argument);
  const type = target.type.kind === "exact" ? "its type" : target.type.name;
  cx.fail(
    node,
    "increment",
    `${cx.text(node)} hides where the result is truncated`,
    `Write ${name} = ${type}(${name} ${node.operator[0] ?? "+"} 1)`,
  );
}

/** The test of an `if`: it may be one polling call, alone or negated. */
export function soleCondition(cx: Context, source: Ast.Expression): ReturnType<typeof condition> {
  const node = strip(source);
  if (node.type === "UnaryExpression" && node.operator === "!" && strip(node.argument).type === "CallExpression")
    return not(toBool(cx, lowerSole(cx, node.argument), node.argument));
  return node.type === "CallExpression" ? toBool(cx, lowerSole(cx, node), node) : condition(cx, node);
}

function ifStatement(cx: Context, node: Ast.IfStatement): void {
  const test = soleCondition(cx, node.test);
  branch(
    cx,
    test,
    () => nested(cx, node.consequent),
    () => {
      if (node.alternate) nested(cx, node.alternate);
    },
    node,
  );
}

/** Two ways, of which only those are kept that can be taken. */
function branch(
  cx: Context,
  test: ReturnType<typeof condition>,
  then: () => void,
  otherwise: () => void,
  node: Node,
): void {
  if (test.kind === "const") {
    (test.value ? then : otherwise)();
    return;
  }
  const yes = cx.env.clone();
  yes.assume(test, true);
  const no = cx.env.clone();
  no.assume(test, false);
  if (yes.dead || no.dead) {
    (yes.dead ? otherwise : then)();
    return;
  }
  const thenBody = cx.under(yes, () => cx.collect(then));
  const elseBody = cx.under(no, () => cx.collect(otherwise));
  cx.emit({ kind: "if", condition: test, then: thenBody, else: elseBody, at: cx.at(node) });
  yes.join(no);
  cx.env.become(yes);
}

/** `switch` of an integer; every case ends in break, continue or return. */
function switchStatement(cx: Context, node: Ast.SwitchStatement): void {
  const value = lower(cx, node.discriminant);
  const tested = value.kind === "static" ? value : dynamic(cx.name("case", toInt(cx, value, node.discriminant)));
  const label = cx.label("switch");
  const here: Jump = {
    name: cx.pendingLabel,
    label,
    isLoop: false,
    isSwitch: true,
    next: undefined,
    breaks: [],
    continues: [],
  };
  cx.pendingLabel = undefined;
  const { around } = cx;
  cx.around = node;
  cx.jumps.push(here);
  const body = cx.collect(() => cx.inner(new Scope(cx.scope), () => cases(cx, tested, groupCases(cx, node), 0, node)));
  cx.jumps.pop();
  cx.around = around;
  for (const env of here.breaks) cx.env.join(env);
  if (here.breaks.length > 0) cx.emit({ kind: "block", label, body, at: cx.at(node) });
  else for (const stmt of body) cx.emit(stmt);
}

interface Group {
  /** Undefined for `default`. */
  readonly tests: readonly Ast.Expression[] | undefined;
  readonly body: readonly Ast.Statement[];
}

function groupCases(cx: Context, node: Ast.SwitchStatement): Group[] {
  const groups: Group[] = [];
  let tests: Ast.Expression[] = [];
  let isDefault = false;
  for (const [i, { test, consequent }] of node.cases.entries()) {
    if (test) tests.push(test);
    else isDefault = true;
    const last = i === node.cases.length - 1;
    if (consequent.length === 0 && !last) continue;
    if (isDefault && !last) cx.fail(node.cases[i]!, "syntax", "default is not the last case", "Move it to the end.");
    const body = consequent.length === 1 && consequent[0]?.type === "BlockStatement" ? consequent[0].body : consequent;
    const end = body.at(-1);
    const leaves =
      end?.type === "BreakStatement" || end?.type === "ContinueStatement" || end?.type === "ReturnStatement";
    if (!leaves && !last) cx.fail(node.cases[i]!, "syntax", "a case runs on into the next one", "End it with break.");
    // The closing break only says what is so anyway.
    const plain = end?.type === "BreakStatement" && !end.label ? body.slice(0, -1) : body;
    groups.push({ tests: isDefault ? undefined : tests, body: plain });
    tests = [];
    isDefault = false;
  }
  return groups;
}

function cases(cx: Context, tested: Value, groups: readonly Group[], from: number, node: Ast.SwitchStatement): void {
  const group = groups[from];
  if (!group) return;
  const run = (): void => cx.inner(new Scope(cx.scope), () => statements(cx, group.body));
  if (!group.tests) {
    run();
    return;
  }
  const tests = group.tests.map((test) => binary(cx, "===", tested, lower(cx, test), test, [node.discriminant, test]));
  const test = tests
    .map((one, i) => toExpr(cx, one, group.tests![i]!))
    .reduce((left, right) => {
      if (left.kind === "const") return left.value ? left : right;
      if (right.kind === "const") return right.value ? right : left;
      return { kind: "binary", op: "||", left, right, type: left.type, at: left.at };
    });
  branch(cx, test, run, () => cases(cx, tested, groups, from + 1, node), group.tests[0]!);
}

/** A block with a label of the source. */
function labelled(cx: Context, node: Ast.BlockStatement, body: () => void): void {
  const name = cx.pendingLabel;
  cx.pendingLabel = undefined;
  if (name === undefined) {
    body();
    return;
  }
  const label = cx.label(name);
  const here: Jump = { name, label, isLoop: false, isSwitch: false, next: undefined, breaks: [], continues: [] };
  cx.jumps.push(here);
  const list = cx.collect(body);
  cx.jumps.pop();
  for (const env of here.breaks) cx.env.join(env);
  cx.emit({ kind: "block", label, body: list, at: cx.at(node) });
}

function jump(cx: Context, node: Ast.BreakStatement | Ast.ContinueStatement): void {
  const name = node.label?.name;
  const continues = node.type === "ContinueStatement";
  const target = cx.jumps.findLast((one) =>
    name !== undefined ? one.name === name : one.isLoop || (one.isSwitch && !continues),
  );
  if (!target) return cx.fail(node, "syntax", `${cx.text(node)} leads nowhere`, "");
  const at = cx.at(node);
  if (!continues) {
    target.breaks.push(cx.env.clone());
    cx.emit({ kind: "break", label: target.label, at });
  } else {
    target.continues.push(cx.env.clone());
    if (target.next !== undefined) cx.emit({ kind: "break", label: target.next, at });
    else cx.emit({ kind: "continue", label: target.label, at });
  }
  cx.env.dead = true;
}

function returns(cx: Context, node: Ast.ReturnStatement, tail: Returns | undefined): void {
  const target = cx.returns;
  const source = node.argument && strip(node.argument);
  if (source?.type === "YieldExpression")
    cx.fail(
      source,
      "yield-place",
      "yield* stands in a return",
      `Give its result a name first: const x = ${cx.text(source)}; then return x.`,
    );
  const value = node.argument ? lowerSole(cx, node.argument) : known(undefined);
  const at = cx.at(node);
  if (!target) {
    cx.emit({ kind: "end", at });
    cx.env.dead = true;
    return;
  }
  const isTail = tail === target;
  const empty = value.kind === "static" && value.value === undefined;
  target.values.push({ value, env: cx.env.clone() });
  if (!isTail) target.used = true;
  if (!empty && target.used) {
    const expr = toExpr(cx, value, node.argument ?? node);
    target.result ??= cx.local("result", { kind: "exact", range: { lo: 0, hi: 0 } }, true);
    const local = target.result;
    cx.emit({ kind: "assign", target: { kind: "local", local, type: expr.type, at }, value: expr, at });
  }
  if (!isTail) cx.emit({ kind: "break", label: target.label, at });
  cx.env.dead = true;
}
