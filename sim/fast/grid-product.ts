/**
 * Grids whose tiles are matrix products (grid-match.ts): sums += A^T B, with a wave k as row k of A (over the rows of the
 * grid) and of B (over its columns), done for many waves at once by a SIMD micro-kernel (product-kernel.ts). Waves go to
 * blocks of eight, with k fastest; a block may be filled in part, the rest of A being zero. Flags are obeyed when their wave
 * comes, and may differ from row to row. Sums are of 32 bits and wrap, so that the order of additions does not matter.
 */
import type { GridCode } from "./grid-code.js";
import { emitAllLeaving } from "./grid-rows.js";
import type { LinkPath } from "./cell-algebra.js";
import { matchProduct, type ProductForm } from "./grid-match.js";
import type { Layout, Leaf } from "./layout.js";
import { emitCopy, loadOp, placeAt, type Place } from "./place.js";
import { OpenWords } from "./open-words.js";
import { A_STEP, B_STEP, BLOCK, emitProduct, ROW_BYTES, sumStride, type Panel } from "./product-kernel.js";
import { isOfCode, tableBytes, wordsCode, type Spot, type WordsProduct } from "./product-words.js";
import { Code, type WasmModule } from "./wasm.js";

/** Blocks that the buffer holds. */
const BLOCKS = 64;

/** An operand: where a wave fed alone is put, and the panel that it goes to. */
interface Operand extends Panel {
  readonly leaf: Leaf;
  readonly wave: number;
}

const up = (n: number, to: number): number => Math.ceil(n / to) * to;

export class GridProduct {
  readonly form: ProductForm;
  /** A wave that is fed alone, as values of the links. */
  readonly west: Place;
  readonly north: Place;
  readonly a: Operand;
  readonly b: Operand;
  readonly #grid: GridCode;
  readonly #module: WasmModule;
  readonly #reset: Leaf | undefined;
  readonly #emitWhen: Leaf;
  readonly #westWave: number;
  readonly #sums: number;
  /** Blocks in use, and waves in the last of them. */
  readonly #blocks: number;
  readonly #filled: number;
  readonly #flush: number;
  readonly #wave: number;
  readonly #start: number;
  readonly #leave: number;
  /** Words that belong to the sums and are not added yet. */
  readonly #open: OpenWords[] = [];

  /** The product form of a grid's cell, if it has one. */
  static of(grid: GridCode, module: WasmModule): GridProduct | undefined {
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
    return new GridProduct(grid, module, form, { reset, emitWhen, west, north });
  }

  private constructor(
    grid: GridCode,
    module: WasmModule,
    form: ProductForm,
    leaves: { reset: Leaf | undefined; emitWhen: Leaf; west: Leaf; north: Leaf },
  ) {
    const { heap } = grid.plan;
    this.#grid = grid;
    this.#module = module;
    this.form = form;
    this.#reset = leaves.reset;
    this.#emitWhen = leaves.emitWhen;
    const operand = (leaf: Leaf, layout: Layout, step: number): Operand => {
      const padded = up(leaf.count, step);
      const wave = heap.take(layout.bytes);
      return { leaf, wave, count: leaf.count, padded, panel: heap.take(BLOCKS * padded * ROW_BYTES) };
    };
    this.a = operand(leaves.west, grid.west, A_STEP);
    this.b = operand(leaves.north, grid.north, B_STEP);
    this.#westWave = this.a.wave;
    this.west = placeAt(grid.west, this.a.wave);
    this.north = placeAt(grid.north, this.b.wave);
    this.#sums = heap.take(this.a.padded * sumStride(this.b));
    this.#blocks = heap.take(8);
    this.#filled = this.#blocks + 4;
    const name = (part: string): number => module.declare(`${grid.cell.grid.path} ${part}`);
    this.#flush = name("tile");
    this.#wave = name("wave");
    this.#start = name("first");
    this.#leave = name("last");
  }

