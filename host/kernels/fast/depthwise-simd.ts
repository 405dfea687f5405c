/**
 * The inner loops of DEPTHWISE_CONV_2D in WebAssembly with SIMD, eight channels at a time: products of 16 bits summed in 32, and
 * TFLite's requantisation in 64-bit lanes. One module for all layers; it is called once per row of the output, so that
 * V8 can replace its first code by better code in between. Memory holds one layer at a time.
 */
import { declareKernels } from "../../../driver/wasm-kernels.js";
import { Code } from "../../../sim/fast/wasm.js";
import type { Bytes } from "../implementation.js";
import type { DepthwiseLayer } from "../parameters/conv.js";
import { emitRequantise, LANES, requantisesInSimd, TABLE_BYTES, writeTables } from "./requantise-simd.js";

/** Parameters of both functions, in order. */
interface RowArguments {
  /** First tap of the first output pixel in the padded picture, and steps in bytes. */
  readonly image: number;
  readonly pixelStep: number;
  readonly tapStep: number;
  readonly lineStep: number;
  readonly weights: number;
  readonly tables: number;
  readonly output: number;
  readonly pixels: number;
  /** Channels, and channels rounded up. */
  readonly channels: number;
  readonly padded: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly zero: number;
  readonly clampMin: number;
  readonly clampMax: number;
}
const names = [
  "image",
  "pixelStep",
  "tapStep",
  "lineStep",
  "weights",
  "tables",
  "output",
  "pixels",
  "channels",
  "padded",
  "kernelHeight",
  "kernelWidth",
  "zero",
  "clampMin",
  "clampMax",
] as const satisfies readonly (keyof RowArguments)[];

interface Exports {
  readonly signedRow: (...args: number[]) => void;
  readonly unsignedRow: (...args: number[]) => void;
  readonly signedPixels: (from: number, to: number, pixels: number, channels: number, zero: number) => void;
  readonly unsignedPixels: (from: number, to: number, pixels: number, channels: number, zero: number) => void;
}

const open = declareKernels<Exports>("depthwise", () => ({
  signedRow: rowCode(true),
  unsignedRow: rowCode(false),
  signedPixels: pixelsCode(true),
  unsignedPixels: pixelsCode(false),
}));

/** Bytes to 16 bits less the zero point, pixel by pixel; reads up to seven bytes beyond the last channel. */
function pixelsCode(signed: boolean): Code {
  const code = new Code(["i32", "i32", "i32", "i32", "i32"]);
  const [from, to, pixels, channels, zero] = [0, 1, 2, 3, 4];
  const [block, vector] = [code.local("i32"), code.local("v128")];
  code.get(zero).op("i16x8.splat").set(vector);
  const pixel = code.loop();
  code.i32(0).set(block);
  const next = code.loop();
  code.get(to).get(from).get(block).op("i32.add");
  code
    .mem(signed ? "v128.load8x8_s" : "v128.load8x8_u")
    .get(vector)
    .op("i16x8.sub")
    .mem("v128.store");
  code
    .get(to)
    .i32(2 * LANES)
    .op("i32.add")
    .set(to);
  code.get(block).i32(LANES).op("i32.add").tee(block).get(channels).op("i32.lt_u").brIf(next);
  code.end();
  code.get(from).get(channels).op("i32.add").set(from);
  code.get(pixels).i32(1).op("i32.sub").tee(pixels).brIf(pixel);
  code.end();
  return code;
}

/** One row of output pixels. */
function rowCode(signed: boolean): Code {
  const code = new Code(names.map(() => "i32" as const));
  const p = Object.fromEntries(names.map((name, i) => [name, i])) as Record<(typeof names)[number], number>;
  const [block, line, tap, at, weight, ky, kx, table] = code.locals("i32", 8);
  const [low, high, x, w] = code.locals("v128", 4);
  const pixel = code.loop();
  code.i32(0).set(block);
  const next = code.loop();
  // Address of an array of 32 bits of this block: tables + block * 4.
  code.get(p.tables).get(block).i32(2).op("i32.shl").op("i32.add").set(table);
  code.get(table).mem("v128.load").set(low).get(table).mem("v128.load", 16).set(high);
  code.get(p.image).get(block).i32(1).op("i32.shl").op("i32.add").set(line);
  code.get(p.weights).get(block).i32(1).op("i32.shl").op("i32.add").set(weight);
  code.i32(0).set(ky);
  const lines = code.loop();
  code.get(line).set(tap).i32(0).set(kx);
  const taps = code.loop();
  code.get(tap).mem("v128.load").set(x).get(weight).mem("v128.load").set(w);
  code.get(low).get(x).get(w).op("i32x4.extmul_low_i16x8_s").op("i32x4.add").set(low);
  code.get(high).get(x).get(w).op("i32x4.extmul_high_i16x8_s").op("i32x4.add").set(high);
  code.get(tap).get(p.tapStep).op("i32.add").set(tap);
  code.get(weight).get(p.padded).i32(1).op("i32.shl").op("i32.add").set(weight);
  code.get(kx).i32(1).op("i32.add").tee(kx).get(p.kernelWidth).op("i32.lt_u").brIf(taps);
  code.end();
  code.get(line).get(p.lineStep).op("i32.add").set(line);
  code.get(ky).i32(1).op("i32.add").tee(ky).get(p.kernelHeight).op("i32.lt_u").brIf(lines);
  code.end();
  for (const [sums, offset] of [
    [low, 0],
    [high, 4],
  ] as const)
    emitRequantise(code, sums, offset, { ...p, table, block });
  code.get(p.output).get(block).op("i32.add").set(at);
  code.get(at).get(low).get(high).op("i16x8.narrow_i32x4_s").get(low);
  // The second operand does not matter: eight bytes are stored.
  code.op(signed ? "i8x16.narrow_i16x8_s" : "i8x16.narrow_i16x8_u").storeLane(8, 0, 0);
  code.get(block).i32(LANES).op("i32.add").tee(block).get(p.channels).op("i32.lt_u").brIf(next);
  code.end();
  code.get(p.image).get(p.pixelStep).op("i32.add").set(p.image);
  code.get(p.output).get(p.channels).op("i32.add").set(p.output);
  code.get(p.pixels).i32(1).op("i32.sub").tee(p.pixels).brIf(pixel);
  code.end();
  return code;
}

