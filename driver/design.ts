/**
 * A design, as the driver, the command line and the tests see it: its parameters, how to build it, which layers it takes
 * and how a layer becomes a program. `Config` is the one object that holds the design's constants.
 */
import { TandemError } from "../hw/errors.js";
import type { Module } from "../hw/index.js";
import type { ParameterValue } from "./device.js";
import type { ConvLayer } from "./layer.js";
import type { Program } from "./program.js";

/** How close to hardware a model of a design stands (docs/levels.md), the farthest first. */
export const LEVELS = ["functional", "transaction", "cycle", "rtl"] as const;
export type Level = (typeof LEVELS)[number];

/** Levels that run clock by clock. */
export type ClockedLevel = Extract<Level, "cycle" | "rtl">;

/**
 * A design as what a program does to memory: `memory` holds the program's buffers, and those of role `output` are filled.
 * Gives the clocks that it would take, an estimate.
 */
export type TransactionModel = (program: Program, memory: readonly Uint8Array[]) => number;

/** The level of a configuration: the design's own word, or the most exact that it has. */
export const levelOf = <Config>(design: Design<Config>, config: Config): Level =>
  design.levelOf?.(config) ?? (design.levels.includes("rtl") ? "rtl" : "cycle");

/** @throws TandemError if the design as configured does not have the level, or not as one that runs clock by clock. */
export function clockedLevel<Config>(design: Design<Config>, config: Config, wanted?: Level): ClockedLevel {
  const closest = levelOf(design, config);
  const level = wanted ?? closest;
  if (!design.levels.includes(level) || (level === "rtl" && closest !== "rtl"))
    throw new TandemError(`Design ${design.name} has no level ${level}`, {
      hint: design.levels.includes(level)
        ? `With these parameters the closest to hardware is ${closest}.`
        : `It has ${design.levels.join(", ")}.`,
    });
  if (level === "functional" || level === "transaction")
    throw new TandemError(`The level ${level} of ${design.name} has no clocks to simulate`, {
      hint: "Simulate the level cycle or rtl.",
    });
  return level;
}

/** One parameter of a design, for the user. */
export interface ParameterSpec {
  readonly name: string;
  readonly description: string;
  /** `bytes`, `rows`, `tokens`, ... or empty. */
  readonly unit: string;
  /** A value, or a short text that says how it follows from the other parameters. */
  readonly default: ParameterValue;
  /** Least and greatest value of a number. */
  readonly min?: number;
  readonly max?: number;
  /** All allowed values, where they are few. */
  readonly values?: readonly ParameterValue[];
}

/** A layer as a program, with what the CPU has to do before and after. */
export interface CompiledProgram {
  readonly program: Program;
  /**
   * The bytes of the buffers of role `input`, from the layer's input tensor (NHWC): as it is, or packed by the CPU. With `room`, which has a
   * place for each of them, what is packed may be written there.
   */
  inputs(tensor: Uint8Array, room?: Readonly<Record<string, Uint8Array>>): Readonly<Record<string, Uint8Array>>;
  /** The output tensor (NHWC) in the buffers of role `output`. */
  output(outputs: Readonly<Record<string, Uint8Array>>): Uint8Array;
  /** True if `inputs` (`output`) hands over the tensor itself, so that the CPU moves no byte. */
  readonly packs: boolean;
  readonly unpacks: boolean;
  /** How the layer was tiled, in words and figures, for reports. */
  readonly tiling: Readonly<Record<string, number | boolean>>;
  /** Least clocks that the hardware's own shape allows; absent where the design does not say. */
  readonly least?: LeastClocks;
}

/** Clocks below which a layer cannot come, however fast its bytes move. */
export interface LeastClocks {
  /** Of the arithmetic, where every tile is computed whole. */
  readonly tiles: number;
  /** Of the post-processor, at all its lanes. */
  readonly lanes: number;
}

export interface Design<Config = unknown> {
  readonly name: string;
  readonly title: string;
  readonly parameters: readonly ParameterSpec[];
  /** Named sets of parameters. */
  readonly presets: Readonly<Record<string, Readonly<Record<string, ParameterValue>>>>;
  readonly levels: readonly Level[];
  /** The level of a configuration, where presets model other hardware than the design's own; the most exact of `levels` else. */
  levelOf?(config: Config): Level;
  /** A checked configuration; a `TandemError` for an unknown parameter, a value out of range or a bad combination. */
  configure(overrides?: Readonly<Record<string, ParameterValue>>): Config;
  /** Every parameter of a configuration, with its value. */
  describe(config: Config): Readonly<Record<string, ParameterValue>>;
  /** A fresh instance at a clocked level, `rtl` unless told otherwise; its outer ports are streams (driver/stream.ts). */
  build(config: Config, level?: ClockedLevel): Module;
  /** The level `transaction`: whole transfers, and a time by formula. */
  transaction?(config: Config): TransactionModel;
  peakMacsPerClock(config: Config): number;
  /** Null if the design takes the layer, else why not, as a short clause. */
  refuses(layer: ConvLayer, config: Config): string | null;
  /** Tiling, packing of weights, instructions; a `TandemError` if the design refuses the layer. */
  compile(layer: ConvLayer, config: Config): CompiledProgram;
  /** The level `functional`: a pure function on the layer and its input tensor (NHWC), the oracle of all other levels. */
  functional(layer: ConvLayer, input: Uint8Array): Uint8Array;
}

/**
 * Overrides checked against the specs. Values may come as text (`rows=8` on a command line) and are converted.
 * The defaults are not filled in: what a design derives stays its own matter.
 */
export function checkParameters(
  design: string,
  specs: readonly ParameterSpec[],
  overrides: Readonly<Record<string, ParameterValue>>,
): Record<string, ParameterValue> {
  const out: Record<string, ParameterValue> = {};
  for (const [name, given] of Object.entries(overrides)) {
    const spec = specs.find((s) => s.name === name);
    if (!spec)
      throw new TandemError(`Design ${design} has no parameter "${name}"`, {
        hint: `Its parameters are ${specs.map((s) => s.name).join(", ")}.`,
      });
    out[name] = checkValue(design, spec, given);
  }
  return out;
}

function checkValue(design: string, spec: ParameterSpec, given: ParameterValue): ParameterValue {
  const expected = spec.values
    ? spec.values.map(String).join(", ")
    : typeof spec.default === "number"
      ? `an integer from ${spec.min ?? "-inf"} to ${spec.max ?? "inf"}`
      : `a ${typeof spec.default}`;
  const wrong = (): never => {
    throw new TandemError(`Design ${design}: ${spec.name} = ${String(given)}`, { hint: `Expected ${expected}.` });
  };
  let value: ParameterValue = given;
  if (typeof given === "string" && typeof spec.default !== "string") {
    if (typeof spec.default === "boolean") value = given === "true" ? true : given === "false" ? false : wrong();
    else value = /^-?\d+$/.test(given.trim()) ? Number(given) : wrong();
  }
  if (typeof value !== typeof spec.default) return wrong();
  if (spec.values && !spec.values.includes(value)) return wrong();
  if (typeof value === "number") {
    if (!Number.isInteger(value)) return wrong();
    if (value < (spec.min ?? -Infinity) || value > (spec.max ?? Infinity)) return wrong();
  }
  return value;
}
