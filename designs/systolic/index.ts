/** The systolic design, as the registry and the driver see it. */
import type { Design } from "../../driver/design.js";
import { compile, refuses, type ArrayTraits } from "../../driver/gemm/compile.js";
import { runGemmTransaction } from "../../driver/gemm/transaction.js";
import { convolve } from "../../driver/reference.js";
import * as secda from "../secda/compile.js";
import { configure, describe, parameters, type SystolicConfig } from "./config.js";
import { presets } from "./presets.js";
import { SecdaSa } from "./secda/sa.js";
import { Systolic } from "./systolic.js";

const traits = (config: SystolicConfig): ArrayTraits => ({
  design: "systolic",
  weightOrder: "depth",
  // A column has one result register: the next tile starts R waves after the last, or when that has left the array.
  gap: (k) => (config.overlapTiles ? Math.max(0, config.rows - k) : config.rows + config.cellCols - 2),
});

const sa = { name: "SECDA's SA", span: 4 };

export const systolic: Design<SystolicConfig> = {
  name: "systolic",
  title: "output-stationary systolic array",
  parameters,
  presets,
  levels: ["functional", "transaction", "cycle", "rtl"],
  levelOf: ({ model }) => (model === "own" ? "rtl" : "cycle"),
  configure,
  describe,
  build: (config, level) => (config.model === "own" ? new Systolic(config, level) : new SecdaSa()),
  transaction: (config) => {
    secda.requireOwn("systolic", config.model);
    return (program, memory) =>
      runGemmTransaction(program, memory, config, {
        weightOrder: traits(config).weightOrder,
        // A wave a clock; what the instruction asks for behind each tile comes on top.
        tileClocks: (k, gap) => k + gap,
      });
  },
  peakMacsPerClock: ({ rows, cols }) => rows * cols,
  refuses: (layer, config) =>
    config.model === "own" ? refuses(layer, config, traits(config)) : secda.refuses(layer, sa),
  compile: (layer, config) =>
    config.model === "own" ? compile(layer, config, traits(config)) : secda.compile(layer, sa),
  functional: convolve,
};
