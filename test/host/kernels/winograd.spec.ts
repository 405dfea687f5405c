import { expect } from "chai";
import fc from "fast-check";
import { conv2dSimd } from "../../../host/kernels/fast/conv2d-simd.js";
import { conv2dWinograd, suitsWinograd } from "../../../host/kernels/fast/conv2d-winograd.js";
import type { GroupedConvLayer } from "../../../host/kernels/parameters/conv.js";

interface Shape {
  readonly dtype: "int8" | "uint8";
  readonly batch: number;
  /** Of the output. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filters: number;
  readonly padding: 0 | 1;
}

interface Values {
  readonly weight: (i: number) => number;
  readonly inputZero: number;
  readonly weightZero: number;
  /** The multiplier is 2^(shift - 1). */
  readonly shift: number;
}

function bytesOf(dtype: "int8" | "uint8", length: number, value: (i: number) => number): Int8Array | Uint8Array {
  const bytes = dtype === "int8" ? new Int8Array(length) : new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = value(i);
  return bytes;
}

/** 3 x 3, stride 1. */
function layerOf({ dtype, batch, height, width, channels, filters, padding }: Shape, values: Values): GroupedConvLayer {
  const { weight, inputZero, weightZero, shift } = values;
  const signed = dtype === "int8";
  return {
    name: "layer",
    dtype,
    batch,
    inHeight: height + 2 - 2 * padding,
    inWidth: width + 2 - 2 * padding,
    inChannels: channels,
    outHeight: height,
    outWidth: width,
    outChannels: filters,
    kernelHeight: 3,
    kernelWidth: 3,
    strideHeight: 1,
    strideWidth: 1,
    dilationHeight: 1,
    dilationWidth: 1,
    padTop: padding,
    padLeft: padding,
    groups: 1,
    weights: bytesOf(dtype, filters * 9 * channels, weight),
    bias: Int32Array.from({ length: filters }, (_, i) => 37 * i - 500),
    inputZero,
    weightZero,
    outputZero: signed ? -5 : 120,
    multipliers: new Int32Array(filters).fill(2 ** 30),
    shifts: new Int32Array(filters).fill(shift),
    clampMin: signed ? -128 : 0,
    clampMax: signed ? 127 : 255,
  };
}

const sizeOf = ({ batch, inHeight, inWidth, inChannels }: GroupedConvLayer): number =>
  batch * inHeight * inWidth * inChannels;

/** What both kernels give, for a picture of these bytes. */
function both(layer: GroupedConvLayer, pixel: (i: number) => number): { direct: string; winograd: string } {
  const input = bytesOf(layer.dtype, sizeOf(layer), pixel);
  const run = (kernel: typeof conv2dSimd): string => {
    const output = bytesOf(layer.dtype, layer.batch * layer.outHeight * layer.outWidth * layer.outChannels, () => 0);
    kernel(layer)(input, output);
    return Buffer.from(output.buffer).toString("hex");
  };
  return { direct: run(conv2dSimd), winograd: run(conv2dWinograd) };
}

const noise = (seed: number) => {
  let state = seed | 1;
  return (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
};

const small: Shape = { dtype: "int8", batch: 1, height: 12, width: 12, channels: 16, filters: 8, padding: 1 };
const plain: Values = { weight: (i) => (i * 29) % 256, inputZero: 0, weightZero: 0, shift: -8 };

describe("A 3 x 3 convolution by minimal filtering", () => {
  it("gives the bytes of the product over all taps: any size, border, zero points, channels", () => {
    fc.assert(
      fc.property(
        fc.record({
          dtype: fc.constantFrom("int8" as const, "uint8" as const),
          batch: fc.integer({ min: 1, max: 2 }),
          height: fc.integer({ min: 1, max: 24 }),
          width: fc.integer({ min: 1, max: 24 }),
          channels: fc.constantFrom(8, 16, 24, 64, 72),
          filters: fc.integer({ min: 1, max: 45 }),
          padding: fc.constantFrom(0 as const, 1 as const),
        }),
        fc.record({ inputZero: fc.integer({ min: 0, max: 255 }), weightZero: fc.integer({ min: 0, max: 255 }) }),
        fc.integer(),
        (shape, { inputZero, weightZero }, seed) => {
          const signed = shape.dtype === "int8";
          const layer = layerOf(shape, {
            weight: noise(seed),
            inputZero: inputZero - (signed ? 128 : 0),
            weightZero: signed ? 0 : weightZero,
            // Few outputs are clamped.
            shift: -Math.round(7 + Math.log2(shape.channels) / 2),
          });
          const { direct, winograd } = both(layer, noise(seed ^ 99));
          expect(winograd).to.equal(direct);
        },
      ),
      { numRuns: 80 },
    );
  });

  it("is exact where sums are as large as they can be", () => {
    const shape: Shape = { ...small, dtype: "uint8", channels: 512, filters: 4 };
    for (const [zero, other] of [
      [0, 255],
      [255, 0],
    ] as const) {
      // All of a filter one way, the other way, and from tap to tap.
      const weight = (i: number): number => {
        const filter = Math.floor(i / (9 * 512));
        const tap = Math.floor(i / 512) % 9;
        return filter === 0 || (filter === 2 && tap % 2 === 0) || (filter === 3 && i % 2 === 0) ? other : zero;
      };
      for (const inputZero of [0, 255])
        for (const pixel of [
          () => 255 - inputZero,
          (i: number) => (Math.floor(i / 512) % 2 === 0 ? 0 : 255),
          (i: number) => (i % 3 === 0 ? 0 : 255),
        ]) {
          const layer = layerOf(shape, { weight, inputZero, weightZero: zero, shift: -21 });
          const { direct, winograd } = both(layer, pixel);
          expect(winograd).to.equal(direct);
          // 9 x 512 x 255^2 / 2^22 is 71: nothing is clamped, so every sum is seen.
          expect(winograd).to.not.match(/^(00|ff)+$/);
        }
    }
  });

  it("is used where it is exact and takes less time, and nowhere else", () => {
    const layer = layerOf(small, plain);
    const suits = (changes: Partial<GroupedConvLayer>): boolean => suitsWinograd({ ...layer, ...changes });
    expect(suits({})).to.equal(true);
    expect(suits({ inChannels: 512 })).to.equal(true);
    for (const changes of [
      { inChannels: 520 },
      { inChannels: 20 },
      { inChannels: 8 },
      { strideHeight: 2 },
      { strideWidth: 2 },
      { dilationHeight: 2 },
      { dilationWidth: 2 },
      { kernelHeight: 1 },
      { kernelWidth: 5 },
      { groups: 2 },
      { outHeight: 7, outWidth: 7 },
    ])
      expect(suits(changes), JSON.stringify(changes)).to.equal(false);
  });
});
