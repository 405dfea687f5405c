import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { defaultPreprocess, type InputTensor, loadInput } from "../../../host/images/input.js";
import { CPU_IMPLEMENTATIONS } from "../../../host/kernels/registry.js";
import { execute } from "../../../host/runtime/executor.js";
import { makePlan } from "../../../host/runtime/plan.js";
import { readTflite } from "../../../host/tflite/reader.js";

const shared = new URL("../../../../../shared/", import.meta.url);
const present = existsSync(new URL("models/", shared));

/** The network's output for a picture file, everything at its default. */
async function look(model: string, picture: string): Promise<Uint8Array> {
  const graph = readTflite(readFileSync(new URL(`models/${model}.tflite`, shared)), model);
  const { shape, dtype, quantisation } = graph.tensors[graph.inputs[0]!]!;
  const tensor = {
    shape,
    dtype: dtype as InputTensor["dtype"],
    scale: quantisation?.scales[0] ?? 0,
    zeroPoint: quantisation?.zeroPoints[0] ?? 0,
  };
  const input = loadInput(fileURLToPath(new URL(`images/${picture}`, shared)), tensor, defaultPreprocess(tensor));
  const plan = makePlan(graph, { implementations: CPU_IMPLEMENTATIONS, prefer: ["fast", "reference"] });
  return (await execute(plan, [input])).outputs[0]!;
}

describe("from a picture file to a label", () => {
  for (const [picture, label] of [
    ["grace_hopper.bmp", "military uniform"],
    ["cat.bmp", "Egyptian cat"],
    ["parrot.jpg", "macaw"],
  ] as const) {
    it(`MobileNetV1 sees ${label} in ${picture}`, async function () {
      if (!present) return void this.skip();
      const labels = readFileSync(new URL("images/imagenet_labels.txt", shared), "utf8").split("\n");
      const scores = await look("mobilenet_v1_1.0_224_uint8", picture);
      expect(labels[scores.indexOf(Math.max(...scores))]).to.equal(label);
    });
  }

  for (const model of ["mobilenet_v1_0.25_128_uint8", "mobilenet_v1_0.25_96_vww_int8", "mobilenet_v2_1.0_224_int8"]) {
    it(`${model} gives TFLite's own output for grace_hopper.bmp, bit for bit`, async function () {
      if (!present) return void this.skip();
      const golden = readFileSync(new URL(`golden/tflite/${model}.output0.bin`, shared));
      expect(Buffer.compare(await look(model, "grace_hopper.bmp"), golden)).to.equal(0);
    });
  }
});
