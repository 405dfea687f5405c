/** A process of the benchmark `real-time`: one network on the board in a fresh process, for the first time and again; one line of JSON. */
import { readdirSync, readFileSync } from "node:fs";
import { startSimulators } from "../../host/cli/early.js";

const [design, file, jobs, count] = process.argv.slice(2);
// As `tandem run` does, before anything else is imported.
startSimulators(["run", "--design", design!, "--jobs", jobs!]);
const { acceleratorTarget } = await import("../../host/accelerators.js");
const { byteLength } = await import("../../host/graph/tensor.js");
const { makeProfile } = await import("../../host/report/profile.js");
const { execute } = await import("../../host/runtime/executor.js");
const { makePlan } = await import("../../host/runtime/plan.js");
const { readTfliteFile } = await import("../../host/tflite/reader.js");
const { pynqZ1 } = await import("../../sim/platform/platform.js");

/** Of one run, in milliseconds. */
export interface TimedRun {
  readonly wall: number;
  /** Processor time of all threads, and of the one with the most. */
  readonly processor: number;
  readonly longest: number;
}

export interface RealTimeRuns {
  readonly boardMs: number;
  /** The first and all others, in order. */
  readonly runs: readonly TimedRun[];
}

const TASKS = "/proc/self/task";

/** Processor time of each thread of this process, in milliseconds; Linux tells. */
function threads(): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const thread of readdirSync(TASKS))
    times.set(thread, Number(readFileSync(`${TASKS}/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6);
  return times;
}

async function measure(design: string, file: string, jobs: number, count: number): Promise<RealTimeRuns> {
  const graph = readTfliteFile(file);
  const target = await acceleratorTarget({ on: "sim", design, jobs, simulation: { board: pynqZ1.board! } });
  try {
    const { implementations, prefer } = target;
    const plan = makePlan(graph, { implementations, prefer });
    const input = new Uint8Array(byteLength(graph.tensors[graph.inputs[0]!]!));
    const runs: TimedRun[] = [];
    let boardMs = 0;
    for (let i = 0; i < count; i++) {
      const before = threads();
      const { layers, wallMs, differs } = await execute(plan, [input], { jobs });
      const spent = [...threads()].map(([thread, time]) => time - (before.get(thread) ?? 0));
      if (differs !== undefined) throw new Error(`${file}: ${differs} differs from the CPU's kernel`);
      runs.push({ wall: wallMs, processor: spent.reduce((sum, ms) => sum + ms, 0), longest: Math.max(...spent) });
      boardMs = makeProfile({ graph, runs: layers, target, platform: pynqZ1, threads: 1 })!.latencyMs;
    }
    return { boardMs, runs };
  } finally {
    await target.close();
  }
}

process.stdout.write(`${JSON.stringify(await measure(design!, file!, Number(jobs), Number(count)))}\n`);
