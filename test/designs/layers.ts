/** Random layers for the tests of designs. */
import type { ConvLayer } from "../../driver/layer.js";
import { mulberry32 } from "../../sim/environment.js";

export interface LayerShape {
  readonly dtype?: "int8" | "uint8";
  readonly batch?: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly dilation?: number;
  /** Zero rows and columns on each side. */
  readonly pad?: number;
  /** Range of the shifts; by default, scales that fit K. */
  readonly shifts?: readonly [number, number];
  /** Each channel for itself; there are as many outputs as inputs. */
  readonly depthwise?: boolean;
  /** The sums themselves are asked for. */
  readonly sums?: boolean;
}

/** A layer with random weights, zero points, scales and clamps, and a random input for it. */
export function randomLayer(shape: LayerShape, seed: number): { layer: ConvLayer; input: Uint8Array } {
  const next = mulberry32(seed);
  const integer = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  const { dtype = "int8", batch = 1, height, width, inChannels, depthwise = false, sums = false } = shape;
  const outChannels = depthwise ? inChannels : shape.outChannels;
  const { kernel = 1, stride = 1, dilation = 1, pad = 0 } = shape;
  const signed = dtype === "int8";
  const [low, high] = signed ? [-128, 127] : [0, 255];
  const reach = (kernel - 1) * dilation + 1;
  const out = (size: number): number => Math.floor((size + 2 * pad - reach) / stride) + 1;
  const taps = kernel * kernel * (depthwise ? 1 : inChannels);
  const weights = new (signed ? Int8Array : Uint8Array)(outChannels * taps).map(() => integer(low, high));
  const input = new Uint8Array(batch * height * width * inChannels).map(() => integer(0, 255));
  const natural = -Math.round(Math.log2(Math.sqrt(taps) * 60));
  const [lowShift, highShift] = shape.shifts ?? [natural - 1, natural + 2];
  const clampMin = next() < 0.5 ? low : integer(low, low + 100);
  const clampMax = next() < 0.5 ? high : integer(high - 100, high);
  return {
    input,
    layer: {
      name: `random ${seed}`,
      dtype,
      batch,
      inHeight: height,
      inWidth: width,
      inChannels,
      outHeight: out(height),
      outWidth: out(width),
      outChannels,
      kernelHeight: kernel,
      kernelWidth: kernel,
      strideHeight: stride,
      strideWidth: stride,
      dilationHeight: dilation,
      dilationWidth: dilation,
      padTop: pad,
      padLeft: pad,
      weights,
      bias: new Int32Array(outChannels).map(() => integer(-20000, 20000)),
      inputZero: integer(low, high),
      weightZero: signed ? 0 : integer(low, high),
      outputZero: integer(low, high),
      multipliers: new Int32Array(outChannels).map(() => (next() < 0.03 ? 0 : integer(2 ** 30, 2 ** 31 - 1))),
      shifts: new Int32Array(outChannels).map(() => integer(lowShift, highShift)),
      clampMin,
      clampMax,
      ...(depthwise && { depthwise }),
      ...(sums && { sums }),
    },
  };
}
