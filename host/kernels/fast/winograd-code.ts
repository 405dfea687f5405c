/**
 * The inner loops of a 3 x 3 convolution by Winograd's minimal filtering F(2 x 2, 3 x 3) in WebAssembly with SIMD (conv2d-winograd.ts): transforms of
 * weights, of the picture and of the sums, and the 16 matrix products between them.
 */
import { declareKernels } from "../../../driver/wasm-kernels.js";
import { B_STEP, BLOCK, ROW_BYTES } from "../../../sim/fast/product-kernel.js";
import { Code } from "../../../sim/fast/wasm.js";
import { countDown, emitRowPairs, GROUP_BYTES, step } from "./rows-code.js";

/** A tile of the picture is 4 x 4 pixels; it has as many products for each pair of channels. */
const SIDE = 4;
export const POSITIONS = SIDE * SIDE;
const TAPS = 3;

export interface WinogradExports {
  /**
   * Weights `[columns][9][channels]` of a byte, less `zero`, transformed and four times what they are, as `[16][columns / 4][channels / 8][4][8]` of 16 bits;
   * `positionBytes` from one of the 16 to the next. `channels` is a multiple of eight.
   */
  readonly weightsSigned: WeightTiles;
  readonly weightsUnsigned: WeightTiles;
  /** `tiles` tiles, from left to right, two pixels apart, of a picture of 16 bits to `[16][tile][channels]`. */
  readonly picture: (
    ...args: [from: number, lineBytes: number, pixelBytes: number, to: number, positionBytes: number, tiles: number]
  ) => void;
  /** In each of the 16 positions `sums[row][column] = a[row] . b[column]`: `blocks` of eight channels, `groups` of four columns, rows rounded up to two. */
  readonly products: (
    ...args: [
      a: number,
      rowBytes: number,
      aPosition: number,
      b: number,
      blocks: number,
      bPosition: number,
      sums: number,
      sumBytes: number,
      sumPosition: number,
      rows: number,
      groups: number,
    ]
  ) => void;
  /** `tiles` rows of sums, `sumBytes` each, to two lines of pixels, `lineBytes` apart, of as many bytes. */
  readonly outputs: (
    ...args: [sums: number, sumBytes: number, positionBytes: number, to: number, lineBytes: number, tiles: number]
  ) => void;
}

type WeightTiles = (
  ...args: [from: number, to: number, columns: number, channels: number, positionBytes: number, zero: number]
) => void;

export const openWinograd = declareKernels<WinogradExports>("winograd", () => ({
  weightsSigned: weightsCode(true),
  weightsUnsigned: weightsCode(false),
  picture: pictureCode(),
  products: productsCode(),
  outputs: outputsCode(),
}));

const parameters = (count: number): "i32"[] => Array.from({ length: count }, () => "i32");
const vectors = (code: Code, count: number): number[] => Array.from({ length: count }, () => code.local("v128"));

/** `out = 2 G in`, for G the transform of three taps: 2a, a + b + c, a - b + c, 2c. */
function emitFilter(code: Code, [a, b, c]: readonly number[], [p, q, r, s]: readonly number[]): void {
  code.get(a!).get(a!).op("i16x8.add").set(p!);
  code.get(c!).get(c!).op("i16x8.add").set(s!);
  code.get(a!).get(c!).op("i16x8.add").tee(q!).get(b!).op("i16x8.sub").set(r!);
  code.get(q!).get(b!).op("i16x8.add").set(q!);
}

function weightsCode(signed: boolean): Code {
  const code = new Code(parameters(6));
  const [from, to, columns, channels, positionBytes, zero] = [0, 1, 2, 3, 4, 5] as const;
  const [column, at, tap, out, channel] = code.locals("i32", 5);
  const less = code.local("v128");
  const [taps, rows, last] = [vectors(code, TAPS), vectors(code, SIDE * TAPS), vectors(code, SIDE)];
  code.get(zero).op("i16x8.splat").set(less);
  const nextColumn = code.loop();
  // Where the column begins: (columns before it in whole groups) * channels / 8 blocks.
  code
    .get(column)
    .i32(2)
    .op("i32.shr_u")
    .get(channels)
    .op("i32.mul")
    .i32(GROUP_BYTES / BLOCK)
    .op("i32.mul");
  code
    .get(column)
    .i32(B_STEP - 1)
    .op("i32.and")
    .i32(ROW_BYTES)
    .op("i32.mul")
    .op("i32.add");
  code.get(to).op("i32.add").set(at);
  code.i32(0).set(channel);
  const next = code.loop();
  code.get(from).get(channel).op("i32.add").set(tap);
  // Down each of the three columns of taps, then along the four rows that come of it.
  for (let x = 0; x < TAPS; x++) {
    code.get(tap).set(out);
    for (const value of taps) {
      code.get(out).mem(signed ? "v128.load8x8_s" : "v128.load8x8_u");
      code.get(less).op("i16x8.sub").set(value);
      code.get(channels).i32(TAPS).op("i32.mul").get(out).op("i32.add").set(out);
    }
    emitFilter(
      code,
      taps,
      Array.from({ length: SIDE }, (_, y) => rows[y * TAPS + x]!),
    );
    step(code, tap, { local: channels });
  }
  code.get(at).set(out);
  for (let y = 0; y < SIDE; y++) {
    emitFilter(code, rows.slice(y * TAPS, (y + 1) * TAPS), last);
    for (const value of last) {
      code.get(out).get(value).mem("v128.store");
      step(code, out, { local: positionBytes });
    }
  }
  step(code, at, GROUP_BYTES);
  code.get(channel).i32(BLOCK).op("i32.add").tee(channel).get(channels).op("i32.lt_u").brIf(next);
  code.end();
  code
    .get(channels)
    .i32(TAPS * TAPS)
    .op("i32.mul")
    .get(from)
    .op("i32.add")
    .set(from);
  code.get(column).i32(1).op("i32.add").tee(column).get(columns).op("i32.lt_u").brIf(nextColumn);
  code.end();
  return code;
}

