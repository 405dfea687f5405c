import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { TandemError } from "../../../hw/errors.js";
import { readTflite, readTfliteFile } from "../../../host/tflite/reader.js";
import { modelPath, needsShared } from "../support/shared.js";

describe("The reader of .tflite", () => {
  it("gives shapes, types, quantisation and attributes of a network", function () {
    needsShared(this);
    const graph = readTfliteFile(modelPath("resnet8_cifar10_int8"));
    expect(graph.operators.map(({ type }) => type).join(" ")).to.equal(
      "CONV_2D CONV_2D CONV_2D ADD CONV_2D CONV_2D CONV_2D ADD CONV_2D CONV_2D CONV_2D ADD AVERAGE_POOL_2D RESHAPE FULLY_CONNECTED SOFTMAX",
    );
    const [input] = graph.inputs.map((index) => graph.tensors[index]!);
    expect(input).to.deep.include({ shape: [1, 32, 32, 3], dtype: "int8" });
    expect(input!.quantisation).to.deep.equal({ scales: [1], zeroPoints: [-128], axis: 0 });
    expect(graph.operators[4]!.attributes).to.deep.include({ padding: "SAME", strideHeight: 2, activation: "RELU" });
    const weights = graph.tensors[graph.operators[0]!.inputs[1]!]!;
    expect(weights.shape).to.deep.equal([16, 3, 3, 3]);
    expect(weights.quantisation!.scales).to.have.length(16);
  });

  it("says what is wrong with files that are no model", () => {
    const folder = mkdtempSync(join(tmpdir(), "tandem-"));
    try {
      const write = (name: string, data: Uint8Array | string) => {
        writeFileSync(join(folder, name), data);
        return join(folder, name);
      };
      expect(() => readTfliteFile(join(folder, "absent.tflite"))).to.throw(
        TandemError,
        /absent.tflite: cannot be read \(ENOENT\)/,
      );
      expect(() => readTfliteFile(folder)).to.throw(TandemError, /cannot be read/);
      expect(() => readTfliteFile(write("empty.tflite", ""))).to.throw(TandemError, /empty.tflite: not a TFLite model/);
      expect(() => readTfliteFile(write("text.tflite", "a text that is long enough to be looked at"))).to.throw(
        TandemError,
        /text.tflite: not a TFLite model \(no TFL3 identifier/,
      );
      const header = new Uint8Array(64);
      header.set(Buffer.from("TFL3"), 4);
      header[0] = 200;
      expect(() => readTflite(header, "offset.tflite")).to.throw(
        TandemError,
        /offset.tflite: root table lies outside the file/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses a model that is cut off anywhere", function () {
    needsShared(this);
    const whole = new Uint8Array(readFileSync(modelPath("ds_cnn_kws_int8")));
    for (let length = 0; length < whole.length; length += 997) {
      expect(() => readTflite(whole.slice(0, length), "cut.tflite"), `${length} bytes`).to.throw(
        TandemError,
        /^cut.tflite: /,
      );
    }
  });
});
