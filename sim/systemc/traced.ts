/**
 * Traced values (IEEE 1666-2011 clause 8.1, sc_trace): how a value is sampled, when it counts as changed, and what stands
 * for it in a Value Change Dump.
 */
import { Event } from "../../hw/systemc/event.js";
import { Fixed, type FixedFormat } from "../../hw/systemc/fixed.js";
import { Integer } from "../../hw/systemc/integer.js";
import { LogicVector } from "../../hw/systemc/logic.js";
import { Time } from "../../hw/systemc/time.js";

/** What JavaScript's own values mean. Without one a boolean is one bit, and a number is an int of 32 bits. */
export type TraceKind =
  /** An integer; a value that does not fit is shown as x. */
  | { readonly bits: number; readonly signed?: boolean }
  | { readonly real: true }
  /** An enumeration, as the number of the literal, in as many bits as that needs. */
  | { readonly literals: readonly string[] }
  /** The word of a fixed-point format. */
  | { readonly format: FixedFormat };

/** A variable, an event, or whatever can be read: a signal, a bound port, or a function. */
export type Traceable = Event | Integer | { read(): unknown } | (() => unknown);

type Sample = boolean | number | bigint | string;
type VariableType = "wire" | "real" | "event" | "time";

export class Traced {
  readonly name: string;
  readonly code: string;
  readonly type: VariableType;
  readonly bits: number;
  private readonly sample: () => Sample;
  private readonly digits: (value: Sample) => string;
  private old: Sample;

  constructor(name: string, code: string, what: Traceable, kind: TraceKind | undefined) {
    this.name = name;
    this.code = code;
    ({ type: this.type, bits: this.bits, sample: this.sample, digits: this.digits } = describe(what, kind));
    this.old = this.sample();
  }

  get changed(): boolean {
    return this.sample() !== this.old;
  }

  /** The line for the value now, which from here on is the old one. */
  line(): string {
    const value = this.sample();
    const text = this.type === "event" && value === this.old ? "" : this.compose(this.digits(value));
    this.old = value;
    return text;
  }
  private compose(digits: string): string {
    if (this.type === "real") return `r${digits} ${this.code}`;
    return this.bits === 1 ? digits + this.code : `b${stripLeading(digits)} ${this.code}`;
  }

  /** `$var` without the range for one bit; the blanks are those that Accellera's library writes. */
  declaration(scopedName: string): string {
    const range = this.bits === 1 ? "     " : `[${this.bits - 1}:0] `;
    const bits = String(this.bits).padStart(2);
    return `$var ${this.type}   ${bits}  ${this.code}  ${scopedName} ${range} $end\n`;
  }
}

interface Description {
  readonly type: VariableType;
  readonly bits: number;
  readonly sample: () => Sample;
  readonly digits: (value: Sample) => string;
}

function describe(what: Traceable, kind: TraceKind | undefined): Description {
  if (what instanceof Event) {
    // An event that is traced is not skipped where nobody waits for it.
    what.waiters++;
    return { type: "event", bits: 1, sample: () => what.triggerStamp, digits: () => "1" };
  }
  const read = what instanceof Integer ? () => what : typeof what === "function" ? what : () => what.read();
  const first = read();
  if (first instanceof Integer) {
    const bits = first.width;
    return { type: "wire", bits, sample: () => (read() as Integer).value, digits: (value) => word(value, bits) };
  }
  if (first instanceof LogicVector) {
    return { type: "wire", bits: first.width, sample: () => String(read()), digits: String };
  }
  if (typeof first === "string") {
    return { type: "wire", bits: 1, sample: () => String(read()), digits: (value) => String(value).toLowerCase() };
  }
  if (first instanceof Time) {
    return { type: "time", bits: 64, sample: () => (read() as Time).value, digits: (value) => word(value, 64) };
  }
  if (kind !== undefined && "format" in kind) {
    const { format } = kind;
    const bits = format.wordLength;
    const sample = (): bigint => format.of(read() as Fixed | number).mantissa;
    return { type: "wire", bits, sample, digits: (value) => word(value, bits) };
  }
  const sample = (): Sample => read() as Sample;
  if (kind !== undefined && "real" in kind) {
    const number = (): number => Number(read());
    return { type: "real", bits: 1, sample: number, digits: (value) => general(value as number, 16) };
  }
  if (kind === undefined && (typeof first === "boolean" || first instanceof Fixed)) {
    if (typeof first === "boolean") return { type: "wire", bits: 1, sample, digits: (value) => (value ? "1" : "0") };
    // A value without a format has no word: its worth, as sc_fxval.
    const worth = (): number => (read() as Fixed).toNumber();
    return { type: "real", bits: 1, sample: worth, digits: (value) => general(value as number, 16) };
  }
  if (kind !== undefined && "literals" in kind) {
    const bits = Math.max(1, 32 - Math.clz32(kind.literals.length - 1));
    return { type: "wire", bits, sample, digits: (value) => fitting(value, bits, false) };
  }
  const { bits = 32, signed = true } = kind ?? {};
  return { type: "wire", bits, sample, digits: (value) => fitting(value, bits, signed) };
}

/** The low bits of a whole number. */
function word(value: Sample, bits: number): string {
  return BigInt.asUintN(bits, BigInt(value)).toString(2).padStart(bits, "0");
}
/** The same for a value that may be out of range. */
function fitting(value: Sample, bits: number, signed: boolean): string {
  if (typeof value === "string" || (typeof value === "number" && !Number.isInteger(value))) return "x".repeat(bits);
  const exact = BigInt(value);
  const kept = signed ? BigInt.asIntN(bits, exact) : BigInt.asUintN(bits, exact);
  return kept === exact ? word(exact, bits) : "x".repeat(bits);
}

/** Of several leading 0, x or z one is enough, and none of 0 before a 1. */
function stripLeading(digits: string): string {
  if (digits.length < 2 || !"0xz".includes(digits[0]!)) return digits;
  let at = 1;
  while (digits[at] === digits[0]) at++;
  return digits.slice(digits[0] === "0" && digits[at] === "1" ? at : at - 1);
}

/** As C's printf writes a number with `%.Ng`. */
export function general(value: number, precision: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa, power] = value.toExponential(precision - 1).split("e") as [string, string];
  const exponent = Number(power);
  const strip = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (exponent >= -4 && exponent < precision) return strip(value.toFixed(Math.max(0, precision - 1 - exponent)));
  return `${strip(mantissa)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
