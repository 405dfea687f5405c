import { expect } from "chai";
import { elaborate } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { InStep, randomOptions } from "./in-step.js";
import { Random } from "./network.js";
import { inFast, inKernel, setting } from "./steps.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 12);
const settings = 4;

describe(`Loops that run in step are done in rounds (seed ${first})`, () => {
  it(`and equal the kernel: ${count} random designs, interrupted by waits, horizons and the end`, async function () {
    this.timeout(20_000 + count * 3000);
    let [rounds, leapt] = [0, 0];
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed);
      const options = randomOptions(random);
      const { ir, diagnostics } = await readDesign(elaborate(new InStep(options)));
      expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
      const engine = new FastEngine(ir);
      for (let i = 0; i < settings; i++) {
        const around = setting(random, options);
        const expected = inKernel(new InStep(options), around);
        expect(inFast(engine, around), `seed ${seed}, setting ${i}`).to.deep.equal(expected);
        rounds += engine.rounds;
        leapt += engine.leapt;
        engine.reset();
      }
    }
    expect(rounds, "rounds").to.be.above(count * settings * 10);
    expect(leapt, "rounds in leaps").to.be.above(count * settings * 5);
  });
});
