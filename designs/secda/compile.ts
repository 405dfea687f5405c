/** A layer as a program for SECDA's designs: blocks of four rows and four channels on four streams, tile after tile. */
import type { CompiledProgram } from "../../driver/design.js";
import { parameterOf } from "../../driver/gemm/pack.js";
import { gemmShape, im2col } from "../../driver/im2col.js";
import type { ConvLayer } from "../../driver/layer.js";
import { MAX_TRANSFER, type ProgramBuffer, type Step } from "../../driver/program.js";
import { TandemError } from "../../hw/index.js";
import { BLOCK, DEPTH_STEP, INPUT_WORDS, PARAMETER_WORDS, TILE_MOST, UNITS, WEIGHT_WORDS } from "./facts.js";
import { INSTRUCTION_WORDS } from "./loader.js";

/** What tells the two designs apart. */
export interface SecdaTraits {
  /** Name of the design, for messages. */
  readonly name: string;
  /** Blocks of rows, and of channels, that are computed together. */
  readonly span: number;
}

interface SecdaTiling {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Words of K, four bytes each. */
  readonly depth: number;
  readonly rowBlocks: number;
  readonly columnBlocks: number;
  /** Blocks of a tile. */
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly jobs: number;
}

function tile(layer: ConvLayer, { span }: SecdaTraits): SecdaTiling {
  const { m, n, k } = gemmShape(layer);
  const padded = Math.ceil(k / DEPTH_STEP) * DEPTH_STEP;
  const side = BLOCK * span;
  const most = (words: number): number => Math.floor(Math.min((words * DEPTH_STEP) / padded, TILE_MOST) / side) * span;
  const rowBlocks = Math.ceil(m / side) * span;
  const columnBlocks = Math.ceil(n / side) * span;
  return {
    m,
    n,
    k,
    depth: padded / BLOCK,
    rowBlocks,
    columnBlocks,
    tileRows: most(INPUT_WORDS),
    tileColumns: most(WEIGHT_WORDS),
    jobs: rowBlocks * columnBlocks,
  };
}

/** Null if the layer can run, else why not. */
export function refuses(layer: ConvLayer, traits: SecdaTraits): string | null {
  if (layer.depthwise) return "a depthwise convolution";
  if (layer.sums) return "sums without scaling";
  if (layer.multipliers.some((multiplier) => multiplier < 0)) return "a negative multiplier";
  if (layer.shifts.some((shift) => shift > 31)) return "a shift to the left by more than 31";
  const { k, m, depth, rowBlocks, columnBlocks, tileColumns } = tile(layer, traits);
  if (tileColumns < 1) return `K = ${k}, at most ${(WEIGHT_WORDS * DEPTH_STEP) / BLOCK / traits.span}`;
  if (rowBlocks >= 2 ** 24 || columnBlocks >= 2 ** 16) return `a matrix product of ${m} rows`;
  if (rowBlocks * (depth + 1) * BLOCK > MAX_TRANSFER) return `a transfer of more than ${MAX_TRANSFER} bytes`;
  return null;
}

/** @throws TandemError if the layer is refused. */
export function compile(layer: ConvLayer, traits: SecdaTraits): CompiledProgram {
  const reason = refuses(layer, traits);
  if (reason !== null) throw new TandemError(`Layer ${layer.name} does not run on ${traits.name}: ${reason}`);
  const tiling = tile(layer, traits);
  const { m, n, depth, rowBlocks, columnBlocks, tileRows, tileColumns, jobs } = tiling;
  const rowBytes = BLOCK * (1 + depth);
  const columnBytes = BLOCK * (PARAMETER_WORDS + depth);
  const instruction = encode(layer, tiling);
  const weights = packWeights(layer, tiling);
  const jobsOf = (unit: number): number => Math.ceil((jobs - unit) / UNITS);
  const units = Array.from({ length: UNITS }, (_, u) => u);
  const buffers: ProgramBuffer[] = [
    { name: "instructions", role: "constant", bytes: instruction.length, data: instruction },
    ...units.map((u): ProgramBuffer => ({ name: `input${u}`, role: "input", bytes: rowBlocks * rowBytes })),
    ...weights.map((data, u): ProgramBuffer => ({ name: `weights${u}`, role: "constant", bytes: data.length, data })),
    ...units.map((u): ProgramBuffer => ({ name: `output${u}`, role: "output", bytes: jobsOf(u) * BLOCK * BLOCK })),
  ];
  const steps: Step[] = [{ kind: "send", stream: "instructions", buffer: 0, offset: 0, length: instruction.length }];
  for (const u of units)
    if (jobsOf(u) > 0)
      steps.unshift({
        kind: "receive",
        stream: `output${u}`,
        buffer: 9 + u,
        offset: 0,
        length: jobsOf(u) * BLOCK * BLOCK,
      });
  for (let row = 0; row < rowBlocks; row += tileRows) {
    const rows = Math.min(tileRows, rowBlocks - row);
    for (const u of units)
      steps.push({ kind: "send", stream: `input${u}`, buffer: 1 + u, offset: row * rowBytes, length: rows * rowBytes });
    for (let column = 0; column < columnBlocks; column += tileColumns) {
      const length = Math.min(tileColumns, columnBlocks - column) * columnBytes;
      for (const u of units)
        steps.push({ kind: "send", stream: `input${u}`, buffer: 5 + u, offset: column * columnBytes, length });
    }
  }
  return {
    program: { name: layer.name, buffers, steps },
    packs: true,
    unpacks: true,
    tiling: { ...tiling },
    inputs: (tensor) => packInputs(layer, tensor, tiling),
    output: (outputs) => {
      const out = new Uint8Array(m * n);
      let job = 0;
      forEachJob(tiling, traits, (row, column) => {
        const from = outputs[`output${job % UNITS}`]!;
        const at = Math.floor(job / UNITS) * BLOCK * BLOCK;
        job++;
        for (let r = 0; r < BLOCK && row * BLOCK + r < m; r++)
          for (let c = 0; c < BLOCK && column * BLOCK + c < n; c++)
            out[(row * BLOCK + r) * n + column * BLOCK + c] = from[at + r * BLOCK + c]!;
      });
      return out;
    },
  };
}

