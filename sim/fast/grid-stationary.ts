/**
 * Weight-stationary grids (stationary-match.ts). A wave that loads weights goes through the cells one by one; the others are
 * collected, and many are done at once: results = sums from the north + A W, with the waves as rows of A and W the registers,
 * by the micro-kernel of product-kernel.ts, the rows of the grid being the depth of the product. Their places in the ring
 * of what leaves are taken when they are fed; the values come before anybody looks.
 */
import type { LinkPath } from "./cell-algebra.js";
import type { GridCode } from "./grid-code.js";
import type { Leaf } from "./layout.js";
import { emitCopyLeaf, loadOp, type LeafRef, type Place } from "./place.js";
import { A_STEP, B_STEP, BLOCK, emitProduct, ROW_BYTES, sumStride, type Panel } from "./product-kernel.js";
import { matchStationary, type StationaryForm } from "./stationary-match.js";
import { Code, type WasmModule } from "./wasm.js";

/** Waves that are done at once at most; fewer than what the ring of leaving rows holds. */
const WAVES = 48;

const up = (n: number, to: number): number => Math.ceil(n / to) * to;

interface Leaves {
  readonly load: LeafRef;
  readonly emitWhen: LeafRef;
  readonly west: LeafRef;
  readonly sum: LeafRef;
  readonly register: LeafRef;
}

export class GridStationary {
  readonly #grid: GridCode;
  readonly #leaves: Leaves;
  /** A: the waves; B: the registers, column by column. */
  readonly #a: Panel;
  readonly #b: Panel;
  readonly #blocks: number;
  readonly #sums: number;
  /** Waves in A, and 1 where the registers have changed since they were packed. */
  readonly #waves: number;
  readonly #changed: number;
  readonly #wave: number;
  readonly #flush: number;

  static of(grid: GridCode, module: WasmModule): GridStationary | undefined {
    const form = matchStationary(grid.cell);
    const leaves = form && leavesOf(grid, form);
    const [emitted, ...others] = grid.emitted.leaves;
    const { cols } = grid.cell.grid;
    if (!leaves || others.length > 0 || emitted?.count !== cols || emitted.size !== 4) return undefined;
    return new GridStationary(grid, module, leaves);
  }

