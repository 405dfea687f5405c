import { expect } from "chai";
import fc from "fast-check";
import { parameterOf } from "../../driver/gemm/pack.js";
import type { ConvLayer } from "../../driver/layer.js";

describe("The bias of an output channel in a weight stream", () => {
  /** bias - inputZero * sum + k * inputZero * weightZero in terms of int8, byte by byte. */
  const expected = (layer: ConvLayer, channel: number, k: number): number => {
    const offset = layer.dtype === "uint8" ? 128 : 0;
    const inputZero = layer.inputZero - offset;
    let sum = 0;
    for (let i = 0; i < k; i++) sum += layer.weights[channel * k + i]! - offset;
    return (layer.bias[channel]! - inputZero * sum + k * inputZero * (layer.weightZero - offset)) | 0;
  };

  for (const dtype of ["int8", "uint8"] as const)
    it(`has the terms of the zero points, wherever in memory the weights stand: ${dtype}`, () => {
      const [least, most] = dtype === "int8" ? [-128, 127] : [0, 255];
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 700 }),
          fc.integer({ min: 0, max: 7 }),
          fc.integer({ min: least, max: most }),
          fc.oneof(fc.constant(least), fc.constant(most), fc.constant(undefined)),
          fc.integer(),
          (k, at, zero, constant, seed) => {
            const bytes = new ArrayBuffer(8 + 3 * k);
            const weights = dtype === "int8" ? new Int8Array(bytes, at, 3 * k) : new Uint8Array(bytes, at, 3 * k);
            weights.forEach((_, i) => {
              weights[i] = constant ?? Math.imul(seed ^ i, 0x9e3779b1) >>> 24;
            });
            const layer = {
              ...{ dtype, weights, inputZero: zero, weightZero: dtype === "int8" ? 0 : 120, sums: true },
              bias: Int32Array.of(1, -2, 3),
            } as unknown as ConvLayer;
            for (let channel = 0; channel < 3; channel++)
              expect(parameterOf(layer, channel, k).bias).to.equal(expected(layer, channel, k));
          },
        ),
      );
    });
});
