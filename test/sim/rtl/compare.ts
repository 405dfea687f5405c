/** Runs one design in the kernel, the fast engine and the simulators of its Verilog, under the same environment. */
import { expect } from "chai";
import { elaborate, type Module } from "../../../hw/index.js";
import { clocks, type Process } from "../../../hw/process.js";
import { formatDiagnostic } from "../../../hw/check/diagnostic.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { emitVerilog, type VerilogDesign } from "../../../hw/verilog/design.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { stallTable, type Counters } from "../../../sim/kernel/counters.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { buildSimulator } from "../../../sim/rtl/build.js";
import { runSimulator, type Left, type RtlRun } from "../../../sim/rtl/simulate.js";
import type { SimulatorName } from "../../../sim/rtl/tools.js";

export interface Outcome {
  readonly clocks: number;
  readonly outputs: Readonly<Record<string, readonly Left[]>>;
  readonly counters: Counters;
}

export function runKernel(top: Module, run: RtlRun): Outcome {
  const kernel = new Kernel(top);
  for (const [name, { values, gaps = [] }] of Object.entries(run.inputs ?? {})) {
    const channel = kernel.design.inputs[name]!;
    kernel.spawn(function* source(): Process {
      for (const [i, value] of values.entries()) {
        if (gaps.length > 0) yield* clocks(gaps[i % gaps.length]!);
        yield* channel.push(value);
      }
    });
  }
  const outputs: Record<string, Left[]> = {};
  for (const [name, channel] of Object.entries(kernel.design.outputs)) {
    const { count = Infinity, gaps = [] } = run.outputs?.[name] ?? {};
    const seen: Left[] = (outputs[name] = []);
    kernel.spawn(function* sink(): Process {
      for (let i = 0; i < count; i++) {
        if (gaps.length > 0) yield* clocks(gaps[i % gaps.length]!);
        const value = yield* channel.pop();
        seen.push({ clock: kernel.now, value: structuredClone(value) });
      }
    });
  }
  const total = kernel.run({ ...(run.until === undefined ? {} : { until: run.until }), limit: run.limit ?? 1e6 });
  return { clocks: total, outputs, counters: kernel.counters };
}

/** Tokens that a sink of the fast engine has room for, where it may take any number. */
const ROOM = 4000;

const spread = (gaps: readonly number[] | undefined, count: number): number[] | undefined =>
  gaps && gaps.length > 0 ? Array.from({ length: count }, (_, i) => gaps[i % gaps.length]!) : undefined;

export async function runFast(top: Module, run: RtlRun): Promise<Outcome> {
  const { ir } = await readDesign(elaborate(top));
  const engine = new FastEngine(ir);
  for (const [name, { values, gaps }] of Object.entries(run.inputs ?? {}))
    engine.send(name, values, spread(gaps, values.length));
  const ports = Object.keys(engine.design.outputs);
  for (const name of ports) {
    const { count = ROOM, gaps } = run.outputs?.[name] ?? {};
    engine.output(name, count, spread(gaps, count));
  }
  const total = engine.run({ ...(run.until === undefined ? {} : { until: run.until }), limit: run.limit ?? 1e6 });
  const outputs = Object.fromEntries(ports.map((name) => [name, engine.values(name)]));
  for (const name of ports) expect(outputs[name]!.length, `${name}: room for more tokens`).to.be.below(ROOM);
  return { clocks: total, outputs, counters: engine.counters };
}

export async function verilogOf(top: Module): Promise<VerilogDesign> {
  const { ir, diagnostics } = await readDesign(elaborate(top));
  expect(diagnostics.map(formatDiagnostic).join("\n")).to.equal("");
  return emitVerilog(ir);
}

export async function runRtl(
  top: Module,
  design: VerilogDesign,
  simulator: SimulatorName,
  run: RtlRun,
): Promise<Outcome & { unknown: readonly number[] }> {
  const built = await buildSimulator(design, { simulator });
  const result = await runSimulator(built, design, elaborate(top), { limit: 1e6, ...run });
  return { ...result, counters: result.counters! };
}

/** What must be equal between engines; stalls of no clock and their order do not count. */
export function essence({
  clocks: total,
  outputs,
  counters,
}: Pick<Outcome, "clocks" | "counters"> & { outputs: unknown }): unknown {
  return {
    clocks: total,
    outputs,
    processes: counters.processes.map(({ path, busy, idle, estimated }) => ({ path, busy, idle, estimated })),
    stalls: stallTable(counters),
    channels: counters.channels,
    memories: counters.memories,
    grids: counters.grids,
  };
}
