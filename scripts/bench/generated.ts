/**
 * The generated Verilog of the systolic design under Verilator, for the benchmarks: layers of MobileNetV1, held against the fast
 * engine in bytes and clocks before their time counts.
 */
import { systolic } from "../../designs/systolic/index.js";
import { FastSimulator } from "../../driver/transport/fast-simulator.js";
import { readVerilog, RtlSimulator, streamsOf } from "../../driver/transport/rtl-simulator.js";
import { memoryOf } from "../../driver/transport/simulator.js";
import { streamPorts } from "../../driver/stream.js";
import { elaborate, TandemError } from "../../hw/index.js";
import { randomGemm } from "../../host/gemm.js";
import { buildSimulator } from "../../sim/rtl/build.js";
import { runSimulator, type RtlRun } from "../../sim/rtl/simulate.js";
import { figure, type BenchOptions, type Figure } from "./harness.js";

/** 1 x 1 layers of MobileNetV1 1.0/224 as products: rows, channels, depth. */
const LAYERS = [
  [12_544, 64, 32],
  [784, 256, 256],
  [196, 512, 512],
] as const;
const BUILD = { counters: false, flags: ["-O3"] } as const;

export interface GeneratedSpeed {
  /** Clocks per second of the model, start and reading of its input taken off. */
  readonly speed: Figure;
  readonly layers: string;
}

/** @throws TandemError where the two differ. */
export async function generatedVerilog({ runs, say }: BenchOptions): Promise<GeneratedSpeed> {
  say("  Verilator compiles the generated 16 x 16 design (cached in .cache/rtl; minutes at the first time)");
  const config = systolic.configure();
  const elaborated = elaborate(systolic.build(config));
  const verilog = await readVerilog(elaborated);
  const built = await buildSimulator(verilog, { simulator: "verilator", ...BUILD });
  const rtl = await RtlSimulator.of(systolic, {}, { build: BUILD });
  const fast = await FastSimulator.of(systolic);
  const ports = streamPorts(elaborated);
  const works: { clocks: number; run: RtlRun }[] = [];
  for (const [m, n, k] of LAYERS) {
    const { layer, input } = randomGemm(m, n, k, 1);
    const { program, inputs } = systolic.compile(layer, config);
    const memory = inputs(input);
    const theirs = await rtl.run(await rtl.load(program), memory);
    const ours = await fast.run(await fast.load(program), memory);
    const same = Object.entries(ours.outputs).every(
      ([name, bytes]) => Buffer.compare(bytes, theirs.outputs[name]!) === 0,
    );
    if (!same || ours.clocks !== theirs.clocks)
      throw new TandemError(
        `${layer.name}: the generated Verilog and the fast engine differ: ${theirs.clocks} and ${ours.clocks} clocks, bytes ${same ? "equal" : "different"}`,
      );
    works.push({ clocks: ours.clocks, run: streamsOf(program, ports, memoryOf(program, memory)).run });
  }
  const seconds = async (run: RtlRun, until?: number): Promise<number> => {
    const start = performance.now();
    await runSimulator(built, verilog, elaborated, { ...run, ...(until !== undefined && { until }) });
    return (performance.now() - start) / 1000;
  };
  const speeds: number[] = [];
  for (let i = 0; i < runs; i++) {
    let time = 0;
    for (const { run } of works) time += (await seconds(run)) - (await seconds(run, 1));
    speeds.push(works.reduce((sum, { clocks }) => sum + clocks, 0) / time);
  }
  return { speed: figure(speeds), layers: LAYERS.map((size) => size.join(" x ")).join(", ") };
}
