/** A layer as a matrix product's program: one instruction, and the transfers that feed it. */
import { TandemError } from "../../hw/errors.js";
import type { CompiledProgram } from "../design.js";
import { gemmShape, im2col, isMatrix } from "../im2col.js";
import type { ConvLayer } from "../layer.js";
import type { Program, ProgramBuffer, Step } from "../program.js";
import type { GemmConfig } from "./config.js";
import { compileDepthwise, tileDepthwise, type LineTraits } from "./depthwise.js";
import { encode, OPCODE_GEMM } from "./instruction.js";
import { packWeights, type WeightOrder } from "./pack.js";
import { PLANES, tile, type Tiling } from "./tiling.js";

/** What the program has to know of the array between the buffers. */
export interface ArrayTraits {
  /** Name of the design, for messages. */
  readonly design: string;
  readonly weightOrder: WeightOrder;
  /** Products of one output in a clock; 1 unless said otherwise. */
  readonly depth?: number;
  /** Clocks without operands after a tile of depth `k`. */
  gap(k: number): number;
  /** The line buffer, where the design has one. */
  readonly lines?: LineTraits | undefined;
}

/** Null if the layer can run, else why not. */
export function refuses(layer: ConvLayer, config: GemmConfig, { lines }: ArrayTraits): string | null {
  if (layer.multipliers.some((multiplier) => multiplier < 0)) return "a negative multiplier";
  if (layer.shifts.some((shift) => shift > 31)) return "a shift to the left by more than 31";
  if (layer.sums && !sumsFit(layer)) return "sums of more than 31 bits";
  if (layer.depthwise && (!lines || layer.sums)) return "a depthwise convolution";
  const tiling = layer.depthwise ? tileDepthwise(layer, config, lines!) : tile(layer, config);
  return typeof tiling === "string" ? tiling : null;
}

/** Sums come through the scaling, which doubles them. */
function sumsFit(layer: ConvLayer): boolean {
  const { k } = gemmShape(layer);
  return layer.bias.every((bias) => k * 255 * 255 + Math.abs(bias) < 2 ** 30);
}

/** @throws TandemError if the layer is refused. */
export function compile(layer: ConvLayer, config: GemmConfig, array: ArrayTraits): CompiledProgram {
  const reason = refuses(layer, config, array);
  if (reason !== null) throw new TandemError(`Layer ${layer.name} does not run on ${array.design}: ${reason}`);
  if (layer.depthwise) {
    const lines = array.lines!;
    const tiling = tileDepthwise(layer, config, lines) as Exclude<ReturnType<typeof tileDepthwise>, string>;
    return compileDepthwise(layer, config, lines, tiling, array.weightOrder);
  }
  return compileGemm(layer, config, array, tile(layer, config) as Tiling);
}

