/**
 * Grids whose tiles are matrix products (grid-match.ts): sums += A^T B, with a wave k as row k of A (over the rows of the
 * grid) and of B (over its columns), done for many waves at once by a SIMD micro-kernel: operands packed as pairs of
 * 16-bit numbers, 4 x 8 sums in registers, two products per lane and instruction (`i32x4.dot_i16x8_s`). Sums are of
 * 32 bits and wrap, so that the order of additions does not matter. Flags may differ from row to row.
 */
import type { GridCode } from "./grid-code.js";
import { matchProduct, type LinkPath, type ProductForm } from "./grid-match.js";
import type { Leaf } from "./layout.js";
import { emitCopy, placeAt } from "./place.js";
import { emitProduct } from "./product-kernel.js";
import type { Code } from "./wasm.js";

/** Waves packed at a time. */
const PANEL = 512;

/** An operand in the buffer of waves: `count` numbers next to each other. */
interface Operand {
  readonly leaf: Leaf;
  readonly waves: number;
  readonly stride: number;
  readonly count: number;
  /** Packed: `padded` pairs of 16-bit numbers for each pair of waves. */
  readonly panel: number;
  readonly padded: number;
}

const pad16 = (n: number): number => Math.ceil(n / 16) * 16;

export class GridProduct {
  readonly #grid: GridCode;
  readonly #reset: Leaf | undefined;
  readonly #emitWhen: Leaf;
  readonly #a: Operand;
  readonly #b: Operand;
  readonly #sums: number;

  /** The product form of a grid's cell, if it has one. */
  static of(grid: GridCode): GridProduct | undefined {
    const form = matchProduct(grid.cell);
    if (!form) return undefined;
    const west = leafOf(grid.west.leaves, form.west);
    const north = northLeaf(grid, form);
    const reset = form.reset && leafOf(grid.west.leaves, form.reset);
    const emitWhen = leafOf(grid.west.leaves, form.emitWhen);
    const [emitted, ...others] = grid.emitted.leaves;
    const sums = grid.cell.grid.cols * form.north.length;
    if (!west || !north || !emitWhen || (form.reset && !reset)) return undefined;
    if (others.length > 0 || emitted?.count !== sums || emitted.size !== 4) return undefined;
    return new GridProduct(grid, reset, emitWhen, west, north);
  }

  private constructor(grid: GridCode, reset: Leaf | undefined, emitWhen: Leaf, west: Leaf, north: Leaf) {
    this.#grid = grid;
    this.#reset = reset;
    this.#emitWhen = emitWhen;
    const operand = (leaf: Leaf, waves: number, stride: number): Operand => {
      const padded = pad16(leaf.count);
      return { leaf, waves, stride, count: leaf.count, padded, panel: grid.plan.heap.take((PANEL / 2) * padded * 4) };
    };
    this.#a = operand(west, grid.westWaves, grid.west.bytes);
    this.#b = operand(north, grid.northWaves, grid.north.bytes);
    this.#sums = grid.plan.heap.take(this.#a.padded * this.#b.padded * 4);
  }

