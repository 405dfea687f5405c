import { createHash } from "node:crypto";
import { expect } from "chai";
import { CPU_IMPLEMENTATIONS } from "../../../host/kernels/registry.js";
import { execute } from "../../../host/runtime/executor.js";
import { makePlan } from "../../../host/runtime/plan.js";
import { readTfliteFile } from "../../../host/tflite/reader.js";
import { modelPath, models, needsShared, readGolden } from "../support/shared.js";

/** The reference kernels are slow on purpose; these models show all operators in a few seconds. */
const small = [
  "autoencoder_ad_int8",
  "ds_cnn_kws_int8",
  "mobilenet_v1_0.25_128_uint8",
  "mobilenet_v1_0.25_96_vww_int8",
  "mobilenet_v2_1.0_224_int8",
  "mobilenet_v2_1.0_224_uint8",
  "resnet8_cifar10_int8",
];

describe("TFLite's reference results, operator by operator", () => {
  for (const [preference, names] of [
    [["fast", "reference"], models],
    [["reference"], small],
  ] as const) {
    for (const name of names) {
      it(`${name} with ${preference[0]} kernels`, async function () {
        needsShared(this);
        const { golden, inputs, outputs } = readGolden(name);
        const plan = makePlan(readTfliteFile(modelPath(name)), {
          implementations: CPU_IMPLEMENTATIONS,
          prefer: preference,
        });
        const expected = new Map(golden.operators.map(({ op, type, sha256 }) => [op, `${op} ${type} ${sha256}`]));
        const found: string[] = [];
        const result = await execute(plan, inputs, {
          onLayer({ layer }, output) {
            const { index, type } = layer.operator;
            found.push(`${index} ${type} ${createHash("sha256").update(output).digest("hex")}`);
          },
        });
        expect(found).to.deep.equal(found.map((_, op) => expected.get(op)));
        expect(found).to.have.length(golden.operators.length);
        expect(result.outputs.map((bytes) => Buffer.from(bytes).toString("hex"))).to.deep.equal(
          outputs.map((bytes) => Buffer.from(bytes).toString("hex")),
        );
      });
    }
  }
});
