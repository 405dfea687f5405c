/** What a loop may change is unknown where it begins. */
import { Module } from "../module.js";
import { Cell } from "../grid.js";
import type { Context } from "./context.js";
import { placeOf } from "./env.js";
import { memberText } from "./inline.js";
import { strip, walk, type Node } from "./parse.js";
import { assignedNames } from "./scope.js";
import type { LoadedFile, Sources } from "./sources.js";

/** Where a field is first assigned. */
export interface Assigned {
  readonly node: Node;
  readonly file: LoadedFile;
}

type Fields = ReadonlyMap<string, Assigned>;
const cache = new WeakMap<object, WeakMap<Node, Fields>>();

/** Fields of `self` that are assigned below `node` or in its methods that are called there. */
export function assignedFields(sources: Sources, self: object, file: LoadedFile, node: Node): Fields {
  let ofSelf = cache.get(self);
  if (!ofSelf) cache.set(self, (ofSelf = new WeakMap()));
  const before = ofSelf.get(node);
  if (before) return before;
  const fields = new Map<string, Assigned>();
  // Set before it is complete: a recursion finds what there is.
  ofSelf.set(node, fields);
  const add = (target: Node): void => {
    let at = strip(target as Parameters<typeof strip>[0]);
    while (at.type === "MemberExpression") {
      if (at.object.type === "ThisExpression" && at.property.type === "Identifier") {
        if (!fields.has(at.property.name)) fields.set(at.property.name, { node: at, file });
        return;
      }
      at = strip(at.object);
    }
  };
  walk(node, (child) => {
    if (child.type === "AssignmentExpression") add(child.left);
    else if (child.type === "UpdateExpression") add(child.argument);
    else if (child.type === "CallExpression") {
      const { callee } = child;
      if (callee.type !== "MemberExpression" || callee.object.type !== "ThisExpression") return undefined;
      if (callee.property.type !== "Identifier") return undefined;
      const text = memberText(sources, self, callee.property.name);
      if (!text) return undefined;
      for (const [name, field] of assignedFields(sources, self, text.text.file, text.member))
        if (!fields.has(name)) fields.set(name, field);
    }
    return undefined;
  });
  return fields;
}

/** Forget what `node` may assign. */
export function havoc(cx: Context, node: Node): void {
  const names = assignedNames(node);
  for (const binding of cx.scope.visible()) {
    if (!binding.mutable || binding.value?.kind !== "expr") continue;
    if (!names.has(binding.name) && !names.has(`&${binding.name}`)) continue;
    const place = placeOf(binding.value.expr);
    if (place !== undefined) cx.env.forget(place);
  }
  const self = cx.self.kind === "static" ? cx.self.value : undefined;
  if (!(self instanceof Module || self instanceof Cell)) return;
  for (const field of assignedFields(cx.sources, self, cx.file, node).keys()) cx.env.forget(`this.${field}`);
  walk(node, (child) => {
    if (child.type !== "CallExpression") return undefined;
    // A helper may change what it is given by reference.
    for (const argument of child.arguments)
      if (argument.type === "MemberExpression" && argument.object.type === "ThisExpression")
        if (argument.property.type === "Identifier") cx.env.forget(`this.${argument.property.name}`);
    return undefined;
  });
}
