/**
 * Makes a simulator of a generated design, with Verilator or Icarus. What it depends on (all texts, flags, the tool's
 * version) is the name of its folder in the cache, so that nothing is built twice. A folder is filled under another name
 * and renamed when it is whole: a build that is cut off leaves nothing that looks finished.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { TandemError } from "../../hw/errors.js";
import type { VerilogDesign } from "../../hw/verilog/design.js";
import { icarusMain } from "./icarus-main.js";
import { testbench } from "./testbench.js";
import { requireSimulator, runTool, type SimulatorName } from "./tools.js";
import { verilatorMain } from "./verilator-main.js";

export interface BuildOptions {
  readonly simulator: SimulatorName;
  /** Count busy and stalled clocks and so on; true by default. Without, a run ends at its limit or last token only. */
  readonly counters?: boolean;
  /** Flags of g++; `-O2` by default. */
  readonly flags?: readonly string[];
  /** Where built simulators are kept; `.cache/rtl` by default. */
  readonly cache?: string;
}

export interface Built {
  readonly simulator: SimulatorName;
  readonly counters: boolean;
  /** Folder of all files. */
  readonly folder: string;
  readonly cached: boolean;
}

export const defaultCache = (): string => resolve(".cache", "rtl");

export async function buildSimulator(design: VerilogDesign, options: BuildOptions): Promise<Built> {
  const { simulator, counters = true, flags = ["-O2"] } = options;
  const version = requireSimulator(simulator);
  const files = new Map(design.files);
  files.set("tandem_tb.v", testbench(design, counters));
  const main = simulator === "verilator" ? verilatorMain(design) : icarusMain(design);
  files.set(simulator === "verilator" ? "main.cpp" : "tandem_main.v", main);
  const key = createHash("sha256").update(JSON.stringify([simulator, version, counters, flags, [...files]]));
  const cache = options.cache ?? defaultCache();
  const folder = join(cache, key.digest("hex").slice(0, 24));
  const built = { simulator, counters, folder };
  if (existsSync(folder)) return { ...built, cached: true };
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "building-"));
  try {
    for (const [name, text] of files) writeFileSync(join(work, name), text);
    const sources = [...files.keys()].filter((name) => name.endsWith(".v"));
    if (simulator === "verilator") await verilate(work, sources, counters, flags, cache);
    else await icarus(work, sources, counters);
    if (!existsSync(folder)) renameSync(work, folder);
    return { ...built, cached: false };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function step(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { status, stdout, stderr } = await runTool(command, args, cwd);
  if (status !== 0)
    throw new TandemError(`${command} failed on the generated Verilog:\n${(stderr + stdout).slice(0, 4000)}`, {
      hint: "This is a defect of Tandem unless the design holds a BlackBox: please report it with the design.",
    });
}

async function icarus(work: string, sources: readonly string[], counters: boolean): Promise<void> {
  const defines = counters ? ["-DTANDEM_COUNTERS"] : [];
  await step("iverilog", ["-g2005", ...defines, "-o", "model.vvp", "-s", "tandem_main", ...sources], work);
}

const include = "/usr/share/verilator/include";
const gxx = [
  "-std=gnu++17",
  "-w",
  "-DVERILATOR=1",
  "-DVM_COVERAGE=0",
  "-DVM_SC=0",
  "-DVM_TRACE=0",
  "-DVL_TIME_CONTEXT",
];

async function verilate(
  work: string,
  sources: readonly string[],
  counters: boolean,
  flags: readonly string[],
  cache: string,
): Promise<void> {
  const defines = counters ? ["-DTANDEM_COUNTERS"] : [];
  const fast = ["-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert"];
  await step(
    "verilator",
    ["--cc", "--top-module", "tandem_tb", "-Mdir", "obj", ...fast, ...defines, "-Wno-fatal", ...sources],
    work,
  );
  const library = await verilatorLibrary(cache);
  const parts = readdirSync(join(work, "obj")).filter((name) => name.endsWith(".cpp"));
  writeFileSync(join(work, "all.cpp"), [...parts, "../main.cpp"].map((name) => `#include "obj/${name}"\n`).join(""));
  await step(
    "g++",
    [...gxx, ...flags, `-I${include}`, `-I${include}/vltstd`, "-Iobj", "all.cpp", library, "-o", "model", "-lpthread"],
    work,
  );
}

/** Verilator's own runtime, compiled once. */
async function verilatorLibrary(cache: string): Promise<string> {
  const name = `verilated-${createHash("sha256").update(requireSimulator("verilator")).digest("hex").slice(0, 12)}.o`;
  const path = join(cache, name);
  if (existsSync(path)) return path;
  const work = mkdtempSync(join(cache, "building-"));
  try {
    const units = ["verilated.cpp", "verilated_threads.cpp"].map((unit) => `#include "${include}/${unit}"\n`);
    writeFileSync(join(work, "runtime.cpp"), units.join(""));
    await step("g++", [...gxx, "-O2", `-I${include}`, "-c", "runtime.cpp", "-o", "runtime.o"], work);
    renameSync(join(work, "runtime.o"), path);
    return path;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
