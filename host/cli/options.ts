/** Options that several commands share, and what they mean. */
import { availableParallelism } from "node:os";
import type { Argv } from "yargs";
import { LEVELS, type Level } from "../../driver/design.js";
import { platformNames, platformOf, type Platform } from "../../sim/platform/platform.js";
import { OPERATOR_TYPES } from "../graph/check.js";
import {
  acceleratorTarget,
  ENGINES,
  isAcceleratorPlace,
  type Engine,
  type SimulationOptions,
} from "../accelerators.js";
import { DEFAULT_DESIGN } from "../registry.js";
import { cpuTarget, type Target } from "../targets.js";
import { UsageError } from "./errors.js";
import { readText } from "./files.js";
import type { Progress } from "./progress.js";

const setOption = {
  type: "string",
  array: true,
  default: [] as string[],
  describe: "Parameter of the design: rows=8 (tandem designs lists them)",
} as const;

/** Which design, and how it is configured. */
export function designOptions<T>(yargs: Argv<T>) {
  return yargs
    .option("design", { type: "string", requiresArg: true, describe: `Design to simulate [${DEFAULT_DESIGN}]` })
    .option("set", setOption);
}

/** Which design, as what a command is about, and how it is configured. */
export function designPositional<T>(yargs: Argv<T>) {
  return yargs
    .positional("design", {
      type: "string",
      demandOption: true,
      describe: "Name of the design, or a file that exports one",
    })
    .option("set", setOption);
}

export interface DesignArguments {
  design: string | undefined;
  set: string[];
}

/** What simulates a design (docs/engines.md). */
export const engineOption = {
  type: "string",
  choices: ENGINES,
  describe: "What simulates the design: fast, or the kernel to debug [fast]",
} as const;

/** How close to hardware the model is (docs/levels.md). */
export const levelOption = {
  type: "string",
  choices: LEVELS,
  describe: "How close to hardware the design's model is: functional, transaction, cycle or rtl [the closest it has]",
} as const;

/** How many layers are simulated at once. */
export const jobsOption = {
  type: "number",
  requiresArg: true,
  default: availableParallelism(),
  defaultDescription: "one per processor",
  describe:
    "Layers to simulate at once, each in a thread: the CPU computes their inputs ahead, and what they give is compared",
} as const;

/** @throws UsageError if it is no count. */
export function checkJobs(jobs: number): number {
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= MOST_JOBS) return jobs;
  throw new UsageError(`--jobs ${jobs}: expected a number from 1 to ${MOST_JOBS}`);
}

const MOST_JOBS = 256;

/** Where and how a network runs. */
export function placeOptions<T>(yargs: Argv<T>) {
  return designOptions(yargs)
    .option("on", {
      type: "string",
      default: "sim",
      describe: "Where convolutions run: sim (a simulated design), cpu, or tcp://HOST:PORT (tandem serve, a board)",
    })
    .option("engine", engineOption)
    .option("level", levelOption)
    .option("jobs", jobsOption)
    .option("progress", {
      type: "boolean",
      describe: "Progress bar on stderr even where that is no terminal (--no-progress: never)",
    });
}

/** Which implementations of operators a network takes. */
export function kernelOptions<T>(yargs: Argv<T>) {
  return yargs
    .option("kernels", {
      type: "string",
      choices: ["fast", "reference"] as const,
      default: "fast" as const,
      describe: "CPU kernels to take first",
    })
    .option("use", {
      type: "string",
      array: true,
      default: [] as string[],
      describe: "Implementation of one layer or operator: 3=reference, CONV_2D=fast",
    });
}

/** The board around the accelerator, for predictions. */
export function platformOptions<T>(yargs: Argv<T>) {
  return platformOption(yargs).option("threads", {
    type: "number",
    choices: [1, 2] as const,
    default: 1 as const,
    describe: "Threads of the board's CPU, for predictions",
  });
}

/** What stands behind the accelerator's streams. */
export function platformOption<T>(yargs: Argv<T>) {
  return yargs
    .option("platform", {
      type: "string",
      choices: platformNames,
      describe: "Board around a simulated design: ideal (a beat per clock and stream) or pynq-z1",
    })
    .option("calibration", {
      type: "string",
      requiresArg: true,
      describe: "Constants of the board, as tandem calibrate --out writes them",
    });
}

export interface PlatformArguments {
  platform: (typeof platformNames)[number] | undefined;
  calibration: string | undefined;
  threads: 1 | 2;
}

