import { expect } from "chai";
import fc from "fast-check";
import { vmac } from "../../../designs/vmac/index.js";
import type { ParameterValue } from "../../../driver/device.js";
import { Bench } from "../bench.js";
import { randomLayer, type LayerShape } from "../layers.js";
import { check } from "../suite.js";

const shapes: fc.Arbitrary<LayerShape> = fc
  .record({
    dtype: fc.constantFrom("int8" as const, "uint8" as const),
    height: fc.integer({ min: 1, max: 11 }),
    width: fc.integer({ min: 1, max: 9 }),
    inChannels: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(8, 16, 24, 32)),
    kernel: fc.constantFrom(1, 2, 3, 3, 4),
    stride: fc.constantFrom(1, 1, 2, 3),
    pad: fc.constantFrom(0, 1, 1, 2),
  })
  .filter(({ height, width, kernel, pad }) => Math.min(height, width) + 2 * pad >= kernel)
  .map((shape) => ({ ...shape, outChannels: shape.inChannels, depthwise: true }));

const configs: Record<string, ParameterValue>[] = [
  {},
  // Two picture rows to a bank, and hardly an output row.
  { lineBytes: 2048, outputBytes: 2048, weightBytes: 8192 },
  { units: 2, streams: 1, weightStreams: 1, lanes: 2, lineBytes: 8192 },
  { units: 8, depth: 8, lineBytes: 16384, streamBytes: 16 },
];

describe("Depthwise convolution on the vector-MAC design", () => {
  for (const set of configs)
    it(`gives the bytes of the functional model, ${JSON.stringify(set)}`, async () => {
      const bench = new Bench(vmac, set);
      await fc.assert(
        fc.asyncProperty(shapes, fc.nat(), fc.constantFrom(0, 0, 0.2), async (shape, seed, chance) => {
          fc.pre(vmac.refuses(randomLayer(shape, seed).layer, bench.config) === null);
          await check(bench, shape, seed, chance);
        }),
        { numRuns: 25 },
      );
    });

  it("between matrix products, without a reset", async () => {
    const bench = new Bench(vmac);
    const square = { height: 6, width: 6, inChannels: 24, outChannels: 24 };
    const shapes = [square, { ...square, depthwise: true, kernel: 3, pad: 1 }, square];
    const layers = shapes.map((shape, i) => randomLayer(shape, 3 + i));
    const expected = layers.map(({ layer, input }) => [...vmac.functional(layer, input)]);
    expect((await bench.runInTurn(layers)).map((tensor) => [...tensor])).to.deep.equal(expected);
  });

  it("takes about a clock for each column of the kernel and 16 outputs", async () => {
    const { layer, input } = randomLayer(
      { height: 14, width: 14, inChannels: 64, outChannels: 64, kernel: 3, pad: 1, depthwise: true },
      1,
    );
    const { clocks } = await new Bench(vmac).run(layer, input);
    const columns = (14 * 14 * 64 * 3) / 16;
    expect(clocks).to.be.within(columns, columns + 400);
  });

  it("is refused where it does not fit, with the reason", () => {
    const reason = (shape: Partial<LayerShape>, set: Record<string, ParameterValue> = {}): string | null => {
      const usual = { height: 9, width: 9, inChannels: 16, outChannels: 16, kernel: 3, depthwise: true };
      return vmac.refuses(randomLayer({ ...usual, ...shape }, 1).layer, vmac.configure(set));
    };
    expect(reason({})).to.equal(null);
    expect(reason({ kernel: 5 })).to.equal("a kernel of 5 rows, at most 4");
    expect(reason({ dilation: 2 })).to.equal("dilation");
    expect(reason({ batch: 2 })).to.equal("a batch of 2");
    expect(reason({ width: 300 })).to.equal("298 outputs in a row, at most 255");
    expect(reason({ inChannels: 2000 })).to.equal("2000 channels, at most 1024");
    expect(reason({ width: 200 }, { lineBytes: 1024 })).to.equal("rows of 200 x 16 bytes do not fit the line buffer");
    expect(reason({}, { lineBytes: 0 })).to.equal("a depthwise convolution");
  });
});
