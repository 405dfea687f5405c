/**
 * Whole networks on the fast engine, for the benchmarks: their convolutions on the systolic design with ideal streams, the network on the
 * board, and where the time goes, by V8's sampling profiler.
 */
import { existsSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { systolic } from "../../designs/systolic/index.js";
import type { Device, RunProgress, RunResult } from "../../driver/device.js";
import { Offload } from "../../driver/offload.js";
import { FastSimulator, type FastOptions } from "../../driver/transport/fast-simulator.js";
import { acceleratorTarget } from "../../host/accelerators.js";
import { acceleratorImplementations, ACCELERATOR } from "../../host/backends/accelerator.js";
import { byteLength } from "../../host/graph/tensor.js";
import { makeProfile } from "../../host/report/profile.js";
import { execute } from "../../host/runtime/executor.js";
import { makePlan, type Plan } from "../../host/runtime/plan.js";
import { cpuTarget } from "../../host/targets.js";
import { readTfliteFile } from "../../host/tflite/reader.js";
import { pynqZ1 } from "../../sim/platform/platform.js";
import { figure, row, type BenchOptions, type Figure, type Row } from "./harness.js";

const shared = fileURLToPath(new URL("../../../../shared/models/", import.meta.url));
export const NETWORKS = [
  "mobilenet_v1_1.0_224_uint8",
  "mobilenet_v2_1.0_224_int8",
  "inception_v1_224_int8_randomweights",
  "resnet18_224_int8_randomweights",
];
export const networkFile = (network: string): string => `${shared}${network}.tflite`;
/** V8 compiles JavaScript anew for some runs. */
const WARM_UP = 6;
/** Runs whose time is sampled: one is some hundred samples. */
const SAMPLED = 5;
/** The accelerator's clock. */
const MHZ = 100;

/** What the rows are held against. */
export interface Peers {
  /** Products per second of the micro-kernel alone, GMAC/s. */
  readonly products: Figure;
  /** One run of it: the machine has fast and slow minutes, so it is timed again beside each run of a network. */
  readonly kernel: () => number;
  /** Clocks per second of the faster Verilator model, and its name. */
  readonly verilator?: { readonly speed: Figure; readonly name: string } | undefined;
}

/** A device that adds up how long its runs took. */
class Timed implements Device {
  readonly readsAtOnce = true;
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
  room: NonNullable<Device["room"]> = (handle) => this.#device.room?.(handle) ?? {};
  async run(handle: number, inputs: Readonly<Record<string, Uint8Array>>, progress?: RunProgress): Promise<RunResult> {
    const start = performance.now();
    const result = await this.#device.run(handle, inputs, progress);
    this.ms += performance.now() - start;
    this.clocks += result.clocks;
    return result;
  }
}

interface Prepared {
  readonly plan: Plan;
  readonly device: Timed;
  readonly input: Uint8Array;
  /** Layers on the accelerator, by their place in the network, and their multiply-accumulates. */
  readonly offloaded: readonly number[];
  readonly macs: number;
}

async function prepare(file: string, options: FastOptions): Promise<Prepared> {
  const graph = readTfliteFile(file);
  const device = new Timed(await FastSimulator.of(systolic, {}, options));
  const config = systolic.configure();
  const accelerator = new Offload(systolic, config, device);
  const cpu = cpuTarget();
  const plan = makePlan(graph, {
    implementations: [...acceleratorImplementations(accelerator), ...cpu.implementations],
    prefer: [ACCELERATOR, ...cpu.prefer],
  });
  const offloaded = plan.layers.flatMap(({ implementation }, i) => (implementation.name === ACCELERATOR ? [i] : []));
  const macs = offloaded.reduce((sum, i) => sum + plan.layers[i]!.macs, 0);
  return { plan, device, offloaded, macs, input: new Uint8Array(byteLength(graph.tensors[graph.inputs[0]!]!)) };
}

export async function* networkRows(options: BenchOptions, peers: Peers): AsyncGenerator<Row> {
  for (const network of NETWORKS) {
    const file = networkFile(network);
    if (!existsSync(file)) {
      options.say(`  ${network}: skipped, there is no ${network}.tflite in ../shared/models`);
      continue;
    }
    const prepared = await prepare(file, {});
    yield* convolutions(options, network, prepared, peers);
    yield await withoutHardware(options, network, prepared, peers);
    for (const jobs of new Set([1, availableParallelism()])) yield await onBoard(options, network, file, jobs);
    yield* shares(network, await prepare(file, { board: pynqZ1.board! }));
  }
}

/** With ideal streams: the accelerator's layers alone. */
async function* convolutions(
  { runs }: BenchOptions,
  network: string,
  { plan, device, input, macs }: Prepared,
  { kernel, verilator }: Peers,
): AsyncGenerator<Row> {
  const seconds: number[] = [];
  const products: number[] = [];
  for (let i = -WARM_UP; i < runs; i++) {
    device.ms = device.clocks = 0;
    await execute(plan, [input]);
    const beside = kernel();
    if (i < 0) continue;
    seconds.push(device.ms / 1000);
    products.push(beside);
  }
  const { clocks } = device;
  const each = (value: (s: number) => number): Figure => figure(seconds.map(value));
  const count = clocks.toLocaleString("en-US");
  const peer = verilator ? `peer: ${verilator.name}` : "no Verilator here";
  const speed = each((s) => clocks / s);
  yield row(`${network}: convolutions`, "clocks/s", speed, verilator?.speed ?? null, `${count} clocks; ${peer}`);
  const rate = each((s) => macs / s / 1e9);
  yield row(`${network}: convolutions`, "GMAC/s", rate, figure(products), "peer: the micro-kernel alone, in turn");
  const real = each((s) => clocks / (MHZ * 1e6) / s);
  yield row(`${network}: convolutions, real time`, "x", real, null, `accelerator's clocks at ${MHZ} MHz / wall time`);
}

/** The same layers by the CPU's kernels, in one thread: what the bytes alone cost, without a clock of any hardware. */
async function withoutHardware(
  { runs }: BenchOptions,
  network: string,
  { plan: { graph }, input, offloaded, macs }: Prepared,
  { products }: Peers,
): Promise<Row> {
  const plan = makePlan(graph, cpuTarget());
  const rates: number[] = [];
  for (let i = -WARM_UP; i < runs; i++) {
    const { layers } = await execute(plan, [input]);
    const ms = offloaded.reduce((sum, layer) => sum + layers[layer]!.wallMs, 0);
    if (i >= 0) rates.push(macs / ms / 1e6);
  }
  const name = `${network}: convolutions by the CPU's kernels, no hardware`;
  return row(name, "GMAC/s", figure(rates), products, "peer: the micro-kernel alone");
}

/** The whole network with the board's memory and DMA, CPU layers included, as `tandem run` has it from its second input on. */
async function onBoard({ runs }: BenchOptions, network: string, file: string, jobs: number): Promise<Row> {
  const graph = readTfliteFile(file);
  const target = await acceleratorTarget({ on: "sim", jobs, simulation: { board: pynqZ1.board! } });
  try {
    const { implementations, prefer } = target;
    const plan = makePlan(graph, { implementations, prefer });
    const input = new Uint8Array(byteLength(graph.tensors[graph.inputs[0]!]!));
    const factors: number[] = [];
    let note = "";
    for (let i = -WARM_UP; i < runs; i++) {
      const { layers, wallMs, differs } = await execute(plan, [input], { jobs });
      if (differs !== undefined) throw new Error(`${network}: ${differs} differs from the CPU's kernel`);
      const { latencyMs } = makeProfile({ graph, runs: layers, target, platform: pynqZ1, threads: 1 })!;
      if (i >= 0) factors.push(latencyMs / wallMs);
      note = `last run: ${latencyMs.toFixed(1)} ms on the board, ${wallMs.toFixed(0)} ms here`;
    }
    return row(`${network}: on the board, real time, --jobs ${jobs}`, "x", figure(factors), null, note);
  } finally {
    await target.close();
  }
}

/** Where the time goes, in one thread. */
async function* shares(network: string, { plan, input }: Prepared): AsyncGenerator<Row> {
  for (let i = 0; i < WARM_UP; i++) await execute(plan, [input]);
  const run = async (): Promise<void> => {
    for (let i = 0; i < SAMPLED; i++) await execute(plan, [input]);
  };
  for (const [part, share] of await sample(run))
    yield row(
      `${network}: time in ${part}`,
      "%",
      figure([100 * share]),
      null,
      `sampled, ${SAMPLED} runs with the board`,
    );
}

/**
 * What a function's time is for, by its name and file; the first that fits. A function of the engine is a process, which
 * does its arithmetic, its channel operations and its control in one piece, and the collector's does what follows it up to
 * the output buffers: so the parts are those of the design.
 */
const PARTS: readonly [string, RegExp][] = [
  ["products", /^\S+ (tile|words) wasm/],
  ["requantisation and rows of results", /(postProcessor|collector|outputBuffer)\S*( \S+)* wasm/],
  [
    "tokens: feeding the array",
    /(array\.feed|inputBuffer\d*\.fetch|weightBuffer\d*\.fetch|sequence rounds|\S+ (wave|first|last|leaving|extended)|^extend \S+) wasm/,
  ],
  ["tokens: loading", /Buffer\d*\.\S+( \S+)* wasm/],
  ["tokens: outer streams", /\.(instructions|input\d*|weight\d*|output\d*)( rounds)? wasm/],
  ["the board's memory and DMA", /sim\/platform\/|fast\/pacing|^(settle|arbiter)\b.* wasm/],
  ["hand-over", /^im2col \S+ wasm/],
  ["CPU operators", /^(elementwise|max pool|conv2d|depthwise|fully connected)\b.* wasm/],
  ["control", /wasm/],
  ["hand-over", /driver\/|designs\/|sim\/|backends\//],
  ["CPU operators", /host\//],
];

/** The inspector's own work at the start and at the end, as Node 20 and Node 24 name it, and time that is nobody's. */
const NOT_OURS = /^(\(idle\)|\(program\)|dispatch|post node:inspector)\s*$/;

async function sample(run: () => Promise<void>): Promise<Map<string, number>> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: 200 });
    await session.post("Profiler.start");
    await run();
    const { profile } = await session.post("Profiler.stop");
    const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
    const times = new Map<string, number>();
    let total = 0;
    profile.samples?.forEach((id, i) => {
      const { functionName, url } = nodes.get(id)!;
      const name = `${functionName} ${url}`;
      if (NOT_OURS.test(name)) return;
      const part = PARTS.find(([, pattern]) => pattern.test(name))?.[0] ?? "everything else";
      const time = profile.timeDeltas![i]!;
      times.set(part, (times.get(part) ?? 0) + time);
      total += time;
    });
    return new Map([...times].sort(([, a], [, b]) => b - a).map(([part, time]) => [part, time / total]));
  } finally {
    session.disconnect();
  }
}
