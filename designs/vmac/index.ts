/** The vector-MAC design, as the registry and the driver see it. */
import { gemmDesign } from "../gemm/design.js";
import { vmTraits } from "../secda/traits.js";
import { configure, describe, parameters, type VmacConfig } from "./config.js";
import { presets } from "./presets.js";
import { SecdaVm } from "./secda/vm.js";
import { Vmac } from "./vmac.js";

export const vmac = gemmDesign<VmacConfig>({
  name: "vmac",
  title: "vector-MAC units",
  parameters,
  presets,
  configure,
  describe,
  peakMacsPerClock: ({ units, unitRows, unitCols, depth }) => units * unitRows * unitCols * depth,
  traits: ({ depth, lineDepth }) => ({
    design: "vmac",
    weightOrder: "columns",
    depth,
    gap: () => 0,
    lines: lineDepth > 0 ? { banks: depth, depth: lineDepth } : undefined,
  }),
  tileClocks: (k, _gap, { depth }) => Math.ceil(k / depth),
  build: (config, level) => new Vmac(config, level),
  published: { traits: vmTraits, build: () => new SecdaVm() },
});
