/** Whole networks on the designs against TFLite's reference kernels; `npm run verify:all` has all models and presets. */
import { expect } from "chai";
import { systolic } from "../../designs/systolic/index.js";
import { vmac } from "../../designs/vmac/index.js";
import { tandem } from "../host/support/cli.js";
import { goldenPath, modelPath, needsShared } from "../host/support/shared.js";

/** Model, design, and how many of its operators the design takes. */
const cases: [string, string, number][] = [
  ["ds_cnn_kws_int8", "vmac", 10],
  ["mobilenet_v1_0.25_128_uint8", "vmac", 28],
  ["autoencoder_ad_int8", "vmac/step-2", 10],
  ["autoencoder_ad_int8", "systolic", 10],
];
/** Each preset is another shape of the design: on all of them this network. SECDA's leave FULLY_CONNECTED to the CPU. */
const smallest = "resnet8_cifar10_int8";
for (const { name, presets } of [systolic, vmac])
  for (const preset of Object.keys(presets))
    cases.push([smallest, `${name}/${preset}`, preset.startsWith("secda") ? 9 : 10]);

describe("The bytes of a whole network are TFLite's", function () {
  this.timeout(120_000);

  for (const [model, design, taken] of cases)
    it(`${model} on ${design}, ${taken} operators on the accelerator`, async function () {
      needsShared(this);
      const args = ["verify", modelPath(model), "--golden", goldenPath(model), "--design", design];
      const { code, stdout, stderr } = await tandem(args);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
      expect(stdout).to.include(`${taken} on accelerator`);
    });
});
