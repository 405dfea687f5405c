import { expect } from "chai";
import fc from "fast-check";
import { systolic } from "../../../designs/systolic/index.js";
import { tile, type Tiling } from "../../../driver/gemm/tiling.js";
import { programTraffic } from "../../../driver/program.js";
import { randomLayer } from "../layers.js";

const tiling = (m: number, k: number, n: number, overrides = {}): Tiling => {
  const { layer } = randomLayer({ height: 1, width: m, inChannels: k, outChannels: n }, 1);
  const result = tile(layer, systolic.configure(overrides));
  if (typeof result === "string") expect.fail(result);
  return result;
};

describe("Tiling for the systolic design", () => {
  it("keeps weights that fit, so that every byte moves once", () => {
    expect(tiling(12544, 32, 64)).to.include({ streamed: false, passes: 1, blockTiles: 1 });
    expect(tiling(784, 256, 256)).to.include({ streamed: false, passes: 1 });
  });

  it("keeps the inputs where the weights do not fit, and sends the weights once if the inputs do", () => {
    expect(tiling(196, 512, 512)).to.include({ streamed: true, passes: 1, blockTiles: 13 });
    expect(tiling(49, 1024, 1024)).to.include({ streamed: true, passes: 1 });
  });

  it("sends the weights once for each block of inputs where neither fits", () => {
    // 7 row tiles of 16 x 1152 bytes in 128 KiB: 49 row tiles make 7 blocks.
    expect(tiling(784, 1152, 128)).to.include({ streamed: true, passes: 7, blockTiles: 7 });
  });

  it("leaves room for the next chunk of weights", () => {
    const { weightSlots, chunkTiles, segments } = tiling(196, 512, 512);
    expect(2 * chunkTiles * segments).to.be.at.most(weightSlots);
    const single = tiling(196, 512, 512, { doubleBuffering: false });
    expect(single.chunkTiles * single.segments).to.equal(single.weightSlots);
  });

  it("moves no more than inputs, outputs and weights once for 1 x 1 layers of MobileNet", () => {
    const config = systolic.configure();
    for (const [m, k, n] of [
      [12544, 32, 64],
      [3136, 64, 128],
      [784, 128, 256],
      [196, 512, 512],
      [49, 1024, 1024],
    ] as const) {
      const { layer } = randomLayer({ height: 1, width: m, inChannels: k, outChannels: n }, 1);
      const { program, packs, unpacks } = systolic.compile(layer, config);
      expect({ packs, unpacks }).to.deep.equal({ packs: false, unpacks: false });
      // Beside the operands: 16 bytes of parameters for each output channel, and the instruction.
      expect(programTraffic(program)).to.deep.equal({ bytesIn: m * k + n * k + n * 16 + 64, bytesOut: m * n });
    }
  });

  it("never asks for more than the buffers hold, and covers all rows", () => {
    const overrides = fc.record({
      rows: fc.constantFrom(1, 4, 12, 16),
      cols: fc.constantFrom(1, 4, 16, 20),
      inputBytes: fc.constantFrom(2048, 16384, 131072),
      weightBytes: fc.constantFrom(2048, 16384, 65536),
      outputBytes: fc.constantFrom(4096, 131072),
    });
    const size = fc.integer({ min: 1, max: 700 });
    fc.assert(
      fc.property(overrides, size, size, size, (set, m, k, n) => {
        const config = systolic.configure(set);
        const { layer } = randomLayer({ height: 1, width: m, inChannels: k, outChannels: n }, 1);
        const t = tile(layer, config);
        if (typeof t === "string") return;
        expect(t.inputSlots * t.words).to.be.at.most(config.inputDepth);
        expect(t.weightSlots * t.segmentWords).to.be.at.most(config.weightDepth);
        expect(t.outputSlots * t.outputSlotWords).to.be.at.most(config.outputDepth);
        expect(t.segments * t.segmentWords).to.be.at.least(t.words);
        expect(t.partRows * config.streams).to.be.at.least(m);
        expect(t.rowTiles * config.partRows).to.be.at.least(Math.min(m, t.partRows));
        expect(t.blockTiles).to.be.at.most(Math.min(t.inputSlots, t.outputSlots));
        // What is used for more than one row tile has to stay as a whole.
        if (t.blockTiles > 1 || !t.streamed) expect(t.chunkTiles * t.segments).to.be.at.most(t.weightSlots);
        if (config.streams > 1 && m > t.partRows) expect((t.partRows * n) % config.streamBytes).to.equal(0);
      }),
      { numRuns: 150 },
    );
  });
});
