/**
 * Integers of a given width, with bit and range selects and concatenation (IEEE 1666-2011 clauses 7.2, 7.5 and 7.6:
 * sc_int, sc_uint, sc_bigint, sc_biguint). One class for all widths: the value is a bigint, and every assignment keeps its
 * low bits, as two's complement if signed. Expressions are ordinary bigint arithmetic: exact, and cut on assignment.
 */
import { currentContext } from "./context.js";
import { message, Severity } from "./report.js";

export class Integer {
  readonly width: number;
  readonly signed: boolean;
  private bits: bigint;

  constructor(width: number, signed: boolean, value: bigint | number = 0n) {
    if (!(Number.isInteger(width) && width >= 1)) outOfBounds(`an integer of ${width} bits`);
    this.width = width;
    this.signed = signed;
    this.bits = 0n;
    this.set(value);
  }

  get value(): bigint {
    return this.bits;
  }
  /** Keeps the low bits of `value`; a fraction is cut off towards zero. */
  set(value: bigint | number): this {
    const exact = typeof value === "bigint" ? value : BigInt(Math.trunc(value));
    this.bits = this.signed ? BigInt.asIntN(this.width, exact) : BigInt.asUintN(this.width, exact);
    return this;
  }
  toNumber(): number {
    return Number(this.bits);
  }
  toString(): string {
    return this.bits.toString();
  }
  valueOf(): bigint {
    return this.bits;
  }
  equals(other: unknown): boolean {
    return other instanceof Integer ? other.bits === this.bits : other === this.bits;
  }

  /** Bit `index`, 0 the lowest. */
  bit(index: number): boolean {
    this.check(index, index);
    return ((this.bits >> BigInt(index)) & 1n) === 1n;
  }
  setBit(index: number, value: boolean): this {
    return this.setRange(index, index, value ? 1n : 0n);
  }
  /** Bits `high` down to `low`, both included, as an unsigned number. */
  range(high: number, low: number): bigint {
    this.check(high, low);
    return BigInt.asUintN(high - low + 1, this.bits >> BigInt(low));
  }
  setRange(high: number, low: number, value: bigint | number): this {
    this.check(high, low);
    const width = high - low + 1;
    const field = BigInt.asUintN(width, BigInt(value)) << BigInt(low);
    const mask = ((1n << BigInt(width)) - 1n) << BigInt(low);
    return this.set((BigInt.asUintN(this.width, this.bits) & ~mask) | field);
  }
  private check(high: number, low: number): void {
    if (Number.isInteger(high) && Number.isInteger(low) && low >= 0 && high >= low && high < this.width) return;
    outOfBounds(`bits ${high} to ${low} of an integer of ${this.width} bits`);
  }
}

function outOfBounds(what: string): void {
  currentContext().reports.report(Severity.Error, message.OUT_OF_BOUNDS, what);
}

export const int = (width: number, value: bigint | number = 0n): Integer => new Integer(width, true, value);
export const uint = (width: number, value: bigint | number = 0n): Integer => new Integer(width, false, value);

/** The bits of all parts side by side, the first one highest; unsigned. */
export function concat(...parts: readonly Integer[]): Integer {
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  let value = 0n;
  for (const part of parts) value = (value << BigInt(part.width)) | BigInt.asUintN(part.width, part.value);
  return new Integer(width, false, value);
}
