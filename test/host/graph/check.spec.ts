import { expect } from "chai";
import { TandemError } from "../../../hw/errors.js";
import type { Attributes } from "../../../host/graph/graph.js";
import { single, type TensorSpec } from "../support/graphs.js";

const int8 = (shape: number[], scales: number[] = [0.5], axis = 0): TensorSpec => ({
  shape,
  dtype: "int8",
  scales,
  axis,
});
const weights = (shape: number[], scales?: number[], axis?: number): TensorSpec => ({
  ...int8(shape, scales, axis),
  data: new Int8Array(shape.reduce((product, n) => product * n, 1)),
});
const constant = (shape: number[], values: number[]): TensorSpec => ({
  shape,
  dtype: "int32",
  data: Int32Array.from(values),
});
const conv: Attributes["CONV_2D"] = {
  padding: "SAME",
  strideHeight: 2,
  strideWidth: 1,
  dilationHeight: 1,
  dilationWidth: 1,
  activation: "NONE",
};

describe("The check of a graph refuses", () => {
  const cases: [string, () => unknown, RegExp][] = [
    [
      "an output that the stride contradicts",
      () => single("CONV_2D", conv, [int8([1, 5, 5, 2]), weights([3, 3, 3, 2])], int8([1, 5, 5, 3])),
      /operator 0 \(CONV_2D\) has "t2" of shape \[1, 5, 5, 3\]; expected \[1, 3, 5, 3\]/,
    ],
    [
      "filters whose depth does not divide the channels",
      () => single("CONV_2D", conv, [int8([1, 5, 5, 3]), weights([3, 3, 3, 2])], int8([1, 3, 5, 3])),
      /3 input channels, 3 filters of depth 2; expected whole groups/,
    ],
    [
      "a filter larger than the picture without padding",
      () =>
        single(
          "CONV_2D",
          { ...conv, padding: "VALID" },
          [int8([1, 2, 5, 2]), weights([3, 3, 3, 2])],
          int8([1, 1, 3, 3]),
        ),
      /expected \[1, 0, 3, 3\]/,
    ],
    [
      "scales along the wrong dimension",
      () => single("CONV_2D", conv, [int8([1, 5, 5, 2]), weights([3, 3, 3, 2], [1, 1], 3)], int8([1, 3, 5, 3])),
      /scales along dimension 3; expected 0/,
    ],
    [
      "a bias of another length",
      () =>
        single("CONV_2D", conv, [int8([1, 5, 5, 2]), weights([3, 3, 3, 2]), constant([2], [0, 0])], int8([1, 3, 5, 3])),
      /"t2" of shape \[2\]; expected \[3\]/,
    ],
    [
      "depthwise weights for other channels",
      () => single("DEPTHWISE_CONV_2D", conv, [int8([1, 5, 5, 2]), weights([1, 3, 3, 3])], int8([1, 3, 5, 3])),
      /weights of shape \[1, 3, 3, 3\] for 2 input channels/,
    ],
    [
      "a fully connected layer of another depth",
      () =>
        single(
          "FULLY_CONNECTED",
          { activation: "NONE", keepDims: false },
          [int8([1, 5]), weights([3, 4])],
          int8([1, 3]),
        ),
      /an input of shape \[1, 5\] for weights of depth 4/,
    ],
    [
      "computed weights",
      () =>
        single("FULLY_CONNECTED", { activation: "NONE", keepDims: false }, [int8([1, 4]), int8([3, 4])], int8([1, 3])),
      /needs a constant as input 1/,
    ],
    [
      "an input of another type",
      () =>
        single(
          "FULLY_CONNECTED",
          { activation: "NONE", keepDims: false },
          [{ shape: [1, 4], dtype: "float32" }, weights([3, 4])],
          {
            shape: [1, 3],
            dtype: "float32",
          },
        ),
      /"t0" of type float32; expected uint8 or int8/,
    ],
    [
      "a tensor without quantisation",
      () => single("ADD", { activation: "NONE" }, [int8([4]), { shape: [4], dtype: "int8" }], int8([4])),
      /"t1" with 0 scales/,
    ],
    [
      "shapes that do not broadcast",
      () => single("ADD", { activation: "NONE" }, [int8([4]), int8([3])], int8([4])),
      /adds shapes \[4\] and \[3\]/,
    ],
    ["a pool that rescales", () => pool(int8([1, 2, 2, 3]), int8([1, 1, 1, 3], [0.25])), /quantised differently/],
    ["a reshape to another size", () => single("RESHAPE", {}, [int8([4, 2])], int8([7])), /into \[7\] of another size/],
    [
      "a reshape that its constant contradicts",
      () => single("RESHAPE", {}, [int8([4, 2]), constant([2], [2, -1])], int8([8])),
      /asks for shape \[2, -1\] but its output has \[8\]/,
    ],
    [
      "negative padding",
      () => single("PAD", {}, [int8([4]), constant([1, 2], [-1, 1])], int8([4])),
      /pads by \[-1, 1\]; expected 0 to 65536/,
    ],
    [
      "a concatenation along no dimension",
      () => single("CONCATENATION", { axis: 2, activation: "NONE" }, [int8([4, 2])], int8([4, 2])),
      /joins along axis 2 of 2 dimensions/,
    ],
    [
      "a mean over no dimension",
      () => single("MEAN", { keepDims: false }, [int8([4, 2]), constant([1], [-3])], int8([2])),
      /reduces axis -3/,
    ],
    [
      "a softmax of another scale",
      () => single("SOFTMAX", { beta: 1 }, [int8([4])], int8([4], [0.5])),
      /expected 1\/256 and -128/,
    ],
  ];

  for (const [what, build, message] of cases) {
    it(what, () => {
      expect(build).to.throw(TandemError, message);
    });
  }
});

function pool(input: TensorSpec, output: TensorSpec) {
  return single("MAX_POOL_2D", { ...conv, filterHeight: 2, filterWidth: 2, padding: "VALID" }, [input], output);
}
