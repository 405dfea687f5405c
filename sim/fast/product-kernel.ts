/**
 * The SIMD micro-kernel of the fast engine: sums += A^T B on operands that lie as they come from memories of words, k fastest:
 * blocks of eight waves, in a block one row of eight 16-bit numbers per row of A (column of B). Two rows by four columns of
 * sums in registers, eight products per instruction pair (`i32x4.dot_i16x8_s`). Sums wrap modulo 2^32.
 */
import type { Code } from "./wasm.js";

/** Waves in a block of operands, and the bytes that a row of a block takes. */
export const BLOCK = 8;
export const ROW_BYTES = 2 * BLOCK;

/** An operand: `padded` rows of a block next to each other, of which `count` matter. */
export interface Panel {
  readonly panel: number;
  readonly count: number;
  readonly padded: number;
}

/** Rows of A and of B that are computed at once: `padded` is a multiple of it. */
export const A_STEP = 2;
export const B_STEP = 4;

/** Bytes from one row of sums to the next. */
export const sumStride = (b: Panel): number => b.padded * 4;

/**
 * Emit sums += A^T B over `blocks` (a local, at least 1) blocks; `sumsAt` is the address of `a.padded` rows of sums. Only the
 * first `used` rows of A (a local, at least 1), if given.
 */
export function emitProduct(code: Code, a: Panel, b: Panel, sumsAt: number, blocks: number, used?: number): void {
  const locals = (count: number): number[] => Array.from({ length: count }, () => code.local("v128"));
  const sums = locals(A_STEP * B_STEP);
  const rowsNow = locals(A_STEP);
  const column = code.local("v128");
  const [r, c, k] = [code.local("i32"), code.local("i32"), code.local("i32")];
  const [pa, pb, sum] = [code.local("i32"), code.local("i32"), code.local("i32")];
  code.i32(0).set(r);
  const rows = code.loop();
  code.i32(0).set(c);
  const cols = code.loop();
  for (const s of sums) code.v128(new Array<number>(16).fill(0)).set(s);
  code.get(r).i32(ROW_BYTES).op("i32.mul").set(pa);
  code.get(c).i32(ROW_BYTES).op("i32.mul").set(pb);
  code.get(blocks).set(k);
  const inner = code.loop();
  emitDots(
    code,
    (i) => code.get(pa).mem("v128.load", a.panel + i * ROW_BYTES),
    (j) => code.get(pb).mem("v128.load", b.panel + j * ROW_BYTES),
    { sums, rows: rowsNow, column },
  );
  code
    .get(pa)
    .i32(a.padded * ROW_BYTES)
    .op("i32.add")
    .set(pa);
  code
    .get(pb)
    .i32(b.padded * ROW_BYTES)
    .op("i32.add")
    .set(pb);
  code.get(k).i32(1).op("i32.sub").tee(k).brIf(inner);
  code.end();
  code.get(r).i32(sumStride(b)).op("i32.mul").get(c).i32(4).op("i32.mul").op("i32.add").set(sum);
  for (let i = 0; i < A_STEP; i++) {
    const at = sumsAt + i * sumStride(b);
    code.get(sum);
    emitAcross(code, sums.slice(i * B_STEP, (i + 1) * B_STEP));
    code.get(sum).mem("v128.load", at).op("i32x4.add").mem("v128.store", at);
  }
  code.get(c).i32(B_STEP).op("i32.add").tee(c).i32(b.padded).op("i32.lt_u").brIf(cols);
  code.end();
  code.get(r).i32(A_STEP).op("i32.add").tee(r);
  if (used === undefined) code.i32(a.padded);
  else code.get(used);
  code.op("i32.lt_u").brIf(rows);
  code.end();
}

/** Locals of a step: `A_STEP * B_STEP` sums, row by row, the rows of A, and a column. */
export interface DotLocals {
  readonly sums: readonly number[];
  readonly rows: readonly number[];
  readonly column: number;
}

/** One block of eight products for each sum; `row` and `column` leave the i-th operand on the stack. */
export function emitDots(
  code: Code,
  row: (i: number) => void,
  column: (j: number) => void,
  { sums, rows, column: now }: DotLocals,
): void {
  rows.forEach((local, i) => {
    row(i);
    code.set(local);
  });
  for (let j = 0; j < B_STEP; j++) {
    column(j);
    code.set(now);
    rows.forEach((local, i) => {
      const sum = sums[i * B_STEP + j]!;
      code.get(local).get(now).op("i32x4.dot_i16x8_s").get(sum).op("i32x4.add").set(sum);
    });
  }
}

/** Leave the four sums over the lanes of four vectors on the stack, as one vector. */
export function emitAcross(code: Code, [w, x, y, z]: readonly number[]): void {
  const [p, q] = [code.temp("v128"), code.temp("v128")];
  code.get(w!).get(x!).shuffle(lanes32(0)).get(w!).get(x!).shuffle(lanes32(2)).op("i32x4.add").set(p);
  code.get(y!).get(z!).shuffle(lanes32(0)).get(y!).get(z!).shuffle(lanes32(2)).op("i32x4.add").set(q);
  code.get(p).get(q).shuffle(lanes64(0)).get(p).get(q).shuffle(lanes64(1)).op("i32x4.add");
  code.free("v128", p, q);
}

const bytes = (lanes: readonly number[], size: number): number[] =>
  lanes.flatMap((lane) => Array.from({ length: size }, (_, i) => lane * size + i));
/** x[i], y[i], x[i + 1], y[i + 1] of 32-bit lanes. */
const lanes32 = (i: number): number[] => bytes([i, 4 + i, i + 1, 5 + i], 4);
/** x[i], y[i] of 64-bit lanes. */
const lanes64 = (i: number): number[] => bytes([i, 2 + i], 8);
