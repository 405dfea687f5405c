/**
 * The SIMD micro-kernel of the fast engine: sums += A^T B on operands packed as pairs of 16-bit numbers, with 4 x 8 sums in
 * registers and two products per lane and instruction. Sums wrap modulo 2^32.
 */
import type { Code } from "./wasm.js";

/** A packed operand: for each pair of waves, `padded` pairs of 16-bit numbers, of which `count` matter. */
export interface Panel {
  readonly panel: number;
  readonly count: number;
  /** A multiple of 16. */
  readonly padded: number;
}

/** Emit sums += A^T B over `pairs` pairs of waves; `sumsAt` is the address of rows of `b.padded` 32-bit sums. */
export function emitProduct(code: Code, a: Panel, b: Panel, sumsAt: number, pairs: number): void {
  const locals = (count: number): number[] => Array.from({ length: count }, () => code.local("v128"));
  const sums = locals(8);
  const [b0, b1, x] = locals(3) as [number, number, number];
  const [r, c, k] = [code.local("i32"), code.local("i32"), code.local("i32")];
  const [pa, pb, sum] = [code.local("i32"), code.local("i32"), code.local("i32")];
  const rowBytes = b.padded * 4;
  code.i32(0).set(r);
  const rows = code.loop();
  code.i32(0).set(c);
  const cols = code.loop();
  code
    .get(r)
    .i32(rowBytes / 4)
    .op("i32.mul")
    .get(c)
    .op("i32.add")
    .set(sum);
  for (let i = 0; i < 8; i++)
    code
      .get(sum)
      .mem("v128.load", sumsAt + (i >> 1) * rowBytes + (i & 1) * 16)
      .set(sums[i]!);
  code.get(r).set(pa).get(c).set(pb).get(pairs).set(k);
  const inner = code.loop();
  code
    .get(pb)
    .mem("v128.load", b.panel)
    .set(b0)
    .get(pb)
    .mem("v128.load", b.panel + 16)
    .set(b1);
  for (let row = 0; row < 4; row++) {
    code
      .get(pa)
      .mem("v128.load32_splat", a.panel + row * 4)
      .set(x);
    for (const [i, operand] of [b0, b1].entries()) {
      const s = sums[row * 2 + i]!;
      code.get(x).get(operand).op("i32x4.dot_i16x8_s").get(s).op("i32x4.add").set(s);
    }
  }
  code
    .get(pa)
    .i32(a.padded * 4)
    .op("i32.add")
    .set(pa)
    .get(pb)
    .i32(rowBytes)
    .op("i32.add")
    .set(pb);
  code.get(k).i32(1).op("i32.sub").tee(k).brIf(inner);
  code.end();
  for (let i = 0; i < 8; i++)
    code
      .get(sum)
      .get(sums[i]!)
      .mem("v128.store", sumsAt + (i >> 1) * rowBytes + (i & 1) * 16);
  code
    .get(c)
    .i32(32)
    .op("i32.add")
    .tee(c)
    .i32(Math.ceil(b.count / 8) * 32)
    .op("i32.lt_u")
    .brIf(cols);
  code.end();
  // `r` counts bytes of a packed row of A: 16 for four rows.
  code
    .get(r)
    .i32(16)
    .op("i32.add")
    .tee(r)
    .i32(Math.ceil(a.count / 4) * 16)
    .op("i32.lt_u")
    .brIf(rows);
  code.end();
}
