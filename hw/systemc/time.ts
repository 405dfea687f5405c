/**
 * Simulated time with a resolution, after IEEE 1666-2011 clause 5.11 (sc_time).
 *
 * A `Time` is a whole number of resolution units (1 ps unless `setTimeResolution` says otherwise); a quantity that does
 * not fit is rounded to the nearest unit, ties up. The standard counts in 64 bits; here a time is exact up to 2^53 - 1
 * units (2.5 hours at 1 ps), and a larger one is reported as an overflow.
 */
import { currentContext, type Context } from "./context.js";
import { message, Severity } from "./report.js";

/** SI prefixes that the standard knows, smallest first; each is a thousand of the one before. */
export const timeUnits = ["fs", "ps", "ns", "us", "ms", "s"] as const;
export type TimeUnit = (typeof timeUnits)[number];

/** What the kernel knows about time. `resolution` is in femtoseconds and a power of ten. */
export interface TimeParameters {
  resolution: number;
  resolutionSpecified: boolean;
  /** True once a time other than zero was made: from then on the resolution cannot change. */
  fixed: boolean;
}

export class Time {
  /** Whole number of resolution units. */
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  /** For `<`, `<=`, `>`, `>=`. */
  valueOf(): number {
    return this.value;
  }
  equals(other: Time): boolean {
    return this.value === other.value;
  }
  plus(other: Time): Time {
    return checked(this.value + other.value);
  }
  minus(other: Time): Time {
    return checked(this.value - other.value);
  }
  /** Scaled by a real factor, rounded to the nearest unit. */
  times(factor: number): Time {
    return checked(Math.floor(this.value * factor + 0.5));
  }
  /** Divided by a real number (a `Time`, rounded) or by a time (a ratio). */
  dividedBy(divisor: Time): number;
  dividedBy(divisor: number): Time;
  dividedBy(divisor: number | Time): number | Time {
    return divisor instanceof Time ? this.value / divisor.value : checked(Math.floor(this.value / divisor + 0.5));
  }
  modulo(other: Time): Time {
    return new Time(this.value % other.value);
  }
  /** In seconds, as a real number. */
  toSeconds(): number {
    return this.value * currentContext().time.resolution * 1e-15;
  }
  /** In the largest unit that leaves a whole number: `10 ns`, `1500 ps`, `0 s`. */
  toString(): string {
    return formatTime(this.value, currentContext());
  }
}

function checked(value: number): Time {
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
    const reports = currentContext().reports;
    reports.report(Severity.Error, message.SIMULATION_TIME_OVERFLOW, `${value} units, outside 0 .. 2^53 - 1`);
  }
  return new Time(value);
}

export function formatTime(value: number, context: Context): string {
  if (value === 0) return "0 s";
  let scale = Math.round(Math.log10(context.time.resolution));
  let digits = value;
  while (scale < 15 && digits % 10 === 0) {
    digits /= 10;
    scale++;
  }
  const unit = Math.min(Math.floor(scale / 3), 5);
  return `${digits}${"0".repeat(scale - unit * 3)} ${timeUnits[unit] ?? ""}`;
}

/** Shared zero: `notify(ZERO_TIME)` and `wait(ZERO_TIME)` mean the next delta cycle. */
export const ZERO_TIME = new Time(0);
/** The end of time of this kernel: 2^53 - 1 resolution units. */
export const MAX_TIME = new Time(Number.MAX_SAFE_INTEGER);

/** `amount` in `unit`, rounded to the resolution of the current simulation. */
export function time(amount: number, unit: TimeUnit): Time {
  if (amount === 0) return ZERO_TIME;
  const parameters = currentContext().time;
  parameters.fixed = true;
  const factor = 10 ** (3 * timeUnits.indexOf(unit)) / parameters.resolution;
  return checked(Math.floor(amount * factor + 0.5));
}

export const fs = (amount: number): Time => time(amount, "fs");
export const ps = (amount: number): Time => time(amount, "ps");
export const ns = (amount: number): Time => time(amount, "ns");
export const us = (amount: number): Time => time(amount, "us");
export const ms = (amount: number): Time => time(amount, "ms");
export const seconds = (amount: number): Time => time(amount, "s");

/** A time from text such as `"2.5 ns"`. */
export function timeFromString(text: string): Time {
  const match = /^\s*([0-9.eE+-]+)\s*(\S*)$/.exec(text);
  const amount = Number(match?.[1]);
  const reports = currentContext().reports;
  if (match === null || !(amount >= 0)) {
    reports.report(Severity.Error, message.TIME_CONVERSION_FAILED, "invalid value given");
    return ZERO_TIME;
  }
  const unit = (match[2] ?? "").replace(/^SC_SEC$/, "s").replace(/^SC_(..)$/, (_, name: string) => name.toLowerCase());
  if (unit === "") {
    reports.report(Severity.Error, message.TIME_CONVERSION_FAILED, "no time unit given");
    return ZERO_TIME;
  }
  if (!(timeUnits as readonly string[]).includes(unit)) {
    reports.report(Severity.Error, message.TIME_CONVERSION_FAILED, "invalid unit given");
    return ZERO_TIME;
  }
  return time(amount, unit as TimeUnit);
}

/** Sets the resolution: a power of ten, once, before any time other than zero was made and before simulation. */
export function setTimeResolution(amount: number, unit: TimeUnit): void {
  const context = currentContext();
  const fail = (why: string): void => context.reports.report(Severity.Error, message.SET_TIME_RESOLUTION, why);
  if (amount < 0) fail("value not positive");
  if (!Number.isInteger(Math.log10(amount))) fail("value not a power of ten");
  if (context.isRunning) fail("simulation running");
  if (context.time.resolutionSpecified) fail("already specified");
  if (context.time.fixed) fail("sc_time object(s) constructed");
  const resolution = amount * 10 ** (3 * timeUnits.indexOf(unit));
  if (resolution < 1) fail("value smaller than 1 fs");
  // The default time unit of 1 ns, which a clock without a period takes, cannot be finer than the resolution.
  if (resolution > 1e6) context.reports.report(Severity.Warning, message.DEFAULT_TIME_UNIT_CHANGED);
  context.time.resolution = resolution;
  context.time.resolutionSpecified = true;
}

export function timeResolution(): Time {
  return new Time(1);
}
