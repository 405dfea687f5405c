/** The systolic design, as the registry and the driver see it. */
import { gemmDesign } from "../gemm/design.js";
import { saTraits } from "../secda/traits.js";
import { configure, describe, parameters, type SystolicConfig } from "./config.js";
import { presets } from "./presets.js";
import { SecdaSa } from "./secda/sa.js";
import { Systolic } from "./systolic.js";

export const systolic = gemmDesign<SystolicConfig>({
  name: "systolic",
  title: "output-stationary systolic array",
  parameters,
  presets,
  configure,
  describe,
  peakMacsPerClock: ({ rows, cols }) => rows * cols,
  traits: (config) => ({
    design: "systolic",
    weightOrder: "depth",
    // A column has one result register: the next tile starts R waves after the last, or when that has left the array.
    gap: (k) => (config.overlapTiles ? Math.max(0, config.rows - k) : config.rows + config.cellCols - 2),
  }),
  // A wave a clock; what the instruction asks for behind each tile comes on top.
  tileClocks: (k, gap) => k + gap,
  build: (config, level) => new Systolic(config, level),
  published: {
    traits: saTraits,
    build: () => new SecdaSa(),
  },
});
