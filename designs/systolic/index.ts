/** The systolic design, as the registry and the driver see it. */
import type { Design } from "../../driver/design.js";
import { compile, refuses, type ArrayTraits } from "../../driver/gemm/compile.js";
import { convolve } from "../../driver/reference.js";
import { configure, describe, parameters, type SystolicConfig } from "./config.js";
import { presets } from "./presets.js";
import { Systolic } from "./systolic.js";

const traits = (config: SystolicConfig): ArrayTraits => ({
  design: "systolic",
  weightOrder: "depth",
  // A column has one result register: the next tile starts R waves after the last, or when that has left the array.
  gap: (k) => (config.overlapTiles ? Math.max(0, config.rows - k) : config.rows + config.cellCols - 2),
});

export const systolic: Design<SystolicConfig> = {
  name: "systolic",
  title: "output-stationary systolic array",
  parameters,
  presets,
  levels: ["functional", "cycle"],
  configure,
  describe,
  build: (config) => new Systolic(config),
  peakMacsPerClock: ({ rows, cols }) => rows * cols,
  refuses: (layer, config) => refuses(layer, config, traits(config)),
  compile: (layer, config) => compile(layer, config, traits(config)),
  functional: convolve,
};
