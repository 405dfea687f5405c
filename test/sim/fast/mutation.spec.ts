/** The comparisons with the kernel would notice a wrong rule of time: each rule, changed by one clock, is caught. */
import { expect } from "chai";
import { elaborate } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { withMutation, type TimeRules } from "../../../sim/fast/rules.js";
import { MacCell } from "../../hw/language/examples.js";
import { Fed, tiles } from "./arrays.js";
import { InStep, randomOptions } from "./in-step.js";
import { InRanges, randomRanges } from "./in-joint-range.js";
import { randomNetwork } from "./network.js";
import { Random } from "./random.js";
import { comparable, inFast as networkInFast, outside } from "./outside.js";
import { rangesInFast, rangesSetting } from "./joint-range.js";
import { setting, streamsOf } from "./steps.js";
import { inFast, inKernel, outcome } from "./streams.js";
import { channelMutants } from "./comparable.js";

const NETWORKS = 60;
const DESIGNS = 60;

const leaps: [keyof TimeRules, number, string][] = [
  ["leapWait", 1, "an operation waits a clock longer than in the round before"],
  ["leapWait", -1, "an operation waits a clock less than in the round before"],
  ["leapSlack", 99, "a leap begins before all clocks move alike"],
  ["replayBlind", 1, "rounds of an earlier run are repeated in one that begins otherwise"],
  ["replayWait", 1, "an operation waits a clock longer than in the run that is repeated"],
];

const ranges: [keyof TimeRules, number, string][] = [
  ["jointExtra", 1, "a round more at once than are alike"],
  ["jointExtra", 5, "five rounds more at once than are alike"],
  ["jointWords", 1, "words are taken that stand a byte further"],
  ["awayDeaf", 1, "a run of rounds goes on without what the first process heard on its way back to its loop"],
  ["awaySlack", 99, "a leap goes on though time has passed on that way"],
  ["jointDeaf", 1, "a range goes on over the end of a loop, though others are told something else behind it"],
];

/** Random designs whose loops run in step notice the rule. */
async function caughtInRounds(rule: keyof TimeRules, value: number): Promise<void> {
  let caught = 0;
  for (let seed = 1; seed <= DESIGNS && caught === 0; seed++) {
    const random = new Random(seed);
    const options = randomOptions(random);
    const { ir } = await readDesign(elaborate(new InStep(options)));
    const around = streamsOf(setting(random, options));
    const mutant = withMutation("round", { [rule]: value }, () => new FastEngine(ir));
    const expected = outcome(() => inKernel(new InStep(options), around));
    expect(outcome(() => inFast(new FastEngine(ir), around)) === expected, "equal without it").to.equal(true);
    if (outcome(() => inFast(mutant, around)) !== expected) caught = seed;
  }
  expect(caught, `caught by a design up to ${DESIGNS}`).to.be.above(0);
}

/** Random designs that do many rounds at once notice the rule. */
async function caughtInRanges(rule: keyof TimeRules, value: number, units: boolean): Promise<void> {
  let caught = 0;
  for (let seed = 1; seed <= DESIGNS && caught === 0; seed++) {
    const random = new Random(seed);
    const options = randomRanges(random, units);
    const { ir } = await readDesign(elaborate(new InRanges(options)));
    const around = rangesSetting(random, options);
    const mutant = withMutation("round", { [rule]: value }, () => new FastEngine(ir));
    const expected = outcome(() => rangesInFast(new FastEngine(ir), around));
    if (outcome(() => rangesInFast(mutant, around)) !== expected) caught = seed;
  }
  expect(caught, `caught by a design up to ${DESIGNS}`).to.be.above(0);
}

describe("A changed rule of time is caught", () => {
  for (const [rule, value, what] of channelMutants) {
    it(`in rings: ${what}`, () => {
      let caught = 0;
      for (let seed = 1; seed <= NETWORKS && caught === 0; seed++) {
        const around = outside(seed, randomNetwork(seed, { polls: false }));
        const run = (): string =>
          outcome(() => comparable(networkInFast(randomNetwork(seed, { polls: false }), around, false)));
        if (withMutation("ring", { [rule]: value }, run) !== run()) caught = seed;
      }
      expect(caught, `caught by a network up to ${NETWORKS}`).to.be.above(0);
    });

    it(`in rounds: ${what}`, () => caughtInRounds(rule, value));
  }

  for (const [rule, value, what] of leaps) it(`in leaps: ${what}`, () => caughtInRounds(rule, value));

  for (const [rule, value, what] of ranges) {
    it(`in ranges: ${what}`, () => caughtInRanges(rule, value, false));
    it(`in ranges that add to sums: ${what}`, () => caughtInRanges(rule, value, true));
  }
  it("in ranges: rounds as they are remembered move a clock by one more", () => caughtInRanges("settleTime", 1, false));
  it("in ranges: rounds are taken to be those that are remembered, though some clocks stood otherwise", () =>
    caughtInRanges("settleDeaf", 1, false));
  it("in leaps: rounds are taken to be alike that take other clocks before an operation", () =>
    caughtInRanges("leapEnds", -99, false));
  it("in leaps: a leap goes on behind a round that took other clocks", () => caughtInRanges("leapOn", 1, false));
  it("in ranges: a round that is remembered by itself moves clocks of channels by one more", () =>
    caughtInRanges("stepTime", 1, false));
  it("in ranges: a round is taken to be one that is remembered, though some clocks stood otherwise", () =>
    caughtInRanges("stepBlind", 1, false));
  it("in leaps: a word of which some bytes are fed is taken whole, though the others are not zeros", () =>
    caughtInRanges("wordRest", 1, false));
  it("in ranges: words are added together that do not come one after the other", () =>
    caughtInRanges("openBlind", 1, false));
  it("in leaps: a token from outside is taken that has to be waited for", () => caughtInRanges("leapTakes", 9, false));
  it("in ranges that add to sums: rows of a bank that is left out count", () => caughtInRanges("jointLeft", 1, true));

  it("in grids: rows of a tile leave together behind the horizon", () => caughtInRanges("leaveFar", 999, false));

  it("in grids: a row leaves a clock later", async () => {
    const { ir } = await readDesign(elaborate(new Fed(4, 3, new MacCell())));
    const waves = tiles(new Random(1), 4, 3, false);
    const run = (engine: FastEngine): string =>
      outcome(() => {
        engine.send("waves", waves);
        engine.output("out", 4096);
        engine.run();
        return engine.values("out");
      });
    const mutant = withMutation("ring", { leave: 1 }, () => new FastEngine(ir));
    expect(run(mutant)).to.not.equal(run(new FastEngine(ir)));
  });
});
