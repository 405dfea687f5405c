import { expect } from "chai";
import { systolic } from "../../../designs/systolic/index.js";
import type { SystolicConfig } from "../../../designs/systolic/config.js";
import { Bench } from "../bench.js";
import { randomLayer, type LayerShape } from "../layers.js";
import { check, describeRandomLayers, usual, type ArrayCase } from "../suite.js";

const arrays: readonly ArrayCase[] = [
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
  describeRandomLayers(systolic, arrays);

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
