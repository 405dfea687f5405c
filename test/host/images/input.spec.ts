import { existsSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { TandemError } from "../../../hw/errors.js";
import { defaultPreprocess, type InputTensor, loadInput } from "../../../host/images/input.js";
import { npy, pattern, png, withFiles } from "./files.js";

const shared = new URL("../../../../../shared/", import.meta.url);
const vector: InputTensor = { shape: [1, 4], dtype: "int8", scale: 0.5, zeroPoint: 1 };

describe("loading an input", () => {
  const load = (name: string, bytes: Uint8Array, tensor: InputTensor): number[] =>
    withFiles((write) => [...loadInput(write(name, bytes), tensor, defaultPreprocess(tensor))]);

  it("takes raw bytes as they are, if there are as many as the tensor has", () => {
    expect(load("v.bin", Uint8Array.of(1, 2, 3, 4), vector)).to.deep.equal([1, 2, 3, 4]);
    expect(() => load("v.raw", Uint8Array.of(1, 2, 3), vector)).to.throw(
      TandemError,
      /v\.raw: 3 bytes of raw data for an input of 4 bytes/,
    );
  });

  it("takes arrays of the tensor's type as they are, and quantises real values", () => {
    expect(load("v.npy", npy("|i1", [4], Uint8Array.of(1, 2, 3, 255)), vector)).to.deep.equal([1, 2, 3, 255]);
    const real = new Uint8Array(Float32Array.of(0, 0.75, -0.75, 1000).buffer);
    expect(load("v.npy", npy("<f4", [1, 4], real), vector)).to.deep.equal([1, 3, 0xff, 127]);
    const doubles = new Uint8Array(Float64Array.of(0.1, 1).buffer);
    const floats: InputTensor = { shape: [2], dtype: "float32", scale: 0, zeroPoint: 0 };
    expect(load("v.npy", npy("<f8", [2], doubles), floats)).to.deep.equal([
      ...new Uint8Array(Float32Array.of(0.1, 1).buffer),
    ]);
  });

  it("refuses arrays of another shape or type, pictures for vectors, and files that are not there", () => {
    expect(() => load("v.npy", npy("|i1", [2, 2], new Uint8Array(4)), vector)).to.throw(
      TandemError,
      /shape \(2, 2\) for an input of shape \[1, 4\]/,
    );
    expect(() => load("v.npy", npy("|u1", [4], new Uint8Array(4)), vector)).to.throw(
      TandemError,
      /uint8 for an input of int8/,
    );
    expect(() => load("v.npy", npy("<f4", [4], new Uint8Array(Float32Array.of(0, NaN, 0, 0).buffer)), vector)).to.throw(
      TandemError,
      /element 1/,
    );
    expect(() => load("v.png", png(pattern(2, 2)), vector)).to.throw(TandemError, /v\.png: a picture cannot fill/);
    expect(() => loadInput("/nowhere/x.png", vector, defaultPreprocess(vector))).to.throw(
      TandemError,
      /^\/nowhere\/x\.png: cannot be read/,
    );
    expect(() => loadInput("/", vector, defaultPreprocess(vector))).to.throw(TandemError, /\/: not a file/);
  });

  // The golden inputs were made with Pillow's bilinear resize of the whole picture.
  for (const [model, dtype, size, scale, zeroPoint] of [
    ["mobilenet_v1_1.0_224_uint8", "uint8", 224, 0.0078125, 128],
    ["mobilenet_v1_0.25_96_vww_int8", "int8", 96, 0.003921568859368563, -128],
    ["resnet8_cifar10_int8", "int8", 32, 1, -128],
    ["resnet18_224_int8_randomweights", "uint8", 224, 0.007750865072011948, 126],
    ["mobilenet_v2_1.0_224_int8", "float32", 224, 0, 0],
  ] as const) {
    it(`gives ${model} the same bytes for grace_hopper.bmp as Pillow does`, function () {
      const golden = new URL(`golden/tflite/${model}.input0.bin`, shared);
      if (!existsSync(golden)) return void this.skip();
      const tensor: InputTensor = { shape: [1, size, size, 3], dtype, scale, zeroPoint };
      const bytes = loadInput(new URL("images/grace_hopper.bmp", shared).pathname, tensor, defaultPreprocess(tensor));
      expect(Buffer.compare(bytes, readFileSync(golden))).to.equal(0);
    });
  }
});
