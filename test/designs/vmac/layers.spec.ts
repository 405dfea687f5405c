import { expect } from "chai";
import { vmac } from "../../../designs/vmac/index.js";
import { Bench } from "../bench.js";
import { randomLayer, type LayerShape } from "../layers.js";
import { check, describeRandomLayers, usual, type ArrayCase } from "../suite.js";

const arrays: readonly ArrayCase[] = [
  { set: {}, most: usual, runs: 30 },
  { set: { sharing: 4 }, most: usual, runs: 16 },
  { set: { sharing: 2, lanes: 4 }, most: usual, runs: 16 },
  { set: { units: 3, unitRows: 2, unitCols: 5, weightStreams: 1 }, most: usual, runs: 16 },
  { set: { units: 1, depth: 8, productsPerDsp: 1, streamBytes: 8 }, most: usual, runs: 12 },
  { set: { units: 2, depth: 2, streamBytes: 16, streams: 4, weightStreams: 4 }, most: usual, runs: 12 },
  { set: { inputBytes: 2048, weightBytes: 1024, outputBytes: 4096, streams: 1, lanes: 8 }, most: usual, runs: 16 },
  { set: { inputBytes: 8192, weightBytes: 4096, slots: 2, resultTiles: 1, streamBytes: 4 }, most: usual, runs: 12 },
];

describe("The vector-MAC design computes what the functional model says", () => {
  describeRandomLayers(vmac, arrays);

  it("as every preset", async () => {
    for (const [name, set] of Object.entries(vmac.presets)) {
      const bench = new Bench(vmac, set);
      expect(bench.config, name).to.include(set);
      await check(bench, { height: 5, width: 7, inChannels: 13, outChannels: 37, kernel: 2, dtype: "uint8" }, 5);
    }
  });

  const small = new Bench(vmac, { inputBytes: 1024, weightBytes: 2048, outputBytes: 1024, maxChannels: 1000 });
  const cases: [string, LayerShape][] = [
    ["weights that pass once for each block", { height: 6, width: 6, inChannels: 48, outChannels: 24 }],
    ["K longer than the weight buffer", { height: 3, width: 3, inChannels: 200, outChannels: 9 }],
    ["the longest K", { height: 2, width: 2, inChannels: 256, outChannels: 5, dtype: "uint8" }],
  ];
  for (const [name, shape] of cases)
    it(name, async () => {
      await check(small, shape, 7);
      await check(small, shape, 8, 0.1);
    });

  it("in nearly as few clocks as the products ask for", async () => {
    const { layer, input } = randomLayer({ height: 8, width: 8, inChannels: 64, outChannels: 64 }, 1);
    const { clocks } = await new Bench(vmac).run(layer, input);
    // 64 x 64 x 64 products at 256 a clock, and the time until the first operands are in and the last outputs out.
    expect(clocks).to.be.within(1024, 1024 + 400);
  });
});
