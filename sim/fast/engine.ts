/** The fast engine of a design that was read from its source: compiled here, and run (see docs/engines.md). */
import type { DesignIr } from "../../hw/ir/ir.js";
import { compile } from "./compile.js";
import { imageOf } from "./image.js";
import { ImageEngine } from "./image-engine.js";

export class FastEngine extends ImageEngine {
  constructor(ir: DesignIr) {
    super(ir.design, imageOf(compile(ir)));
  }
}
