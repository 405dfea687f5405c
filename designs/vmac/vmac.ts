/** The vector-MAC accelerator: the modules of every matrix product around the units, and the line buffer. */
import type { ClockedLevel } from "../../driver/design.js";
import type { Module } from "../../hw/index.js";
import { GemmAccelerator, type LinePorts } from "../gemm/accelerator.js";
import type { VmacConfig } from "./config.js";
import { LineBuffer, Router } from "./lines.js";
import { MacUnits } from "./units.js";

/** The line buffer behind the router that leads the first input to it. */
class Lines implements LinePorts {
  readonly route;
  readonly job;
  readonly stream;
  readonly through;
  readonly router: Router;
  readonly buffer: LineBuffer;

  constructor(parent: Module, config: VmacConfig) {
    this.router = new Router(parent, "router", config);
    this.buffer = new LineBuffer(parent, "lineBuffer", config);
    this.route = this.router.route;
    this.stream = this.router.stream;
    this.through = this.router.through;
    this.job = this.buffer.job;
  }
}

export class Vmac extends GemmAccelerator {
  constructor(config: VmacConfig, level?: ClockedLevel) {
    let units: MacUnits | undefined;
    let lines: Lines | undefined;
    super(
      "vmac",
      config,
      (parent) => (units = new MacUnits(parent, "units", config)),
      level,
      config.lineBytes > 0 ? (parent) => (lines = new Lines(parent, config)) : undefined,
      config.lineBytes > 0 ? config.depth : 0,
    );
    if (!lines || !units) return;
    this.connect(lines.router.aside, lines.buffer.stream);
    this.connect(lines.buffer.windows, units.windows[0]!);
  }
}
