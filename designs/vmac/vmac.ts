/** The vector-MAC accelerator: the modules of every matrix product around the units. */
import { GemmAccelerator } from "../systolic/gemm.js";
import type { VmacConfig } from "./config.js";
import { MacUnits } from "./units.js";

export class Vmac extends GemmAccelerator {
  constructor(config: VmacConfig) {
    super("vmac", config, (parent) => new MacUnits(parent, "units", config));
  }
}