/** True if a layer's arithmetic is what the module does. */
export const fitsSimd = (layer: DepthwiseLayer): boolean =>
  requantisesInSimd(layer) && layer.kernelHeight * layer.kernelWidth * 2 ** 16 < 2 ** 31;

/** A layer made ready; the function takes input and output. */
export function depthwiseSimd(layer: DepthwiseLayer): (input: Bytes, output: Bytes) => void {
  const { inChannels: channels, inHeight, inWidth, outHeight, outWidth, kernelHeight, kernelWidth } = layer;
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padTop, padLeft, inputZero } = layer;
  const padded = Math.ceil(channels / LANES) * LANES;
  const constants = constantsOf(layer, padded);
  // The picture with its border: all that a tap can reach.
  const width = Math.max((outWidth - 1) * strideWidth + (kernelWidth - 1) * dilationWidth + 1, padLeft + inWidth);
  const height = Math.max((outHeight - 1) * strideHeight + (kernelHeight - 1) * dilationHeight + 1, padTop + inHeight);
  const [pixelBytes, lineBytes] = [padded * 2, width * padded * 2];
  const weights = padded * TABLE_BYTES;
  const image = constants.length;
  const raw = image + height * lineBytes + 16;
  const output = raw + Math.ceil((inHeight * inWidth * channels + 16) / 16) * 16;
  const end = output + outHeight * outWidth * channels + 16;
  const signed = layer.dtype === "int8";
  return (input, target) => {
    const { functions: exports, room } = open();
    const bytes = room(end);
    const [row, pixels] = signed
      ? [exports.signedRow, exports.signedPixels]
      : [exports.unsignedRow, exports.unsignedPixels];
    bytes.set(constants);
    bytes.fill(0, image, raw);
    const inBytes = inHeight * inWidth * channels;
    const outBytes = outHeight * outWidth * channels;
    for (let b = 0; b < layer.batch; b++) {
      bytes.set(new Uint8Array(input.buffer, input.byteOffset + b * inBytes, inBytes), raw);
      for (let y = 0; y < inHeight; y++)
        pixels(
          raw + y * inWidth * channels,
          image + (y + padTop) * lineBytes + padLeft * pixelBytes,
          inWidth,
          channels,
          inputZero,
        );
      for (let y = 0; y < outHeight; y++) {
        const args: RowArguments = {
          image: image + y * strideHeight * lineBytes,
          pixelStep: strideWidth * pixelBytes,
          tapStep: dilationWidth * pixelBytes,
          lineStep: dilationHeight * lineBytes,
          weights,
          tables: 0,
          output: output + y * outWidth * channels,
          pixels: outWidth,
          channels,
          padded,
          kernelHeight,
          kernelWidth,
          zero: layer.outputZero,
          clampMin: layer.clampMin,
          clampMax: layer.clampMax,
        };
        row(...names.map((name) => args[name]));
      }
      new Uint8Array(target.buffer, target.byteOffset + b * outBytes, outBytes).set(
        bytes.subarray(output, output + outBytes),
      );
    }
  };
}

/** Tables and weights as they stand in memory, from address 0. */
function constantsOf(layer: DepthwiseLayer, padded: number): Uint8Array {
  const { inChannels: channels, kernelHeight, kernelWidth } = layer;
  const taps = kernelHeight * kernelWidth;
  const bytes = new Uint8Array(padded * TABLE_BYTES + taps * padded * 2);
  writeTables(bytes, layer, padded);
  const weights = new Int16Array(bytes.buffer, padded * TABLE_BYTES, taps * padded);
  for (let tap = 0; tap < taps; tap++)
    for (let c = 0; c < channels; c++)
      weights[tap * padded + c] = layer.weights[tap * channels + c]! - layer.weightZero;
  return bytes;
}
