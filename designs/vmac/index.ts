/** The vector-MAC design, as the registry and the driver see it. */
import type { Design } from "../../driver/design.js";
import { compile, refuses, type ArrayTraits } from "../../driver/gemm/compile.js";
import { runGemmTransaction } from "../../driver/gemm/transaction.js";
import { convolve } from "../../driver/reference.js";
import { configure, describe, parameters, type VmacConfig } from "./config.js";
import { presets } from "./presets.js";
import * as secda from "../secda/compile.js";
import { SecdaVm } from "./secda/vm.js";
import { Vmac } from "./vmac.js";

const traits = ({ depth, lineDepth }: VmacConfig): ArrayTraits => ({
  design: "vmac",
  weightOrder: "columns",
  depth,
  gap: () => 0,
  lines: lineDepth > 0 ? { banks: depth, depth: lineDepth } : undefined,
});

const vm = { name: "SECDA's VM", span: 1 };

export const vmac: Design<VmacConfig> = {
  name: "vmac",
  title: "vector-MAC units",
  parameters,
  presets,
  levels: ["functional", "transaction", "cycle", "rtl"],
  levelOf: ({ model }) => (model === "own" ? "rtl" : "cycle"),
  configure,
  describe,
  build: (config, level) => (config.model === "own" ? new Vmac(config, level) : new SecdaVm()),
  transaction: (config) => {
    secda.requireOwn("vmac", config.model);
    return (program, memory) =>
      runGemmTransaction(program, memory, config, {
        weightOrder: traits(config).weightOrder,
        tileClocks: (k) => Math.ceil(k / config.depth),
      });
  },
  peakMacsPerClock: ({ units, unitRows, unitCols, depth }) => units * unitRows * unitCols * depth,
  refuses: (layer, config) =>
    config.model === "own" ? refuses(layer, config, traits(config)) : secda.refuses(layer, vm),
  compile: (layer, config) =>
    config.model === "own" ? compile(layer, config, traits(config)) : secda.compile(layer, vm),
  functional: convolve,
};
