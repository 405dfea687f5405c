/** Rounds with two loops that pop nothing, inner loops that go round once, and a process that takes what leaves: they equal the kernel. */
import { expect } from "chai";
import { elaborate } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import type { DesignIr } from "../../../hw/ir/ir.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { findRounds } from "../../../sim/fast/rounds.js";
import { withMutation, type TimeRules } from "../../../sim/fast/rules.js";
import { Beside, randomBeside, randomBesideJobs, type BesideOptions } from "./beside.js";
import { channelMutants } from "./comparable.js";
import { Random } from "./random.js";
import { inFast, inKernel, outcome, type Streams } from "./streams.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 25);
const ENOUGH = 400;

function setting(random: Random): Streams {
  const some = (most: number): number[] => Array.from({ length: ENOUGH }, () => random.below(most + 1));
  const horizons: (number | undefined)[] = [];
  for (let t = 0; random.chance(0.5) && horizons.length < 4;) horizons.push((t += 1 + random.below(300)));
  const jobs = randomBesideJobs(random);
  const late = some(random.pick([0, 10, 60]));
  return {
    inputs: { jobs, rows: late.map(() => true) },
    gaps: { rows: late },
    outputs: { results: some(random.pick([0, 0, 20])) },
    horizons: [...horizons, undefined],
  };
}

async function irOf(options: BesideOptions): Promise<DesignIr> {
  const { ir, diagnostics } = await readDesign(elaborate(new Beside(options)));
  expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
  return ir;
}

describe(`Loops without a head beside the first of a round (seed ${first})`, () => {
  it("are members of the round, and so is who takes what both send", async () => {
    const { processes, design } = await irOf(randomBeside(new Random(first)));
    const { clusters } = findRounds(processes, new Set(Object.values(design.inputs)));
    const names = clusters.map((cluster) => cluster.map(({ actor }) => processes[actor]!.node.path).sort());
    expect(names).to.deep.equal([["beside.drive", "beside.fetch", "beside.picture", "beside.unit"]]);
  });

  it(`equal the kernel: ${count} random designs`, async function () {
    this.timeout(20_000 + count * 2000);
    let [rounds, leapt] = [0, 0];
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed);
      const options = randomBeside(random);
      const engine = new FastEngine(await irOf(options));
      for (let i = 0; i < 4; i++) {
        const around = setting(random);
        expect(inFast(engine, around), `seed ${seed}, setting ${i}`).to.deep.equal(
          inKernel(new Beside(options), around),
        );
        rounds += engine.rounds;
        leapt += engine.leapt;
        engine.reset();
      }
    }
    // One design, replayed by its seed, may have less than designs have on average.
    if (count === 1) return;
    expect(rounds, "rounds").to.be.above(count * 40);
    expect(leapt, "rounds in leaps").to.be.above(count * 10);
  });

  const leaps: [keyof TimeRules, number, string][] = [
    ["leapWait", 1, "an operation waits a clock longer in a leap"],
    ["leapSlack", 99, "a leap begins before all clocks move alike"],
  ];
  // No pass uses a channel twice, and each takes a clock: lanes are never short.
  const channels = channelMutants.filter(
    ([rule, after]) => after > 0 || rule === "popAfterPush" || rule === "pushAfterPop",
  );
  for (const [rule, value, what] of [...channels, ...leaps])
    it(`notice a changed rule: ${what}`, async () => {
      let caught = false;
      for (let seed = 1; seed <= 60 && !caught; seed++) {
        const random = new Random(seed);
        const ir = await irOf(randomBeside(random));
        const around = setting(random);
        const mutant = withMutation("round", { [rule]: value }, () => new FastEngine(ir));
        const expected = outcome(() => inFast(new FastEngine(ir), around));
        caught = outcome(() => inFast(mutant, around)) !== expected;
      }
      expect(caught).to.equal(true);
    }).timeout(20_000);
});
