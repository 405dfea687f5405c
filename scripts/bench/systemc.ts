/**
 * Our scheduler beside Accellera's SystemC, natively (Debian's libsystemc, g++ -O2) and in WebAssembly: the same models
 * in one run. Each side takes the processor time of the simulation only, in its own process or instance.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TandemError } from "../../hw/errors.js";
import { Simulation } from "../../sim/systemc/index.js";
import { hasCommand } from "../../sim/systemc-wasm/commands.js";
import { SystemCInstance, type ProgramImage } from "../../sim/systemc-wasm/instance.js";
import { loadProgram } from "../../sim/systemc-wasm/node-loader.js";
import { buildNative, buildProgram, missingTools, packageRoot } from "../../sim/systemc-wasm/toolchain.js";
import type { Report } from "./report.js";
import { models, type Model } from "./systemc/models.js";

/** Units of work in a run: about a second natively. */
const counts: Record<string, [count: number, unit: string]> = {
  thread_switch: [4_000_000, "ns / switch"],
  signal_to_method: [6_000_000, "ns / wake-up"],
  fifo_hand_over: [6_000_000, "ns / value"],
  ten_clocked_threads: [800_000, "ns / clock"],
  array_16x16: [600_000, "ns / clock"],
};

export async function run(report: Report): Promise<void> {
  const source = join(packageRoot(), "scripts/bench/systemc/models.cpp");
  const nativeMissing = hasCommand("g++") && existsSync("/usr/include/systemc") ? null : "libsystemc-dev is not installed";
  const native = nativeMissing === null ? await buildNative("bench", [source], { flags: ["-O2"] }) : undefined;
  const wasmMissing = missingTools();
  let image: ProgramImage | undefined;
  if (wasmMissing === null) {
    const program = { name: "bench", sources: [source], exports: ["tandem_bench"] };
    image = await loadProgram(await buildProgram(program, console.error));
  }
  for (const [name, model] of Object.entries(models)) {
    const [count, unit] = counts[name]!;
    const perUnit = (seconds: number): number => (seconds * 1e9) / count;
    const expected = ours(model, Math.floor(count / 100)).result;
    const sides: (() => number | Promise<number>)[] = [() => perUnit(oursApart(name, count))];
    if (native !== undefined) {
      check(name, "native", expected, nativeRun(native, name, Math.floor(count / 100)).result);
      sides.push(() => perUnit(nativeRun(native, name, count).seconds));
    }
    if (image !== undefined) {
      const program = image;
      check(name, "WebAssembly", expected, (await wasmRun(program, name, Math.floor(count / 100))).result);
      sides.push(async () => perUnit((await wasmRun(program, name, count)).seconds));
    }
    const results = await report.measure(sides);
    const mine = results.shift()!;
    report.add(name, unit, mine, "native", native === undefined ? [] : results.shift()!, nativeMissing ?? "");
    report.add(name, unit, mine, "WebAssembly", results.shift() ?? [], wasmMissing ?? "");
  }
}

interface Timed {
  readonly seconds: number;
  readonly result: number;
}

function ours(model: Model, count: number): Timed {
  const sim = new Simulation();
  const start = process.cpuUsage();
  const result = model(sim, count);
  return { seconds: cpuSeconds(start), result };
}

/** In a process of its own, so that what one model taught the compiler does not slow down the next. */
function oursApart(name: string, count: number): number {
  const script = fileURLToPath(import.meta.url);
  return Number(execFileSync(process.execPath, [script, name, String(count)], { encoding: "utf8" }));
}

function nativeRun(program: string, name: string, count: number): Timed {
  const text = execFileSync(program, [name, String(count)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const [seconds, result] = text.trim().split(" ").map(Number);
  return { seconds: seconds!, result: result! };
}

async function wasmRun(image: ProgramImage, name: string, count: number): Promise<Timed> {
  const instance = await SystemCInstance.create(image);
  return instance.withText(name, (pointer) => {
    const start = process.cpuUsage();
    const result = instance.call("tandem_bench", pointer, count);
    return { seconds: cpuSeconds(start), result };
  });
}

/** Processor time, because a busy machine disturbs it less; all of a process's, so the collector and compiler count. */
function cpuSeconds(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1e-6;
}

function check(name: string, side: string, ours: number, theirs: number): void {
  if (ours === theirs) return;
  throw new TandemError(`${name}: our result is ${ours}, that of ${side} SystemC ${theirs}; they should be equal`);
}

const [, script, name, count] = process.argv;
if (script === fileURLToPath(import.meta.url)) {
  const model = models[name ?? ""];
  if (model !== undefined) console.log(ours(model, Number(count)).seconds);
}