/** `out = B in`, for B the transform of four pixels: a - c, b + c, c - b, b - d. */
function emitPixels(code: Code, [a, b, c, d]: readonly number[], [p, q, r, s]: readonly number[]): void {
  code.get(a!).get(c!).op("i16x8.sub").set(p!);
  code.get(b!).get(d!).op("i16x8.sub").set(s!);
  code.get(b!).get(c!).op("i16x8.add").set(q!);
  code.get(c!).get(b!).op("i16x8.sub").set(r!);
}

function pictureCode(): Code {
  const code = new Code(parameters(6));
  const [from, lineBytes, pixelBytes, to, positionBytes, tiles] = [0, 1, 2, 3, 4, 5] as const;
  const [channel, at, out, line] = code.locals("i32", 4);
  const [pixels, rows, last] = [vectors(code, SIDE), vectors(code, POSITIONS), vectors(code, SIDE)];
  const nextTile = code.loop();
  code.i32(0).set(channel);
  const next = code.loop();
  code.get(from).get(channel).op("i32.add").set(at);
  for (let x = 0; x < SIDE; x++) {
    code.get(at).set(line);
    for (const value of pixels) {
      code.get(line).mem("v128.load").set(value);
      step(code, line, { local: lineBytes });
    }
    emitPixels(
      code,
      pixels,
      Array.from({ length: SIDE }, (_, y) => rows[y * SIDE + x]!),
    );
    step(code, at, { local: pixelBytes });
  }
  code.get(to).get(channel).op("i32.add").set(out);
  for (let y = 0; y < SIDE; y++) {
    emitPixels(code, rows.slice(y * SIDE, (y + 1) * SIDE), last);
    for (const value of last) {
      code.get(out).get(value).mem("v128.store");
      step(code, out, { local: positionBytes });
    }
  }
  code.get(channel).i32(ROW_BYTES).op("i32.add").tee(channel).get(pixelBytes).op("i32.lt_u").brIf(next);
  code.end();
  code.get(from).get(pixelBytes).i32(1).op("i32.shl").op("i32.add").set(from);
  step(code, to, { local: pixelBytes });
  countDown(code, tiles).brIf(nextTile);
  code.end();
  return code;
}

function productsCode(): Code {
  const code = new Code(parameters(11));
  const [a, rowBytes, aPosition, b, blocks, bPosition, sums, sumBytes, sumPosition, rows, groups] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ] as const;
  const [position, group, panel, row, out, at] = code.locals("i32", 6);
  code.i32(POSITIONS).set(position);
  const nextPosition = code.loop();
  code.get(b).set(panel).i32(0).set(group);
  const columns = code.loop();
  code.get(group).i32(16).op("i32.mul").get(sums).op("i32.add").set(out);
  code.get(a).set(at).get(rows).set(row);
  emitRowPairs(code, { at, rowBytes, panel, blocks, out, sumBytes, row }, false);
  code.get(blocks).i32(GROUP_BYTES).op("i32.mul").get(panel).op("i32.add").set(panel);
  code.get(group).i32(1).op("i32.add").tee(group).get(groups).op("i32.lt_u").brIf(columns);
  code.end();
  step(code, a, { local: aPosition });
  step(code, b, { local: bPosition });
  step(code, sums, { local: sumPosition });
  countDown(code, position).brIf(nextPosition);
  code.end();
  return code;
}

/** `out = A in`, for A the transform of four sums: a + b + c, b - c - d. */
function emitSums(code: Code, [a, b, c, d]: readonly number[], [p, q]: readonly number[]): void {
  code.get(a!).get(b!).op("i32x4.add").get(c!).op("i32x4.add").set(p!);
  code.get(b!).get(c!).op("i32x4.sub").get(d!).op("i32x4.sub").set(q!);
}

function outputsCode(): Code {
  const code = new Code(parameters(6));
  const [sums, sumBytes, positionBytes, to, lineBytes, tiles] = [0, 1, 2, 3, 4, 5] as const;
  const [lane, at, out] = code.locals("i32", 3);
  const [values, lines, last] = [vectors(code, SIDE), vectors(code, 2 * SIDE), vectors(code, 2)];
  const nextTile = code.loop();
  code.i32(0).set(lane);
  const next = code.loop();
  code.get(sums).get(lane).op("i32.add").set(at);
  // Along the rows, as they come, then down.
  for (let y = 0; y < SIDE; y++) {
    for (const value of values) {
      code.get(at).mem("v128.load").set(value);
      step(code, at, { local: positionBytes });
    }
    emitSums(code, values, [lines[y]!, lines[SIDE + y]!]);
  }
  code.get(to).get(lane).op("i32.add").set(out);
  for (let x = 0; x < 2; x++) {
    emitSums(code, lines.slice(x * SIDE, (x + 1) * SIDE), last);
    // Weights were four times what they are.
    code.get(out).get(last[0]!).i32(2).op("i32x4.shr_s").mem("v128.store");
    code.get(out).get(lineBytes).op("i32.add").get(last[1]!).i32(2).op("i32x4.shr_s").mem("v128.store");
    if (x === 0) step(code, out, { local: sumBytes });
  }
  code.get(lane).i32(16).op("i32.add").tee(lane).get(sumBytes).op("i32.lt_u").brIf(next);
  code.end();
  step(code, sums, { local: sumBytes });
  code.get(sumBytes).i32(1).op("i32.shl").get(to).op("i32.add").set(to);
  countDown(code, tiles).brIf(nextTile);
  code.end();
  return code;
}
