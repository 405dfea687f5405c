/** Every construct of the language runs under the fast engine as under the kernel: data, clocks, stalls, counters. */
import { expect } from "chai";
import { EXAMPLES } from "../../hw/constructs/index.js";
import { streamsOf } from "../../hw/constructs/harness.js";
import { essence, runFast, runKernel } from "../rtl/compare.js";

const first = Number(process.env["SEED"] ?? 0);
const SEEDS = 4;

describe(`Constructs of the language under the fast engine (seeds ${first} to ${first + SEEDS - 1})`, () => {
  for (const one of EXAMPLES)
    it(`${one.name} equals the kernel`, async () => {
      for (let seed = first; seed < first + SEEDS; seed++) {
        const run = streamsOf(one, seed);
        const found = await runFast(one.make(), run);
        expect(essence(found), `seed ${seed}`).to.deep.equal(essence(runKernel(one.make(), run)));
      }
    });
});
