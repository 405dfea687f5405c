/**
 * Our scheduler beside Accellera's SystemC, natively (Debian's libsystemc, g++ -O2) and in WebAssembly: the same models
 * in one run. Each side takes the processor time of the simulation only, in its own process or instance.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TandemError } from "../../hw/errors.js";
import { hasCommand } from "../../sim/systemc-wasm/commands.js";
import { SystemCInstance, type ProgramImage } from "../../sim/systemc-wasm/instance.js";
import { loadProgram } from "../../sim/systemc-wasm/node-loader.js";
import { buildNative, buildProgram, missingTools, packageRoot } from "../../sim/systemc-wasm/toolchain.js";
import { figure, row, type Benchmark, type BenchOptions, type Figure, type Row } from "./harness.js";
import { models } from "./systemc/models.js";
import { cpuSeconds, timeModel, type Timed } from "./systemc/ours.js";

/** Units of work in a run: about a second natively. In WebAssembly a tenth of it, which takes as long. */
const counts: Record<string, [count: number, unit: string]> = {
  thread_switch: [30_000_000, "ns / switch"],
  signal_to_method: [40_000_000, "ns / wake-up"],
  fifo_hand_over: [60_000_000, "ns / value"],
  fifo_try_first: [60_000_000, "ns / value"],
  ten_clocked_threads: [4_000_000, "ns / clock"],
  array_16x16: [3_000_000, "ns / clock"],
};
const WASM_SHARE = 0.1;

export const benchmark: Benchmark = {
  title:
    "SystemC models under our scheduler, native SystemC and SystemC in WebAssembly: processor time, smaller is better",
  run,
};

async function* run({ runs, say }: BenchOptions): AsyncGenerator<Row> {
  const source = join(packageRoot(), "scripts/bench/systemc/models.cpp");
  const nativeMissing =
    hasCommand("g++") && existsSync("/usr/include/systemc") ? null : "libsystemc-dev is not installed";
  const native = nativeMissing === null ? await buildNative("bench", [source], { flags: ["-O2"] }) : undefined;
  const wasmMissing = missingTools();
  let image: ProgramImage | undefined;
  if (wasmMissing === null) {
    const program = { name: "bench", sources: [source], exports: ["tandem_bench"] };
    image = await loadProgram(await buildProgram(program, say));
  }
  for (const [name, model] of Object.entries(models)) {
    const [count, unit] = counts[name]!;
    const perUnit = (timed: Timed, units = count): number => (timed.seconds * 1e9) / units;
    const few = Math.floor(count / 1000);
    const inWasmCount = count * WASM_SHARE;
    const expected = timeModel(model, few).result;
    if (native !== undefined) check(name, "native", expected, nativeRun(native, name, few).result);
    if (image !== undefined) check(name, "WebAssembly", expected, (await wasmRun(image, name, few)).result);
    // In turns, so that a busy machine disturbs all sides alike.
    const [ours, natively, inWasm]: [number[], number[], number[]] = [[], [], []];
    for (let run = 0; run < runs; run++) {
      ours.push(perUnit(oursApart(name, count)));
      if (native !== undefined) natively.push(perUnit(nativeRun(native, name, count)));
      if (image !== undefined) inWasm.push(perUnit(await wasmRun(image, name, inWasmCount), inWasmCount));
    }
    const peer = (values: readonly number[]): Figure | null => (values.length === 0 ? null : figure(values));
    yield row(name, unit, figure(ours), peer(natively), nativeMissing ?? "native SystemC, g++ -O2");
    yield row(name, unit, figure(ours), peer(inWasm), wasmMissing ?? "SystemC in WebAssembly");
  }
}

/** In a process of its own, so that what one model taught the compiler does not slow down the next. */
function oursApart(name: string, count: number): Timed {
  const script = fileURLToPath(new URL("systemc/ours.js", import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [script, name, String(count)], { encoding: "utf8" })) as Timed;
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

function check(name: string, side: string, ours: number, theirs: number): void {
  if (ours === theirs) return;
  throw new TandemError(`${name}: our result is ${ours}, that of ${side} SystemC ${theirs}; they should be equal`);
}
