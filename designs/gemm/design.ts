/**
 * A design around the modules of this folder, as the registry and the driver see it. Its parameter `model` can put a published
 * design of SECDA (arXiv 2110.00478) in its place.
 */
import type { ClockedLevel, Design, ParameterSpec } from "../../driver/design.js";
import { compile, refuses, type ArrayTraits } from "../../driver/gemm/compile.js";
import type { GemmConfig } from "../../driver/gemm/config.js";
import { runGemmTransaction } from "../../driver/gemm/transaction.js";
import { convolve } from "../../driver/reference.js";
import type { Module } from "../../hw/index.js";
import * as secda from "../secda/compile.js";
import type { SecdaTraits } from "../secda/traits.js";

export interface ModelledConfig extends GemmConfig {
  /** `own`, or a published design that has this one's place (presets); then no other parameter counts. */
  readonly model: string;
}

/** The parameter `model` of a design that the published design `title` can stand in for, under the name `value`. */
export const modelParameter = (value: string, title: string): ParameterSpec => ({
  name: "model",
  unit: "",
  default: "own",
  values: ["own", value],
  description: `This design, or a model of ${title} in its place, for which no other parameter counts.`,
});

type Described = "name" | "title" | "parameters" | "presets" | "configure" | "describe" | "peakMacsPerClock";

/** What a design adds. */
export interface GemmDesign<Config extends ModelledConfig> extends Pick<Design<Config>, Described> {
  traits(config: Config): ArrayTraits;
  build(config: Config, level?: ClockedLevel): Module;
  /** Clocks of the array for a tile of depth `k`, with the `gap` that the instruction asks for; an estimate. */
  tileClocks(k: number, gap: number, config: Config): number;
  /** What stands in its place where `model` is not `own`. */
  readonly published: { readonly traits: SecdaTraits; build(): Module };
}

export function gemmDesign<Config extends ModelledConfig>({
  traits,
  build,
  tileClocks,
  published,
  ...described
}: GemmDesign<Config>): Design<Config> {
  const own = ({ model }: Config): boolean => model === "own";
  return {
    ...described,
    // Of a published design no other parameter counts.
    describe: (config) => (own(config) ? described.describe(config) : { model: config.model }),
    levels: ["functional", "transaction", "cycle", "rtl"],
    levelOf: (config) => (own(config) ? "rtl" : "cycle"),
    build: (config, level) => (own(config) ? build(config, level) : published.build()),
    transaction: (config) => {
      secda.requireOwn(described.name, config.model);
      return (program, memory) =>
        runGemmTransaction(program, memory, config, {
          weightOrder: traits(config).weightOrder,
          tileClocks: (k, gap) => tileClocks(k, gap, config),
        });
    },
    refuses: (layer, config) =>
      own(config) ? refuses(layer, config, traits(config)) : secda.refuses(layer, published.traits),
    compile: (layer, config) =>
      own(config) ? compile(layer, config, traits(config)) : secda.compile(layer, published.traits),
    functional: convolve,
  };
}
