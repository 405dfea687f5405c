/**
 * Fixed-point numbers with quantisation and overflow modes (IEEE 1666-2011 clause 7.10: sc_fixed, sc_ufixed). A format says
 * how a value is stored; sums and products are exact, and quantised when they are stored.
 */
import { currentContext } from "./context.js";
import { message, Severity } from "./report.js";

/** What happens to bits below the least significant one; named as the standard does, without SC_. */
export type Quantisation = "RND" | "RND_ZERO" | "RND_MIN_INF" | "RND_INF" | "RND_CONV" | "TRN" | "TRN_ZERO";
/** What happens above the most significant one. WRAP keeps the low bits. */
export type Overflow = "SAT" | "SAT_ZERO" | "SAT_SYM" | "WRAP";

/** An exact value: mantissa / 2^fraction. */
export class Fixed {
  readonly mantissa: bigint;
  readonly fraction: number;
  constructor(mantissa: bigint, fraction: number) {
    this.mantissa = mantissa;
    this.fraction = fraction;
  }
  plus(other: Fixed): Fixed {
    const fraction = Math.max(this.fraction, other.fraction);
    return new Fixed(this.scaled(fraction) + other.scaled(fraction), fraction);
  }
  minus(other: Fixed): Fixed {
    return this.plus(new Fixed(-other.mantissa, other.fraction));
  }
  times(other: Fixed): Fixed {
    return new Fixed(this.mantissa * other.mantissa, this.fraction + other.fraction);
  }
  equals(other: unknown): boolean {
    return other instanceof Fixed && this.minus(other).mantissa === 0n;
  }
  toNumber(): number {
    return Number(this.mantissa) / 2 ** this.fraction;
  }
  toString(): string {
    return String(this.toNumber());
  }
  private scaled(fraction: number): bigint {
    return this.mantissa << BigInt(fraction - this.fraction);
  }
}

export interface FixedOptions {
  readonly signed?: boolean;
  readonly quantisation?: Quantisation;
  readonly overflow?: Overflow;
}

/** `wordLength` bits, of which `integerLength` (sign included) stand before the point. */
export class FixedFormat {
  readonly wordLength: number;
  readonly integerLength: number;
  readonly signed: boolean;
  readonly quantisation: Quantisation;
  readonly overflow: Overflow;

  constructor(wordLength: number, integerLength: number, options: FixedOptions = {}) {
    if (!(wordLength >= 1)) {
      currentContext().reports.report(
        Severity.Error,
        message.OUT_OF_BOUNDS,
        `a fixed-point word of ${wordLength} bits`,
      );
    }
    this.wordLength = wordLength;
    this.integerLength = integerLength;
    this.signed = options.signed ?? true;
    this.quantisation = options.quantisation ?? "TRN";
    this.overflow = options.overflow ?? "WRAP";
  }

  /** Stores a value in this format. */
  of(value: Fixed | number): Fixed {
    const exact = typeof value === "number" ? exactly(value) : value;
    const fraction = this.wordLength - this.integerLength;
    return new Fixed(this.limit(this.quantise(exact, fraction)), fraction);
  }

  private quantise({ mantissa, fraction }: Fixed, wanted: number): bigint {
    if (fraction <= wanted) return mantissa << BigInt(wanted - fraction);
    const dropped = BigInt(fraction - wanted);
    const floor = mantissa >> dropped;
    const rest = mantissa - (floor << dropped);
    const half = 1n << (dropped - 1n);
    return floor + (roundsUp(this.quantisation, floor, rest, half, mantissa < 0n) ? 1n : 0n);
  }

  private limit(value: bigint): bigint {
    const width = BigInt(this.wordLength);
    const highest = (1n << (this.signed ? width - 1n : width)) - 1n;
    const symmetric = this.overflow === "SAT_SYM";
    const lowest = !this.signed ? 0n : symmetric ? -highest : -highest - 1n;
    if (value >= lowest && value <= highest) return value;
    if (this.overflow === "SAT_ZERO") return 0n;
    if (this.overflow !== "WRAP") return value < lowest ? lowest : highest;
    return this.signed ? BigInt.asIntN(this.wordLength, value) : BigInt.asUintN(this.wordLength, value);
  }
}

/** Whether to take the next value above `floor`, with `rest` of `2 half` beyond it. */
function roundsUp(mode: Quantisation, floor: bigint, rest: bigint, half: bigint, negative: boolean): boolean {
  if (mode === "TRN") return false;
  if (mode === "TRN_ZERO") return negative && rest > 0n;
  if (rest !== half) return rest > half;
  switch (mode) {
    case "RND":
      return true;
    case "RND_ZERO":
      return negative;
    case "RND_MIN_INF":
      return false;
    case "RND_INF":
      return !negative;
    case "RND_CONV":
      return (floor & 1n) === 1n;
  }
}

/** A finite number as it is: a double is a whole number over a power of two. */
function exactly(value: number): Fixed {
  if (!Number.isFinite(value)) {
    currentContext().reports.report(Severity.Error, message.VALUE_NOT_VALID, String(value));
  }
  let fraction = 0;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    fraction++;
  }
  return new Fixed(BigInt(scaled), fraction);
}
