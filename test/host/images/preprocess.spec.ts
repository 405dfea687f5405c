import { expect } from "chai";
import { TandemError } from "../../../hw/errors.js";
import type { Image } from "../../../host/images/image.js";
import {
  defaultPreprocess,
  describe as said,
  imageToTensor,
  type InputTensor,
} from "../../../host/images/preprocess.js";
import { resize } from "../../../host/images/resize.js";
import { pattern } from "./files.js";

const tensor = (dtype: InputTensor["dtype"], shape: number[], scale = 0, zeroPoint = 0): InputTensor => ({
  shape: [1, ...shape],
  dtype,
  scale,
  zeroPoint,
});
const mobilenet = tensor("uint8", [2, 2, 3], 1 / 128, 128);
const grey = (width: number, height: number, values: number[]): Image => ({
  width,
  height,
  data: Uint8Array.from(values.flatMap((value) => [value, value, value])),
});
/** Red samples only. */
const red = (image: Image): number[] => [...image.data].filter((_, i) => i % 3 === 0);

describe("resizing", () => {
  it("leaves a picture of the right size as it is", () => {
    for (const filter of ["bilinear", "sampled", "nearest"] as const)
      expect(resize(pattern(6, 5), 6, 5, filter)).to.deep.equal(pattern(6, 5));
  });

  it("keeps a flat picture flat", () => {
    const flat = grey(13, 7, Array<number>(91).fill(201));
    for (const filter of ["bilinear", "sampled", "nearest"] as const)
      for (const [w, h] of [
        [5, 3],
        [40, 1],
        [13, 30],
      ] as const)
        expect(new Set(red(resize(flat, w, h, filter)))).to.deep.equal(new Set([201]));
  });

  it("enlarges between half-pixel centres", () => {
    const line = grey(2, 1, [0, 100]);
    expect(red(resize(line, 4, 1, "bilinear"))).to.deep.equal([0, 25, 75, 100]);
    expect(red(resize(line, 4, 1, "sampled"))).to.deep.equal([0, 25, 75, 100]);
    expect(red(resize(line, 4, 1, "nearest"))).to.deep.equal([0, 0, 100, 100]);
  });

  it("shrinks with every pixel counted (bilinear), four of them (sampled) or one (nearest)", () => {
    const line = grey(8, 1, [0, 0, 0, 240, 0, 0, 0, 0]);
    // Triangle of half-width 4 over the centre at 2: weights 1/16 x (2.5 3.5 3.5 2.5 1.5 0.5) of its 14.
    expect(red(resize(line, 2, 1, "bilinear"))).to.deep.equal([43, 26]);
    expect(red(resize(line, 2, 1, "sampled"))).to.deep.equal([0, 0]);
    expect(red(resize(grey(8, 1, [0, 0, 90, 0, 0, 0, 0, 0]), 2, 1, "nearest"))).to.deep.equal([90, 0]);
  });
});