/** @throws TandemError if the calibration cannot be read or is none. */
export function openPlatform(
  args: Pick<PlatformArguments, "platform" | "calibration">,
  unlessGiven: (typeof platformNames)[number],
): Platform {
  const { calibration } = args;
  const name = args.platform ?? (calibration === undefined ? unlessGiven : "pynq-z1");
  if (calibration === undefined) return platformOf(name);
  if (name === "ideal") throw new UsageError("--calibration is for a board, not for --platform ideal");
  return platformOf(name, { source: calibration, text: readText(calibration, "a calibration") });
}

export interface PlaceArguments extends DesignArguments {
  on: string;
  engine: Engine | undefined;
  level: Level | undefined;
  jobs: number;
  progress: boolean | undefined;
}

export interface KernelArguments {
  kernels: string;
  use: string[];
}

/**
 * The place that the options name; `progress` hears how far the accelerator has come in a layer, or in being built.
 * @throws UsageError if there is no such place, or the options contradict each other.
 */
export function openTarget(
  args: PlaceArguments & Pick<KernelArguments, "kernels">,
  progress: Pick<Progress, "clocks" | "building">,
  simulation: SimulationOptions = {},
): Promise<Target> {
  const { on, design, engine, level, kernels } = args;
  const jobs = checkJobs(args.jobs);
  checkEngine(args);
  if (isAcceleratorPlace(on)) {
    const set = parseSet(args.set);
    return acceleratorTarget({ on, design, set, engine, level, jobs, simulation, ...watch(progress) }, kernels);
  }
  if (on !== "cpu") throw new UsageError(`--on ${on}: no such place`, { hint: "Use sim, cpu or tcp://HOST:PORT." });
  if (design !== undefined || args.set.length > 0) {
    throw new UsageError("--design and --set mean nothing with --on cpu", { hint: "Add --on sim." });
  }
  return Promise.resolve(cpuTarget(kernels));
}

/** What an accelerator tells of its progress, to the bar. */
export const watch = (progress: Pick<Progress, "clocks" | "building">) => ({
  onClocks: (clocks: number): void => progress.clocks(clocks),
  onBuild: (done: number, total: number): void => progress.building(done, total),
});

/** @throws UsageError where an engine is named, but nothing is simulated here. */
export function checkEngine({ on, engine, level }: Pick<PlaceArguments, "on" | "engine" | "level">): void {
  if (level !== undefined && on !== "sim")
    throw new UsageError(`--level ${level} means nothing with --on ${on}`, { hint: "Add --on sim." });
  if (engine !== undefined && on !== "sim")
    throw new UsageError(`--engine ${engine} means nothing with --on ${on}`, { hint: "Add --on sim." });
}

/**
 * `--set rows=8 cols=8 systolic` as `--set rows=8 --set cols=8 systolic`: what follows a pair and is one too belongs to it,
 * and what is none (a design, a model, a number) stays what it is.
 */
export function spreadSet(args: readonly string[]): string[] {
  const out: string[] = [];
  let inside = false;
  for (const [i, arg] of args.entries()) {
    const isPair = /^[A-Za-z_]\w*=[^/\\]*$/.test(arg);
    const named = args[i - 1] === "--set";
    if (inside && isPair && !named) out.push("--set");
    inside = arg.startsWith("--set=") || (isPair && (named || inside));
    out.push(arg);
  }
  return out;
}

/** `--set rows=8` as overrides; the design converts and checks the values. */
export function parseSet(pairs: readonly string[]): Record<string, string> {
  return parsePairs("--set", pairs);
}

/** `--use 3=reference` as the plan's choice by layer. @throws UsageError if it is malformed. */
export function parseUse(pairs: readonly string[], target: Target): Record<string, string> {
  const names = new Set(target.implementations.map(({ name }) => name));
  return parsePairs("--use", pairs, (layer, name) => {
    const known = /^\d+$/.test(layer) || (OPERATOR_TYPES as string[]).includes(layer);
    if (!known) throw new UsageError(`--use ${layer}=${name}: "${layer}" is neither a layer's index nor an operator`);
    if (!names.has(name)) {
      throw new UsageError(`--use ${layer}=${name}: no such implementation`, {
        hint: `There are ${[...names].join(", ")}.`,
      });
    }
  });
}

/** `key=value` pairs. @throws UsageError if one has no `=`, or a key comes twice. */
function parsePairs(
  option: string,
  pairs: readonly string[],
  check: (key: string, value: string) => void = () => undefined,
): Record<string, string> {
  const parsed = new Map<string, string>();
  for (const pair of pairs) {
    const [, key, value] = /^([^=]+)=(.*)$/.exec(pair) ?? [];
    if (key === undefined || value === undefined) {
      throw new UsageError(`${option} ${pair}: expected NAME=VALUE`);
    }
    if (parsed.has(key)) throw new UsageError(`${option} ${pair}: ${key} is given twice`);
    check(key, value);
    parsed.set(key, value);
  }
  return Object.fromEntries(parsed);
}
