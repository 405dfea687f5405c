/** The registers of a design are the fields of its modules: their values after elaboration, kept for reset. */
import type { Module } from "../../hw/index.js";

type Fields = Record<string, unknown>;

export type SavedState = readonly { readonly module: Module; readonly fields: Readonly<Fields> }[];

const isScalar = (value: unknown): boolean => typeof value === "number" || typeof value === "boolean";

/** Numbers, booleans, and arrays and plain objects of them: what a register can hold. */
function isState(value: unknown): boolean {
  if (isScalar(value)) return true;
  if (Array.isArray(value)) return value.length > 0 && value.every(isState);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  const fields = Object.values(value);
  return fields.length > 0 && fields.every(isState);
}

/** Fields of a module that are registers. */
export const fieldsOf = (module: Module): string[] =>
  Object.entries(module)
    .filter(([, value]) => isState(value))
    .map(([name]) => name);

export function saveState(modules: readonly Module[]): SavedState {
  return modules.map((module) => ({
    module,
    fields: Object.fromEntries(
      fieldsOf(module).map((name) => [name, structuredClone((module as unknown as Fields)[name])]),
    ),
  }));
}

export function restoreState(saved: SavedState): void {
  for (const { module, fields } of saved)
    for (const [name, value] of Object.entries(fields)) (module as unknown as Fields)[name] = structuredClone(value);
}
