/** Every construct of the language, every example of its page and the small designs of the Verilog tests, under all engines. */
import { readDesign } from "../../hw/frontend/index.js";
import { elaborate, type Module } from "../../hw/index.js";
import type { RtlRun } from "../../sim/rtl/simulate.js";
import { EXAMPLES } from "../hw/constructs/index.js";
import { streamsOf } from "../hw/constructs/harness.js";
import { cases, runOf } from "../sim/rtl/cases.js";
import { essence, runFast, runKernel, runRtl, verilogOf } from "../sim/rtl/compare.js";
import { firstDifference } from "../support/difference.js";
import { installed, type Engine } from "./engines.js";
import type { Progress, Row } from "./report.js";

export interface Construct {
  readonly name: string;
  readonly make: () => Module;
  readonly run: (seed: number) => RtlRun;
}

export const CONSTRUCTS: readonly Construct[] = [
  ...EXAMPLES.map((one) => ({
    name: one.name,
    make: one.make,
    run: (seed: number): RtlRun => streamsOf(one, seed),
  })),
  ...cases.map((which) => ({ name: which.name, make: () => which.build(), run: (seed: number) => runOf(which, seed) })),
];

/** What differs for one seed; undefined where all engines agree. */
export async function compareConstruct(
  one: Construct,
  seed: number,
  engines: readonly Engine[],
): Promise<{ clocks: number; difference: string | undefined }> {
  const run = one.run(seed);
  const expected = runKernel(one.make(), run);
  const { clocks } = expected;
  const { ir } = await readDesign(elaborate(one.make()));
  const isHardware = !ir.processes.some(({ estimates }) => estimates);
  for (const engine of engines) {
    if (engine === "kernel" || (engine !== "fast" && !isHardware)) continue;
    let found: string | undefined;
    try {
      if (engine === "fast") found = firstDifference(essence(expected), essence(await runFast(one.make(), run)), "");
      else {
        const top = one.make();
        const actual = await runRtl(top, await verilogOf(top), engine, run);
        found = firstDifference(essence(expected), essence(actual), "");
        if (actual.unknown.length > 0) found ??= `X after reset in clocks ${actual.unknown.join(", ")}`;
      }
    } catch (error) {
      found = error instanceof Error ? error.message : String(error);
    }
    if (found !== undefined) return { clocks, difference: `kernel against ${engine}: ${found}` };
  }
  return { clocks, difference: undefined };
}

export async function runConstructs(
  { seed, count, engines }: { seed: number; count: number; engines: readonly Engine[] },
  progress: Progress,
): Promise<Row> {
  const here = engines.filter(installed);
  let clocks = 0;
  let differences = 0;
  for (const [i, one] of CONSTRUCTS.entries())
    for (let k = 0; k < count; k++) {
      progress.step(`constructs: ${one.name}, seed ${seed + k}`, (i * count + k) / (CONSTRUCTS.length * count));
      const result = await compareConstruct(one, seed + k, here);
      clocks += result.clocks;
      if (result.difference === undefined) continue;
      differences++;
      progress.difference(`construct ${one.name}, --part constructs --seed ${seed + k}: ${result.difference}`);
    }
  const part = `${CONSTRUCTS.length} constructs`;
  return { part, cases: CONSTRUCTS.length * count, clocks, differences, note: here.join(", ") };
}
