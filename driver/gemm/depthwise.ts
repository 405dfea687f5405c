/**
 * A depthwise convolution as a program, for designs with a line buffer: the tensor goes in once as it stands, a row of outputs
 * is a row tile, a group of as many channels as the array has columns is a column tile. The weights of a channel are a column of K:
 * kernel column after kernel column, each filled up to the rows that the line buffer reads at once.
 */
import type { CompiledProgram } from "../design.js";
import type { ConvLayer } from "../layer.js";
import { MAX_TRANSFER, type Program, type ProgramBuffer, type Step } from "../program.js";
import type { GemmConfig } from "./config.js";
import { encode, OPCODE_DEPTHWISE } from "./instruction.js";
import { packWeights, type WeightOrder } from "./pack.js";

/** The line buffer of a design. */
export interface LineTraits {
  /** Banks, which is also the greatest height of a kernel. */
  readonly banks: number;
  /** Words of a bank, a byte for every column of the array. */
  readonly depth: number;
}

interface DepthwiseTiling {
  readonly pixels: number;
  readonly channels: number;
  readonly groups: number;
  /** Beats of a pixel. */
  readonly beats: number;
  /** Words of K, bytes that count in the last one. */
  readonly words: number;
  readonly lastBytes: number;
  readonly k: number;
  /** Picture rows that a bank holds. */
  readonly lineSlots: number;
  readonly outputSlots: number;
  readonly outputSlotWords: number;
}

/** Greatest value of a geometry field of four bits. */
const MOST = 15;

/** The tiling, or the reason why there is none. */
export function tileDepthwise(layer: ConvLayer, config: GemmConfig, lines: LineTraits): DepthwiseTiling | string {
  const { inHeight, inWidth, outHeight, outWidth, outChannels: channels, kernelHeight, kernelWidth } = layer;
  const { strideHeight, strideWidth, padTop, padLeft } = layer;
  if (layer.inChannels !== channels) return `${channels / layer.inChannels} outputs for each channel`;
  if (layer.batch !== 1) return `a batch of ${layer.batch}`;
  if (layer.dilationHeight !== 1 || layer.dilationWidth !== 1) return "dilation";
  if (kernelHeight > lines.banks) return `a kernel of ${kernelHeight} rows, at most ${lines.banks}`;
  if (padTop >= lines.banks || strideHeight > lines.banks)
    return `a stride or padding of more than ${lines.banks} rows`;
  if (Math.max(kernelWidth, strideWidth, padLeft) > MOST)
    return `a kernel, stride or padding of more than ${MOST} columns`;
  if (outWidth > 255) return `${outWidth} outputs in a row, at most 255`;
  if (Math.max(inHeight, inWidth) >= 2 ** 15) return `a picture of ${inHeight} x ${inWidth}`;
  const groups = Math.ceil(channels / config.cols);
  if (groups > config.slots || groups * config.groups > config.parameterDepth)
    return `${channels} channels, at most ${Math.min(config.slots, Math.floor(config.parameterDepth / config.groups)) * config.cols}`;
  const k = kernelWidth * lines.banks;
  const words = Math.ceil(k / config.streamBytes);
  if (words * groups > config.weightDepth) return "the weights do not fit the weight buffer";
  const lineSlots = Math.min(255, Math.ceil(inHeight / lines.banks), Math.floor(lines.depth / (inWidth * groups)));
  if (lineSlots < 1) return `rows of ${inWidth} x ${channels} bytes do not fit the line buffer`;
  const outputSlotWords = outWidth * groups * config.groups;
  const outputSlots = Math.min(config.slots, Math.floor(config.outputDepth / outputSlotWords));
  if (outputSlots < 1) return `rows of ${outWidth} x ${channels} bytes do not fit the output buffer`;
  const pixels = outHeight * outWidth;
  const beats = Math.ceil(channels / config.streamBytes);
  if (Math.max(inHeight * inWidth * beats * config.streamBytes, pixels * channels) > MAX_TRANSFER)
    return `a transfer of more than ${MAX_TRANSFER} bytes`;
  const lastBytes = k - (words - 1) * config.streamBytes;
  return { pixels, channels, groups, beats, words, lastBytes, k, lineSlots, outputSlots, outputSlotWords };
}

