/** Loops that run in step in one mode or another, with an inner loop that counts clocks, equal the kernel. */
import { expect } from "chai";
import { clocks, elaborate } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { findRounds } from "../../../sim/fast/rounds.js";
import { stallTable, type Counters } from "../../../sim/kernel/counters.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { Modes, randomJobs, randomModes, type JobToken } from "./modes.js";
import { Random } from "./random.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 15);

interface Setting {
  readonly jobs: readonly JobToken[];
  /** Clocks before each result is taken. */
  readonly slow: readonly number[];
  readonly horizons: readonly (number | undefined)[];
}

function setting(random: Random, jobs: readonly JobToken[]): Setting {
  const most = random.pick([0, 0, 200]);
  const horizons: (number | undefined)[] = [];
  for (let t = 0; random.chance(0.5) && horizons.length < 4;) horizons.push((t += 1 + random.below(400)));
  return { jobs, slow: Array.from({ length: 100 }, () => random.below(most + 1)), horizons: [...horizons, undefined] };
}

const comparable = (values: readonly unknown[], counters: Counters): unknown => ({
  values,
  clocks: counters.clocks,
  stalls: Object.fromEntries(Object.entries(stallTable(counters)).sort(([a], [b]) => (a < b ? -1 : 1))),
  processes: counters.processes.map(({ path, busy, idle }) => ({ path, busy, idle })),
  channels: counters.channels,
});

function inKernel(top: Modes, { jobs, slow, horizons }: Setting): unknown[] {
  const kernel = new Kernel(top);
  kernel.spawn(function* source() {
    for (const job of jobs) yield* kernel.design.inputs["jobs"]!.push(job);
  });
  const seen: unknown[] = [];
  kernel.spawn(function* sink() {
    for (const gap of slow) {
      yield* clocks(gap);
      const value: unknown = yield* kernel.design.outputs["results"]!.pop();
      seen.push({ value, clock: kernel.now });
    }
  });
  return horizons.map((until) => {
    kernel.run(until === undefined ? {} : { until });
    return comparable([...seen], kernel.counters);
  });
}

function inFast(engine: FastEngine, { jobs, slow, horizons }: Setting): unknown[] {
  engine.send("jobs", jobs);
  engine.output("results", slow.length, slow);
  return horizons.map((until) => {
    engine.run(until === undefined ? {} : { until });
    return comparable(engine.values("results"), engine.counters);
  });
}

describe(`Loops that run in step in modes (seed ${first})`, () => {
  it("are one round in the mode in which most of them take part", async () => {
    const { ir } = await readDesign(elaborate(new Modes(randomModes(new Random(first)))));
    const { clusters } = findRounds(ir.processes, new Set(Object.values(ir.design.inputs)));
    const names = clusters.map((cluster) => cluster.map(({ actor }) => ir.processes[actor]!.node.path).sort());
    expect(names).to.deep.equal([["modes.drive", "modes.first", "modes.second", "modes.unit"]]);
  });

  it(`equal the kernel: ${count} random designs`, async function () {
    this.timeout(20_000 + count * 2000);
    let rounds = 0;
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed);
      const options = randomModes(random);
      const { ir, diagnostics } = await readDesign(elaborate(new Modes(options)));
      expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
      const engine = new FastEngine(ir);
      for (let i = 0; i < 4; i++) {
        const around = setting(random, randomJobs(random, options));
        const expected = inKernel(new Modes(options), around);
        expect(inFast(engine, around), `seed ${seed}, setting ${i}`).to.deep.equal(expected);
        rounds += engine.rounds;
        engine.reset();
      }
    }
    expect(rounds, "rounds").to.be.above(count * 40);
  });
});
