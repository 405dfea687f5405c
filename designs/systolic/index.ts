/** The systolic design, as the registry and the driver see it. */
import type { Design } from "../../driver/design.js";
import { compile, refuses } from "../../driver/gemm/compile.js";
import { convolve } from "../../driver/reference.js";
import { configure, describe, parameters, type SystolicConfig } from "./config.js";
import { presets } from "./presets.js";
import { Systolic } from "./systolic.js";

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
  refuses,
  compile: (layer, config) =>
    compile(layer, config, {
      design: "systolic",
      weightOrder: "depth",
      // A column has one result register: the next tile starts R waves after the last, or when that has left the array.
      gap: (k) => (config.overlapTiles ? Math.max(0, config.rows - k) : config.rows + config.cellCols - 2),
    }),
  functional: convolve,
};
