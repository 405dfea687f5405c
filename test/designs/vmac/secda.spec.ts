/** The model of SECDA's VM v5 against SECDA's own recorded profile, and against its published SystemC. */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { vmac } from "../../../designs/vmac/index.js";
import type { RunResult } from "../../../driver/device.js";
import type { ConvLayer } from "../../../driver/layer.js";
import { FastSimulator } from "../../../driver/transport/fast-simulator.js";
import { Simulator } from "../../../driver/transport/simulator.js";
import { randomGemm } from "../../../host/gemm.js";
import type { Operator, OperatorOf } from "../../../host/graph/graph.js";
import { convLayer } from "../../../host/kernels/parameters/conv.js";
import { readTfliteFile } from "../../../host/tflite/reader.js";
import { modelPath, needsShared, shared } from "../../host/support/shared.js";
import { Bench } from "../bench.js";
import { expectEqual } from "../engines.js";
import { randomLayer } from "../layers.js";

const preset = vmac.presets["secda-v5"]!;
const config = vmac.configure(preset);

/** A table of the shared files, by column. */
function table(name: string): Record<string, number>[] {
  const [head, ...lines] = readFileSync(`${shared}golden/secda/${name}.csv`, "utf8").trim().split("\n");
  const names = head!.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((text, i) => [names[i]!, Number(text)])));
}

/** What the engine counted, in the words of the profile's columns. */
function profileOf({ clocks, counters }: RunResult): Record<string, number> {
  const channel = (path: string): number => counters!.channels.find((each) => each.path === path)!.popped;
  const reads = (path: string): number =>
    counters!.memories.filter((each) => each.path.startsWith(path)).reduce((sum, each) => sum + each.reads, 0);
  const jobs = [0, 1, 2, 3].map((u) => channel(`vm.scheduler_jobs${u}`));
  return {
    clocks,
    jobs: jobs.reduce((sum, n) => sum + n, 0),
    computes: channel("vm.unit0_drained"),
    broadcast: 3 * reads("vm.scheduler.inputs") + channel("vm.unit0.block"),
    loop: reads("vm.unit0.inputs") + 7 * jobs[0]!,
  };
}

async function run(device: FastSimulator, layer: ConvLayer): Promise<RunResult> {
  const { program, inputs } = vmac.compile(layer, config);
  const handle = await device.load(program);
  // Clocks do not depend on the data.
  const { batch, inHeight, inWidth, inChannels } = layer;
  const result = await device.run(handle, inputs(new Uint8Array(batch * inHeight * inWidth * inChannels)));
  await device.unload(handle);
  return result;
}

describe("The model of SECDA's VM v5", function () {
  this.timeout(120_000);

  it("meets the recorded profile of MobileNetV2: counts exactly, broadcast and products in 1 %, each layer in 3 %", async function () {
    needsShared(this);
    const rows = table("vm_v5_mobilenetv2");
    const graph = readTfliteFile(modelPath("mobilenet_v2_1.0_224_int8"));
    const isConv = (operator: Operator): operator is OperatorOf<"CONV_2D"> => operator.type === "CONV_2D";
    const layers = graph.operators.filter(isConv).map((operator) => convLayer(graph, operator));
    const device = await FastSimulator.of(vmac, preset);
    for (const [i, row] of rows.entries()) {
      const { clocks, jobs, computes, broadcast, loop } = profileOf(await run(device, layers[i]!));
      const total = Object.entries(row).reduce((sum, [name, n]) => sum + (name.startsWith("T_shS_") ? n : 0), 0);
      const what = `row ${i}`;
      expect({ jobs, computes }, what).to.deep.equal({ jobs: row["T_shS_5"], computes: row["T_shS_8"] });
      expect(broadcast! / row["T_shS_3"]!, what).to.be.closeTo(1, 0.01);
      expect(loop! / row["T_gmSB_3"]!, what).to.be.closeTo(1, 0.01);
      expect(clocks! / total, what).to.be.closeTo(1, 0.03);
    }
  });

  it("meets the clocks of the published SystemC in 3 %, but for the smallest product", async function () {
    needsShared(this);
    const device = await FastSimulator.of(vmac, preset);
    for (const { M, N, K, vm_v5_clocks: expected } of table("gemm_clocks")) {
      const { clocks } = await run(device, randomGemm(M!, N!, K!, 1).layer);
      // 16 x 16 x 16 lacks 17 clocks: what its driver's packets cost at the start is not among the stated facts.
      expect(clocks / expected!, `${M} x ${N} x ${K}`).to.be.closeTo(1, M === 16 ? 0.06 : 0.03);
    }
  });

  it("gives the bytes of the functional model, under both engines", async () => {
    const shapes = [
      { height: 3, width: 4, inChannels: 9, outChannels: 7 },
      { height: 4, width: 3, inChannels: 5, outChannels: 19, kernel: 2, dtype: "uint8" as const },
      { height: 1, width: 1, inChannels: 600, outChannels: 60 },
    ];
    await expectEqual(vmac, preset, [Simulator.of(vmac, preset), await FastSimulator.of(vmac, preset)], shapes, 3);
  });

  it("is a model with estimates, and says so", async () => {
    const { layer, input } = randomLayer({ height: 2, width: 2, inChannels: 16, outChannels: 8 }, 1);
    const bench = new Bench(vmac, { ...preset });
    expect((await bench.run(layer, input)).exact).to.equal(false);
    expect((await Simulator.of(vmac, preset).describe()).level).to.equal("cycle");
  });
});
