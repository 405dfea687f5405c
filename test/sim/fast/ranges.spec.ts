/** Loaders that are done by the range equal the kernel, whatever breaks the ranges off; a range that is wrong by one is noticed. */
import { expect } from "chai";
import { readDesign } from "../../../hw/frontend/index.js";
import { elaborate } from "../../../hw/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { withMutation, type TimeRules } from "../../../sim/fast/rules.js";
import { boardValues } from "../../../sim/platform/platform.js";
import { inWords, Loading, loadingTokens, randomLoading, type LoadingOptions } from "./loading.js";
import { Random } from "./random.js";
import * as board from "./paced.js";
import { inFast, inKernel, type Streams } from "./streams.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 24);
const flows = count === 1 ? 1 : count * 4;
const SETTINGS = 4;
const ENOUGH = 600;
const MUTANTS = 120;

function setting(random: Random, options: LoadingOptions): Streams {
  const { jobs, beats, ...others } = loadingTokens(random, options);
  const horizons: (number | undefined)[] = [];
  for (let t = 0; random.chance(0.6) && horizons.length < 6;) horizons.push((t += 1 + random.below(200)));
  const most = random.pick([0, 0, 3]);
  const gaps = random.chance(0.15) ? beats.map(() => (random.chance(0.05) ? random.below(12) : 0)) : undefined;
  const slow = Array.from({ length: ENOUGH }, () => (random.chance(0.2) ? random.below(most + 1) : 0));
  return {
    inputs: { jobs, beats, ...others },
    gaps: { beats: gaps },
    outputs: { sums: slow, out: slow, notes: slow },
    horizons: [...horizons, undefined],
  };
}

/** What a run shows, or what was wrong with the design: of accesses that no token orders, engines may find another one first. */
function outcome<T>(run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    const text = String(error);
    return /without handing it over|meet at address/.test(text) ? "not handed over" : text.replace(/word \d+/, "word");
  }
}

const irOf = async (options: LoadingOptions): ReturnType<typeof readDesign> => {
  const read = await readDesign(elaborate(new Loading(options)));
  expect(read.diagnostics.map(({ message }) => message)).to.deep.equal([]);
  return read;
};

/** Random boards; they go through transfers of a few beats, and are stopped anywhere. */
function aroundOf(
  random: Random,
  options: LoadingOptions,
  ir: Awaited<ReturnType<typeof readDesign>>["ir"],
  lengths: readonly number[] = [30, 300],
): board.Around {
  const inputs = loadingTokens(random, options);
  const tokens: Record<string, readonly unknown[]> = { ...inputs };
  return {
    inputs: tokens,
    capacity: ENOUGH,
    streams: board.streamsOf({ ir }, (port) => tokens[port]?.length ?? ENOUGH, random, random.pick(lengths)),
    board: board.randomBoard(random, true),
    until: random.chance(0.7) ? 40 + random.below(3000) : 9000,
  };
}

/** Long transfers of beats that take a clock, at a board whose memory may be slow: most bursts need nobody but the arbiter. */
function flowing(
  random: Random,
  options: LoadingOptions,
  ir: Awaited<ReturnType<typeof readDesign>>["ir"],
): board.Around {
  const around = aroundOf(random, options, ir, [300, 4000]);
  return { ...around, board: { ...around.board, "hp.width": 16 } };
}

