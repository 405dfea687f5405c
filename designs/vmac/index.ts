/** The vector-MAC design, as the registry and the driver see it. */
import type { Design } from "../../driver/design.js";
import { compile, refuses, type ArrayTraits } from "../../driver/gemm/compile.js";
import { convolve } from "../../driver/reference.js";
import { configure, describe, parameters, type VmacConfig } from "./config.js";
import { presets } from "./presets.js";
import { Vmac } from "./vmac.js";

const traits = ({ depth, lineDepth }: VmacConfig): ArrayTraits => ({
  design: "vmac",
  weightOrder: "columns",
  depth,
  gap: () => 0,
  lines: lineDepth > 0 ? { banks: depth, depth: lineDepth } : undefined,
});

export const vmac: Design<VmacConfig> = {
  name: "vmac",
  title: "vector-MAC units",
  parameters,
  presets,
  levels: ["functional", "rtl"],
  configure,
  describe,
  build: (config) => new Vmac(config),
  peakMacsPerClock: ({ units, unitRows, unitCols, depth }) => units * unitRows * unitCols * depth,
  refuses: (layer, config) => refuses(layer, config, traits(config)),
  compile: (layer, config) => compile(layer, config, traits(config)),
  functional: convolve,
};