function compileGemm(layer: ConvLayer, config: GemmConfig, array: ArrayTraits, tiling: Tiling): CompiledProgram {
  const { m, n, k, words, outputRowBytes } = tiling;
  const rowBytes = words * config.streamBytes;
  const direct = isMatrix(layer) && rowBytes === k;
  const unsigned = layer.dtype === "uint8";
  const wholeBeats = (bytes: number): number => Math.ceil(bytes / config.streamBytes) * config.streamBytes;

  const weights = packWeights(layer, tiling, config, array.weightOrder);
  const instruction = encodeLayer(layer, tiling, config, array.gap(tiling.k));
  const buffers: ProgramBuffer[] = [
    { name: "instructions", role: "constant", bytes: instruction.length, data: instruction },
    { name: "input", role: "input", bytes: m * rowBytes },
    { name: "output", role: "output", bytes: wholeBeats(m * outputRowBytes) },
    ...weights.map((data, i): ProgramBuffer => ({ name: `weights${i}`, role: "constant", bytes: data.length, data })),
  ];
  const parts = Array.from({ length: config.streams }, (_, p) => {
    const first = p * tiling.partRows;
    return { first, rows: Math.max(0, Math.min(m - first, tiling.partRows)) };
  });
  const steps: Step[] = [
    ...parts.flatMap(({ first, rows }, p): Step[] =>
      rows === 0
        ? []
        : [
            {
              kind: "receive",
              stream: `output${p}`,
              buffer: 2,
              offset: first * outputRowBytes,
              length: wholeBeats(rows * outputRowBytes),
            },
          ],
    ),
    { kind: "send", stream: "instructions", buffer: 0, offset: 0, length: instruction.length },
    ...parts.flatMap(({ first, rows }, p): Step[] =>
      rows === 0
        ? []
        : [{ kind: "send", stream: `input${p}`, buffer: 1, offset: first * rowBytes, length: rows * rowBytes }],
    ),
    ...Array.from({ length: tiling.passes }, (): Step[] =>
      weights.map((data, i): Step => ({
        kind: "send",
        stream: `weight${i}`,
        buffer: 3 + i,
        offset: 0,
        length: data.length,
      })),
    ).flat(),
  ];
  const program: Program = { name: layer.name, buffers, steps };
  return {
    program,
    packs: !direct,
    unpacks: layer.sums === true,
    tiling: { ...tiling },
    least: {
      tiles: Math.ceil(m / config.rows) * Math.ceil(n / config.cols) * Math.ceil(k / (array.depth ?? 1)),
      // A sum leaves as four vectors of bytes.
      lanes: m * Math.ceil(n / config.lanes) * (layer.sums ? PLANES : 1),
    },
    inputs: (tensor, room) => ({
      input: direct ? tensor : im2col(layer, tensor, rowBytes, unsigned ? 0x80 : 0, room?.["input"]),
    }),
    output: (outputs) => (layer.sums ? joinPlanes(outputs["output"]!, tiling) : outputs["output"]!.subarray(0, m * n)),
  };
}

/** Rows of four planes, byte b of every sum in the b-th, as int32. */
function joinPlanes(planes: Uint8Array, { m, n, outputRowBytes }: Tiling): Uint8Array {
  const out = new Uint8Array(m * n * PLANES);
  for (let row = 0; row < m; row++)
    for (let b = 0; b < PLANES; b++) {
      const from = row * outputRowBytes + (b * outputRowBytes) / PLANES;
      for (let c = 0; c < n; c++) out[(row * n + c) * PLANES + b] = planes[from + c]!;
    }
  return out;
}

function encodeLayer(layer: ConvLayer, tiling: Tiling, config: GemmConfig, gap: number): Uint8Array {
  const { m, n, k, words, columnTiles } = tiling;
  const { cols, lanes, groups } = config;
  const offset = layer.dtype === "uint8" ? 128 : 0;
  // Of the last column tile, the values that count, and the words that they fill.
  const lastColumns = n - (columnTiles - 1) * cols;
  const lastWords = Math.ceil(lastColumns / lanes);
  const rowWords = columnTiles * groups;
  return encode({
    opcode: OPCODE_GEMM,
    unsigned: offset === 0 ? 0 : 1,
    streamed: tiling.streamed ? 1 : 0,
    raw: layer.sums ? 1 : 0,
    words,
    lastBytes: k - (words - 1) * config.streamBytes,
    gap,
    rowTiles: tiling.rowTiles,
    inputSlots: tiling.inputSlots,
    rows: m,
    weightSlots: tiling.weightSlots,
    partRows: tiling.partRows,
    outputSlots: tiling.outputSlots,
    columnTiles,
    chunkTiles: tiling.chunkTiles,
    blockTiles: tiling.blockTiles,
    segmentWords: tiling.segmentWords,
    passes: tiling.passes,
    segments: tiling.passes * columnTiles * tiling.segments,
    outputSlotWords: tiling.outputSlotWords,
    rowStride: layer.sums ? PLANES * rowWords : rowWords,
    rowWords: layer.sums ? PLANES * rowWords : (columnTiles - 1) * groups + lastWords,
    outputBytes: layer.sums ? lanes : lastColumns - (lastWords - 1) * lanes,
    tileRows: config.partRows,
    vectors: m * columnTiles * groups,
    weightZero: layer.weightZero - offset,
    // The bytes of sums are whole int8 values.
    outputZero: layer.sums ? 0 : layer.outputZero - offset,
    clampMin: layer.sums ? -128 : layer.clampMin - offset,
    clampMax: layer.sums ? 127 : layer.clampMax - offset,
  });
}
