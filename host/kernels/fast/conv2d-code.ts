/**
 * The inner loops of CONV_2D in WebAssembly with SIMD: bytes to 16 bits, weights to where they are wanted, the matrix product with eight
 * products per instruction (`i32x4.dot_i16x8_s`), and TFLite's requantisation. Taps become the rows of a matrix as for the accelerator
 * (driver/im2col-code.ts). Each is called many times per layer, so that V8 can replace its first code by better code in between.
 */
import { declareKernels } from "../../../driver/wasm-kernels.js";
import { BLOCK, ROW_BYTES } from "../../../sim/fast/product-kernel.js";
import { Code } from "../../../sim/fast/wasm.js";
import { emitRequantise, LANES } from "./requantise-simd.js";
import { countDown, emitRowPairs, GROUP_BYTES, step } from "./rows-code.js";

/** Blocks of eight taps that are multiplied at a time: two rows and four columns of them stay in the first level cache. */
const BLOCKS_AT_ONCE = 64;
/** Where the last few outputs of a row go before they are copied. */
export const SCRATCH_BYTES = 16;

export interface Conv2dExports {
  /** `count` bytes at `from` to 16 bits less `zero` at `to`, both ends rounded up to eight. */
  readonly widenSigned: (from: number, to: number, count: number, zero: number) => void;
  readonly widenUnsigned: (from: number, to: number, count: number, zero: number) => void;
  /** Weights to where `multiply` wants them. */
  readonly placeSigned: Place;
  readonly placeUnsigned: Place;
  /** `sums[row][column] += a[row] . b[column]`; `blocks` of eight taps, `groups` of four columns, rows rounded up to two. */
  readonly multiply: (
    ...args: [
      a: number,
      rowBytes: number,
      b: number,
      blocks: number,
      sums: number,
      sumBytes: number,
      rows: number,
      groups: number,
    ]
  ) => void;
  /** Channels `first` to `end - 1` of `rows` rows of sums, the first channel's in front, to outputs `outBytes` apart. */
  readonly finishSigned: (...args: FinishArguments) => void;
  readonly finishUnsigned: (...args: FinishArguments) => void;
}

/**
 * Weights `[columns][taps]` of a byte, less `zero`, to 16 bits, `[columns / 4][taps / 8][4][8]` with `panelBytes` for four columns. Up to seven
 * bytes behind the last tap are read; what stands behind a column's last tap in its last block is multiplied by zeros.
 */
type Place = (from: number, to: number, columns: number, taps: number, panelBytes: number, zero: number) => void;

type FinishArguments = [
  sums: number,
  sumBytes: number,
  rows: number,
  output: number,
  outBytes: number,
  first: number,
  end: number,
  tables: number,
  padded: number,
  zero: number,
  clampMin: number,
  clampMax: number,
];

export const openConv2d = declareKernels<Conv2dExports>("conv2d", () => ({
  widenSigned: widenCode(true),
  widenUnsigned: widenCode(false),
  placeSigned: placeCode(true),
  placeUnsigned: placeCode(false),
  multiply: multiplyCode(),
  finishSigned: finishCode(true),
  finishUnsigned: finishCode(false),
}));

const parameters = (count: number): "i32"[] => Array.from({ length: count }, () => "i32");
const locals = (code: Code, count: number): number[] => Array.from({ length: count }, () => code.local("i32"));

function widenCode(signed: boolean): Code {
  const code = new Code(parameters(4));
  const [from, to, count, zero] = [0, 1, 2, 3];
  const vector = code.local("v128");
  code.get(zero).op("i16x8.splat").set(vector);
  const next = code.loop();
  code.get(to).get(from);
  code.mem(signed ? "v128.load8x8_s" : "v128.load8x8_u");
  code.get(vector).op("i16x8.sub").mem("v128.store");
  step(code, from, LANES);
  step(code, to, 2 * LANES);
  code.get(count).i32(LANES).op("i32.sub").tee(count).i32(0).op("i32.gt_s").brIf(next);
  code.end();
  return code;
}

