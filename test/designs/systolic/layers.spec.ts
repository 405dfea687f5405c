import { expect } from "chai";
import fc from "fast-check";
import { systolic } from "../../../designs/systolic/index.js";
import type { SystolicConfig } from "../../../designs/systolic/config.js";
import type { ParameterValue } from "../../../driver/device.js";
import { Bench } from "../bench.js";
import { randomLayer, type LayerShape } from "../layers.js";

/** Checks that the design gives the bytes of the functional model. */
async function check(bench: Bench<SystolicConfig>, shape: LayerShape, seed: number, chance = 0): Promise<void> {
  const { layer, input } = randomLayer(shape, seed);
  expect(systolic.refuses(layer, bench.config)).to.equal(null);
  const { output, exact } = await bench.run(layer, input, { seed, chance });
  expect(exact).to.equal(true);
  expect([...output]).to.deep.equal([...systolic.functional(layer, input)]);
}

/** Random shapes: odd sizes, strides, padding, batches, both types. `most` bounds the work. */
const shapes = (most: { side: number; inChannels: number; outChannels: number }): fc.Arbitrary<LayerShape> =>
  fc
    .record({
      dtype: fc.constantFrom("int8" as const, "uint8" as const),
      batch: fc.constantFrom(1, 1, 1, 2),
      height: fc.integer({ min: 1, max: most.side }),
      width: fc.integer({ min: 1, max: most.side }),
      inChannels: fc.oneof(
        fc.integer({ min: 1, max: most.inChannels }),
        fc.constantFrom(8, 16, 24).filter((k) => k <= most.inChannels),
      ),
      outChannels: fc.integer({ min: 1, max: most.outChannels }),
      kernel: fc.constantFrom(1, 1, 2, 3),
      stride: fc.constantFrom(1, 1, 2),
      dilation: fc.constantFrom(1, 1, 2),
      pad: fc.constantFrom(0, 1),
      shifts: fc.constantFrom<[number, number] | undefined>(undefined, undefined, [-34, -20], [0, 3], [10, 31]),
    })
    .filter(({ height, width, kernel, dilation, pad }) => Math.min(height, width) + 2 * pad > (kernel - 1) * dilation)
    .map(({ shifts, ...shape }) => (shifts ? { ...shape, shifts } : shape));

const usual = { side: 7, inChannels: 40, outChannels: 70 };
const arrays: { set: Record<string, ParameterValue>; most: typeof usual; runs: number }[] = [
  { set: {}, most: usual, runs: 40 },
  { set: { rows: 8, cols: 8 }, most: usual, runs: 30 },
  { set: { rows: 12, cols: 20 }, most: usual, runs: 30 },
  { set: { rows: 1, cols: 1 }, most: { side: 4, inChannels: 10, outChannels: 5 }, runs: 16 },
  { set: { rows: 3, cols: 5 }, most: usual, runs: 20 },
  { set: { productsPerDsp: 1, lanes: 4, streamBytes: 4, streams: 4, weightStreams: 1 }, most: usual, runs: 20 },
  { set: { inputBytes: 2048, weightBytes: 1024, outputBytes: 4096, streams: 1, lanes: 8 }, most: usual, runs: 20 },
  {
    set: { inputBytes: 8192, weightBytes: 4096, streamBytes: 16, slots: 2, overlapTiles: false },
    most: usual,
    runs: 20,
  },
  { set: { inputBytes: 8192, weightBytes: 4096, doubleBuffering: false, resultTiles: 1 }, most: usual, runs: 20 },
];

describe("The systolic design computes what the functional model says", () => {
  for (const { set, most, runs } of arrays) {
    const name = Object.entries(set).map(([key, value]) => `${key}=${String(value)}`);
    describe(name.length > 0 ? name.join(" ") : "the default, 16 x 16", () => {
      const bench = new Bench(systolic, set);

      it("for random layers", async () => {
        await fc.assert(
          fc.asyncProperty(shapes(most), fc.nat(), async (shape, seed) => {
            fc.pre(systolic.refuses(randomLayer(shape, seed).layer, bench.config) === null);
            await check(bench, shape, seed);
          }),
          { numRuns: runs },
        );
      });

      it("with streams that pause at random", async () => {
        await fc.assert(
          fc.asyncProperty(shapes(most), fc.nat(), fc.constantFrom(0.02, 0.2, 0.7), async (shape, seed, share) => {
            fc.pre(systolic.refuses(randomLayer(shape, seed).layer, bench.config) === null);
            await check(bench, shape, seed, share);
          }),
          { numRuns: runs / 2 },
        );
      });
    });
  }

  it("as every preset", async () => {
    for (const [name, set] of Object.entries(systolic.presets)) {
      const bench = new Bench(systolic, set);
      expect(bench.config, name).to.include(set);
      await check(bench, { height: 5, width: 7, inChannels: 13, outChannels: 37, kernel: 2, dtype: "uint8" }, 5);
    }
  });

  describe("at the edges", () => {
    const bench = new Bench(systolic);
    const small = new Bench(systolic, {
      rows: 4,
      cols: 4,
      inputBytes: 1024,
      weightBytes: 512,
      outputBytes: 1024,
      maxChannels: 1000,
    });
    const cases: [string, Bench<SystolicConfig>, LayerShape][] = [
      ["a single pixel and a thousand channels", bench, { height: 1, width: 1, inChannels: 64, outChannels: 1001 }],
      ["K of one", bench, { height: 5, width: 9, inChannels: 1, outChannels: 7, dtype: "uint8" }],
      ["many row tiles, more than there are slots", bench, { height: 40, width: 40, inChannels: 8, outChannels: 16 }],
      ["weights that pass once for each block", small, { height: 6, width: 6, inChannels: 48, outChannels: 24 }],
      ["K longer than the weight buffer", small, { height: 3, width: 3, inChannels: 200, outChannels: 9 }],
      ["the longest K", small, { height: 2, width: 2, inChannels: 256, outChannels: 5, dtype: "uint8" }],
    ];
    for (const [name, on, shape] of cases)
      it(name, async () => {
        await check(on, shape, 7);
        await check(on, shape, 8, 0.1);
      });

    it("refuses what does not fit, and says why", () => {
      const reason = (shape: LayerShape): string | null => systolic.refuses(randomLayer(shape, 1).layer, small.config);
      expect(reason({ height: 1, width: 1, inChannels: 257, outChannels: 1 })).to.equal(
        "K = 257, at most 256 fit the input buffer",
      );
      expect(reason({ height: 1, width: 1, inChannels: 8, outChannels: 600 })).to.equal(
        "600 output channels do not fit the output buffer",
      );
      expect(reason({ height: 1, width: 1, inChannels: 8, outChannels: 1001 })).to.equal(
        "1001 output channels, at most 1000",
      );
      expect(reason({ height: 1, width: 1, inChannels: 8, outChannels: 8, shifts: [32, 32] })).to.equal(
        "a shift to the left by more than 31",
      );
    });
  });
});
