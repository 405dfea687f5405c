/** Options that several commands share, and what they mean. */
import type { Argv } from "yargs";
import { OPERATOR_TYPES } from "../graph/check.js";
import { cpuTarget, type Target } from "../targets.js";
import { UsageError } from "./errors.js";

/** Where and how a network runs. */
export function placeOptions<T>(yargs: Argv<T>) {
  return yargs
    .option("on", {
      type: "string",
      default: "cpu",
      describe: "Where convolutions run: cpu",
    })
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
      describe: "Implementation of one layer or operator: 3=reference, CONV_2D=reference",
    })
    .option("progress", {
      type: "boolean",
      describe: "Progress bar on stderr even where that is no terminal (--no-progress: never)",
    });
}

export interface PlaceArguments {
  on: string;
  kernels: string;
  use: string[];
  progress: boolean | undefined;
}

/** @throws UsageError if there is no such place. */
export function openTarget(args: PlaceArguments): Promise<Target> {
  if (args.on === "cpu") return Promise.resolve(cpuTarget(args.kernels));
  throw new UsageError(`--on ${args.on}: no such place`, { hint: "Use cpu." });
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
export function parsePairs(
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
