import { vmac } from "../../../designs/vmac/index.js";
import type { ParameterValue } from "../../../driver/device.js";
import { FastSimulator } from "../../../driver/transport/fast-simulator.js";
import { RtlSimulator } from "../../../driver/transport/rtl-simulator.js";
import { Simulator } from "../../../driver/transport/simulator.js";
import { simulatorVersion } from "../../../sim/rtl/tools.js";
import { expectEqual } from "../engines.js";
import type { LayerShape } from "../layers.js";

/** TANDEM_SEED asks for other layers. */
const seed = Number(process.env["TANDEM_SEED"] ?? 1);

const shapes: readonly LayerShape[] = [
  { height: 3, width: 4, inChannels: 9, outChannels: 7 },
  { height: 4, width: 3, inChannels: 5, outChannels: 9, kernel: 2, dtype: "uint8" },
  { height: 5, width: 5, inChannels: 4, outChannels: 21, kernel: 3, stride: 2, pad: 1 },
  { height: 1, width: 2, inChannels: 30, outChannels: 21, dtype: "uint8", sums: true },
  {
    height: 6,
    width: 5,
    inChannels: 24,
    outChannels: 24,
    kernel: 3,
    stride: 2,
    pad: 1,
    dtype: "uint8",
    depthwise: true,
  },
];
const configs: Record<string, ParameterValue>[] = [
  { units: 8 },
  { sharing: 4 },
  { units: 3, unitRows: 2, unitCols: 5, weightStreams: 1 },
  { units: 2, depth: 2, streamBytes: 16, streams: 4, weightStreams: 4 },
  { inputBytes: 2048, weightBytes: 1024, productsPerDsp: 1, overlapTiles: false, lanes: 4 },
];
const pauses = { stalls: { seed, chance: 0.3, most: 9 } };

describe("The engines agree on the vector-MAC design", function () {
  this.timeout(120_000);

  for (const set of configs)
    for (const options of [{}, pauses])
      it(`fast and kernel, ${JSON.stringify(set)}${options === pauses ? ", with pauses" : ""}`, async () => {
        const devices = [Simulator.of(vmac, set, options), await FastSimulator.of(vmac, set, options)] as const;
        await expectEqual(vmac, set, devices, shapes, seed);
      });

  for (const options of [{}, pauses])
    it(`its Verilog under Icarus and the kernel${options === pauses ? ", with pauses" : ""}`, async function () {
      if (simulatorVersion("icarus") === undefined) this.skip();
      const set = {
        units: 4,
        unitRows: 2,
        unitCols: 2,
        inputBytes: 2048,
        weightBytes: 1024,
        outputBytes: 4096,
        lineBytes: 2048,
      };
      const rtl = await RtlSimulator.of(vmac, set, { simulator: "icarus", ...options });
      await expectEqual(vmac, set, [Simulator.of(vmac, set, options), rtl], shapes, seed);
    });
});
