/** The systolic design from its IR: the same bytes, clocks and stalls as its source. */
import { expect } from "chai";
import { systolic } from "../../../designs/systolic/index.js";
import { elaborate } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { interpretDesign } from "../../../hw/ir/interpret.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { mulberry32 } from "../../../sim/environment.js";
import { randomLayer } from "../../designs/layers.js";
import { runCompiled, type Stalls } from "../../designs/run.js";

const stalls = (seed: number): Stalls => {
  const random = mulberry32(seed);
  return () => (random() < 0.2 ? Math.floor(random() * 9) : 0);
};

describe("The IR of the systolic design", () => {
  const configs: Record<string, number>[] = [
    { rows: 4, cols: 4 },
    { rows: 2, cols: 6, productsPerDsp: 1 },
    { rows: 1, cols: 1, productsPerDsp: 1 },
  ];
  for (const overrides of configs)
    it(`means what the source does: ${JSON.stringify(overrides)}`, async () => {
      const config = systolic.configure(overrides);
      const { layer, input } = randomLayer(
        {
          dtype: "uint8",
          batch: 1,
          height: 4,
          width: 3,
          inChannels: 11,
          outChannels: 9,
          kernel: 2,
          stride: 1,
          dilation: 1,
          pad: 1,
        },
        7,
      );
      const top = systolic.build(config);
      const { ir, diagnostics } = await readDesign(elaborate(top));
      expect(diagnostics).to.deep.equal([]);
      const compiled = systolic.compile(layer, config);
      const original = runCompiled(new Kernel(systolic.build(config)), compiled, input, stalls(3));
      const read = runCompiled(new Kernel(top, interpretDesign(ir)), compiled, input, stalls(3));
      expect([...read.output]).to.deep.equal([...original.output]);
      expect(read.counters).to.deep.equal(original.counters);
    });
});