/** Jobs in the order in which they are computed: tile by tile, `span` blocks of rows by as many of channels at a time. */
function forEachJob(tiling: SecdaTiling, { span }: SecdaTraits, visit: (row: number, column: number) => void): void {
  const { rowBlocks, columnBlocks, tileRows, tileColumns } = tiling;
  for (let row = 0; row < rowBlocks; row += tileRows)
    for (let column = 0; column < columnBlocks; column += tileColumns)
      for (let r = row; r < Math.min(row + tileRows, rowBlocks); r += span)
        for (let c = column; c < Math.min(column + tileColumns, columnBlocks); c += span)
          for (let i = 0; i < span * span; i++) visit(r + Math.floor(i / span), c + (i % span));
}

const offsetOf = (layer: ConvLayer): number => (layer.dtype === "uint8" ? 128 : 0);

function encode(
  layer: ConvLayer,
  { rowBlocks, columnBlocks, depth, tileRows, tileColumns, jobs }: SecdaTiling,
): Uint8Array {
  const offset = offsetOf(layer);
  const bytes = [layer.outputZero - offset, layer.clampMin - offset, layer.clampMax - offset, offset];
  const ending = bytes.reduce((word, byte, i) => word | ((byte & 255) << (8 * i)), 0);
  const words = [rowBlocks, columnBlocks, depth, tileRows | (tileColumns << 16), ending, jobs];
  const out = new Uint8Array(INSTRUCTION_WORDS * 4);
  const view = new DataView(out.buffer);
  words.forEach((word, i) => {
    view.setInt32(4 * i, word | 0, true);
  });
  return out;
}

/** Stream s: for each block of channels the parameters of its s-th channel (three words), then its weights as int8. */
function packWeights(layer: ConvLayer, { n, k, depth, columnBlocks }: SecdaTiling): Uint8Array[] {
  const flip = offsetOf(layer);
  return Array.from({ length: UNITS }, (_, s) => {
    const out = new Uint8Array(columnBlocks * BLOCK * (PARAMETER_WORDS + depth));
    const view = new DataView(out.buffer);
    for (let block = 0; block < columnBlocks; block++) {
      const at = block * BLOCK * (PARAMETER_WORDS + depth);
      const channel = block * BLOCK + s;
      if (channel >= n) continue;
      const { bias, multiplier, left, right } = parameterOf(layer, channel, k);
      view.setInt32(at, bias, true);
      view.setInt32(at + 4, multiplier, true);
      out[at + 8] = left;
      out[at + 9] = right;
      for (let i = 0; i < k; i++) out[at + BLOCK * PARAMETER_WORDS + i] = layer.weights[channel * k + i]! ^ flip;
    }
    return out;
  });
}

/** Stream s: for each block of rows the zero point's term of its s-th row, then its inputs as int8. */
function packInputs(
  layer: ConvLayer,
  tensor: Uint8Array,
  { m, k, depth, rowBlocks }: SecdaTiling,
): Record<string, Uint8Array> {
  const flip = offsetOf(layer);
  const matrix = im2col(layer, tensor, k, 0);
  const weightZero = layer.weightZero - flip;
  const out: Record<string, Uint8Array> = {};
  for (let s = 0; s < UNITS; s++) {
    const bytes = new Uint8Array(rowBlocks * BLOCK * (1 + depth));
    const view = new DataView(bytes.buffer);
    for (let row = s; row < m; row += BLOCK) {
      const at = ((row - s) / BLOCK) * BLOCK * (1 + depth);
      let sum = 0;
      for (let i = 0; i < k; i++) {
        const value = matrix[row * k + i]! ^ flip;
        bytes[at + BLOCK + i] = value;
        sum += (value << 24) >> 24;
      }
      view.setInt32(at, sum * weightZero, true);
    }
    out[`input${s}`] = bytes;
  }
  return out;
}

/** @throws TandemError for a published design in the place of `design`: it is modelled clock by clock only. */
export function requireOwn(design: string, model: string): void {
  if (model === "own") return;
  throw new TandemError(`Design ${design} has no level transaction with model=${model}`, {
    hint: "Use model=own, or --level cycle.",
  });
}
