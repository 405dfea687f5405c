/** The systolic accelerator: the modules of every matrix product around the grid of cells. */
import type { ClockedLevel } from "../../driver/design.js";
import { MacArray } from "./array.js";
import type { SystolicConfig } from "./config.js";
import { GemmAccelerator } from "../gemm/accelerator.js";

export class Systolic extends GemmAccelerator {
  constructor(config: SystolicConfig, level?: ClockedLevel) {
    super("systolic", config, (parent) => new MacArray(parent, "array", config), level);
  }
}
