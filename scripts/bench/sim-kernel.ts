/**
 * How fast the kernel simulates: clocks per second of processor time of a bare 16 x 16 array against hand-written Verilog under Verilator and
 * Icarus (same cells, same operands, same checksum), of the systolic design over MobileNetV1's layers, and the wall time of whole networks.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { systolic } from "../../designs/systolic/index.js";
import { Offload } from "../../driver/offload.js";
import { Simulator } from "../../driver/transport/simulator.js";
import { TandemError } from "../../hw/errors.js";
import { acceleratorTarget } from "../../host/accelerators.js";
import { randomGemm } from "../../host/gemm.js";
import { byteLength } from "../../host/graph/tensor.js";
import { execute } from "../../host/runtime/executor.js";
import { makePlan } from "../../host/runtime/plan.js";
import { readTfliteFile } from "../../host/tflite/reader.js";
import { runArray } from "./array.js";
import { cpuSeconds, figure, measure, row, type Benchmark, type BenchOptions, type Row } from "./harness.js";
import { icarus, verilator, type Peer } from "./verilog.js";

const SIZE = 16;
const DEPTH = 64;
const CLOCKS = { ours: 100_000, verilator: 1_000_000, icarus: 2000 };

/** 1 x 1 layers of MobileNetV1 1.0/224 as products: rows, channels, depth. */
const LAYERS = [
  [12_544, 64, 32],
  [784, 256, 256],
  [196, 512, 512],
  [49, 1024, 1024],
] as const;

const shared = fileURLToPath(new URL("../../../../shared/models/", import.meta.url));
const NETWORKS = ["resnet8_cifar10_int8", "mobilenet_v2_1.0_224_int8"];

export const benchmark: Benchmark = {
  title: "Simulation speed of the kernel",
  async *run(options) {
    yield* arrays(options);
    for (const [m, n, k] of LAYERS) yield await product(options, m, n, k);
    for (const network of NETWORKS) {
      const file = `${shared}${network}.tflite`;
      if (existsSync(file)) yield await wholeNetwork(options, network, file);
      else options.say(`  ${network}: skipped, there is no ${network}.tflite in ../shared/models`);
    }
  },
};

async function* arrays(options: BenchOptions): AsyncGenerator<Row> {
  const ours = await measure(options, () => CLOCKS.ours / runArray(SIZE, DEPTH, CLOCKS.ours).seconds, 1);
  const peers: [string, (size: number, depth: number) => Peer | undefined, number][] = [
    ["Verilator", verilator, CLOCKS.verilator],
    ["Icarus Verilog", icarus, CLOCKS.icarus],
  ];
  for (const [tool, open, clocks] of peers) {
    const name = `array ${SIZE} x ${SIZE}, against ${tool}`;
    const peer = open(SIZE, DEPTH);
    if (!peer) {
      yield row(name, "clocks/cpu-s", ours, null, `${tool} is not installed`);
      continue;
    }
    try {
      checkSame(peer);
      yield row(
        name,
        "clocks/cpu-s",
        ours,
        await measure(options, () => clocks / peer.run(clocks).seconds, 1),
        peer.name,
      );
    } finally {
      peer.remove();
    }
  }
}

/** Both must have computed the same before they are timed. */
function checkSame(peer: Peer): void {
  const clocks = 1100;
  const ours = runArray(SIZE, DEPTH, clocks);
  const theirs = peer.run(clocks);
  if (ours.rows !== theirs.rows || ours.checksum !== theirs.checksum)
    throw new TandemError(
      `${peer.name} disagrees: ${theirs.rows} rows, checksum ${theirs.checksum}; ours ${ours.rows}, ${ours.checksum}`,
    );
}

async function product(options: BenchOptions, m: number, n: number, k: number): Promise<Row> {
  const { layer, input } = randomGemm(m, n, k, 1);
  const accelerator = new Offload(systolic, systolic.configure(), Simulator.of(systolic));
  const compiled = accelerator.compile(layer);
  let share = 0;
  const speed = await measure(
    options,
    async () => {
      const start = process.cpuUsage();
      const { clocks } = await accelerator.run(compiled, input);
      share = (m * n * k) / clocks / accelerator.peakMacsPerClock;
      return clocks / cpuSeconds(start);
    },
    1,
  );
  const note = `no peer: nobody else simulates this design; ${(share * 100).toFixed(1)} % of the array's peak`;
  return row(`systolic, ${m} x ${n} x ${k}`, "clocks/cpu-s", speed, null, note);
}

async function wholeNetwork(options: BenchOptions, network: string, file: string): Promise<Row> {
  const graph = readTfliteFile(file);
  const input = new Uint8Array(byteLength(graph.tensors[graph.inputs[0]!]!));
  const clocks = { total: 0 };
  const cpu: number[] = [];
  const seconds = await measure({ ...options, runs: Math.min(options.runs, 3) }, async () => {
    const target = await acceleratorTarget({ on: "sim", engine: "kernel" });
    try {
      const { implementations, prefer } = target;
      const start = performance.now();
      const startCpu = process.cpuUsage();
      const { layers } = await execute(makePlan(graph, { implementations, prefer, layers: {} }), [input], {});
      clocks.total = layers.reduce((sum, { cost }) => sum + (cost?.clocks ?? 0), 0);
      cpu.push(cpuSeconds(startCpu));
      return (performance.now() - start) / 1000;
    } finally {
      await target.close();
    }
  });
  const note = `wall time, first run of a process included; ${clocks.total.toLocaleString("en-US")} clocks; ${figure(cpu).median.toFixed(1)} s of processor time`;
  return row(network, "s", seconds, null, note);
}
