import { expect } from "chai";
import fc from "fast-check";
import { systolic } from "../../../designs/systolic/index.js";
import type { ParameterValue } from "../../../driver/device.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { random, randomLayer, type LayerShape } from "../layers.js";
import { runCompiled, type Stalls } from "../run.js";

/** Checks that the design gives the bytes of the functional model; one instance, from reset, for every case. */
class Bench {
  readonly config;
  readonly #kernel: Kernel;

  constructor(overrides: Record<string, ParameterValue>) {
    this.config = systolic.configure(overrides);
    this.#kernel = new Kernel(systolic.build(this.config));
  }

  check(shape: LayerShape, seed: number, stalls?: Stalls): number {
    const { layer, input } = randomLayer(shape, seed);
    expect(systolic.refuses(layer, this.config)).to.equal(null);
    this.#kernel.reset();
    const { output, clocks } = runCompiled(this.#kernel, systolic.compile(layer, this.config), input, stalls);
    expect([...output]).to.deep.equal([...systolic.functional(layer, input)]);
    return clocks;
  }
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

const pausing = (seed: number, share: number): Stalls => {
  const next = random(seed);
  return () => (next() < share ? Math.floor(next() * 12) : 0);
};

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
      const bench = new Bench(set);

      it("for random layers", () => {
        fc.assert(
          fc.property(shapes(most), fc.nat(), (shape, seed) => {
            fc.pre(systolic.refuses(randomLayer(shape, seed).layer, bench.config) === null);
            bench.check(shape, seed);
          }),
          { numRuns: runs },
        );
      });

      it("with streams that pause at random", () => {
        fc.assert(
          fc.property(shapes(most), fc.nat(), fc.constantFrom(0.02, 0.2, 0.7), (shape, seed, share) => {
            fc.pre(systolic.refuses(randomLayer(shape, seed).layer, bench.config) === null);
            bench.check(shape, seed, pausing(seed, share));
          }),
          { numRuns: runs / 2 },
        );
      });
    });
  }

  describe("at the edges", () => {
    const bench = new Bench({});
    const small = new Bench({ rows: 4, cols: 4, inputBytes: 1024, weightBytes: 512, outputBytes: 1024 });
    const cases: [string, Bench, LayerShape][] = [
      ["a single pixel and a thousand channels", bench, { height: 1, width: 1, inChannels: 64, outChannels: 1001 }],
      ["K of one", bench, { height: 5, width: 9, inChannels: 1, outChannels: 7, dtype: "uint8" }],
      ["many row tiles, more than there are slots", bench, { height: 40, width: 40, inChannels: 8, outChannels: 16 }],
      ["weights that pass once for each block", small, { height: 6, width: 6, inChannels: 48, outChannels: 24 }],
      ["K longer than the weight buffer", small, { height: 3, width: 3, inChannels: 200, outChannels: 9 }],
      ["the longest K", small, { height: 2, width: 2, inChannels: 256, outChannels: 5, dtype: "uint8" }],
    ];
    for (const [name, on, shape] of cases)
      it(name, () => {
        on.check(shape, 7);
        on.check(shape, 8, pausing(3, 0.1));
      });

    it("refuses what does not fit, and says why", () => {
      const reason = (shape: LayerShape): string | null => systolic.refuses(randomLayer(shape, 1).layer, small.config);
      expect(reason({ height: 1, width: 1, inChannels: 257, outChannels: 1 })).to.equal(
        "K = 257, at most 256 fit the input buffer",
      );
      expect(reason({ height: 1, width: 1, inChannels: 8, outChannels: 600 })).to.equal(
        "600 output channels do not fit the output buffer",
      );
      expect(reason({ height: 1, width: 1, inChannels: 8, outChannels: 2052 })).to.equal(
        "2052 output channels, at most 2048",
      );
      expect(reason({ height: 1, width: 1, inChannels: 8, outChannels: 8, shifts: [32, 32] })).to.equal(
        "a shift to the left by more than 31",
      );
    });
  });
});
