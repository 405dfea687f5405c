/** The types of the language, seen from the compiler. */
import type { ExprType } from "../ir/ir.js";
import type { BoolType, IntType, StructType, VecType } from "../types.js";

export type AnyType = IntType | BoolType | VecType | StructType;

export function isType(value: unknown): value is AnyType {
  if (typeof value !== "function") return false;
  const { kind, bits, zero } = value as Partial<AnyType>;
  return (
    (kind === "int" || kind === "bool" || kind === "vec" || kind === "struct") &&
    typeof bits === "number" &&
    typeof zero === "function"
  );
}

export const asInt = (type: ExprType): IntType | undefined =>
  type.kind === "int" ? (type as unknown as IntType) : undefined;
export const asVec = (type: ExprType): VecType | undefined =>
  type.kind === "vec" ? (type as unknown as VecType) : undefined;
export const asStruct = (type: ExprType): StructType | undefined =>
  type.kind === "struct" ? (type as unknown as StructType) : undefined;

/** Two types are one if they are written alike. */
export const sameType = (a: ExprType, b: ExprType): boolean =>
  a.kind !== "exact" && b.kind !== "exact" && (a === b || a.name === b.name);

/** True for vectors and structs: values that JavaScript shares by reference. */
export const isAggregate = (type: ExprType): boolean => type.kind === "vec" || type.kind === "struct";

export const showType = (type: ExprType): string =>
  type.kind === "exact" ? `an integer in ${type.range.lo}..${type.range.hi}` : type.name;
