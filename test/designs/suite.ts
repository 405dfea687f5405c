/** What every design that computes convolutions is held to: the bytes of the functional model, whatever the streams do. */
import { expect } from "chai";
import fc from "fast-check";
import type { Design } from "../../driver/design.js";
import type { ParameterValue } from "../../driver/device.js";
import { Bench } from "./bench.js";
import { randomLayer, type LayerShape } from "./layers.js";

/** Bounds on the work of a random layer. */
export interface Most {
  readonly side: number;
  readonly inChannels: number;
  readonly outChannels: number;
}
export const usual: Most = { side: 7, inChannels: 40, outChannels: 70 };

/** A configuration, and how many random layers it gets. */
export interface ArrayCase {
  readonly set: Record<string, ParameterValue>;
  readonly most: Most;
  readonly runs: number;
}

/** Checks that the design gives the bytes of the functional model. */
export async function check<Config>(bench: Bench<Config>, shape: LayerShape, seed: number, chance = 0): Promise<void> {
  const { design, config } = bench;
  const { layer, input } = randomLayer(shape, seed);
  expect(design.refuses(layer, config)).to.equal(null);
  const { output, exact } = await bench.run(layer, input, { seed, chance });
  // Models of published designs hold estimates.
  expect(exact).to.equal(design.levelOf?.(config) !== "cycle");
  expect([...output]).to.deep.equal([...design.functional(layer, input)]);
}

/** Random shapes: odd sizes, strides, padding, batches, both types. `most` bounds the work. */
const shapes = (most: Most): fc.Arbitrary<LayerShape> =>
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

/** Random layers, and the same with streams that pause, on each configuration. */
export function describeRandomLayers<Config>(design: Design<Config>, arrays: readonly ArrayCase[]): void {
  for (const { set, most, runs } of arrays) {
    const name = Object.entries(set).map(([key, value]) => `${key}=${String(value)}`);
    describe(name.length > 0 ? name.join(" ") : "the default, 16 x 16", () => {
      const bench = new Bench(design, set);

      it("for random layers", async () => {
        await fc.assert(
          fc.asyncProperty(shapes(most), fc.nat(), async (shape, seed) => {
            fc.pre(design.refuses(randomLayer(shape, seed).layer, bench.config) === null);
            await check(bench, shape, seed);
          }),
          { numRuns: runs },
        );
      });

      it("with streams that pause at random", async () => {
        await fc.assert(
          fc.asyncProperty(shapes(most), fc.nat(), fc.constantFrom(0.02, 0.2, 0.7), async (shape, seed, share) => {
            fc.pre(design.refuses(randomLayer(shape, seed).layer, bench.config) === null);
            await check(bench, shape, seed, share);
          }),
          { numRuns: runs / 2 },
        );
      });
    });
  }
}
