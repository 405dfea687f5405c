/** The registers of a design are the fields of its modules: their values after elaboration, kept for reset. */
import type { Module } from "../../hw/index.js";

export type SavedState = readonly { readonly module: Module; readonly fields: Readonly<Record<string, unknown>> }[];

const isScalar = (value: unknown): boolean => typeof value === "number" || typeof value === "boolean";

/** Numbers, booleans, and arrays and plain objects of them: what a register can hold. */
function isState(value: unknown): boolean {
  if (isScalar(value)) return true;
  if (Array.isArray(value)) return value.length > 0 && value.every(isState);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  const fields = Object.values(value);
  return fields.length > 0 && fields.every(isState);
}

export function saveState(modules: readonly Module[]): SavedState {
  return modules.map((module) => ({
    module,
    fields: Object.fromEntries(
      Object.entries(module)
        .filter(([, value]) => isState(value))
        .map(([name, value]) => [name, structuredClone(value) as unknown]),
    ),
  }));
}

export function restoreState(saved: SavedState): void {
  for (const { module, fields } of saved)
    for (const [name, value] of Object.entries(fields))
      (module as unknown as Record<string, unknown>)[name] = structuredClone(value);
}
