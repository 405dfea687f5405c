/** Times a model under our scheduler; as a program, `ours.js NAME COUNT` prints what it took as JSON. */
import { argv, cpuUsage } from "node:process";
import { fileURLToPath } from "node:url";
import { Simulation } from "../../../sim/systemc/index.js";
import { models, type Model } from "./models.js";

export interface Timed {
  /** Of processor time. */
  readonly seconds: number;
  readonly result: number;
}

/** Processor time, because a busy machine disturbs it less; all of a process's, so the collector and compiler count. */
export function cpuSeconds(start: NodeJS.CpuUsage): number {
  const { user, system } = cpuUsage(start);
  return (user + system) * 1e-6;
}

export function timeModel(model: Model, count: number): Timed {
  const sim = new Simulation();
  const start = cpuUsage();
  const result = model(sim, count);
  return { seconds: cpuSeconds(start), result };
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const model = models[argv[2] ?? ""];
  if (model !== undefined) console.log(JSON.stringify(timeModel(model, Number(argv[3]))));
}
