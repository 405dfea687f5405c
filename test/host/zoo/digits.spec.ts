import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { decodeImage } from "../../../host/images/decode.js";
import { defaultPreprocess, loadInput } from "../../../host/images/input.js";
import { imageToTensor } from "../../../host/images/preprocess.js";
import { CPU_IMPLEMENTATIONS } from "../../../host/kernels/registry.js";
import { execute } from "../../../host/runtime/executor.js";
import { makePlan } from "../../../host/runtime/plan.js";
import { readTflite } from "../../../host/tflite/reader.js";
import { digits } from "../../../host/zoo/zoo.js";
import { evaluate } from "../../../scripts/digits/evaluate.js";
import { pictures, pngOf } from "../../../scripts/digits/pictures.js";
import { largest } from "../../../scripts/digits/network.js";
import { seeds } from "../../../scripts/digits/train.js";

describe("the embedded network: host/zoo/digits.tflite", () => {
  const model = readFileSync(digits.model);

  it("is smaller than 60 KB and has one label per output", () => {
    expect(model.length).to.be.below(60_000);
    const graph = readTflite(model, "digits.tflite");
    expect(graph.tensors[graph.outputs[0]!]!.shape).to.deep.equal([1, 10]);
    expect(readFileSync(digits.labels, "utf8").trimEnd().split("\n")).to.deep.equal(Array.from("0123456789"));
  });

  it("reads at least 97 % of 500 digits that it was not trained on", async () => {
    const { right, count } = await evaluate(model, seeds.test, 500);
    expect(right / count).to.be.at.least(0.97);
  });

  it("holds the same bar on a set that no decision was made on", async () => {
    const { right, count } = await evaluate(model, 20_261_122, 500);
    expect(right / count).to.be.at.least(0.97);
  });

  it("ships the pictures that the renderer draws, and no others", () => {
    expect(readdirSync(digits.pictures).sort()).to.deep.equal(pictures.map(({ name }) => `${name}.png`).sort());
    expect(statSync(digits.picture).isFile()).to.equal(true);
    for (const picture of pictures) {
      const tensor = {
        shape: [1, picture.size, picture.size, 1],
        dtype: "uint8",
        scale: 1 / 255,
        zeroPoint: 0,
      } as const;
      const file = join(digits.pictures, `${picture.name}.png`);
      const stored = imageToTensor(decodeImage(file, readFileSync(file)), tensor, defaultPreprocess(tensor));
      const drawn = imageToTensor(decodeImage(file, pngOf(picture)), tensor, defaultPreprocess(tensor));
      expect(Buffer.compare(stored, drawn)).to.equal(0);
    }
  });

  for (const { name, digit } of pictures) {
    it(`reads ${name}.png as ${digit}`, async () => {
      const graph = readTflite(model, "digits.tflite");
      const { shape, quantisation } = graph.tensors[graph.inputs[0]!]!;
      const tensor = {
        shape,
        dtype: "int8",
        scale: quantisation!.scales[0]!,
        zeroPoint: quantisation!.zeroPoints[0]!,
      } as const;
      const input = loadInput(join(digits.pictures, `${name}.png`), tensor, defaultPreprocess(tensor));
      const plan = makePlan(graph, { implementations: CPU_IMPLEMENTATIONS, prefer: ["reference"] });
      const { outputs } = await execute(plan, [input]);
      expect(largest(Int8Array.from(outputs[0]!))).to.equal(digit);
    });
  }
});
