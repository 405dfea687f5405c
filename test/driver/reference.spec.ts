import { expect } from "chai";
import fc from "fast-check";
import { gemmShape, im2col, isMatrix } from "../../driver/im2col.js";
import { convolve, requantise } from "../../driver/reference.js";
import { TandemError } from "../../hw/index.js";
import { randomLayer } from "../designs/layers.js";

describe("Requantisation", () => {
  const range = { outputZero: 0, clampMin: -(2 ** 31), clampMax: 2 ** 31 - 1 };

  /** The definition, in exact integers: two roundings, ties as gemmlowp's. */
  const exact = (acc: number, multiplier: number, shift: number): number => {
    const x = BigInt.asIntN(32, BigInt(acc) << BigInt(Math.max(shift, 0)));
    const product = x * BigInt(multiplier);
    const high = (product + (1n << 30n)) >> 31n;
    const right = BigInt(Math.max(-shift, 0));
    if (right === 0n) return Number(high);
    const half = 1n << (right - 1n);
    return Number(high < 0n ? -((-high + half) >> right) : (high + half) >> right);
  };

  it("is the saturating rounding doubling high product, then a rounding shift", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        fc.oneof(fc.constant(0), fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 })),
        fc.integer({ min: -31, max: 31 }),
        (acc, multiplier, shift) => {
          expect(requantise(acc, multiplier, shift, range)).to.equal(exact(acc, multiplier, shift));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("leaves nothing of a multiplier whose shift is below -31", () => {
    expect(requantise(2 ** 31 - 1, 2 ** 31 - 1, -32, { ...range, outputZero: 3 })).to.equal(3);
  });
});

describe("A convolution as a matrix product", () => {
  it("has a row of taps for each output pixel, padding and dilation included", () => {
    const shapes = fc.record({
      dtype: fc.constantFrom("int8" as const, "uint8" as const),
      batch: fc.integer({ min: 1, max: 2 }),
      height: fc.integer({ min: 3, max: 6 }),
      width: fc.integer({ min: 3, max: 6 }),
      inChannels: fc.integer({ min: 1, max: 5 }),
      outChannels: fc.integer({ min: 1, max: 4 }),
      kernel: fc.constantFrom(1, 2, 3),
      stride: fc.constantFrom(1, 2),
      dilation: fc.constantFrom(1, 2),
      pad: fc.constantFrom(1, 2),
    });
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, seed) => {
        const { layer, input } = randomLayer(shape, seed);
        const { m, n, k } = gemmShape(layer);
        const rowBytes = Math.ceil(k / 8) * 8;
        const matrix = im2col(layer, input, rowBytes, 0x80);
        const signed = layer.dtype === "int8";
        const out = new (signed ? Int8Array : Uint8Array)(m * n);
        for (let row = 0; row < m; row++)
          for (let c = 0; c < n; c++) {
            let acc = layer.bias[c]!;
            for (let i = 0; i < k; i++) {
              const byte = matrix[row * rowBytes + i]!;
              const x = signed ? (byte << 24) >> 24 : byte;
              acc += (x - layer.inputZero) * (layer.weights[c * k + i]! - layer.weightZero);
            }
            out[row * n + c] = requantise(acc, layer.multipliers[c]!, layer.shifts[c]!, layer);
          }
        expect([...new Uint8Array(out.buffer)]).to.deep.equal([...convolve(layer, input)]);
        for (let row = 0; row < m; row++)
          for (let i = k; i < rowBytes; i++) expect(matrix[row * rowBytes + i]).to.equal(0x80);
      }),
      { numRuns: 60 },
    );
  });

  it("is the tensor itself for a 1 x 1 kernel that meets each pixel once, and for no other", () => {
    const { layer } = randomLayer({ height: 4, width: 4, inChannels: 8, outChannels: 8 }, 1);
    expect(isMatrix(layer)).to.equal(true);
    expect(isMatrix({ ...layer, strideWidth: 2, outWidth: 2 })).to.equal(false);
    expect(isMatrix({ ...layer, padTop: 1, outHeight: 5 })).to.equal(false);
    expect(isMatrix({ ...layer, kernelHeight: 2, outHeight: 3 })).to.equal(false);
  });

  it("refuses an input of another size than the layer's", () => {
    const { layer, input } = randomLayer({ height: 4, width: 4, inChannels: 3, outChannels: 8, kernel: 3 }, 1);
    expect(() => im2col(layer, input.subarray(1), 32, 0)).to.throw(TandemError, "an input of 47 bytes, expected 48");
  });
});
