import { expect } from "chai";
import { elaborate, u16, u8 } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { InStep, randomOptions, type InStepOptions } from "./in-step.js";
import { Random } from "./random.js";
import { setting, streamsOf } from "./steps.js";
import { inFast, inKernel } from "./streams.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 12);
const settings = 4;

describe(`Loops that run in step are done in rounds (seed ${first})`, () => {
  it(`and equal the kernel: ${count} random designs, interrupted by waits, horizons and the end`, async function () {
    this.timeout(20_000 + count * 3000);
    let [rounds, leapt, repeated] = [0, 0, 0];
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed);
      const options = randomOptions(random);
      const { ir, diagnostics } = await readDesign(elaborate(new InStep(options)));
      expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
      const engine = new FastEngine(ir);
      for (let i = 0; i < settings; i++) {
        const around = streamsOf(setting(random, options));
        const expected = inKernel(new InStep(options), around);
        expect(inFast(engine, around), `seed ${seed}, setting ${i}`).to.deep.equal(expected);
        rounds += engine.rounds;
        leapt += engine.leapt;
        repeated += engine.repeated;
        engine.reset();
      }
    }
    // One design, replayed by its seed, may have less than designs have on average.
    if (count === 1) return;
    expect(rounds, "rounds").to.be.above(count * settings * 10);
    expect(leapt, "rounds in leaps").to.be.above(count * settings * 5);
    expect(repeated, "rounds with the waits of an earlier run").to.be.above(count * settings);
  });

  it("and a wait for the outside is not taken for one that each round has", async () => {
    const random = new Random(first);
    const options: InStepOptions = {
      ...randomOptions(random),
      depths: [2, 2, 2, 2, 2, 2, 2, 8],
      lanes: [1, 1, 1, 1, 1, 1, 1, 1],
      tells: 1,
      workerClocks: 2,
      rests: 255,
      waits: false,
      halves: false,
      chunk: 1,
      segment: 0,
      polls: false,
    };
    const { ir } = await readDesign(elaborate(new InStep(options)));
    const engine = new FastEngine(ir);
    for (let late = 12; late < 28; late++) {
      const around = streamsOf({
        ...setting(random, options),
        jobs: [{ words: u16(60), rounds: u8(2), gap: u8(0) }],
        beats: Array.from({ length: 120 }, (_, i) => ({ data: [u8(i), u8(3), u8(i * 5), u8(9)], last: i % 3 === 0 })),
        gaps: Array.from({ length: 120 }, () => 0),
        // What is told is taken slowly, and then at once.
        slow: Array.from({ length: 200 }, (_, i) => (i < late ? 17 : 0)),
        horizons: [undefined],
      });
      const expected = inKernel(new InStep(options), around);
      expect(inFast(engine, around), `slow up to token ${late}`).to.deep.equal(expected);
      engine.reset();
    }
  });
});
