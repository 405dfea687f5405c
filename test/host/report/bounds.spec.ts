/** Least clocks of layers: no run comes below them, and they name what gives them. */
import { expect } from "chai";
import { systolic } from "../../../designs/systolic/index.js";
import { vmac } from "../../../designs/vmac/index.js";
import type { Design } from "../../../driver/design.js";
import { layerMacs } from "../../../driver/layer.js";
import { Offload } from "../../../driver/offload.js";
import { FastSimulator } from "../../../driver/transport/fast-simulator.js";
import { boundsOf, leastOf, type Bounds, type Least } from "../../../host/report/bounds.js";
import { pynqZ1 } from "../../../sim/platform/platform.js";
import { randomLayer, type LayerShape } from "../../designs/layers.js";

interface Bounded {
  readonly clocks: number;
  readonly bounds: Bounds;
  readonly least: Least;
}

async function bounded<Config>(design: Design<Config>, preset: string, shape: LayerShape): Promise<Bounded> {
  const set = design.presets[preset] ?? {};
  const on = new Offload(design, design.configure(set), await FastSimulator.of(design, set));
  const { layer, input } = randomLayer(shape, 1);
  const { clocks, detail } = await on.run(on.compile(layer), input);
  await on.close();
  const work = { macs: layerMacs(layer), peak: on.peakMacsPerClock, compute: clocks };
  const bounds = boundsOf(detail!, work, pynqZ1.board);
  return { clocks, bounds, least: leastOf(bounds, detail!.streams) };
}

describe("The least clocks of a layer", function () {
  this.timeout(60_000);
  const square = { kernel: 3, pad: 1, outChannels: 0, depthwise: true } as const;

  it("depthwise: a column of the kernel for 16 channels of a pixel", async () => {
    const shape = { ...square, height: 20, width: 20, inChannels: 32 };
    const { clocks, bounds, least } = await bounded(vmac, "default", shape);
    expect(bounds.tiles).to.equal(20 * 20 * 2 * 3);
    expect(bounds.lanes).to.equal(20 * 20 * 2);
    expect(least).to.deep.equal({ clocks: bounds.tiles, by: "tiles" });
    expect(clocks).to.be.within(least.clocks, 1.2 * least.clocks);
  });

  it("depthwise of stride 2: its one stream of inputs, by name", async () => {
    const shape = { ...square, height: 32, width: 32, inChannels: 32, stride: 2 };
    const { clocks, bounds, least } = await bounded(vmac, "default", shape);
    expect(bounds.tiles).to.equal(16 * 16 * 2 * 3);
    const bytes = 32 * 32 * 32;
    expect(least).to.deep.equal({ clocks: bytes / 8, by: "input", stream: { name: "input0", bytes } });
    expect(clocks).to.be.within(least.clocks, 1.2 * least.clocks);
  });

  it("fully connected: weights, and four vectors of bytes for the sums", async () => {
    const shape = { height: 1, width: 1, inChannels: 256, outChannels: 64, sums: true };
    for (const design of [systolic as Design, vmac as Design]) {
      const { clocks, bounds, least } = await bounded(design, "default", shape);
      expect(bounds.lanes).to.equal(4 * 4);
      expect(least.by).to.equal("weights");
      expect(least.stream!.name).to.match(/^weight/);
      expect(clocks).to.be.at.least(least.clocks);
    }
  });

  it("SECDA's designs: no run is below what their units and post-processors need", async () => {
    for (const [design, preset] of [
      [vmac as Design, "secda-v5"],
      [systolic as Design, "secda-v4"],
    ] as const)
      for (const inChannels of [16, 256]) {
        const shape = { height: 8, width: 8, inChannels, outChannels: 64 };
        const { clocks, bounds, least } = await bounded(design, preset, shape);
        expect(bounds.tiles, preset).to.be.at.least(bounds.macs);
        // A short K is bound by the post-processor, a long one by the products.
        expect(least.by, preset).to.be.oneOf(inChannels === 16 ? ["lanes"] : ["macs", "tiles"]);
        expect(clocks, preset).to.be.at.least(least.clocks);
      }
  });
});
