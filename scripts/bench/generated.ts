/**
 * The generated Verilog of the systolic design under Verilator, for the benchmarks: layers of MobileNetV1, held against the fast
 * engine, each token with its clock, before their time counts.
 */
import { systolic } from "../../designs/systolic/index.js";
import { readVerilog, streamsOf } from "../../driver/transport/rtl-simulator.js";
import { memoryOf } from "../../driver/transport/local.js";
import { streamPorts } from "../../driver/stream.js";
import { readDesign } from "../../hw/frontend/index.js";
import { elaborate, TandemError } from "../../hw/index.js";
import { randomGemm } from "../../host/gemm.js";
import { buildSimulator } from "../../sim/rtl/build.js";
import { FastEngine } from "../../sim/fast/engine.js";
import { runSimulator, type Left, type RtlRun } from "../../sim/rtl/simulate.js";
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

/** Every token that leaves, with its clock. */
function checkSame(what: string, ours: readonly Left[], theirs: readonly Left[]): void {
  const show = (left: Left | undefined): string => (left ? JSON.stringify(left) : "nothing");
  const wrong = Array.from({ length: Math.max(ours.length, theirs.length) }).findIndex(
    (_, i) => show(ours[i]) !== show(theirs[i] && { value: theirs[i].value, clock: theirs[i].clock }),
  );
  if (wrong >= 0)
    throw new TandemError(
      `${what}: the generated Verilog and the fast engine differ in token ${wrong}: ${show(theirs[wrong])} and ${show(ours[wrong])}`,
    );
}

/** @throws TandemError where the two differ. */
export async function generatedVerilog({ runs, say }: BenchOptions): Promise<GeneratedSpeed> {
  say("  Verilator compiles the generated 16 x 16 design (cached in .cache/rtl; minutes at the first time)");
  const config = systolic.configure();
  const elaborated = elaborate(systolic.build(config));
  const verilog = await readVerilog(elaborated);
  const built = await buildSimulator(verilog, { simulator: "verilator", ...BUILD });
  const { ir } = await readDesign(elaborated);
  const engine = new FastEngine(ir);
  const ports = streamPorts(elaborated);
  const works: { clocks: number; run: RtlRun }[] = [];
  for (const [m, n, k] of LAYERS) {
    const { layer, input } = randomGemm(m, n, k, 1);
    const { program, inputs } = systolic.compile(layer, config);
    const { run: streams } = streamsOf(program, ports, memoryOf(program, inputs(input)));
    engine.reset();
    for (const [name, { values }] of Object.entries(streams.inputs ?? {})) engine.send(name, values);
    for (const [name, { count }] of Object.entries(streams.outputs ?? {})) engine.output(name, count ?? 0);
    const clocks = engine.run();
    // Without its counters the model does not know when it is done.
    const run = { ...streams, until: clocks };
    const { outputs } = await runSimulator(built, verilog, elaborated, run);
    for (const [name, theirs] of Object.entries(outputs))
      checkSame(`${layer.name}: ${name}`, engine.values(name), theirs);
    works.push({ clocks, run });
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
