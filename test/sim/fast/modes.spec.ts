/** Loops that run in step in one mode or another, with an inner loop that counts clocks, equal the kernel. */
import { expect } from "chai";
import { elaborate } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { findRounds } from "../../../sim/fast/rounds.js";
import { Modes, randomJobs, randomModes, type JobToken } from "./modes.js";
import { Random } from "./random.js";
import { inFast, inKernel, type Streams } from "./streams.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 15);

function setting(random: Random, jobs: readonly JobToken[]): Streams {
  const most = random.pick([0, 0, 200]);
  const horizons: (number | undefined)[] = [];
  for (let t = 0; random.chance(0.5) && horizons.length < 4;) horizons.push((t += 1 + random.below(400)));
  const slow = Array.from({ length: 100 }, () => random.below(most + 1));
  return { inputs: { jobs }, outputs: { results: slow }, horizons: [...horizons, undefined] };
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
    // One design, replayed by its seed, may have less than designs have on average.
    if (count === 1) return;
    expect(rounds, "rounds").to.be.above(count * 40);
  });
});