describe(`Loaders are done by the range (seed ${first})`, () => {
  it(`and equal the kernel: ${count} random designs, in which ranges are broken off`, async function () {
    this.timeout(20_000 + count * 3000);
    const tally = { rounds: 0, leapt: 0, errors: 0 };
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed);
      const options = randomLoading(random);
      const { ir } = await irOf(options);
      const engine = new FastEngine(ir);
      for (let i = 0; i < SETTINGS; i++) {
        const around = setting(random, options);
        const expected = outcome(() => inKernel(new Loading(options), around));
        expect(
          outcome(() => inFast(engine, around)),
          `SEED=${seed}, setting ${i}`,
        ).to.deep.equal(expected);
        if (typeof expected === "string") tally.errors++;
        else {
          tally.rounds += engine.rounds;
          tally.leapt += engine.leapt;
        }
        engine.reset();
      }
    }
    if (count === 1) return;
    expect(tally.leapt, "tokens by the range").to.be.above(tally.rounds * 0.5);
    expect(tally.errors, "errors").to.be.above(count / 24);
  });

  it(`and at the pace of a board's DMA: ${count} random designs and boards`, async function () {
    this.timeout(20_000 + count * 3000);
    const tally = { rounds: 0, leapt: 0 };
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed * 91 + 7);
      const options = { ...randomLoading(random), careless: false, below: 64 };
      const { ir } = await irOf(options);
      const engine = new FastEngine(ir);
      for (let i = 0; i < SETTINGS; i++) {
        const around = aroundOf(random, options, ir);
        const expected = board.inKernel(new Loading(options), around);
        board.expectEqual(board.inFast(engine, around, random.chance(0.3)), expected, `SEED=${seed}, setting ${i}`);
        tally.rounds += engine.rounds;
        tally.leapt += engine.leapt;
        engine.reset();
      }
    }
    if (count > 1) expect(tally.leapt, "tokens by the range").to.be.above(tally.rounds * 0.4);
  });

  it(`and where sources flow at its pace: ${flows} random designs and boards`, async function () {
    this.timeout(20_000 + flows * 3000);
    let flowed = 0;
    for (let seed = first; seed < first + flows; seed++) {
      const random = new Random(seed * 57 + 3);
      const options = { ...randomLoading(random), careless: false, below: 64 };
      const { ir } = await irOf(options);
      const engine = new FastEngine(ir);
      for (let i = 0; i < SETTINGS; i++) {
        const around = flowing(random, options, ir);
        const expected = board.inKernel(new Loading(options), around);
        board.expectEqual(board.inFast(engine, around, random.chance(0.3)), expected, `SEED=${seed}, setting ${i}`);
        flowed += engine.flowed;
        engine.reset();
      }
    }
    if (count > 1) expect(flowed, "bursts that nobody but the arbiter looked at").to.be.above(flows * 5);
  });

  /** Rows of a token a clock, one after the other. */
  const rows = { form: "rows", heads: 0, relay: "not", early: false, late: true } as const;
  const words = { relay: "not", heads: 0, early: false, late: true, groups: true } as const;
  const mutants: [keyof TimeRules, number, string, Partial<LoadingOptions>?][] = [
    ["rangeSteps", 1, "a step more than its conditions allow"],
    ["rangeTime", 1, "its times are further apart"],
    ["rangeEven", 1, "of a burst that comes evenly one beat more is taken"],
    ["rangeFlow", 1, "tokens flow that would have to wait"],
    ["relayDeaf", 1, "a relay is taken to go on behind its last token"],
    ["relayStay", 1, "what a relay passes on is taken a clock late"],
    ["flowSteps", 4, "steps more than are sure are promised to the board's arbiter"],
    ["flowAsks", 1, "the arbiter asks for a source one clock too late"],
    ["rangeOver", 1, "the last pass of a loop is taken for one of its others"],
    ["rangeAround", 1, "the way round an outer loop is gone once too often", words],
    ["rangePart", 1, "tokens of a word that is not whole yet are left out", words],
    ["awaySlack", 99, "a leap goes on behind a way back to the loop that took time", rows],
    [
      "rowDeaf",
      1,
      "words are written again that were read from all banks at once, and not given back",
      { careless: true },
    ],
    ["awayHead", 1, "a loader that waits in another loop is taken to be back"],
  ];
  for (const [rule, value, what, given] of mutants)
    it(`and a range that is wrong is caught: ${what}`, async () => {
      let caught = 0;
      for (let seed = 1; seed <= MUTANTS && caught === 0; seed++) {
        const random = new Random(seed);
        const drawn = given === words ? inWords(random, randomLoading(random)) : randomLoading(random);
        const options = { ...drawn, careless: false, ...given };
        const { ir } = await irOf(options);
        const mutant = withMutation("round", { [rule]: value }, () => new FastEngine(ir));
        const around = setting(random, options);
        const paced = [{ ...aroundOf(random, options, ir), board: boardValues() }, flowing(random, options, ir)];
        const show = (run: () => unknown): string => JSON.stringify(outcome(run));
        const plain = (engine: FastEngine): string => show(() => inFast(engine, around));
        const atPace = (engine: FastEngine): string =>
          show(() => {
            const outcomes = [];
            for (const each of paced) {
              engine.reset();
              outcomes.push(board.inFast(engine, each, false));
            }
            return outcomes;
          });
        const right = new FastEngine(ir);
        if (plain(mutant) !== plain(right)) caught = seed;
        if (atPace(mutant) !== atPace(right)) caught = seed;
      }
      expect(caught, `caught by a design up to ${MUTANTS}`).to.be.above(0);
    });
});
