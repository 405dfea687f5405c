/**
 * Yosys's netlist of a small packed array (two products per DSP48E1, `mulPair`), simulated by Icarus with Yosys's models of
 * the primitives, against the kernel's bytes and the generated Verilog's tokens, clock for clock. Block RAM is mapped to
 * look-up tables (`-nobram`): Yosys has no model of RAMB36E1 that simulates.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { version } from "@yowasp/yosys";
import { readVerilog } from "../../driver/transport/rtl-simulator.js";
import { elaborate } from "../../hw/index.js";
import type { VerilogDesign } from "../../hw/verilog/design.js";
import type { YosysJob } from "../../host/synth/yosys-worker.js";
import { buildSimulator } from "../../sim/rtl/build.js";
import { runSimulator, type Left } from "../../sim/rtl/simulate.js";
import { systolic } from "../../designs/systolic/index.js";
import { drawCase, type Case } from "./case.js";
import { firstDifference } from "../support/difference.js";
import { installed } from "./engines.js";
import { yosys } from "./equivalence.js";
import { kernelOf, streamsOfCase } from "./mutation.js";
import type { Configuration } from "./pool.js";
import type { Progress, Row } from "./report.js";

const parameters = {
  ...{ rows: 2, cols: 2, productsPerDsp: 2, lanes: 2, streams: 1, weightStreams: 1, streamBytes: 4 },
  ...{ inputBytes: 64, weightBytes: 64, outputBytes: 64, maxChannels: 8, slots: 2, resultTiles: 1 },
};
const configuration: Configuration = {
  design: systolic,
  parameters,
  label: "Yosys netlist of systolic rows=2 cols=2, packed",
};

/** Clocks that the netlist gets beyond those of the kernel: a token too many shows there. */
const BEYOND = 50;

/** The design as a netlist of 7-series primitives; synthesised once, then kept in `.cache/synth`. */
export async function netlistOf(design: VerilogDesign): Promise<VerilogDesign> {
  const names = [...design.files.keys()];
  const job: YosysJob = {
    files: Object.fromEntries(design.files),
    script: [
      ...names.map((name) => `read_verilog ${name}`),
      `synth_xilinx -family xc7 -abc9 -nobram -noiopad -top ${design.top}`,
      "write_verilog -noattr netlist.v",
    ].join("; "),
    wanted: ["netlist.v"],
  };
  const cache = resolve(".cache", "synth");
  const key = createHash("sha256").update(JSON.stringify([version, job]));
  const path = join(cache, `netlist-${key.digest("hex").slice(0, 24)}.v`);
  if (!existsSync(path)) {
    const answer = await yosys(job);
    if (!("results" in answer)) throw new Error(answer.failed);
    const text = answer.results["netlist.v"]!;
    mkdirSync(cache, { recursive: true });
    writeFileSync(`${path}.${process.pid}`, text);
    renameSync(`${path}.${process.pid}`, path);
  }
  const files = new Map([
    ["cells_sim.v", await cellModels()],
    ["netlist.v", readFileSync(path, "utf8")],
  ]);
  return { ...design, files };
}

/** Yosys's own simulation models of the primitives, as they lie in its package. */
async function cellModels(): Promise<string> {
  const resources = new URL("resources-yosys.js", import.meta.resolve("@yowasp/yosys")).href;
  const { filesystem } = (await import(resources)) as {
    filesystem: { share: { xilinx: Readonly<Record<string, string | URL>> } };
  };
  const models = filesystem.share.xilinx["cells_sim.v"]!;
  return typeof models === "string" ? models : readFileSync(models, "utf8");
}

type Tokens = Readonly<Record<string, readonly Left[]>>;

/** Tokens with their clocks: of the kernel, and of a design under Icarus for as long. */
async function tokensOf(one: Case, netlist: VerilogDesign): Promise<{ clocks: number; kernel: Tokens; found: Tokens }> {
  const { design, parameters: set } = one.configuration;
  const elaborated = elaborate(design.build(design.configure(set)));
  const run = streamsOfCase(one);
  const kernel = kernelOf(one, run);
  const built = await buildSimulator(netlist, { simulator: "icarus", counters: false });
  const until = kernel.clocks + BEYOND;
  const { outputs } = await runSimulator(built, netlist, elaborated, { ...run, until });
  return { clocks: kernel.clocks, kernel: kernel.outputs, found: outputs };
}

export async function runNetlist({ seed, count }: { seed: number; count: number }, progress: Progress): Promise<Row> {
  const row = { part: "Yosys netlist", cases: 0, clocks: 0, differences: 0 };
  if (!installed("icarus")) return { ...row, note: "left out: iverilog is not installed" };
  const { design, parameters: set, label } = configuration;
  progress.step(`${label}: synthesis (a minute or two, unless it is cached)`, 0);
  const netlist = await netlistOf(await readVerilog(elaborate(design.build(design.configure(set)))));
  for (let index = 0; index < count; index++) {
    const one = drawCase([configuration], seed, index);
    progress.step(one.text, index / count);
    const { clocks, kernel, found } = await tokensOf(one, netlist);
    row.cases++;
    row.clocks += clocks;
    const difference = firstDifference(kernel, found, "");
    if (difference === undefined) continue;
    row.differences++;
    progress.difference(`netlist, --part netlist --seed ${seed}, case ${index}: ${one.text}\n    ${difference}`);
  }
  return { ...row, note: `kernel, Yosys ${version} netlist under icarus` };
}