/** The layer must not be refused. */
export function compileDepthwise(
  layer: ConvLayer,
  config: GemmConfig,
  lines: LineTraits,
  tiling: DepthwiseTiling,
  order: WeightOrder,
): CompiledProgram {
  const { pixels, channels, beats } = tiling;
  const { streamBytes, lanes } = config;
  const pixelBytes = beats * streamBytes;
  const inPixels = layer.inHeight * layer.inWidth;
  const weights = packWeights(
    asColumns(layer, lines, tiling.k),
    { ...tiling, n: channels, columnTiles: tiling.groups },
    config,
    order,
  );
  const instruction = encodeDepthwise(layer, config, tiling);
  const outputBytes = Math.ceil((pixels * channels) / streamBytes) * streamBytes;
  const buffers: ProgramBuffer[] = [
    { name: "instructions", role: "constant", bytes: instruction.length, data: instruction },
    { name: "input", role: "input", bytes: inPixels * pixelBytes },
    { name: "output", role: "output", bytes: outputBytes },
    ...weights.map((data, i): ProgramBuffer => ({ name: `weights${i}`, role: "constant", bytes: data.length, data })),
  ];
  const steps: Step[] = [
    { kind: "receive", stream: "output0", buffer: 2, offset: 0, length: outputBytes },
    { kind: "send", stream: "instructions", buffer: 0, offset: 0, length: instruction.length },
    ...weights.map((data, i): Step => ({
      kind: "send",
      stream: `weight${i}`,
      buffer: 3 + i,
      offset: 0,
      length: data.length,
    })),
    { kind: "send", stream: "input0", buffer: 1, offset: 0, length: inPixels * pixelBytes },
  ];
  const program: Program = { name: layer.name, buffers, steps };
  const direct = pixelBytes === channels;
  return {
    program,
    packs: !direct,
    unpacks: false,
    tiling: { ...tiling, lanes },
    // The line buffer gives a column of a window in a clock, of as many channels as the array has columns.
    least: {
      tiles: pixels * tiling.groups * layer.kernelWidth,
      lanes: pixels * Math.ceil(channels / lanes),
    },
    inputs: (tensor) => ({ input: direct ? tensor : padPixels(tensor, inPixels, channels, pixelBytes) }),
    output: (outputs) => outputs["output"]!.subarray(0, pixels * channels),
  };
}

/** `[pixels][channels]` with each pixel filled up to `pixelBytes`; what the filling is does not matter. */
function padPixels(tensor: Uint8Array, pixels: number, channels: number, pixelBytes: number): Uint8Array {
  const out = new Uint8Array(pixels * pixelBytes);
  for (let i = 0; i < pixels; i++) out.set(tensor.subarray(i * channels, (i + 1) * channels), i * pixelBytes);
  return out;
}

/** The weights as `[channel][k]`; taps that the kernel does not have are the weights' zero point, whose product is nothing. */
function asColumns(layer: ConvLayer, { banks }: LineTraits, k: number): ConvLayer {
  const { outChannels, kernelHeight, kernelWidth } = layer;
  const weights = new Int16Array(outChannels * k).fill(layer.weightZero);
  for (let ky = 0; ky < kernelHeight; ky++)
    for (let kx = 0; kx < kernelWidth; kx++)
      for (let c = 0; c < outChannels; c++)
        weights[c * k + kx * banks + ky] = layer.weights[(ky * kernelWidth + kx) * outChannels + c]!;
  return { ...layer, weights: layer.dtype === "int8" ? Int8Array.from(weights) : Uint8Array.from(weights) };
}

function encodeDepthwise(layer: ConvLayer, config: GemmConfig, tiling: DepthwiseTiling): Uint8Array {
  const { pixels, channels, groups, words } = tiling;
  const { cols, lanes } = config;
  const offset = layer.dtype === "uint8" ? 128 : 0;
  const lastChannels = channels - (groups - 1) * cols;
  const lastWords = Math.ceil(lastChannels / lanes);
  return encode({
    opcode: OPCODE_DEPTHWISE,
    unsigned: offset === 0 ? 0 : 1,
    words,
    lastBytes: tiling.lastBytes,
    rowTiles: layer.outHeight,
    inputSlots: 1,
    rows: pixels,
    weightSlots: groups,
    partRows: pixels,
    outputSlots: tiling.outputSlots,
    columnTiles: groups,
    chunkTiles: groups,
    blockTiles: 1,
    segmentWords: words,
    passes: 1,
    segments: groups,
    outputSlotWords: tiling.outputSlotWords,
    rowStride: groups * config.groups,
    rowWords: (groups - 1) * config.groups + lastWords,
    outputBytes: lastChannels - (lastWords - 1) * lanes,
    tileRows: layer.outWidth,
    vectors: pixels * groups * config.groups,
    weightZero: layer.weightZero - offset,
    outputZero: layer.outputZero - offset,
    clampMin: layer.clampMin - offset,
    clampMax: layer.clampMax - offset,
    inHeight: layer.inHeight,
    inWidth: layer.inWidth,
    kernelHeight: layer.kernelHeight,
    kernelWidth: layer.kernelWidth,
    strideHeight: layer.strideHeight,
    strideWidth: layer.strideWidth,
    padTop: layer.padTop,
    padLeft: layer.padLeft,
    inputZero: layer.inputZero - offset,
    beats: tiling.beats,
    lineSlots: tiling.lineSlots,
  });
}
