/**
 * The board around an accelerator. `ideal` moves a beat per clock and stream, and has no CPU, DMA or energy model at all;
 * `pynq-z1` is the board of docs/platform.md. A platform is its constants: nothing else tells two boards apart.
 */
import { TandemError } from "../../hw/errors.js";
import type { Constant } from "./constant.js";
import { pynqZ1Constants, type ConstantName } from "./pynq-z1.constants.js";

/** Plain values by name, in the units of `pynq-z1.constants.ts`. */
export type BoardValues = Readonly<Record<ConstantName, number>>;

export interface Platform {
  readonly name: string;
  /** Undefined for the ideal platform. */
  readonly board: BoardValues | undefined;
}

export const constantNames = Object.keys(pynqZ1Constants) as ConstantName[];

/** The built-in values, with `overrides` (from a calibration file) in their place. */
export function boardValues(overrides: Readonly<Partial<Record<ConstantName, number>>> = {}): BoardValues {
  return Object.fromEntries(
    constantNames.map((name) => [name, overrides[name] ?? pynqZ1Constants[name].value]),
  ) as BoardValues;
}

export function constantOf(name: ConstantName): Constant {
  return pynqZ1Constants[name];
}

export const idealPlatform: Platform = { name: "ideal", board: undefined };
export const pynqZ1: Platform = { name: "pynq-z1", board: boardValues() };
export const platformNames = ["ideal", "pynq-z1"] as const;

/**
 * A built-in platform by name, or the PYNQ-Z1 with the constants of a calibration (the JSON text that `tandem calibrate
 * --out` writes; `source` names it in messages).
 */
export function platformOf(name: string, calibration?: { readonly source: string; readonly text: string }): Platform {
  if (name === "ideal" && !calibration) return idealPlatform;
  if (name !== "pynq-z1")
    throw new TandemError(`Platform "${name}": no such platform`, { hint: `There are ${platformNames.join(", ")}.` });
  return calibration ? { name, board: boardValues(readCalibration(calibration.source, calibration.text)) } : pynqZ1;
}

function readCalibration(source: string, text: string): Partial<Record<ConstantName, number>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new TandemError(`${source}: no JSON`, { hint: "Give a file that `tandem calibrate --out` wrote." });
  }
  const constants = (parsed as { constants?: unknown } | null)?.constants;
  if (typeof constants !== "object" || constants === null)
    throw new TandemError(`${source}: no object "constants"`, {
      hint: "Give a file that `tandem calibrate --out` wrote.",
    });
  for (const [name, value] of Object.entries(constants)) {
    if (!(constantNames as string[]).includes(name))
      throw new TandemError(`${source}: unknown constant "${name}"`, { hint: "docs/platform.md lists them." });
    if (typeof value !== "number" || !(value >= 0 && value < Infinity))
      throw new TandemError(`${source}: "${name}" is ${JSON.stringify(value)}; expected a number of at least 0`);
  }
  return constants;
}
