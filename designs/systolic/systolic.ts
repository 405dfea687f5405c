/** The systolic accelerator: the modules of every matrix product around the grid of cells. */
import { MacArray } from "./array.js";
import type { SystolicConfig } from "./config.js";
import { GemmAccelerator } from "./gemm.js";

export class Systolic extends GemmAccelerator {
  constructor(config: SystolicConfig) {
    super("systolic", config, (parent) => new MacArray(parent, "array", config));
  }
}
