/**
 * A layer as a program for SECDA's designs, as their driver does it: CONFIG, then for each tile of rows LOAD_INP, and within it for each tile of
 * channels LOAD_WGT and COMPUTE. All weights are sent again for each tile of rows.
 */
import type { CompiledProgram } from "../../driver/design.js";
import { gemmShape } from "../../driver/im2col.js";
import type { ConvLayer } from "../../driver/layer.js";
import { MAX_TRANSFER, type ProgramBuffer, type Step } from "../../driver/program.js";
import { TandemError } from "../../hw/index.js";
import { BLOCK, COMPUTE, CONFIG, DEPTH_STEP, PACKET_WORDS, UNITS } from "./facts.js";
import {
  bytesOf,
  endingOf,
  inputWords,
  packInputs,
  packWeights,
  pieces,
  weightWords,
  type Piece,
  type SecdaTiling,
} from "./pack.js";
import type { SecdaTraits } from "./traits.js";

function tile(layer: ConvLayer, { sizes }: SecdaTraits): SecdaTiling {
  const { m, n, k } = gemmShape(layer);
  const padded = Math.ceil(k / DEPTH_STEP) * DEPTH_STEP;
  const most = (words: number, cap: number): number => Math.floor(Math.min((words * DEPTH_STEP) / padded, cap) / BLOCK);
  return {
    m,
    n,
    k,
    depth: padded / BLOCK,
    rowBlocks: Math.ceil(m / BLOCK),
    columnBlocks: Math.ceil(n / BLOCK),
    tileRows: most(sizes.inputWords, sizes.mostRows),
    tileColumns: most(sizes.weightWords, sizes.mostColumns),
  };
}

/** Null if the layer can run, else why not. */
export function refuses(layer: ConvLayer, traits: SecdaTraits): string | null {
  if (layer.depthwise) return "a depthwise convolution";
  if (layer.sums) return "sums without scaling";
  if (layer.multipliers.some((multiplier) => multiplier < 0)) return "a negative multiplier";
  if (layer.shifts.some((shift) => shift > 31)) return "a shift to the left by more than 31";
  const { k, m, depth, rowBlocks, columnBlocks, tileColumns } = tile(layer, traits);
  if (tileColumns < 1) return `K = ${k}, at most ${(traits.sizes.weightWords * DEPTH_STEP) / BLOCK}`;
  if (rowBlocks >= 2 ** 24 || columnBlocks >= 2 ** 16) return `a matrix product of ${m} rows`;
  if (rowBlocks * (depth + 1 + PACKET_WORDS) * BLOCK > MAX_TRANSFER)
    return `a transfer of more than ${MAX_TRANSFER} bytes`;
  return null;
}

/** @throws TandemError if the layer is refused. */
export function compile(layer: ConvLayer, traits: SecdaTraits): CompiledProgram {
  const reason = refuses(layer, traits);
  if (reason !== null) throw new TandemError(`Layer ${layer.name} does not run on ${traits.name}: ${reason}`);
  const tiling = tile(layer, traits);
  const { m, n, depth, rowBlocks, columnBlocks, tileRows, tileColumns } = tiling;
  const units = Array.from({ length: UNITS }, (_, u) => u);
  const rowTiles = pieces(rowBlocks, tileRows);
  const columnTiles = pieces(columnBlocks, tileColumns);
  const weights = packWeights(layer, tiling, columnTiles);
  const packets: number[] = [CONFIG, depth * BLOCK, endingOf(layer)];
  const outputBytes = units.map(() => 0);
  const steps: Step[] = [send(0, 0, 0, PACKET_WORDS)];
  const inputAt = units.map(() => 0);
  let jobs = 0;
  for (const { size: rows } of rowTiles) {
    for (const s of units) {
      steps.push(send(s, 1 + s, inputAt[s]!, inputWords(s, rows, depth)));
      inputAt[s]! += inputWords(s, rows, depth) * BLOCK;
    }
    const weightAt = units.map(() => 0);
    for (const { size: columns } of columnTiles) {
      for (const s of units) {
        steps.push(send(s, 5 + s, weightAt[s]!, weightWords(s, columns, depth)));
        weightAt[s]! += weightWords(s, columns, depth) * BLOCK;
      }
      const first = jobs;
      jobs += rows * columns;
      for (const u of units) {
        const of = (count: number): number =>
          traits.outputs === "row" ? count * BLOCK : Math.ceil((count - u) / UNITS) * BLOCK * BLOCK;
        const offset = Math.max(0, of(first));
        const length = Math.max(0, of(jobs)) - offset;
        if (length === 0) continue;
        steps.push({ kind: "receive", stream: `output${u}`, buffer: 9 + u, offset, length });
        outputBytes[u] = offset + length;
      }
      steps.push(send(0, 0, packets.length * BLOCK, PACKET_WORDS));
      packets.push(COMPUTE, rows * BLOCK, columns * BLOCK);
    }
  }
  const instructions = bytesOf(packets);
  const buffers: ProgramBuffer[] = [
    { name: "instructions", role: "constant", bytes: instructions.length, data: instructions },
    ...units.map((u): ProgramBuffer => ({ name: `input${u}`, role: "input", bytes: inputAt[u]! })),
    ...weights.map((data, u): ProgramBuffer => ({ name: `weights${u}`, role: "constant", bytes: data.length, data })),
    ...units.map((u): ProgramBuffer => ({ name: `output${u}`, role: "output", bytes: outputBytes[u]! })),
  ];
  return {
    program: { name: layer.name, buffers, steps },
    packs: true,
    unpacks: true,
    tiling: { ...tiling },
    least: traits.least(rowBlocks, columnBlocks, depth),
    inputs: (tensor) => packInputs(layer, tensor, tiling, rowTiles),
    output: (outputs) => {
      const out = new Uint8Array(m * n);
      let job = 0;
      const put = (row: number, column: number): void => {
        for (let r = 0; r < BLOCK && row * BLOCK + r < m; r++) {
          const [stream, at] =
            traits.outputs === "row" ? [r, job * BLOCK] : [job % UNITS, (Math.floor(job / UNITS) * BLOCK + r) * BLOCK];
          const from = outputs[`output${stream}`]!;
          for (let c = 0; c < BLOCK && column * BLOCK + c < n; c++)
            out[(row * BLOCK + r) * n + column * BLOCK + c] = from[at + c]!;
        }
        job++;
      };
      for (const rows of rowTiles) for (const columns of columnTiles) forEachJob(rows, columns, traits.span, put);
      return out;
    },
  };
}

const send = (stream: number, buffer: number, offset: number, words: number): Step => ({
  kind: "send",
  stream: `input${stream}`,
  buffer,
  offset,
  length: words * BLOCK,
});

/** Jobs of a tile in the order in which their outputs leave: `span` blocks of rows by as many of channels at a time. */
function forEachJob(rows: Piece, columns: Piece, span: number, visit: (row: number, column: number) => void): void {
  for (const row of pieces(rows.size, span))
    for (const column of pieces(columns.size, span))
      for (let i = 0; i < row.size; i++)
        for (let j = 0; j < column.size; j++) visit(rows.at + row.at + i, columns.at + column.at + j);
}

/** @throws TandemError for a published design in the place of `design`: it is modelled clock by clock only. */
export function requireOwn(design: string, model: string): void {
  if (model === "own") return;
  throw new TandemError(`Design ${design} has no level transaction with model=${model}`, {
    hint: "Use model=own, or --level cycle.",
  });
}
