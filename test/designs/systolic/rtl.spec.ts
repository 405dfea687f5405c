import { expect } from "chai";
import { systolic } from "../../../designs/systolic/index.js";
import { RtlSimulator } from "../../../driver/transport/rtl-simulator.js";
import { Simulator } from "../../../driver/transport/simulator.js";
import type { RunResult } from "../../../driver/device.js";
import type { RandomStalls } from "../../../sim/environment.js";
import { stallTable } from "../../../sim/kernel/counters.js";
import { simulatorVersion } from "../../../sim/rtl/tools.js";
import { randomLayer, type LayerShape } from "../layers.js";

/** TANDEM_CASES asks for more layers, TANDEM_SEED for others. */
const seed = Number(process.env["TANDEM_SEED"] ?? 1);
const count = Number(process.env["TANDEM_CASES"] ?? 3);

const parameters = { rows: 4, cols: 4, inputBytes: 2048, weightBytes: 1024, outputBytes: 1024 };

const shapes: readonly LayerShape[] = [
  { height: 3, width: 4, inChannels: 9, outChannels: 7 },
  { height: 4, width: 3, inChannels: 5, outChannels: 9, kernel: 2, dtype: "uint8" },
  { height: 5, width: 5, inChannels: 4, outChannels: 5, kernel: 3, stride: 2, pad: 1 },
];

const essence = ({ outputs, clocks, counters }: RunResult): unknown => ({
  outputs,
  clocks,
  stalls: stallTable(counters!),
  busy: counters!.processes.map(({ path, busy, idle }) => [path, busy, idle]),
  channels: counters!.channels,
  memories: counters!.memories,
  grids: counters!.grids,
});

describe("The systolic design as Verilog under Icarus, against the kernel", function () {
  this.timeout(180_000);
  before(function () {
    if (simulatorVersion("icarus") === undefined) this.skip();
  });

  const compare = async (stalls?: RandomStalls): Promise<void> => {
    const options = stalls ? { stalls } : {};
    const kernel = Simulator.of(systolic, parameters, options);
    const rtl = await RtlSimulator.of(systolic, parameters, { simulator: "icarus", ...options });
    const config = systolic.configure(parameters);
    for (let i = 0; i < count; i++) {
      const { layer, input } = randomLayer(shapes[i % shapes.length]!, seed + i);
      const { program, inputs } = systolic.compile(layer, config);
      const expected = await kernel.run(await kernel.load(program), inputs(input));
      const actual = await rtl.run(await rtl.load(program), inputs(input));
      expect(essence(actual), `TANDEM_SEED=${seed}, layer ${i}`).to.deep.equal(essence(expected));
    }
  };

  it("gives the same bytes, clocks, stalls and counters", () => compare());
  it("and with stalls at random on all streams", () => compare({ seed, chance: 0.3, most: 9 }));
});
