/** The systolic design, as the registry and the driver see it. */
import type { Design } from "../../driver/design.js";
import { convolve } from "../../driver/reference.js";
import { compile, refuses } from "./compile.js";
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
  compile,
  functional: convolve,
};