function placeCode(signed: boolean): Code {
  const code = new Code(parameters(6));
  const [from, to, columns, taps, panelBytes, zero] = [0, 1, 2, 3, 4, 5];
  const [column, at, tap] = locals(code, 3) as [number, number, number];
  const vector = code.local("v128");
  code.get(zero).op("i16x8.splat").set(vector);
  const nextColumn = code.loop();
  code.get(column).i32(2).op("i32.shr_u").get(panelBytes).op("i32.mul").get(to).op("i32.add");
  code.get(column).i32(3).op("i32.and").i32(ROW_BYTES).op("i32.mul").op("i32.add").set(at);
  code.i32(0).set(tap);
  const nextBlock = code.loop();
  code.get(at).get(from).get(tap).op("i32.add");
  code
    .mem(signed ? "v128.load8x8_s" : "v128.load8x8_u")
    .get(vector)
    .op("i16x8.sub")
    .mem("v128.store");
  step(code, at, GROUP_BYTES);
  code.get(tap).i32(BLOCK).op("i32.add").tee(tap).get(taps).op("i32.lt_s").brIf(nextBlock);
  code.end();
  step(code, from, { local: taps });
  code.get(column).i32(1).op("i32.add").tee(column).get(columns).op("i32.lt_s").brIf(nextColumn);
  code.end();
  return code;
}

function multiplyCode(): Code {
  const code = new Code(parameters(8));
  const [a, rowBytes, b, blocks, sums, sumBytes, rows, groups] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const [k, now, group, panel, row, out] = locals(code, 6) as [number, number, number, number, number, number];
  const [at] = locals(code, 1) as [number];
  code.i32(0).set(k);
  const chunks = code.loop();
  // now = min(blocks - k, BLOCKS_AT_ONCE)
  code.get(blocks).get(k).op("i32.sub").tee(now).i32(BLOCKS_AT_ONCE);
  code.get(now).i32(BLOCKS_AT_ONCE).op("i32.lt_s").op("select").set(now);
  code.get(k).i32(GROUP_BYTES).op("i32.mul").get(b).op("i32.add").set(panel);
  code.i32(0).set(group);
  const columns = code.loop();
  code.get(group).i32(16).op("i32.mul").get(sums).op("i32.add").set(out);
  code.get(k).i32(ROW_BYTES).op("i32.mul").get(a).op("i32.add").set(at);
  code.get(rows).set(row);
  emitRowPairs(code, { at, rowBytes, panel, blocks: now, out, sumBytes, row }, true);
  code.get(panel).get(blocks).i32(GROUP_BYTES).op("i32.mul").op("i32.add").set(panel);
  code.get(group).i32(1).op("i32.add").tee(group).get(groups).op("i32.lt_u").brIf(columns);
  code.end();
  code.get(k).i32(BLOCKS_AT_ONCE).op("i32.add").tee(k).get(blocks).op("i32.lt_u").brIf(chunks);
  code.end();
  return code;
}

function finishCode(signed: boolean): Code {
  const code = new Code(parameters(12));
  const [sums, sumBytes, rows, output, outBytes, first, end, tables, padded, zero, clampMin, clampMax] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  ] as const;
  const [block, table, from, to] = locals(code, 4) as [number, number, number, number];
  const [low, high] = [code.local("v128"), code.local("v128")];
  const row = code.loop();
  code.get(first).set(block).get(sums).set(from).get(output).set(to);
  const next = code.loop();
  code.get(tables).get(block).i32(2).op("i32.shl").op("i32.add").set(table);
  [low, high].forEach((value, i) => {
    code.get(from).mem("v128.load", 16 * i);
    code
      .get(table)
      .mem("v128.load", 16 * i)
      .op("i32x4.add")
      .set(value);
    emitRequantise(code, value, 4 * i, { table, block, tables, padded, zero, clampMin, clampMax });
  });
  code.get(low).get(high).op("i16x8.narrow_i32x4_s").tee(low).get(low);
  code.op(signed ? "i8x16.narrow_i16x8_s" : "i8x16.narrow_i16x8_u").set(low);
  code.get(end).get(block).op("i32.sub").i32(LANES).op("i32.ge_s").if();
  code.get(to).get(low).storeLane(8, 0, 0);
  code.else();
  // What follows may be another group's.
  code.i32(0).get(low).mem("v128.store");
  code.get(to).i32(0).get(end).get(block).op("i32.sub").memoryCopy();
  code.end();
  step(code, from, 4 * LANES);
  step(code, to, LANES);
  code.get(block).i32(LANES).op("i32.add").tee(block).get(end).op("i32.lt_s").brIf(next);
  code.end();
  step(code, sums, { local: sumBytes });
  step(code, output, { local: outBytes });
  countDown(code, rows).brIf(row);
  code.end();
  return code;
}

/** Taps in whole blocks. */
export const wholeBlocks = (taps: number): number => Math.ceil(taps / BLOCK);
