/** The spine sees changed hardware: one operator changed in every module of the systolic design's Verilog. */
import { expect } from "chai";
import { installed } from "./engines.js";
import { mutate, mutationsOf, Trial } from "./mutation.js";
import { MUTATED } from "./pool.js";

/** Others may be without effect: `x < low ? low : x` is the same with `<=`. */
const VISIBLE = new Set([" + ", " * ", " == "]);

describe("A changed operator in the Verilog of the systolic design", function () {
  this.timeout(900_000);

  it("is caught by a few random layers, whatever module it is in", async function () {
    if (!installed("icarus")) this.skip();
    const trial = await Trial.of(MUTATED.get("systolic")!, 1, 8);
    expect(await trial.difference(trial.design), "the design as it is").to.equal(undefined);
    const sites = mutationsOf(trial.design).filter(({ from }) => VISIBLE.has(from));
    const files = new Set(sites.map(({ file }) => file));
    const missed: string[] = [];
    let caught = 0;
    for (const file of files) {
      for (const site of sites.filter((one) => one.file === file)) {
        const seen = await trial.difference(mutate(trial.design, site));
        // A change that makes no Verilog is no change: the next one in this file.
        if (seen === null) continue;
        if (seen === undefined) missed.push(`${file}: ${site.text}`);
        else caught++;
        break;
      }
    }
    expect(missed).to.deep.equal([]);
    expect(caught).to.be.above(15);
  });
});
