/**
 * Makes a simulator of a generated design, with Verilator or Icarus. What it depends on (all texts, flags, the tool's
 * version) is the name of its folder in the cache, so that nothing is built twice. A folder is filled under another name
 * and renamed when it is whole: a build that is cut off leaves nothing that looks finished.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { TandemError } from "../../hw/errors.js";
import type { VerilogDesign } from "../../hw/verilog/design.js";
import { icarusMain } from "./icarus-main.js";
import { testbench } from "./testbench.js";
import { requireSimulator, runTool, toolVersion, type SimulatorName } from "./tools.js";
import { verilatorMain } from "./verilator-main.js";

export interface BuildOptions {
  readonly simulator: SimulatorName;
  /** Count busy and stalled clocks and so on; true by default. Without, a run ends at its limit or last token only. */
  readonly counters?: boolean;
  /** Flags of g++ for what runs in every clock; `-O1` by default: `-O3` is no faster here, and takes longer to build. */
  readonly flags?: readonly string[];
  /** Where built simulators are kept; `.cache/rtl` by default. */
  readonly cache?: string;
  /** Called as a build (none where the cache has it) goes on: steps done, and steps in all. */
  readonly onBuild?: (done: number, total: number) => void;
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
  const { simulator, counters = true, flags = ["-O1"], cache = defaultCache() } = options;
  const version = requireSimulator(simulator);
  const files = new Map(design.files);
  files.set("tandem_tb.v", testbench(design, counters));
  const main = simulator === "verilator" ? verilatorMain(design) : icarusMain(design);
  files.set(simulator === "verilator" ? "main.cpp" : "tandem_main.v", main);
  const parts = [simulator, version, counters, flags, simulator === "verilator" ? recipe() : "", [...files]];
  const key = createHash("sha256").update(JSON.stringify(parts));
  const folder = join(cache, key.digest("hex").slice(0, 24));
  const built = { simulator, counters, folder };
  if (existsSync(folder)) return { ...built, cached: true };
  const work = workFolder(cache);
  try {
    for (const [name, text] of files) writeFileSync(join(work, name), text);
    const sources = [...files.keys()].filter((name) => name.endsWith(".v"));
    if (simulator === "verilator") await verilate(work, sources, counters, flags, cache, options.onBuild);
    else await icarus(work, sources, counters);
    place(work, folder);
    return { ...built, cached: false };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function workFolder(cache: string): string {
  try {
    mkdirSync(cache, { recursive: true });
    return mkdtempSync(join(cache, "building-"));
  } catch (error) {
    throw new TandemError(`${cache}: cannot be written: ${(error as Error).message}`, {
      hint: "Simulators of Verilog are built there: run Tandem in a folder that you may write to.",
      cause: error,
    });
  }
}

/** Move what is whole to its place, unless another process was first. */
function place(work: string, target: string): void {
  try {
    renameSync(work, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
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

/** Verilator's headers, where this installation has them. */
const include = (): string =>
  join(toolVersion("verilator", "--getenv VERILATOR_ROOT") ?? "/usr/share/verilator", "include");
const gxx = (): string[] => [
  "-std=gnu++17",
  "-w",
  "-DVERILATOR=1",
  "-DVM_COVERAGE=0",
  "-DVM_SC=0",
  "-DVM_TRACE=0",
  "-DVL_TIME_CONTEXT",
  `-I${include()}`,
  `-I${include()}/vltstd`,
  "-Iobj",
];
const VERILATOR = ["--cc", "--top-module", "tandem_tb", "-Mdir", "obj", "-O3"];
const LAX = ["--x-assign", "fast", "--x-initial", "fast", "--noassert", "-Wno-fatal"];
/** What runs once, at the start, is half of the text: not optimised, as in Verilator's own makefiles. */
const ONCE = ["-O0"];
/** The data flow graph of Verilator 5 takes minutes for long unrolled processes, and gains nothing here. */
const noGraph = (): string[] => (/ [5-9]\./.test(requireSimulator("verilator")) ? ["-fno-dfg"] : []);
const recipe = (): string[] => [...VERILATOR, ...noGraph(), ...LAX, ...gxx(), ...ONCE];

async function verilate(
  work: string,
  sources: readonly string[],
  counters: boolean,
  flags: readonly string[],
  cache: string,
  onBuild: BuildOptions["onBuild"],
): Promise<void> {
  const defines = counters ? ["-DTANDEM_COUNTERS"] : [];
  onBuild?.(0, 1);
  await step("verilator", [...VERILATOR, ...noGraph(), ...LAX, ...defines, ...sources], work);
  const library = await verilatorLibrary(cache);
  const parts = readdirSync(join(work, "obj")).filter((name) => name.endsWith(".cpp"));
  const size = (name: string): number => statSync(join(work, "obj", name)).size;
  const once = parts.filter((name) => /Slow\.cpp$/.test(name));
  const often = parts.filter((name) => !once.includes(name));
  const units = [
    ...together(often, size).map((names, i) => ({ names: i === 0 ? [...names, "../main.cpp"] : names, flags })),
    ...together(once, size).map((names) => ({ names, flags: ONCE })),
  ].map(({ names, flags: own }, i) => {
    writeFileSync(join(work, `unit${i}.cpp`), names.map((name) => `#include "obj/${name}"\n`).join(""));
    return { source: `unit${i}.cpp`, flags: own };
  });
  const total = units.length + 2;
  let done = 1;
  const queue = units.map(({ source, flags: own }, i) => async (): Promise<void> => {
    await step("g++", [...gxx(), ...own, "-c", source, "-o", `unit${i}.o`], work);
    onBuild?.(++done, total);
  });
  onBuild?.(done, total);
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) await next();
  };
  const workers = Array.from({ length: Math.min(availableParallelism(), units.length) }, worker);
  const ends = await Promise.allSettled(workers);
  const failed = ends.find((end) => end.status === "rejected");
  if (failed) throw failed.reason;
  const objects = units.map((_, i) => `unit${i}.o`);
  await step("g++", [...objects, library, "-o", "model", "-lpthread"], work);
  onBuild?.(total, total);
  for (const name of objects) rmSync(join(work, name));
  rmSync(join(work, "obj"), { recursive: true });
}

/** Bytes of C++ in one unit: more units share the work better, but each reads the same headers first. */
const UNIT = 1.5e6;

function together(names: readonly string[], size: (name: string) => number): string[][] {
  const units: string[][] = [];
  let room = 0;
  for (const name of [...names].sort((a, b) => size(b) - size(a))) {
    if (size(name) > room) {
      units.push([]);
      room = UNIT;
    }
    units.at(-1)!.push(name);
    room -= size(name);
  }
  return units;
}

/** Verilator's own runtime, compiled once. */
async function verilatorLibrary(cache: string): Promise<string> {
  const name = `verilated-${createHash("sha256").update(requireSimulator("verilator")).digest("hex").slice(0, 12)}.o`;
  const path = join(cache, name);
  if (existsSync(path)) return path;
  const work = workFolder(cache);
  try {
    const units = ["verilated.cpp", "verilated_threads.cpp"].map((unit) => `#include "${include()}/${unit}"\n`);
    writeFileSync(join(work, "runtime.cpp"), units.join(""));
    await step("g++", [...gxx(), "-O2", "-c", "runtime.cpp", "-o", "runtime.o"], work);
    place(join(work, "runtime.o"), path);
    return path;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