describe("normalisation", () => {
  const image = grey(2, 2, [0, 1, 128, 255]);

  it("of a quantised tensor follows its own scale and zero point: the pixels fill its range", () => {
    for (const [scale, zero] of [
      [1 / 128, 128],
      [1 / 255, 0],
      [0.00775, 126],
    ] as const) {
      const input = tensor("uint8", [2, 2, 3], scale, zero);
      expect([...imageToTensor(image, input, defaultPreprocess(input))].filter((_, i) => i % 3 === 0)).to.deep.equal([
        0, 1, 128, 255,
      ]);
    }
    for (const [scale, zero] of [
      [1 / 255, -128],
      [1, -128],
      [1 / 127.5, 0],
    ] as const) {
      const input = tensor("int8", [2, 2, 1], scale, zero);
      expect([...new Int8Array(imageToTensor(image, input, defaultPreprocess(input)).buffer)]).to.deep.equal([
        -128, -127, 0, 127,
      ]);
    }
  });

  it("of a float tensor is [-1, 1] unless mean and std say otherwise, per channel if wanted", () => {
    const input = tensor("float32", [2, 2, 3]);
    const values = (bytes: Uint8Array): number[] => [...new Float32Array(bytes.buffer)];
    expect(values(imageToTensor(image, input, defaultPreprocess(input))).filter((_, i) => i % 3 === 0)).to.deep.equal(
      [0, 1, 128, 255].map((pixel) => Math.fround(Math.fround(pixel / 127.5) - 1)),
    );
    const options = { ...defaultPreprocess(input), mean: [0, 1, 2], std: [1, 2, 4] };
    expect(values(imageToTensor(image, input, options)).slice(-3)).to.deep.equal([255, 127, 63.25]);
  });

  it("clamps what mean and std push out of the stored type", () => {
    const options = { ...defaultPreprocess(mobilenet), mean: [128], std: [12.8] };
    expect([...imageToTensor(image, mobilenet, options)].filter((_, i) => i % 3 === 0)).to.deep.equal([0, 0, 128, 255]);
  });

  it("is said in one line", () => {
    expect(said(defaultPreprocess(mobilenet))).to.equal("stretched, bilinear, rgb, (pixel - 128) / 128");
    expect(said(defaultPreprocess(tensor("int8", [28, 28, 1], 0.003921568859368563, -128)))).to.equal(
      "stretched, bilinear, grey, pixel / 255",
    );
    expect(said({ ...defaultPreprocess(mobilenet), fit: "crop", mean: [1, 2, 3], std: [1] })).to.equal(
      "centre crop of 87.5 %, bilinear, rgb, (pixel - [1, 2, 3])",
    );
  });
});

describe("fit and colour", () => {
  const input = tensor("uint8", [2, 2, 1], 1, 0);
  const options = defaultPreprocess(input);

  it("stretches, crops the centre, or pads with black", () => {
    const wide = grey(4, 2, [10, 20, 30, 40, 10, 20, 30, 40]);
    expect([...imageToTensor(wide, input, { ...options, filter: "nearest" })]).to.deep.equal([20, 40, 20, 40]);
    expect([...imageToTensor(wide, input, { ...options, fit: "crop", cropShare: 1 })]).to.deep.equal([20, 30, 20, 30]);
    const two = tensor("uint8", [4, 4, 1], 1, 0);
    expect([...imageToTensor(wide, two, { ...options, fit: "pad" })]).to.deep.equal([
      0, 0, 0, 0, 10, 20, 30, 40, 10, 20, 30, 40, 0, 0, 0, 0,
    ]);
  });

  it("orders the channels as asked", () => {
    const image = { width: 1, height: 1, data: Uint8Array.of(200, 100, 50) };
    const three = tensor("uint8", [1, 1, 3], 1, 0);
    const seen = (colour: "rgb" | "bgr" | "grey"): number[] => [
      ...imageToTensor(image, three, { ...defaultPreprocess(three), colour }),
    ];
    expect(seen("rgb")).to.deep.equal([200, 100, 50]);
    expect(seen("bgr")).to.deep.equal([50, 100, 200]);
    expect(seen("grey")).to.deep.equal([124, 124, 124]);
    expect([...imageToTensor(image, tensor("uint8", [1, 1, 1], 1, 0), options)]).to.deep.equal([124]);
  });

  it("refuses tensors that hold no picture and options out of range", () => {
    const image = pattern(2, 2);
    expect(() => imageToTensor(image, tensor("int8", [640], 1, 0), options)).to.throw(TandemError, /\[1, 640\]/);
    expect(() => imageToTensor(image, mobilenet, { ...options, mean: [1, 2] })).to.throw(TandemError, /mean: 2 values/);
    expect(() => imageToTensor(image, mobilenet, { ...options, std: [0] })).to.throw(
      TandemError,
      /std: \[0\] must be above 0/,
    );
    expect(() => imageToTensor(image, mobilenet, { ...options, mean: [NaN] })).to.throw(TandemError, /mean/);
    expect(() => imageToTensor(image, mobilenet, { ...options, fit: "crop", cropShare: 1.5 })).to.throw(
      TandemError,
      /crop share 1.5/,
    );
  });
});
