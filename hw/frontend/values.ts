/**
 * What an expression of the source can be while the compiler reads it: known now (a number, a type, a port), an
 * expression of the IR, or a thing in between such as an object literal that has no type yet.
 */
import type { Expr, Local } from "../ir/ir.js";
import type { FunctionNode } from "./parse.js";
import type { Scope } from "./scope.js";
import type { LoadedFile } from "./sources.js";

export type Value =
  /** Known at elaboration. */
  | { readonly kind: "static"; readonly value: unknown }
  /** `copy`: a vector or struct that shares nothing with another name. */
  | { readonly kind: "expr"; readonly expr: Expr; readonly copy?: true }
  /** An object or array literal: a struct or vector once a type asks for it. */
  | { readonly kind: "object"; readonly fields: ReadonlyMap<string, Value> }
  | { readonly kind: "array"; readonly items: readonly Value[] }
  | FunctionValue
  /** One of several live objects, chosen at run time. */
  | { readonly kind: "parts"; readonly parts: readonly unknown[]; readonly index: Expr }
  /** A method of a live object, before it is called. */
  | { readonly kind: "method"; readonly self: Value; readonly name: string }
  /** The result of a polling operation: undefined unless `ok`. */
  | { readonly kind: "maybe"; readonly ok: Local; readonly into: Local }
  /** `condition ? value : undefined`. */
  | { readonly kind: "option"; readonly when: Expr; readonly value: Value }
  /** An operation that needs `yield*`. */
  | { readonly kind: "operation"; readonly name: string }
  /** Something that was reported already; silences what follows from it. */
  | { readonly kind: "poison" };

export interface FunctionValue {
  readonly kind: "function";
  readonly fn: FunctionNode;
  readonly file: LoadedFile;
  readonly scope: Scope;
  readonly self: Value;
  readonly name: string;
  /** The function itself, where it can be called with constants. */
  readonly live?: unknown;
}

export const known = (value: unknown): Value => ({ kind: "static", value });
export const dynamic = (expr: Expr): Value => ({ kind: "expr", expr });
export const poison: Value = { kind: "poison" };

/** The JavaScript value, where all of it is known; else undefined. */
export function constantOf(value: Value): { readonly value: unknown } | undefined {
  switch (value.kind) {
    case "static":
      return value;
    case "expr":
      return value.expr.kind === "const" ? value.expr : undefined;
    case "object": {
      const object: Record<string, unknown> = {};
      for (const [name, field] of value.fields) {
        const constant = constantOf(field);
        if (!constant) return undefined;
        object[name] = constant.value;
      }
      return { value: object };
    }
    case "array": {
      const items: unknown[] = [];
      for (const item of value.items) {
        const constant = constantOf(item);
        if (!constant) return undefined;
        items.push(constant.value);
      }
      return { value: items };
    }
    default:
      return undefined;
  }
}

/** The value with `f` applied to every expression in it that is computed at run time. */
export function mapExprs(value: Value, f: (expr: Expr) => Expr): Value {
  switch (value.kind) {
    case "expr":
      return { ...value, expr: f(value.expr) };
    case "object":
      return { kind: "object", fields: new Map([...value.fields].map(([name, v]) => [name, mapExprs(v, f)])) };
    case "array":
      return { kind: "array", items: value.items.map((item) => mapExprs(item, f)) };
    case "option":
      return { kind: "option", when: f(value.when), value: mapExprs(value.value, f) };
    case "parts":
      return { ...value, index: f(value.index) };
    default:
      return value;
  }
}
