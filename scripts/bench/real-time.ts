/**
 * Whole networks on the board's model in real time: predicted latency on one thread over the wall time of the simulation, CPU layers
 * included, in a fresh process: the first run, and one that finds everything warm, simulated by one thread and by as many as there are
 * processors. On a machine that others use, processor time says more: of all threads, and of the one with the most, below which no wall
 * time can come.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { figure, row, type Benchmark, type Row } from "./harness.js";
import { NETWORKS, networkFile } from "./networks.js";
import type { RealTimeRuns } from "./real-time-run.js";

const execute = promisify(execFile);
const child = fileURLToPath(new URL("./real-time-run.js", import.meta.url));
/** V8 compiles JavaScript anew for some runs. */
const WARM_UP = 6;

export const benchmark: Benchmark = {
  title: "Networks on the board's model, in real time",
  async *run({ runs, say }) {
    for (const design of ["systolic", "vmac"])
      for (const network of NETWORKS) {
        const file = networkFile(network);
        if (!existsSync(file)) {
          say(`  ${network}: skipped, there is no ${network}.tflite in ../shared/models`);
          continue;
        }
        for (const jobs of new Set([1, availableParallelism()]))
          yield* rowsOf(`${design}, ${network}, --jobs ${jobs}`, [design, file, String(jobs), String(runs + WARM_UP)]);
      }
  },
};

async function* rowsOf(name: string, args: readonly string[]): AsyncGenerator<Row> {
  const { stdout } = await execute(process.execPath, [child, ...args]);
  const { boardMs, runs } = JSON.parse(stdout) as RealTimeRuns;
  const board = figure([boardMs]);
  const warm = runs.slice(WARM_UP);
  const first = runs[0]!;
  const times = (of: "wall" | "processor" | "longest") => figure(warm.map((each) => each[of]));
  yield row(`${name}: real time`, "x", figure(warm.map(({ wall }) => boardMs / wall)), null, "warm");
  yield row(`${name}: real time, first run`, "x", figure([boardMs / first.wall]), null, "a fresh process");
  yield row(`${name}: wall time`, "ms", times("wall"), board, "peer: the board");
  yield row(`${name}: wall time, first run`, "ms", figure([first.wall]), board, "peer: the board");
  yield row(`${name}: processor time`, "ms", times("processor"), board, "all threads; peer: the board");
  yield row(`${name}: longest thread`, "ms", times("longest"), board, "its processor time; peer: the board");
}