  /** A wave stands in `west` and `north`; leaves on the stack whether results have left. `time` is a local. */
  emitWave(code: Code, time: number): void {
    code.get(time).call(this.#wave);
  }
  /** All sums begin again. */
  emitStart(code: Code): void {
    code.call(this.#start);
  }
  /** The sums of all rows leave; the clock of the last wave stands on the stack. */
  emitLast(code: Code): void {
    code.call(this.#leave);
  }

  /** How many blocks there is room for, on the stack. */
  emitBlocksLeft(code: Code): void {
    code.i32(BLOCKS).loadAt(this.#blocks).op("i32.sub");
  }

  /**
   * Locals with the addresses of the rows of new blocks in both panels, less the panels' own: of as many as `count` leaves on the stack,
   * else of one. They count as full.
   */
  emitBlock(code: Code, count: () => void = () => code.i32(1)): { a: number; b: number } {
    const [a, b] = [code.local("i32"), code.local("i32")];
    code
      .loadAt(this.#blocks)
      .i32(this.a.padded * ROW_BYTES)
      .op("i32.mul")
      .set(a);
    code
      .loadAt(this.#blocks)
      .i32(this.b.padded * ROW_BYTES)
      .op("i32.mul")
      .set(b);
    code.storeAt(this.#filled, () => code.i32(BLOCK));
    code.storeAt(this.#blocks, () => {
      code.loadAt(this.#blocks);
      count();
      code.op("i32.add");
    });
    return { a, b };
  }
  /** The function that takes products of words where they stand (product-words.ts), to be added to the sums of the waves before them. */
  wordsFunction(form: WordsProduct): number {
    const { heap, extended } = this.#grid.plan;
    const code = wordsCode(form, this.#sums, sumStride(this.b), heap.take(tableBytes(form)), this);
    const name = `${this.#grid.cell.grid.path} words`;
    const open = new OpenWords(this.#module, heap, name, form, this.#module.add(name, code));
    this.#open.push(open);
    extended.beforeChange((code, low, high) => {
      open.emitChange(code, low, high);
    });
    return open.add;
  }
  /** The function that says whether all products of a word are those of its first waves, for so many pointers (product-words.ts). */
  isOfFunction(pointers: number, columns: readonly Spot[]): number {
    return this.#module.add(`${this.#grid.cell.grid.path} whole word`, isOfCode(pointers, columns));
  }
  /** Evaluate what is in the buffer if there is no room for another block. */
  emitMakeRoom(code: Code): void {
    code.loadAt(this.#blocks).i32(BLOCKS).op("i32.ge_s").if();
    code.call(this.#flush);
    code.end();
  }

  define(module: WasmModule): void {
    module.define(this.#flush, this.#defineFlush());
    module.define(this.#wave, this.#defineWave());
    module.define(this.#start, this.#defineStart());
    module.define(this.#leave, this.#defineLeave());
  }

  /** Add the products of all words that wait, and of all waves in the buffer. */
  #defineFlush(): Code {
    const code = new Code();
    const blocks = code.local("i32");
    for (const open of this.#open) open.emitFlush(code);
    code.loadAt(this.#blocks).tee(blocks).op("i32.eqz").if();
    code.op("return");
    code.end();
    emitProduct(code, this.a, this.b, this.#sums, blocks);
    code.storeAt(this.#blocks, () => code.i32(0));
    code.storeAt(this.#filled, () => code.i32(BLOCK));
    return code;
  }

  /** All rows begin new sums. */
  #defineStart(): Code {
    const code = new Code();
    code.call(this.#flush);
    code
      .i32(this.#sums)
      .i32(0)
      .i32(this.a.padded * sumStride(this.b))
      .memoryFill();
    return code;
  }

  /** All rows leave; the parameter is the clock of the last wave. */
  #defineLeave(): Code {
    const code = new Code(["i32"]);
    code.call(this.#flush);
    emitAllLeaving(this.#grid, code, 0, (row, to) => {
      this.#putRow(code, row, to);
    });
    const r = code.local("i32");
    const loop = code.loop();
    this.#rowLeaves(code, r);
    this.#nextRow(code, r).brIf(loop);
    code.end();
    return code;
  }

  #nextRow(code: Code, r: number): Code {
    return code.get(r).i32(1).op("i32.add").tee(r).i32(this.#grid.cell.grid.rows).op("i32.lt_u");
  }

  #rowLeaves(code: Code, r: number): void {
    this.#grid.emitLeaving(code, 0, r, true, (to) => {
      this.#putRow(code, r, to);
    });
  }

  /** The sums of the row in a local to where they are emitted. */
  #putRow(code: Code, row: number, [leaf]: Place): void {
    const from = code.local("i32");
    code.get(row).i32(sumStride(this.b)).op("i32.mul").set(from);
    emitCopy(code, [leaf!], [{ ...leaf!, offset: this.#sums, terms: [{ local: from, scale: 1 }] }]);
  }

  /** One wave: its resets, the wave itself, and what it lets leave. Returns whether anything left. */
  #defineWave(): Code {
    const code = new Code(["i32"], ["i32"]);
    const [r, at] = [code.local("i32"), code.local("i32")];
    const flagged = (flag: Leaf, each: () => void): void => {
      this.#anyFlag(code, flag);
      code.if();
      code.call(this.#flush).i32(0).set(r);
      const loop = code.loop();
      code
        .get(r)
        .mem("i32.load8_u", this.#westWave + flag.offset)
        .if();
      each();
      code.end();
      this.#nextRow(code, r).brIf(loop);
      code.end();
      code.end();
    };
    if (this.#reset)
      flagged(this.#reset, () => {
        code.get(r).i32(sumStride(this.b)).op("i32.mul").i32(this.#sums).op("i32.add").set(at);
        code.get(at).i32(0).i32(sumStride(this.b)).memoryFill();
      });
    this.#append(code);
    flagged(this.#emitWhen, () => this.#rowLeaves(code, r));
    this.emitMakeRoom(code);
    this.#anyFlag(code, this.#emitWhen);
    return code;
  }

  /** The wave goes behind those in the last block, or to a new block. */
  #append(code: Code): void {
    const [filled, block] = [code.local("i32"), code.local("i32")];
    code.loadAt(this.#filled).tee(filled).i32(BLOCK).op("i32.ge_s");
    code.loadAt(this.#blocks).op("i32.eqz").op("i32.or").if();
    const started = this.emitBlock(code);
    code.get(started.a).i32(this.a.panel).op("i32.add").i32(0);
    code.i32(this.a.padded * ROW_BYTES).memoryFill();
    code.i32(0).set(filled).end();
    code.loadAt(this.#blocks).i32(1).op("i32.sub").set(block);
    for (const { leaf, wave, padded, panel, count } of [this.a, this.b]) {
      const [to, from] = [code.local("i32"), code.local("i32")];
      code
        .get(block)
        .i32(padded * ROW_BYTES)
        .op("i32.mul");
      code.get(filled).i32(1).op("i32.shl").op("i32.add").set(to).i32(0).set(from);
      const loop = code.loop();
      code
        .get(to)
        .get(from)
        .mem(loadOp(leaf), wave + leaf.offset)
        .mem("i32.store16", panel);
      code.get(to).i32(ROW_BYTES).op("i32.add").set(to);
      code
        .get(from)
        .i32(leaf.size)
        .op("i32.add")
        .tee(from)
        .i32(count * leaf.size)
        .op("i32.lt_u")
        .brIf(loop);
      code.end();
    }
    code.storeAt(this.#filled, () => code.get(filled).i32(1).op("i32.add"));
  }

  /** Nonzero if a flag is set in any row of the wave that stands alone. */
  #anyFlag(code: Code, { offset, count }: Leaf): void {
    for (let at = 0; at < count; at += 16) {
      code.i32(0).mem("v128.load", this.#westWave + offset + at);
      if (count - at < 16) code.v128(Array.from({ length: 16 }, (_, i) => (i < count - at ? 255 : 0))).op("v128.and");
      code.op("v128.any_true");
      if (at > 0) code.op("i32.or");
    }
  }
}

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