  private constructor(grid: GridCode, module: WasmModule, leaves: Leaves) {
    const { heap } = grid.plan;
    const { rows, cols } = grid.cell.grid;
    this.#grid = grid;
    this.#leaves = leaves;
    this.#blocks = Math.ceil(rows / BLOCK);
    const panel = (count: number, step: number): Panel => {
      const padded = up(count, step);
      return { count, padded, panel: heap.take(this.#blocks * padded * ROW_BYTES) };
    };
    this.#a = panel(WAVES, A_STEP);
    this.#b = panel(cols, B_STEP);
    this.#sums = heap.take(this.#a.padded * sumStride(this.#b));
    this.#waves = heap.take(8);
    this.#changed = this.#waves + 4;
    this.#wave = module.declare(`${grid.cell.grid.path} stationary wave`);
    this.#flush = module.declare(`${grid.cell.grid.path} stationary tile`);
  }

  /** A wave stands in the grid's places for one. */
  emitWave(code: Code, time: number): void {
    code.get(time).call(this.#wave);
  }
  /** What has been fed is evaluated. */
  emitFlush(code: Code): void {
    code.call(this.#flush);
  }

  /** `cells`: the function that takes a wave through all cells. */
  define(module: WasmModule, cells: number): void {
    module.define(this.#wave, this.#defineWave(cells));
    module.define(this.#flush, this.#defineFlush());
  }

  #defineWave(cells: number): Code {
    const code = new Code(["i32"]);
    const { load, emitWhen, sum } = this.#leaves;
    const { rows } = this.#grid.cell.grid;
    for (let at = 0; at < rows; at += 16) {
      code.i32(0).mem("v128.load", load.offset + at);
      if (rows - at < 16) code.v128(Array.from({ length: 16 }, (_, i) => (i < rows - at ? 255 : 0))).op("v128.and");
      code.op("v128.any_true");
      if (at > 0) code.op("i32.or");
    }
    code.if();
    code.call(this.#flush).get(0).call(cells);
    code.storeAt(this.#changed, () => code.i32(1));
    code.op("return");
    code.end();
    // Registers stay as they are: without a result nothing is left of the wave.
    code
      .i32(0)
      .mem("i32.load8_u", emitWhen.offset + rows - 1)
      .op("i32.eqz")
      .if();
    code.op("return");
    code.end();
    const [row, to] = [code.local("i32"), code.local("i32")];
    code.loadAt(this.#waves).i32(ROW_BYTES).op("i32.mul").set(to);
    this.#appendWest(code, to);
    code.loadAt(this.#waves).i32(sumStride(this.#b)).op("i32.mul").set(to);
    emitCopyLeaf(code, { ...sum, offset: this.#sums, terms: [{ local: to, scale: 1 }] }, sum);
    code.i32(rows - 1).set(row);
    this.#grid.emitLeaving(code, 0, row, false, () => undefined);
    code.storeAt(this.#waves, () => code.loadAt(this.#waves).i32(1).op("i32.add"));
    code.loadAt(this.#waves).i32(WAVES).op("i32.ge_s").if();
    code.call(this.#flush);
    code.end();
    return code;
  }

  /** The west operands of all rows: eight numbers of 16 bits for each block. */
  #appendWest(code: Code, to: number): void {
    const { west } = this.#leaves;
    const extend = west.signed ? "v128.load8x8_s" : "v128.load8x8_u";
    for (let block = 0; block < this.#blocks; block++) {
      const count = this.#grid.cell.grid.rows - block * BLOCK;
      code.get(to).i32(0);
      if (west.size === 1) code.mem(extend, west.offset + block * BLOCK);
      else code.mem("v128.load", west.offset + block * ROW_BYTES);
      if (count < BLOCK) code.v128(Array.from({ length: 16 }, (_, i) => (i < 2 * count ? 255 : 0))).op("v128.and");
      code.mem("v128.store", this.#a.panel + block * this.#a.padded * ROW_BYTES);
    }
  }

  #defineFlush(): Code {
    const code = new Code();
    const [n, blocks, i, from, slot] = Array.from({ length: 5 }, () => code.local("i32")) as [
      number,
      number,
      number,
      number,
      number,
    ];
    code.loadAt(this.#waves).tee(n).op("i32.eqz").if();
    code.op("return");
    code.end();
    code.loadAt(this.#changed).if();
    this.#packRegisters(code);
    code.storeAt(this.#changed, () => code.i32(0));
    code.end();
    code.i32(this.#blocks).set(blocks);
    emitProduct(code, this.#a, this.#b, this.#sums, blocks, n);
    const { state, leaveSlots, leaveValues, emitted } = this.#grid;
    code.i32(0).set(i);
    const loop = code.loop();
    code.get(i).i32(sumStride(this.#b)).op("i32.mul").set(from);
    code.loadAt(state.tail).get(n).op("i32.sub").get(i).op("i32.add");
    code
      .i32(leaveSlots - 1)
      .op("i32.and")
      .i32(emitted.bytes)
      .op("i32.mul")
      .set(slot);
    const [leaf] = emitted.leaves;
    const at = (offset: number, local: number): LeafRef => ({
      ...leaf!,
      offset,
      terms: [{ local, scale: 1 }],
      whole: true,
    });
    emitCopyLeaf(code, at(leaveValues + leaf!.offset, slot), at(this.#sums, from));
    code.get(i).i32(1).op("i32.add").tee(i).get(n).op("i32.lt_u").brIf(loop);
    code.end();
    code.storeAt(this.#waves, () => code.i32(0));
    return code;
  }

  /** Registers, rows by columns, become B: for each block of rows, a row of eight numbers per column. */
  #packRegisters(code: Code): void {
    const { register } = this.#leaves;
    const { rows, cols } = this.#grid.cell.grid;
    const c = code.local("i32");
    const [from, to] = [code.local("i32"), code.local("i32")];
    code.i32(0).set(c);
    const loop = code.loop();
    code.get(c).i32(register.size).op("i32.mul").set(from).get(c).i32(ROW_BYTES).op("i32.mul").set(to);
    for (let r = 0; r < rows; r++) {
      const block = Math.floor(r / BLOCK);
      code.get(to).get(from);
      code.mem(loadOp(register), register.offset + r * cols * register.size);
      code.mem("i32.store16", this.#b.panel + block * this.#b.padded * ROW_BYTES + (r % BLOCK) * 2);
    }
    code.get(c).i32(1).op("i32.add").tee(c).i32(cols).op("i32.lt_u").brIf(loop);
    code.end();
  }
}

function leavesOf(grid: GridCode, form: StationaryForm): Leaves | undefined {
  const find = (place: Place, path: LinkPath, vectors: number): LeafRef | undefined =>
    place.find(
      ({ path: own, dims }: Leaf) =>
        dims.length === vectors &&
        own.length === path.length + vectors &&
        path.every((step, i) => step === own[i + vectors]),
    );
  const load = find(grid.westWave, form.load, 1);
  const emitWhen = find(grid.westWave, form.emitWhen, 1);
  const west = find(grid.westWave, form.west, 1);
  const sum = find(grid.northWave, [form.sum], 1);
  const register = find(grid.registers, [form.register], 2);
  if (!load || !emitWhen || !west || !sum || !register) return undefined;
  return west.size <= 2 && register.size <= 2 && sum.size === 4 ? { load, emitWhen, west, sum, register } : undefined;
}
