/** Constants of a source file, folded when they are first used: what stands around a class or function. */
import { Context, type Seed, type Unit } from "./context.js";
import { bind } from "./bind.js";
import { lower } from "./expressions.js";
import type { Ast, Node } from "./parse.js";
import { Scope } from "./scope.js";
import { isFunction, type LoadedFile } from "./sources.js";
import { known, poison, type Value } from "./values.js";

const scopes = new WeakMap<Node, Scope>();

/** The names that can be seen where `node` stands in its file. */
export function constantScope(cx: Seed, file: LoadedFile, node: Node): Scope {
  let scope: Scope | undefined;
  for (const outer of cx.sources.around(file, node)) {
    const body = outer.type === "Program" || outer.type === "BlockStatement" ? outer.body : undefined;
    if (!body && !isFunction(outer)) continue;
    let inner = scopes.get(outer);
    if (!inner) {
      inner = new Scope(scope);
      scopes.set(outer, inner);
      if (outer.type === "Program") imports(cx, file, inner);
      if (isFunction(outer)) unknownParams(outer, inner, cx, file);
      for (const statement of body ?? []) declare(cx, file, inner, statement);
    }
    scope = inner;
  }
  return scope ?? new Scope(undefined);
}

function imports(cx: Seed, file: LoadedFile, scope: Scope): void {
  for (const [name, { url, name: exported, value }] of file.imports)
    scope.declareLazy(name, () => {
      const text =
        typeof value === "function" && url !== undefined ? cx.sources.exportedFunction(url, exported) : undefined;
      if (!text) return known(value);
      const around = constantScope(cx, text.file, text.fn);
      return {
        kind: "function",
        fn: text.fn,
        file: text.file,
        scope: around,
        self: poison,
        name: exported,
        live: value,
      };
    });
}

function unknownParams(fn: Node, scope: Scope, cx: Seed, file: LoadedFile): void {
  if (!isFunction(fn)) return;
  for (const param of fn.params)
    if (param.type === "Identifier")
      scope.declareLazy(param.name, () =>
        evaluator(cx, file, scope).fail(
          param,
          "constant",
          `${param.name} is a parameter of a function around the class: its value cannot be read`,
          "Keep it in a field of the module.",
        ),
      );
}

function declare(cx: Seed, file: LoadedFile, scope: Scope, statement: Ast.Statement | Ast.Directive): void {
  const declaration =
    (statement.type === "ExportNamedDeclaration" || statement.type === "ExportDefaultDeclaration"
      ? statement.declaration
      : statement) ?? statement;
  if (declaration.type === "FunctionDeclaration" && declaration.id) {
    const { name } = declaration.id;
    scope.declare(name, { kind: "function", fn: declaration, file, scope, self: poison, name });
  } else if (declaration.type === "ClassDeclaration" && declaration.id) {
    scope.declare(declaration.id.name, poison);
  } else if (declaration.type === "VariableDeclaration") {
    for (const declarator of declaration.declarations)
      for (const name of namesOf(declarator.id))
        scope.declareLazy(name, () => evaluate(cx, file, scope, declaration, declarator, name));
  }
}

function evaluate(
  cx: Seed,
  file: LoadedFile,
  scope: Scope,
  declaration: Ast.VariableDeclaration,
  { id, init }: Ast.VariableDeclarator,
  name: string,
): Value {
  const inner = evaluator(cx, file, scope);
  if (declaration.kind !== "const")
    return inner.fail(
      id,
      "closure",
      `${name} is a variable outside the process`,
      "Make it a const, or a field of the module.",
    );
  if (!init) return known(undefined);
  const value = lower(inner, init);
  if (id.type === "Identifier") return value.kind === "function" ? { ...value, name } : value;
  inner.scope = new Scope(scope);
  bind(inner, id, value, id, "const");
  return inner.scope.find(name)?.binding.value ?? poison;
}

/** A context for constants: nothing of a process, no statements. */
export function evaluator(cx: Seed, file: LoadedFile, scope: Scope, self: Value = poison): Context {
  const unit: Unit = {
    kind: "constant",
    module: undefined,
    node: undefined,
    registers: new Map(),
    locals: [],
    fields: new Set(),
    shares: [],
    polls: false,
    estimates: false,
    labels: 0,
  };
  const inner = new Context(cx.sources, unit, file, scope, self, cx.report);
  inner.forbidden = "a constant";
  return inner;
}

function namesOf(pattern: Ast.BindingPattern): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name];
    case "AssignmentPattern":
      return namesOf(pattern.left);
    case "ObjectPattern":
      return pattern.properties.flatMap((property) => (property.type === "RestElement" ? [] : namesOf(property.value)));
    case "ArrayPattern":
      return pattern.elements.flatMap((item) => (item && item.type !== "RestElement" ? namesOf(item) : []));
  }
}
