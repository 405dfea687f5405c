/**
 * Registers: the fields that a process assigns. Each belongs to that one process; its type is that of the field's
 * initialiser (or of the assignment in the constructor), its value after reset that of the live object.
 */
import { Breach, type Diagnostic } from "../check/diagnostic.js";
import type { Elaborated } from "../elaborate.js";
import type { Module } from "../module.js";
import type { ProcessNode } from "../process.js";
import type { Type } from "../types.js";
import { bool, typeOfZero } from "../types.js";
import { constantScope, evaluator } from "./constants.js";
import type { Register } from "./context.js";
import { lower } from "./expressions.js";
import { assignedFields, type Assigned } from "./havoc.js";
import { memberText } from "./inline.js";
import { strip, walk, type Ast } from "./parse.js";
import { classesOf, type ClassText, type Sources } from "./sources.js";
import { Module as Base } from "../module.js";
import { constantOf, known, type Value } from "./values.js";
import { Scope } from "./scope.js";

export type Registers = ReadonlyMap<object, ReadonlyMap<string, Register>>;

export function registersOf(
  design: Elaborated,
  sources: Sources,
  reportOf: (module: Module) => (d: Diagnostic) => void,
): Registers {
  const all = new Map<object, ReadonlyMap<string, Register>>();
  for (const module of design.modules) {
    const report = reportOf(module);
    const registers = new Map<string, Register>();
    for (const node of module.processes) {
      const text = memberText(sources, module, node.name);
      if (!text) continue;
      for (const [name, where] of assignedFields(sources, module, text.text.file, text.member))
        try {
          declare(registers, sources, module, node, name, where, report);
        } catch (error) {
          if (!(error instanceof Breach)) throw error;
          if (error.diagnostic) report(error.diagnostic);
        }
    }
    all.set(module, registers);
  }
  return all;
}

function declare(
  registers: Map<string, Register>,
  sources: Sources,
  module: Module,
  owner: ProcessNode,
  name: string,
  where: Assigned,
  report: (d: Diagnostic) => void,
): void {
  const cx = evaluator({ sources, report }, where.file, new Scope(undefined));
  const before = registers.get(name);
  if (before && before.owner !== owner)
    cx.fail(
      where.node,
      "owner",
      `this.${name} is assigned by both ${before.owner.path} and ${owner.path}`,
      "A register belongs to one process: give each its own, or send the value over a channel.",
    );
  const live = (module as unknown as Record<string, unknown>)[name];
  if (
    typeof live === "object" &&
    live !== null &&
    !Array.isArray(live) &&
    Object.getPrototypeOf(live) !== Object.prototype
  )
    return;
  const type = typeOfZero(live) ?? typeOfField(sources, module, name, report);
  if (!type)
    return cx.fail(
      where.node,
      "type",
      `this.${name} is a register, but nothing says its type`,
      `Declare it with a type: ${name} = u8(0), or ${name} = Word.zero().`,
    );
  registers.set(name, { owner, field: { module, name, type, initial: structuredClone(live) } });
}

/** The type that the initialiser of a field, or its assignment in a constructor, gives it. */
function typeOfField(
  sources: Sources,
  module: Module,
  name: string,
  report: (d: Diagnostic) => void,
): Type | undefined {
  for (const constructor of classesOf(module, Base)) {
    const text = sources.classText(constructor);
    if (!text) continue;
    for (const init of initialisers(text, name)) {
      const scope = constantScope({ sources, report }, text.file, text.node);
      const cx = evaluator({ sources, report }, text.file, scope, known(module));
      try {
        const type = typeOf(lower(cx, init));
        if (type) return type;
      } catch (error) {
        // In a constructor a name may be a parameter: the next initialiser may say it.
        if (!(error instanceof Breach)) throw error;
      }
    }
  }
  return undefined;
}

function* initialisers({ node }: ClassText, name: string): Iterable<Ast.Expression> {
  for (const member of node.body.body)
    if (member.type === "PropertyDefinition" && !member.static && member.key.type === "Identifier")
      if (member.key.name === name && member.value) yield member.value;
  for (const member of node.body.body) {
    if (member.type !== "MethodDefinition" || member.kind !== "constructor") continue;
    const found: Ast.Expression[] = [];
    walk(member.value, (child) => {
      if (child.type !== "AssignmentExpression" || child.operator !== "=" || child.left.type !== "MemberExpression")
        return undefined;
      const { object, property } = child.left;
      if (object.type === "ThisExpression" && property.type === "Identifier" && property.name === name)
        found.push(strip(child.right));
      return undefined;
    });
    yield* found;
  }
}

function typeOf(value: Value): Type | undefined {
  if (value.kind === "expr") return value.expr.type.kind === "exact" ? undefined : value.expr.type;
  return typeof constantOf(value)?.value === "boolean" ? bool : undefined;
}
