/**
 * Four-valued logic: single values, and vectors of them or of bits (IEEE 1666-2011 clause 7.9: sc_logic, sc_lv, sc_bv).
 * Vectors are values: what C++ assigns to a part of one, `with...` returns as a new one.
 */
import { currentContext } from "./context.js";
import { message, Severity } from "./report.js";

export type Logic = "0" | "1" | "Z" | "X";

export const logicAnd = (a: Logic, b: Logic): Logic => {
  if (a === "0" || b === "0") return "0";
  return a === "1" && b === "1" ? "1" : "X";
};
export const logicOr = (a: Logic, b: Logic): Logic => {
  if (a === "1" || b === "1") return "1";
  return a === "0" && b === "0" ? "0" : "X";
};
export const logicXor = (a: Logic, b: Logic): Logic => (isBit(a) && isBit(b) ? (a === b ? "0" : "1") : "X");
export const logicNot = (a: Logic): Logic => (a === "0" ? "1" : a === "1" ? "0" : "X");

/** What several drivers of one wire make of it: Z gives way, everything else fights. */
export function resolveLogic(values: readonly Logic[]): Logic {
  let result: Logic = values.length === 0 ? "X" : "Z";
  for (const value of values) {
    if (result === "Z") result = value;
    else if (value !== "Z" && value !== result) result = "X";
  }
  return result;
}

/** As `sc_logic::to_bool`: a warning for X and Z, which count as true. */
export function logicToBool(value: Logic): boolean {
  if (value === "Z") currentContext().reports.report(Severity.Warning, message.LOGIC_Z_TO_BOOL);
  if (value === "X") currentContext().reports.report(Severity.Warning, message.LOGIC_X_TO_BOOL);
  return value !== "0";
}

/** What a vector can be made of: its digits, highest first; a whole number in two's complement; another vector. */
export type VectorValue = string | number | bigint | LogicVector;

export class LogicVector {
  readonly width: number;
  /** Highest bit first. */
  protected readonly digits: string;

  /** Digits or bits beyond the width are dropped; missing ones are 0, or the sign of a number. */
  constructor(width: number, value: VectorValue = "X".repeat(Math.max(1, width))) {
    if (!(Number.isInteger(width) && width >= 1)) {
      currentContext().reports.report(Severity.Error, message.ZERO_LENGTH, `a vector of ${width} bits`);
    }
    this.width = width;
    let digits = typeof value === "object" ? value.digits : typeof value === "string" ? value.toUpperCase() : "";
    if (typeof value === "number" || typeof value === "bigint") {
      digits = BigInt.asUintN(width, BigInt(value)).toString(2);
    } else if (!/^[01ZX]+$/.test(digits)) {
      const text = `character string '${String(value)}' is not valid`;
      currentContext().reports.report(Severity.Error, message.CANNOT_CONVERT, text);
    }
    this.digits = digits.slice(-width).padStart(width, "0");
  }

  get isKnown(): boolean {
    return !/[ZX]/.test(this.digits);
  }
  toString(): string {
    return this.digits;
  }
  equals(other: unknown): boolean {
    return other instanceof LogicVector && other.digits === this.digits;
  }

  /** Bit `index`, 0 the lowest. */
  bit(index: number): Logic {
    this.check(index, index);
    return this.digits[this.width - 1 - index] as Logic;
  }
  withBit(index: number, value: Logic): this {
    return this.withRange(index, index, value);
  }
  /** Bits `high` down to `low`; with `high` below `low`, in reverse. */
  range(high: number, low: number): LogicVector {
    this.check(Math.max(high, low), Math.min(high, low));
    const part = this.digits.slice(this.width - 1 - Math.max(high, low), this.width - Math.min(high, low));
    return this.make(part.length, high < low ? Array.from(part).reverse().join("") : part);
  }
  withRange(high: number, low: number, value: VectorValue): this {
    this.check(high, low);
    const part = this.make(high - low + 1, value).digits;
    const { digits, width } = this;
    return this.make(width, digits.slice(0, width - 1 - high) + part + digits.slice(width - low)) as this;
  }

