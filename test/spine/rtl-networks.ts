/**
 * Random networks of small processes as Verilog under Icarus: what the lowering makes of loops, branches, waits, lanes and
 * polls that nobody would write, against the kernel.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TandemError } from "../../hw/index.js";
import { emitVerilog } from "../../hw/verilog/design.js";
import { buildSimulator } from "../../sim/rtl/build.js";
import { runSimulator } from "../../sim/rtl/simulate.js";
import { stallTable } from "../../sim/kernel/counters.js";
import { randomNetwork } from "../sim/fast/network.js";
import { comparable, inKernel, outside } from "../sim/fast/outside.js";
import { firstDifference } from "../support/difference.js";
import { checkSeeds, type Check } from "../support/watchdog.js";
import { installed } from "./engines.js";
import type { Progress, Row } from "./report.js";

/** What differs in the network of `seed`; null where the kernel refuses it. */
export const check: Check = async (seed) => {
  const options = { polls: seed % 3 === 0, hardware: true };
  const made = randomNetwork(seed, options);
  const around = outside(seed, made);
  let expected;
  try {
    expected = inKernel(made, around);
  } catch (error) {
    if (error instanceof TandemError) return null;
    throw error;
  }
  const { ir } = randomNetwork(seed, options);
  const cache = mkdtempSync(join(tmpdir(), "tandem-network-"));
  try {
    const verilog = emitVerilog(ir);
    const built = await buildSimulator(verilog, { simulator: "icarus", cache });
    const gaps = [...around.gaps];
    const inputs: Record<string, { values: readonly unknown[]; gaps: number[] }> = {};
    const outputs: Record<string, { count: number; gaps: number[] }> = {};
    for (const [name, values] of Object.entries(around.inputs)) inputs[name] = { values, gaps };
    for (const name of Object.keys(ir.design.outputs)) outputs[name] = { count: gaps.length, gaps };
    const run = { inputs, outputs, until: around.until ?? 5000 };
    const { counters, ...result } = await runSimulator(built, verilog, ir.design, run);
    if (result.unknown.length > 0) return `X after reset in clocks ${result.unknown.join(", ")}`;
    const received = Object.values(result.outputs).flatMap((left) => left.map(({ clock, value }) => [clock, value]));
    const actual = { received, clocks: result.clocks, stalls: stallTable(counters!), counters: counters! };
    return firstDifference(comparable(expected), comparable(actual), "");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
};

/** Milliseconds for one network, which takes some hundred. */
const LIMIT = 60_000;

export async function runRtlNetworks(
  { seed, count }: { seed: number; count: number },
  progress: Progress,
): Promise<Row> {
  const row = { part: "random networks as Verilog", cases: 0, clocks: undefined, differences: 0 };
  if (!installed("icarus")) return { ...row, note: "left out: iverilog is not installed" };
  const { ran, failures } = await checkSeeds({
    module: import.meta.url,
    first: seed,
    count,
    limit: LIMIT,
    onSeed: (at) => progress.step(`network ${at} under icarus`, (at - seed) / count),
  });
  for (const { seed: at, message } of failures)
    progress.difference(`network, --part rtl-networks --rtl-networks 1 --seed ${at}: ${message}`);
  return { ...row, cases: ran, differences: failures.length, note: "kernel, icarus" };
}
