/** Widths of values in hardware: two's complement where a value can be negative. */
import type { ExprType, Range } from "../ir/ir.js";
import type { IntType } from "../types.js";

export interface Width {
  readonly width: number;
  readonly signed: boolean;
}

/** Bits of the exact integers of a range. Ranges reach 2^53, so no 32-bit operators here. */
export function widthOfRange({ lo, hi }: Range): Width {
  if (lo >= 0) {
    let width = 1;
    while (2 ** width - 1 < hi) width++;
    return { width, signed: false };
  }
  let width = 1;
  while (-(2 ** (width - 1)) > lo || 2 ** (width - 1) - 1 < hi) width++;
  return { width, signed: true };
}

export function widthOf(type: ExprType): Width {
  if (type.kind === "exact") return widthOfRange(type.range);
  return { width: type.bits, signed: type.kind === "int" && (type as unknown as IntType).signed };
}

/** Bits of a scalar in two's complement, whether it can be negative or not. */
export function signedWidth(type: ExprType): number {
  const { width, signed } = widthOf(type);
  return signed ? width : width + 1;
}

/** The range of a scalar's values; a boolean is 0 or 1. */
export function rangeOf(type: ExprType): Range {
  if (type.kind === "exact") return type.range;
  if (type.kind === "int") return { lo: (type as unknown as IntType).min, hi: (type as unknown as IntType).max };
  return { lo: 0, hi: 2 ** type.bits - 1 };
}
