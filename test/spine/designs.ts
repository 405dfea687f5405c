/** Every design of the registry on random layers with random stalls, under all engines. */
import { drawCase } from "./case.js";
import { compareCase, Engines, installed, type Engine } from "./engines.js";
import type { Configuration } from "./pool.js";
import type { Progress, Row } from "./report.js";

export interface DesignRun {
  readonly pool: readonly Configuration[];
  readonly seed: number;
  readonly first: number;
  readonly count: number;
  readonly engines: readonly Engine[];
}

/**
 * Icarus simulates some hundred to some thousand clocks a second, in inverse proportion to the cells of the array. It gets
 * the cases whose clocks times cells stay below this; the choice depends on the case alone, not on the machine.
 */
const ICARUS_WORK = 60_000;
/** Processes and channels around the array, in cells. */
const AROUND = 30;

export async function runDesign(name: string, run: DesignRun, progress: Progress): Promise<Row> {
  const { pool, seed, first, count } = run;
  const others = run.engines.filter((engine) => engine !== "kernel" && installed(engine));
  const engines = pool.map((configuration) => new Engines(configuration));
  const used = new Map<Engine, number>();
  let clocks = 0;
  const differences: string[] = [];
  for (let i = 0; i < count; i++) {
    const index = first + i;
    const one = drawCase(pool, seed, index);
    const { design, parameters } = one.configuration;
    const cells = design.peakMacsPerClock(design.configure(parameters));
    progress.step(`${name}, case ${index}: ${one.text}`, i / count);
    const result = await compareCase(engines[index % pool.length]!, one, (n) =>
      others.filter((engine) => engine !== "icarus" || n * (cells + AROUND) <= ICARUS_WORK),
    );
    for (const engine of result.engines) used.set(engine, (used.get(engine) ?? 0) + 1);
    clocks += result.clocks;
    if (result.difference === undefined) continue;
    differences.push(result.difference);
    progress.difference(`${name}, --seed ${seed} --case ${index}: ${one.text}\n    ${result.difference}`);
  }
  const shares = others.map((engine) => `${engine} ${used.get(engine) ?? 0}`);
  return { part: name, cases: count, clocks, differences: differences.length, note: ["kernel", ...shares].join(", ") };
}
