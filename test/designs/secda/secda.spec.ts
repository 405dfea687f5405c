/** The models of SECDA's designs against SECDA's own recorded profile, and against its published SystemC. */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { systolic } from "../../../designs/systolic/index.js";
import { vmac } from "../../../designs/vmac/index.js";
import type { Design } from "../../../driver/design.js";
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

const vm = { design: vmac as Design, preset: vmac.presets["secda-v5"]! };
const sa = { design: systolic as Design, preset: systolic.presets["secda-v4"]! };
type Model = typeof vm;

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
    computes: channel("vm.postProcessor0_drained"),
    broadcast: 3 * reads("vm.scheduler.inputs") + channel("vm.unit0.block"),
    loop: reads("vm.unit0.inputs") + 7 * jobs[0]!,
  };
}

async function run(device: FastSimulator, { design, preset }: Model, layer: ConvLayer): Promise<RunResult> {
  const { program, inputs } = design.compile(layer, design.configure(preset));
  const handle = await device.load(program);
  // Clocks do not depend on the data.
  const { batch, inHeight, inWidth, inChannels } = layer;
  const result = await device.run(handle, inputs(new Uint8Array(batch * inHeight * inWidth * inChannels)));
  await device.unload(handle);
  return result;
}

/** Clocks of the model over those of the published SystemC, for each matrix product of the table, by its size. */
async function ratios(model: Model, column: string): Promise<Record<string, number>> {
  const device = await FastSimulator.of(model.design, model.preset);
  const out: Record<string, number> = {};
  for (const row of table("gemm_clocks")) {
    const { M, N, K } = row as Record<"M" | "N" | "K", number>;
    const { clocks } = await run(device, model, randomGemm(M, N, K, 1).layer);
    out[`${M} x ${N} x ${K}`] = clocks / row[column]!;
  }
  return out;
}

describe("The models of SECDA's designs", function () {
  this.timeout(120_000);

  it("VM v5 meets the recorded profile of MobileNetV2: counts exactly, broadcast and products in 1 %, each layer in 3 %", async function () {
    needsShared(this);
    const rows = table("vm_v5_mobilenetv2");
    const graph = readTfliteFile(modelPath("mobilenet_v2_1.0_224_int8"));
    const isConv = (operator: Operator): operator is OperatorOf<"CONV_2D"> => operator.type === "CONV_2D";
    const layers = graph.operators.filter(isConv).map((operator) => convLayer(graph, operator));
    const device = await FastSimulator.of(vm.design, vm.preset);
    for (const [i, row] of rows.entries()) {
      const { clocks, jobs, computes, broadcast, loop } = profileOf(await run(device, vm, layers[i]!));
      const total = Object.entries(row).reduce((sum, [name, n]) => sum + (name.startsWith("T_shS_") ? n : 0), 0);
      const what = `row ${i}`;
      expect({ jobs, computes }, what).to.deep.equal({ jobs: row["T_shS_5"], computes: row["T_shS_8"] });
      expect(broadcast! / row["T_shS_3"]!, what).to.be.closeTo(1, 0.01);
      expect(loop! / row["T_gmSB_3"]!, what).to.be.closeTo(1, 0.01);
      expect(clocks! / total, what).to.be.closeTo(1, 0.03);
    }
  });

  for (const [name, model, column] of [
    ["VM v5", vm, "vm_v5_clocks"],
    ["SA v4", sa, "sa_v4_clocks"],
  ] as const)
    it(`${name} meets the clocks of the published SystemC in 3 %, for every matrix product of the table`, async function () {
      needsShared(this);
      const got = await ratios(model, column);
      expect(Object.keys(got)).to.have.lengthOf(5);
      for (const [size, ratio] of Object.entries(got)) expect(ratio, size).to.be.closeTo(1, 0.03);
    });

  const shapes = [
    { height: 3, width: 4, inChannels: 9, outChannels: 7 },
    { height: 4, width: 3, inChannels: 5, outChannels: 19, kernel: 2, dtype: "uint8" as const },
    { height: 1, width: 1, inChannels: 600, outChannels: 60 },
  ];
  /** Two tiles of rows and two of channels. */
  const tiled = { height: 6, width: 6, inChannels: 4096, outChannels: 20 };
  for (const [name, { design, preset }] of Object.entries({ "VM v5": vm, "SA v4": sa })) {
    it(`${name} gives the bytes of the functional model, under both engines`, async () => {
      const devices = [Simulator.of(design, preset), await FastSimulator.of(design, preset)] as const;
      await expectEqual(design, preset, devices, shapes, 3);
      await expectEqual(design, preset, devices, [tiled], 1);
    });

    it(`${name} is a model with estimates, and says so`, async () => {
      const { layer, input } = randomLayer({ height: 2, width: 2, inChannels: 16, outChannels: 8 }, 1);
      const bench = new Bench(design, { ...preset });
      expect((await bench.run(layer, input)).exact).to.equal(false);
      expect((await Simulator.of(design, preset).describe()).level).to.equal("cycle");
    });
  }
});
