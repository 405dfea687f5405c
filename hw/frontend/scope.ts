/** Names of the source and what they mean, block by block. */
import { isFunction } from "./sources.js";
import { strip, walk, type Ast, type Node } from "./parse.js";
import type { Value } from "./values.js";

export interface Binding {
  readonly name: string;
  /** Assigned after its declaration. */
  readonly mutable: boolean;
  /** Evaluated when first used, for constants of the module. */
  lazy: (() => Value) | undefined;
  value: Value | undefined;
}

export class Scope {
  readonly parent: Scope | undefined;
  /** The scope of a function: what it sees beyond is captured. */
  readonly isFunction: boolean;
  readonly #bindings = new Map<string, Binding>();

  constructor(parent: Scope | undefined, isFunction = false) {
    this.parent = parent;
    this.isFunction = isFunction;
  }

  declare(name: string, value: Value, mutable = false): void {
    this.#bindings.set(name, { name, mutable, lazy: undefined, value });
  }

  declareLazy(name: string, lazy: () => Value): void {
    this.#bindings.set(name, { name, mutable: false, lazy, value: undefined });
  }

  /** The binding of a name, and whether a function stands between it and here. */
  find(name: string): { binding: Binding; captured: boolean } | undefined {
    const binding = this.#bindings.get(name);
    if (binding) return { binding, captured: false };
    const found = this.parent?.find(name);
    return found && this.isFunction ? { ...found, captured: true } : found;
  }

  /** All bindings that can be seen from here. */
  *visible(): Iterable<Binding> {
    yield* this.#bindings.values();
    if (this.parent) yield* this.parent.visible();
  }
}

const assignedCache = new WeakMap<Node, ReadonlySet<string>>();

/** Names that an assignment below `node` changes (whole or in part), by the root of its target. */
export function assignedNames(node: Node): ReadonlySet<string> {
  let names = assignedCache.get(node);
  if (!names) assignedCache.set(node, (names = collect(node)));
  return names;
}

function collect(node: Node): Set<string> {
  const names = new Set<string>();
  const add = (target: Node): void => {
    const root = rootOf(target);
    if (root?.type === "Identifier") names.add(root.name);
  };
  walk(node, (child) => {
    if (child.type === "AssignmentExpression") add(child.left);
    else if (child.type === "UpdateExpression") add(child.argument);
    else if (child.type === "CallExpression")
      // A helper may change what it is given by reference.
      for (const argument of child.arguments) if (argument.type === "Identifier") names.add(`&${argument.name}`);
    return undefined;
  });
  return names;
}

/** `a` of `a.b[i].c`. */
export function rootOf(target: Node): Node | undefined {
  let at = strip(target as Ast.Expression);
  while (at.type === "MemberExpression") {
    if (at.object.type === "ThisExpression") return at;
    at = strip(at.object);
  }
  return at;
}

/** Is a name assigned as a whole below `node`, outside functions of its own? */
export function reassigned(node: Node, name: string): boolean {
  let found = false;
  walk(node, (child) => {
    if (child.type === "AssignmentExpression" && child.left.type === "Identifier" && child.left.name === name)
      found = true;
    if (child.type === "UpdateExpression" && child.argument.type === "Identifier" && child.argument.name === name)
      found = true;
    return !found;
  });
  return found;
}

/** Does control pass time below `node` (a `yield` of its own)? */
export function yields(node: Node): boolean {
  let found = false;
  walk(node, (child) => {
    if (child !== node && isFunction(child)) return false;
    if (child.type === "YieldExpression") found = true;
    return !found;
  });
  return found;
}
