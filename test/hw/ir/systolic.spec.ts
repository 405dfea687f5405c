/** The systolic design from its IR: the same bytes, clocks and stalls as its source. */
import { expect } from "chai";
import { systolic } from "../../../designs/systolic/index.js";
import { elaborate } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { interpretDesign } from "../../../hw/ir/interpret.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import type { CompiledProgram } from "../../../driver/design.js";
import type { RunResult } from "../../../driver/device.js";
import { streamPorts } from "../../../driver/stream.js";
import { Simulator } from "../../../driver/transport/simulator.js";
import { randomLayer } from "../../designs/layers.js";

/** One run of a compiled layer, with streams that stall at random. */
async function run(kernel: Kernel, { program, inputs }: CompiledProgram, input: Uint8Array): Promise<RunResult> {
  const streams = streamPorts(kernel.design);
  const description = { design: "systolic", parameters: {}, engine: "kernel", level: "cycle", streams };
  const device = new Simulator(description, kernel, { stalls: { seed: 3, chance: 0.2, most: 9 } });
  return device.run(await device.load(program), inputs(input));
}

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
      const original = await run(new Kernel(systolic.build(config)), compiled, input);
      const read = await run(new Kernel(top, interpretDesign(ir)), compiled, input);
      expect(read).to.deep.equal(original);
    });
});
