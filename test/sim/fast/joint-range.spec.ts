/** Many rounds at once leave everything as the kernel does: the words that are fed, clocks, stalls, counts, errors. */
import { expect } from "chai";
import { elaborate, u8, uint } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { withMutation } from "../../../sim/fast/rules.js";
import { InRanges, randomRanges, randomRangesJobs } from "./in-joint-range.js";
import { Random } from "./random.js";
import { rangesInFast, rangesInKernel, rangesSetting } from "./joint-range.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 10);
const settings = 3;

const u7 = uint(7);

/** How a run failed. */
function failure(run: () => unknown): string {
  try {
    run();
    return "none";
  } catch (error) {
    return String(error);
  }
}

describe(`Many rounds at once (seed ${first})`, () => {
  const equalKernel = async (units: boolean): Promise<void> => {
    let [ranged, leapt, repeated] = [0, 0, 0];
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed);
      const options = randomRanges(random, units);
      const { ir, diagnostics } = await readDesign(elaborate(new InRanges(options)));
      expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
      const engine = new FastEngine(ir);
      for (let i = 0; i < settings; i++) {
        const around = rangesSetting(random, options);
        const expected = rangesInKernel(new InRanges(options), around);
        expect(rangesInFast(engine, around), `seed ${seed}, setting ${i}`).to.deep.equal(expected);
        ranged += engine.ranged;
        leapt += engine.leapt;
        repeated += engine.repeated;
        engine.reset();
      }
    }
    // One design, replayed by its seed, may have less than designs have on average.
    if (count === 1) return;
    expect(leapt, "rounds in leaps").to.be.above(count * settings * 20);
    expect(ranged, "rounds many at once").to.be.above(count * settings * 10);
    // Who feeds an array repeats none.
    expect(repeated, "rounds with the waits of an earlier run").to.be.above(units ? count * settings : -1);
  };

  it("go on over the ends of segments where nobody else notices them", async () => {
    for (const [segment, tiles] of [
      [8, 4],
      [3, 4],
      [60, 4],
    ] as const) {
      const random = new Random(first);
      const options = { ...randomRanges(random), parts: 2, rows: 4, late: false, pace: 1, far: false };
      const { ir } = await readDesign(elaborate(new InRanges(options)));
      const engine = new FastEngine(ir);
      const [job] = randomRangesJobs(random, options);
      const never = { tellAt: u8(255), restAt: u8(255), shortAt: u8(255) };
      const sizes = { words: u8(60), filled: u8(60), segment: u8(segment), tiles: u8(tiles), freesAt: u8(59) };
      const jobs = [{ ...job!, ...never, ...sizes, base: u7(0), used: [u8(4), u8(4)] }];
      const around = { ...rangesSetting(random, options), jobs, horizons: [undefined] };
      expect(rangesInFast(engine, around)).to.deep.equal(rangesInKernel(new InRanges(options), around));
      // The first tile waits at each segment's end for its words; all others are ranges from end to end, but for a few rounds.
      const [words, alone] = [60 * (tiles - 1), 12 * tiles];
      expect(engine.ranged, `segments of ${segment}`).to.be.above(words - alone);
    }
  });

  it(`equal the kernel: ${count} random designs, with all that stops them`, () => equalKernel(false)).timeout(
    20_000 + count * 5000,
  );
  it(`so do products that are added to sums, where the words stand`, () => equalKernel(true)).timeout(
    20_000 + count * 5000,
  );

  for (const units of [false, true])
    it(`stop at the error that the kernel stops at: a word that was never written, wherever it is${units ? " (sums)" : ""}`, async () => {
      const random = new Random(first);
      const options = { ...randomRanges(random, units), parts: 2, rows: 4 };
      const { ir } = await readDesign(elaborate(new InRanges(options)));
      const engine = new FastEngine(ir);
      for (let filled = 0; filled < 30; filled++) {
        const [job] = randomRangesJobs(random, options);
        const jobs = [
          { ...job!, words: u8(30), filled: u8(filled), segment: u8(30), used: [u8(4), u8(4)], base: job!.base },
        ];
        const around = { ...rangesSetting(random, options), jobs, horizons: [undefined] };
        const expected = failure(() => rangesInKernel(new InRanges(options), around));
        expect(expected).to.contain("never written");
        expect(
          failure(() => rangesInFast(engine, around)),
          `filled ${filled}`,
        ).to.equal(expected);
        engine.reset();
      }
    });

  it("notice words that are given up before they are read", async function () {
    this.timeout(20_000 + count * 1000);
    const random = new Random(first);
    const options = { ...randomRanges(random), parts: 2, rows: 4, far: false };
    const { ir } = await readDesign(elaborate(new InRanges(options)));
    const engine = new FastEngine(ir);
    for (let freesAt = 0; freesAt < 40; freesAt += 3) {
      const [job] = randomRangesJobs(random, options);
      const like = { ...job!, words: u8(40), filled: u8(40), tiles: u8(1), used: [u8(4), u8(4)] };
      const jobs = [
        { ...like, freesAt: u8(freesAt) },
        { ...like, freesAt: u8(39) },
      ];
      const around = { ...rangesSetting(random, options), jobs, horizons: [undefined] };
      const fails = failure(() => rangesInKernel(new InRanges(options), around)) !== "none";
      expect(fails, `after word ${freesAt}`).to.equal(freesAt < 39);
      expect(failure(() => rangesInFast(engine, around)) !== "none", `after word ${freesAt}`).to.equal(fails);
      engine.reset();
    }
  });

  it("notice words that were written again since they were read last, and not handed over", async () => {
    const random = new Random(first);
    const options = { ...randomRanges(random), parts: 2, rows: 4, far: false, pace: 1 };
    const { ir } = await readDesign(elaborate(new InRanges(options)));
    const [job] = randomRangesJobs(random, options);
    const sizes = { words: u8(90), filled: u8(90), segment: u8(30), freesAt: u8(89), tiles: u8(2), base: u7(0) };
    const never = { tellAt: u8(255), restAt: u8(255), shortAt: u8(255) };
    const like = { ...job!, ...sizes, ...never, used: [u8(4), u8(4)] };
    const around = { ...rangesSetting(random, options), jobs: [like, { ...like, blind: true }], horizons: [undefined] };
    const inFast = (): string => failure(() => rangesInFast(new FastEngine(ir), around));
    const expected = failure(() => rangesInKernel(new InRanges(options), around));
    expect(expected).to.contain("without handing it over");
    expect(inFast()).to.equal(expected);
    expect(withMutation("round", { jointStale: 1 }, inFast), "if writes change nothing").to.not.equal(expected);
  });

  it("leave at the ports of banks the words that were read last, where somebody asks for them", async () => {
    const random = new Random(first);
    const options = { ...randomRanges(random), parts: 2, rows: 4, late: false, far: false, pace: 1, echo: true };
    const { ir } = await readDesign(elaborate(new InRanges(options)));
    const [job] = randomRangesJobs(random, options);
    const never = { tellAt: u8(255), restAt: u8(255), shortAt: u8(255) };
    const sizes = { words: u8(60), filled: u8(60), segment: u8(60), freesAt: u8(59), tiles: u8(2), base: u7(0) };
    const jobs = [{ ...job!, ...never, ...sizes, used: [u8(4), u8(4)] }];
    const around = { ...rangesSetting(random, options), jobs, horizons: [undefined] };
    const engine = new FastEngine(ir);
    const expected = rangesInKernel(new InRanges(options), around);
    expect(rangesInFast(engine, around)).to.deep.equal(expected);
    expect(engine.leapt, "rounds in leaps").to.be.above(50);
    const without = withMutation("round", { viewOnce: 1 }, () => new FastEngine(ir));
    expect(rangesInFast(without, around), "if they are not left there").to.not.deep.equal(expected);
  });

  it("extend words anew that were written again", async () => {
    const random = new Random(first);
    const options = { ...randomRanges(random), parts: 2, rows: 4, cols: 8, late: false, far: false, pace: 1 };
    const { ir } = await readDesign(elaborate(new InRanges(options)));
    const [job] = randomRangesJobs(random, options);
    const never = { tellAt: u8(255), restAt: u8(255), shortAt: u8(255) };
    const like = { ...job!, ...never, tiles: u8(2), used: [u8(4), u8(4)] };
    const sized = (words: number, base: number): typeof like => ({
      ...like,
      ...{ words: u8(words), filled: u8(words), segment: u8(words), freesAt: u8(words - 1), base: u7(base) },
    });
    const inFast = (jobs: readonly (typeof like)[]): unknown =>
      rangesInFast(new FastEngine(ir), { ...rangesSetting(new Random(1), options), jobs, horizons: [undefined] });
    // All of them, the first, the last, and some in the middle.
    for (const [words, base] of [
      [90, 0],
      [40, 0],
      [30, 60],
      [30, 30],
    ] as const) {
      const jobs = [sized(90, 0), sized(words, base), sized(90, 0)];
      const around = { ...rangesSetting(new Random(1), options), jobs, horizons: [undefined] };
      const expected = rangesInKernel(new InRanges(options), around);
      expect(inFast(jobs), `${words} words from ${base}`).to.deep.equal(expected);
      const stale = withMutation("round", { extendedStale: 1 }, () => inFast(jobs));
      expect(stale, `${words} words from ${base}, if writes change nothing`).to.not.deep.equal(expected);
    }
  });
});