  /** Nonzero if a flag is set in any row of the wave at offset `wave`. */
  #anyFlag(code: Code, { offset, count }: Leaf, wave: number): void {
    const { westWaves } = this.#grid;
    for (let at = 0; at < count; at += 16) {
      code.get(wave).mem("v128.load", westWaves + offset + at);
      if (count - at < 16) code.v128(Array.from({ length: 16 }, (_, i) => (i < count - at ? 255 : 0))).op("v128.and");
      code.op("v128.any_true");
      if (at > 0) code.op("i32.or");
    }
  }

  /**
   * A wave has been written at the end of the buffer. If it resets sums, it must be the first of what is evaluated at
   * once: evaluate the ones before it, and move it to the start.
   */
  emitBeforeWave(code: Code, wave: number, flush: number): void {
    if (!this.#reset) return;
    const { state, west, north, westWaves, northWaves } = this.#grid;
    code.loadAt(state.buffered).if();
    this.#anyFlag(code, this.#reset, wave);
    code.if();
    const n = code.local("i32");
    code.loadAt(state.buffered).i32(north.bytes).op("i32.mul").set(n);
    code.i32(0).call(flush);
    emitCopy(code, placeAt(west, westWaves), placeAt(west, westWaves, wave));
    emitCopy(code, placeAt(north, northWaves), placeAt(north, northWaves, n));
    code.i32(0).set(wave);
    code.end();
    code.end();
  }

  /** Nonzero if results leave with the wave at offset `wave`. */
  emitEmits(code: Code, wave: number): void {
    this.#anyFlag(code, this.#emitWhen, wave);
  }

  /** Evaluate all waves in the buffer; parameter 0 of the function is the clock of the last. */
  emitFlush(code: Code): void {
    const grid = this.#grid;
    const { rows } = grid.cell.grid;
    const [n, r, wave] = [code.local("i32"), code.local("i32"), code.local("i32")];
    code.loadAt(grid.state.buffered).tee(n).op("i32.eqz").if();
    code.op("return");
    code.end();
    if (this.#reset) {
      code.i32(0).set(r);
      const loop = code.loop();
      code
        .get(r)
        .mem("i32.load8_u", grid.westWaves + this.#reset.offset)
        .if();
      code
        .get(r)
        .i32(this.#b.padded * 4)
        .op("i32.mul")
        .set(wave);
      for (let at = 0; at < this.#b.padded * 4; at += 16)
        code
          .get(wave)
          .v128(new Array<number>(16).fill(0))
          .mem("v128.store", this.#sums + at);
      code.end();
      code.get(r).i32(1).op("i32.add").tee(r).i32(rows).op("i32.lt_u").brIf(loop);
      code.end();
    }
    const pairs = code.local("i32");
    // An odd wave is paired with zeros.
    code.get(n).i32(1).op("i32.add").i32(1).op("i32.shr_u").set(pairs);
    this.#pack(code, this.#a, n);
    this.#pack(code, this.#b, n);
    emitProduct(code, this.#a, this.#b, this.#sums, pairs);
    code.get(n).i32(1).op("i32.sub").i32(grid.west.bytes).op("i32.mul").set(wave);
    code.i32(0).set(r);
    const loop = code.loop();
    code
      .get(wave)
      .get(r)
      .op("i32.add")
      .mem("i32.load8_u", grid.westWaves + this.#emitWhen.offset)
      .if();
    const from = code.local("i32");
    code
      .get(r)
      .i32(this.#b.padded * 4)
      .op("i32.mul")
      .set(from);
    grid.emitLeaving(code, 0, r, (to) => {
      const [leaf] = to;
      emitCopy(code, [leaf!], [{ ...leaf!, offset: this.#sums, terms: [{ local: from, scale: 1 }] }]);
    });
    code.end();
    code.get(r).i32(1).op("i32.add").tee(r).i32(rows).op("i32.lt_u").brIf(loop);
    code.end();
  }

  /** Pairs of waves, as pairs of 16-bit numbers. `n` waves. */
  #pack(code: Code, { leaf, waves, stride, padded, panel }: Operand, n: number): void {
    const [k, from, next, to] = [code.local("i32"), code.local("i32"), code.local("i32"), code.local("i32")];
    const [x, y] = [code.local("v128"), code.local("v128")];
    code.i32(0).set(k).i32(0).set(from).i32(0).set(to);
    const loop = code.loop();
    code.get(from).i32(stride).op("i32.add").set(next);
    for (let at = 0; at < padded; at += 16) {
      const load = (local: number, into: number, half: number): void => {
        const offset = waves + leaf.offset + at * leaf.size + half * 16;
        code.get(local).mem("v128.load", offset).set(into);
      };
      // The second of a pair is zero behind the last wave.
      const second = (half: number): void => {
        code.i32(0).i32(-1).get(k).i32(1).op("i32.add").get(n).op("i32.ge_u").op("select").op("i32x4.splat");
        load(next, y, half);
        code.get(y).op("v128.and").set(y);
      };
      const put = (index: number): void => {
        code.mem("v128.store", panel + (at + index * 4) * 4);
      };
      if (leaf.size === 1) {
        load(from, x, 0);
        second(0);
        for (const half of [0, 1]) {
          const extend = leaf.signed ? "s" : "u";
          for (const part of ["low", "high"] as const) {
            code.get(to).get(x).get(y).shuffle(interleave(half));
            code.op(`i16x8.extend_${part}_i8x16_${extend}`);
            put(half * 2 + (part === "high" ? 1 : 0));
          }
        }
      } else
        for (const half of [0, 1]) {
          load(from, x, half);
          second(half);
          for (const part of [0, 1]) {
            code.get(to).get(x).get(y).shuffle(interleave16(part));
            put(half * 2 + part);
          }
        }
    }
    code
      .get(to)
      .i32(padded * 4)
      .op("i32.add")
      .set(to);
    code.get(next).i32(stride).op("i32.add").set(from);
    code.get(k).i32(2).op("i32.add").tee(k).get(n).op("i32.lt_u").brIf(loop);
    code.end();
  }
}

/** x0 y0 x1 y1 ... of the lower or upper eight bytes. */
const interleave = (half: number): number[] => Array.from({ length: 16 }, (_, i) => half * 8 + (i >> 1) + (i & 1) * 16);
/** The same of 16-bit numbers. */
const interleave16 = (half: number): number[] =>
  Array.from({ length: 16 }, (_, i) => half * 8 + (i >> 2) * 2 + (i & 1) + ((i >> 1) & 1) * 16);

/** The array that a path without lanes leads to, over the rows. */
function leafOf(leaves: readonly Leaf[], path: LinkPath): Leaf | undefined {
  return leaves.find(
    (leaf) =>
      leaf.path.length === path.length + 1 && path.every((step, i) => step === leaf.path[i + 1]) && leaf.size <= 2,
  );
}

/** The north operand: one number per column, or the p-th of a column's vector for its p-th sum. */
function northLeaf(grid: GridCode, { north }: ProductForm): Leaf | undefined {
  const lanes = north.map((path) => path.at(-1));
  if (north.length === 1 && typeof lanes[0] !== "number") return leafOf(grid.north.leaves, north[0]!);
  if (!lanes.every((lane, p) => lane === p)) return undefined;
  const members = north[0]!.slice(0, -1);
  if (!north.every((path) => JSON.stringify(path.slice(0, -1)) === JSON.stringify(members))) return undefined;
  return grid.north.leaves.find(
    ({ path, dims, size }) =>
      path.length === members.length + 2 &&
      path.at(-1) === "*" &&
      dims[1] === north.length &&
      dims.length === 2 &&
      members.every((step, i) => step === path[i + 1]) &&
      size <= 2,
  );
}
