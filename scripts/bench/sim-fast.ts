/**
 * How fast the fast engine simulates: the systolic design over the convolutions of whole networks, in clocks per second and
 * against the accelerator's own time at 100 MHz; against a hand-written array under Verilator, and against the engine's
 * own SIMD micro-kernel alone. Also how long a design takes to elaborate, read and compile.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { systolic } from "../../designs/systolic/index.js";
import type { Device, RunProgress, RunResult } from "../../driver/device.js";
import { Offload } from "../../driver/offload.js";
import { FastSimulator } from "../../driver/transport/fast-simulator.js";
import { acceleratorConv2d, ACCELERATOR } from "../../host/backends/accelerator.js";
import { byteLength } from "../../host/graph/tensor.js";
import { execute } from "../../host/runtime/executor.js";
import { makePlan } from "../../host/runtime/plan.js";
import { cpuTarget } from "../../host/targets.js";
import { readTfliteFile } from "../../host/tflite/reader.js";
import { BLOCK, emitProduct } from "../../sim/fast/product-kernel.js";
import { Code, WasmModule } from "../../sim/fast/wasm.js";
import { figure, measure, row, type Benchmark, type BenchOptions, type Figure, type Row } from "./harness.js";
import { verilator } from "./verilog.js";

const shared = fileURLToPath(new URL("../../../../shared/models/", import.meta.url));
const NETWORKS = [
  "mobilenet_v1_1.0_224_uint8",
  "mobilenet_v2_1.0_224_int8",
  "inception_v1_224_int8_randomweights",
  "resnet18_224_int8_randomweights",
];
/** The accelerator's clock. */
const MHZ = 100;
const ARRAY = 16;
const ARRAY_CLOCKS = 1_000_000;

export const benchmark: Benchmark = {
  title: "Simulation speed of the fast engine",
  async *run(options) {
    yield await compilation(options);
    const peak = microKernel(options);
    yield row("micro-kernel alone, 16 x 16 x 256", "GMAC/s", peak, null, "operands packed already");
    const array = handWritten(options);
    for (const network of NETWORKS) {
      const file = `${shared}${network}.tflite`;
      if (existsSync(file)) yield* convolutions(options, network, file, peak, array);
      else options.say(`  ${network}: skipped, there is no ${network}.tflite in ../shared/models`);
    }
  },
};

async function compilation(options: BenchOptions): Promise<Row> {
  const seconds = await measure(
    options,
    async () => {
      const start = performance.now();
      await FastSimulator.of(systolic);
      return (performance.now() - start) / 1000;
    },
    1,
  );
  return row("systolic 16 x 16: elaborate, read, compile", "s", seconds, null, "again in one process; no cache");
}

/** The engine's inner product on operands that are packed already. */
function microKernel({ runs }: BenchOptions): Figure {
  const [blocks, size, times] = [32, 16, 20_000];
  const module = new WasmModule();
  const code = new Code(["i32"]);
  const n = code.local("i32");
  const loop = code.loop();
  code.i32(blocks).set(n);
  const panel = { count: size, padded: size };
  emitProduct(code, { ...panel, panel: 4096 }, { ...panel, panel: 32_768 }, 1024, n);
  code.get(0).i32(1).op("i32.sub").tee(0).brIf(loop);
  code.end();
  module.exportFunction("run", module.add("run", code));
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode(1)), { env: { memory } });
  const run = instance.exports["run"] as (times: number) => void;
  run(times);
  const values: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    run(times);
    values.push((times * blocks * BLOCK * size * size) / (performance.now() - start) / 1e6);
  }
  return figure(values);
}

/** Clocks per second of the hand-written array, without anything around it. */
function handWritten({ runs, say }: BenchOptions): Figure | undefined {
  const peer = verilator(ARRAY, 64);
  if (!peer) {
    say("  Verilator is not installed: no peer");
    return undefined;
  }
  try {
    return figure(Array.from({ length: runs }, () => ARRAY_CLOCKS / peer.run(ARRAY_CLOCKS).wallSeconds));
  } finally {
    peer.remove();
  }
}

/** A device that adds up how long its runs took. */
class Timed implements Device {
  ms = 0;
  clocks = 0;
  readonly #device: Device;
  constructor(device: Device) {
    this.#device = device;
  }
  describe: Device["describe"] = () => this.#device.describe();
  load: Device["load"] = (program) => this.#device.load(program);
  unload: Device["unload"] = (handle) => this.#device.unload(handle);
  close: Device["close"] = () => this.#device.close();
  async run(handle: number, inputs: Readonly<Record<string, Uint8Array>>, progress?: RunProgress): Promise<RunResult> {
    const start = performance.now();
    const result = await this.#device.run(handle, inputs, progress);
    this.ms += performance.now() - start;
    this.clocks += result.clocks;
    return result;
  }
}

async function* convolutions(
  options: BenchOptions,
  network: string,
  file: string,
  peak: Figure,
  array: Figure | undefined,
): AsyncGenerator<Row> {
  const graph = readTfliteFile(file);
  const device = new Timed(await FastSimulator.of(systolic));
  const accelerator = new Offload(systolic, systolic.configure(), device);
  const cpu = cpuTarget();
  const plan = makePlan(graph, {
    implementations: [acceleratorConv2d(accelerator), ...cpu.implementations],
    prefer: [ACCELERATOR, ...cpu.prefer],
    layers: {},
  });
  const macs = plan.layers
    .filter(({ implementation }) => implementation.name === ACCELERATOR)
    .reduce((sum, layer) => sum + layer.macs, 0);
  const input = new Uint8Array(byteLength(graph.tensors[graph.inputs[0]!]!));
  const gmacs: number[] = [];
  const speed = await measure(
    options,
    async () => {
      device.ms = device.clocks = 0;
      await execute(plan, [input], {});
      gmacs.push(macs / device.ms / 1e6);
      return (device.clocks / device.ms) * 1000;
    },
    1,
  );
  const factor = (speed.median / (MHZ * 1e6)).toFixed(3);
  const note = `${device.clocks.toLocaleString("en-US")} clocks; ${factor} of the accelerator's speed at ${MHZ} MHz`;
  yield row(`${network}: convolutions`, "clocks/s", speed, array ?? null, `${note}; peer: the bare array in Verilator`);
  const products = figure(gmacs.slice(1));
  yield row(`${network}: convolutions`, "GMAC/s", products, peak, "peer: the micro-kernel alone");
}