  // Operations bit by bit; the narrower operand gets zeros.

  and(other: LogicVector): LogicVector {
    return this.zip(other, logicAnd);
  }
  or(other: LogicVector): LogicVector {
    return this.zip(other, logicOr);
  }
  xor(other: LogicVector): LogicVector {
    return this.zip(other, logicXor);
  }
  not(): LogicVector {
    return this.make(this.width, Array.from(this.digits, (digit) => logicNot(digit as Logic)).join(""));
  }
  shiftLeft(by: number): LogicVector {
    return this.make(this.width, (this.digits + "0".repeat(by)).slice(-this.width));
  }
  shiftRight(by: number): LogicVector {
    return this.make(this.width, this.digits.slice(0, Math.max(0, this.width - by)) || "0");
  }
  rotateLeft(by: number): LogicVector {
    const at = by % this.width;
    return this.make(this.width, this.digits.slice(at) + this.digits.slice(0, at));
  }
  rotateRight(by: number): LogicVector {
    return this.rotateLeft(this.width - (by % this.width));
  }
  /** The bits of both side by side, this one's highest. */
  concat(other: LogicVector): LogicVector {
    return new LogicVector(this.width + other.width, this.digits + other.digits);
  }

  andReduce(): Logic {
    return this.reduce(logicAnd);
  }
  orReduce(): Logic {
    return this.reduce(logicOr);
  }
  xorReduce(): Logic {
    return this.reduce(logicXor);
  }

  /** As a number; with X (taken as 1) or Z (taken as 0) a warning. */
  toUint(): bigint {
    if (!this.isKnown) currentContext().reports.report(Severity.Warning, message.VECTOR_CONTAINS_LOGIC_VALUE);
    return BigInt(`0b${this.digits.replaceAll("X", "1").replaceAll("Z", "0")}`);
  }
  toInt(): bigint {
    return BigInt.asIntN(this.width, this.toUint());
  }

  /** Another vector of the same kind. */
  protected make(width: number, value: VectorValue): LogicVector {
    return new LogicVector(width, value);
  }
  private zip(other: LogicVector, operation: (a: Logic, b: Logic) => Logic): LogicVector {
    const width = Math.max(this.width, other.width);
    const [a, b] = [this.digits.padStart(width, "0"), other.digits.padStart(width, "0")];
    const digits = Array.from(a, (digit, index) => operation(digit as Logic, b[index] as Logic));
    return (other instanceof BitVector ? this : other).make(width, digits.join(""));
  }
  private reduce(operation: (a: Logic, b: Logic) => Logic): Logic {
    return (Array.from(this.digits) as Logic[]).reduce(operation);
  }
  private check(high: number, low: number): void {
    if (Number.isInteger(high) && Number.isInteger(low) && low >= 0 && high >= low && high < this.width) return;
    const text = `bits ${high} to ${low} of a vector of ${this.width} bits`;
    currentContext().reports.report(Severity.Error, message.OUT_OF_BOUNDS, text);
  }
}

/** A vector of bits. X and Z of another vector become 1 and 0, with a warning; in a text they are an error. */
export class BitVector extends LogicVector {
  constructor(width: number, value: VectorValue = "0") {
    super(width, bitsOf(value));
  }
  protected override make(width: number, value: VectorValue): LogicVector {
    return new BitVector(width, value);
  }
}

function bitsOf(value: VectorValue): VectorValue {
  const { reports } = currentContext();
  if (typeof value === "string" && !/^[01]+$/.test(value)) {
    reports.report(Severity.Error, message.CANNOT_CONVERT, "string can contain only '0' and '1' characters");
  }
  if (typeof value !== "object" || value.isKnown) return value;
  reports.report(Severity.Warning, message.SC_BV_CANNOT_CONTAIN_X_AND_Z);
  return value.toString().replaceAll("X", "1").replaceAll("Z", "0");
}

function isBit(value: Logic): boolean {
  return value === "0" || value === "1";
}
