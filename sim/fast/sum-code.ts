/**
 * Sums of outer products (sum-match.ts), added up when they are read. Until then the factors stand in two queues, k by k,
 * and whether the sums began anew is a flag. One function adds what stands there: four rows by eight columns of sums in
 * registers, eight products per `i32x4.dot_i16x8_s`. Everything is modulo 2^32, as the statements have it.
 */
import type { DesignIr, Expr, Stmt } from "../../hw/ir/ir.js";
import { expressionsOf, sameExpr, someExpr } from "../../hw/ir/walk.js";
import { i8, u8, vec, type Type } from "../../hw/types.js";
import type { ExprCompiler } from "./expr.js";
import { accessOf, type Access } from "./lanes.js";
import { layoutOf, type Heap } from "./layout.js";
import { emitBase, placeAt, type Place } from "./place.js";
import { store } from "./store.js";
import { blocksCode, interleaved, pairOf, type Factors } from "./sum-blocks.js";
import { emitInPlace } from "./sum-lanes.js";
import { COLUMN_STEP, findSums, isNever, lanesWithin } from "./sum-match.js";
import type { Adding, AddingLoop, Factor, InPlace, SumForm, Sums, Variable } from "./sum-match.js";
import { Code, type MemoryOp, type WasmModule } from "./wasm.js";

/** Waves in the queues. */
export const CAPACITY = 256;
/** Waves that are added at a time; behind the last one stand zeros. */
const BLOCK = 8;
const ROW_STRIDE = CAPACITY + 2 * BLOCK;
const COLUMN_STRIDE = (CAPACITY + BLOCK) * COLUMN_STEP;
const ROWS_AT_ONCE = 4;

/** Bytes of factors in memory: byte i stands at the local `base`, plus `at`, plus `offsets[i]`. */
interface Bytes {
  readonly base: number;
  /** What the base depends on; undefined where they do not stand in memory as they are. */
  readonly by: Access["by"];
  readonly at: number;
  readonly offsets: readonly number[];
}

/** The sums of one variable. */
export class SumCode {
  readonly form: SumForm;
  /** The variable's value, as it was when the queues were last empty. */
  readonly place: Place;
  readonly #heap: Heap;
  readonly #module: WasmModule;
  readonly #path: string;
  readonly #flush: number;
  readonly #sums: number;
  readonly #rows: number;
  readonly #columns: number;
  /** Waves in the queues; 1 if the sums before them are zero. */
  readonly #count: number;
  readonly #anew: number;

  constructor(form: SumForm, heap: Heap, module: WasmModule, path: string) {
    const layout = layoutOf(form.variable.type as Type);
    this.form = form;
    this.#heap = heap;
    this.#sums = heap.take(layout.bytes);
    this.place = placeAt(layout, this.#sums);
    this.#rows = heap.take(form.rows * ROW_STRIDE);
    this.#columns = heap.take((form.columns / COLUMN_STEP) * COLUMN_STRIDE);
    this.#count = heap.take(8);
    this.#anew = this.#count + 4;
    [this.#module, this.#path] = [module, `${path} ${form.variable.name}`];
    this.#flush = module.declare(this.#path);
    module.define(this.#flush, this.#addUp());
  }

  /** Make the sums, if they are not there. */
  emitFlush(code: Code): void {
    code.loadAt(this.#count).loadAt(this.#anew).op("i32.or").if();
    code.call(this.#flush).end();
  }

  /**
   * Add the products of so many passes (a local, at least 1) of factors that stand in memory, at `pointers` (locals), which go on by `steps`
   * bytes from pass to pass; `leftOut` puts on the stack how many banks of each are not used.
   */
  emitBlocks(
    code: Code,
    factors: Factors,
    {
      pointers,
      leftOut,
    }: {
      readonly pointers: readonly { readonly at: number; readonly step: number }[];
      readonly leftOut: readonly (() => void)[];
    },
    passes: number,
  ): void {
    this.emitFlush(code);
    const steps = pointers.map(({ step }) => step);
    const run = this.#module.add(`${this.#path} in place`, blocksCode(this.form, this.#sums, factors, steps));
    for (const { at } of pointers) code.get(at);
    for (const emit of leftOut) emit();
    code.get(passes).call(run);
  }

  /** Put what a statement adds in the queues; `loop`: what the loop around it adds in all its passes. */
  emitAdd(exprs: ExprCompiler, { reset, products }: Adding, loop?: AddingLoop): void {
    const { code } = exprs;
    const trips = loop?.trips ?? 1;
    const factors = products.map(({ rows, columns }) => ({
      rows: this.#bytes(exprs, rows, loop),
      columns: this.#bytes(exprs, columns, loop),
    }));
    const count = code.local("i32");
    const starts = Array.from({ length: trips }, (_, i) => i).filter((i) => i === 0 || this.#mayReset(reset, loop, i));
    starts.forEach((from, i) => {
      const to = starts[i + 1] ?? trips;
      if (this.#mayReset(reset, loop, from)) {
        const { condition, holds } = reset!;
        if (loop) exprs.withLane(loop.counter, { lane: from }, () => exprs.emit32(condition));
        else exprs.emit32(condition);
        if (!holds) code.op("i32.eqz");
        code.if();
        code.storeAt(this.#count, () => code.i32(0));
        code.storeAt(this.#anew, () => code.i32(1));
        code.end();
      }
      const waves = (to - from) * factors.length;
      code
        .loadAt(this.#count)
        .i32(CAPACITY - waves)
        .op("i32.gt_u")
        .if();
      code.call(this.#flush).end();
      code.loadAt(this.#count).set(count);
      this.#queue(code, factors, count, from, to);
      code.storeAt(this.#count, () => code.get(count).i32(waves).op("i32.add"));
    });
  }

  #mayReset(reset: Adding["reset"], loop: AddingLoop | undefined, pass: number): boolean {
    if (!reset) return false;
    const at = new Map(loop ? [[loop.counter, pass]] : []);
    return !isNever(reset.condition, at, reset.holds);
  }

  /** The factors of all passes of the loop, pass by pass. */
  #bytes(exprs: ExprCompiler, factor: Factor, loop: AddingLoop | undefined): Bytes {
    const { code } = exprs;
    const lanes = loop ? lanesWithin(factor.lanes, loop.counter, loop.trips) : factor.lanes;
    const base = code.local("i32");
    const mark = code.mark();
    const access = accessOf(exprs, factor.value, lanes);
    if (access?.leaf.size === 1) {
      emitBase(code, access.leaf);
      code.set(base);
      return { base, by: access.by, at: access.leaf.offset, offsets: access.offsets };
    }
    code.cut(mark);
    code.i32(0).set(base);
    return { base, by: undefined, ...this.#evaluated(exprs, factor, loop) };
  }

  /** Factors that do not stand in memory as they are. */
  #evaluated(
    exprs: ExprCompiler,
    { value, lanes, signed }: Factor,
    loop: AddingLoop | undefined,
  ): Pick<Bytes, "at" | "offsets"> {
    const { at } = value;
    const element = signed ? i8 : u8;
    let all: Expr = { kind: "cast", at, type: element, operand: value };
    let type: Type = element;
    for (let i = lanes.locals.length - 1; i >= 0; i--) {
      type = vec(type, lanes.lengths[i]!);
      all = { kind: "map", at, type, length: lanes.lengths[i]!, lane: lanes.locals[i]!, body: all };
    }
    const layout = layoutOf(type);
    const trips = loop?.trips ?? 1;
    const start = this.#heap.take(trips * layout.bytes);
    for (let pass = 0; pass < trips; pass++) {
      const to = placeAt(layout, start + pass * layout.bytes);
      if (loop) exprs.withLane(loop.counter, { lane: pass }, () => store(exprs, to, all));
      else store(exprs, to, all);
    }
    const offsets = Array.from({ length: trips }, (_, pass) =>
      Array.from({ length: lanes.count }, (_, i) => pass * layout.bytes + i),
    );
    return { at: start, offsets: offsets.flat() };
  }

  /** Copy the factors of passes `from` to `to`, product by product, as waves `count` (a local) and on. */
  #queue(
    code: Code,
    products: readonly { readonly rows: Bytes; readonly columns: Bytes }[],
    count: number,
    from: number,
    to: number,
  ): void {
    const passes = Array.from({ length: to - from }, (_, i) => from + i);
    for (const { of, skip } of together(products.map(({ rows }) => rows)))
      for (let row = 0; row < this.form.rows; row++) {
        const { rows } = this.form;
        const wave = ({ offsets }: Bytes): number[] => passes.map((pass) => offsets[pass * rows + row]!);
        copy(code, joined(of, wave), count, this.#rows + row * ROW_STRIDE + skip * passes.length);
      }
    const at = code.temp("i32");
    code.get(count).i32(COLUMN_STEP).op("i32.mul").set(at);
    for (const { of, skip } of together(products.map(({ columns }) => columns)))
      for (let first = 0; first < this.form.columns; first += COLUMN_STEP) {
        const wave = ({ offsets }: Bytes): number[] =>
          passes.flatMap((pass) => {
            const start = pass * this.form.columns + first;
            return offsets.slice(start, start + COLUMN_STEP);
          });
        const queue = this.#columns + (first / COLUMN_STEP) * COLUMN_STRIDE + skip * passes.length * COLUMN_STEP;
        copy(code, joined(of, wave), at, queue);
      }
    code.free("i32", at);
  }

  /** The function that makes the sums and empties the queues. */
  #addUp(): Code {
    const { rows, columns } = this.form;
    const code = new Code();
    const [count, blocks, row] = [code.local("i32"), code.local("i32"), code.local("i32")];
    code.loadAt(this.#anew).if();
    code
      .i32(this.#sums)
      .i32(0)
      .i32(rows * columns * 4)
      .memoryFill();
    code.storeAt(this.#anew, () => code.i32(0));
    code.end();
    code.loadAt(this.#count).tee(count).if();
    code.storeAt(this.#count, () => code.i32(0));
    for (let r = 0; r < rows; r++)
      code
        .get(count)
        .i64(0)
        .mem("i64.store", this.#rows + r * ROW_STRIDE);
    code
      .get(count)
      .i32(BLOCK - 1)
      .op("i32.add")
      .i32(3)
      .op("i32.shr_u")
      .set(blocks);
    const whole = rows - (rows % ROWS_AT_ONCE);
    if (whole > 0) {
      const loop = code.loop();
      this.#product(code, row, ROWS_AT_ONCE, blocks);
      code.get(row).i32(ROWS_AT_ONCE).op("i32.add").tee(row).i32(whole).op("i32.lt_u").brIf(loop);
      code.end();
    }
    if (whole < rows) this.#product(code, row, rows - whole, blocks);
    code.end();
    return code;
  }

  /** `height` rows from the local `row` on, all columns. */
  #product(code: Code, row: number, height: number, blocks: number): void {
    const { columns, signed } = this.form;
    const vectors = (n: number): number[] => Array.from({ length: n }, () => code.local("v128"));
    const sums = vectors(2 * height);
    const west = vectors(height);
    const [both, low, high] = vectors(3) as [number, number, number];
    const [first, left, pw, pn, ps] = Array.from({ length: 5 }, () => code.local("i32")) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const eachSum = (use: (sum: number, offset: number) => void): void => {
      sums.forEach((sum, i) => use(sum, this.#sums + (i >> 1) * columns * 4 + (i & 1) * 16));
    };
    code.i32(0).set(first);
    const step = code.loop();
    code.get(row).i32(ROW_STRIDE).op("i32.mul").set(pw);
    code
      .get(first)
      .i32(COLUMN_STRIDE / COLUMN_STEP)
      .op("i32.mul")
      .set(pn);
    code.get(row).i32(columns).op("i32.mul").get(first).op("i32.add").i32(2).op("i32.shl").set(ps);
    eachSum((sum, offset) => code.get(ps).mem("v128.load", offset).set(sum));
    code.get(blocks).set(left);
    const waves = code.loop();
    west.forEach((w, i) => {
      code
        .get(pw)
        .mem(`v128.load8x8_${signed.rows ? "s" : "u"}`, this.#rows + i * ROW_STRIDE)
        .set(w);
    });
    for (let pair = 0; pair < BLOCK / 2; pair++) {
      const sign = signed.columns ? "s" : "u";
      code.get(pn).mem("v128.load", this.#columns + pair * 2 * COLUMN_STEP);
      code.tee(both).get(both).shuffle(interleaved(COLUMN_STEP)).tee(both);
      code.op(`i16x8.extend_low_i8x16_${sign}`).set(low);
      code.get(both).op(`i16x8.extend_high_i8x16_${sign}`).set(high);
      west.forEach((w, i) => {
        code.get(w).get(w).shuffle(pairOf(pair)).set(both);
        [low, high].forEach((half, j) => {
          const sum = sums[2 * i + j]!;
          code.get(both).get(half).op("i32x4.dot_i16x8_s").get(sum).op("i32x4.add").set(sum);
        });
      });
    }
    code.get(pw).i32(BLOCK).op("i32.add").set(pw);
    code
      .get(pn)
      .i32(BLOCK * COLUMN_STEP)
      .op("i32.add")
      .set(pn);
    code.get(left).i32(1).op("i32.sub").tee(left).brIf(waves);
    code.end();
    eachSum((sum, offset) => code.get(ps).get(sum).mem("v128.store", offset));
    code.get(first).i32(COLUMN_STEP).op("i32.add").tee(first).i32(columns).op("i32.lt_u").brIf(step);
    code.end();
  }
}

const moves: readonly (readonly [number, MemoryOp, MemoryOp])[] = [
  [16, "v128.load", "v128.store"],
  [8, "i64.load", "i64.store"],
  [4, "i32.load", "i32.store"],
  [2, "i32.load16_u", "i32.store16"],
  [1, "i32.load8_u", "i32.store8"],
];

const sameBase = (a: Access["by"], b: Access["by"]): boolean =>
  a !== undefined && b?.length === a.length && a.every((expr, i) => sameExpr(expr, b[i]!));

/** Those in a row that stand behind the same base, with how many come before them: what is next to each other there is copied together. */
function together(all: readonly Bytes[]): { readonly of: readonly Bytes[]; readonly skip: number }[] {
  const starts = all.flatMap((each, i) => (i > 0 && sameBase(each.by, all[i - 1]!.by) ? [] : [i]));
  return starts.map((skip, i) => ({ of: all.slice(skip, starts[i + 1]), skip }));
}

/** Bytes of several behind one base. */
function joined(all: readonly Bytes[], wave: (each: Bytes) => number[]): Bytes {
  const [first] = all as readonly [Bytes, ...Bytes[]];
  return { ...first, offsets: all.flatMap((each) => wave(each).map((offset) => offset + each.at - first.at)) };
}

/** Copy bytes to the address in a local, plus `to`; those next to each other together. */
function copy(code: Code, { base, at, offsets }: Bytes, local: number, to: number): void {
  for (let i = 0; i < offsets.length;) {
    let run = 1;
    while (i + run < offsets.length && offsets[i + run] === offsets[i]! + run) run++;
    const [size, load, save] = moves.find(([bytes]) => bytes <= run)!;
    code.get(local).get(base);
    code.mem(load, at + offsets[i]!).mem(save, to + i);
    i += size;
  }
}

/** The sums of all processes of a design. */
export class DesignSums {
  readonly #of: readonly Sums[];
  readonly #codes = new Map<Variable, SumCode>();
  readonly #adding: ReadonlyMap<Stmt, Adding | InPlace>;
  readonly #loops: ReadonlyMap<Stmt, AddingLoop>;

  constructor(ir: DesignIr, heap: Heap, module: WasmModule) {
    this.#of = ir.processes.map((process) => findSums(process));
    this.#of.forEach(({ forms }, actor) => {
      const { path } = ir.processes[actor]!.node;
      for (const form of forms) this.#codes.set(form.variable, new SumCode(form, heap, module, path));
    });
    this.#adding = new Map<Stmt, Adding | InPlace>(this.#of.flatMap(({ adding, inPlace }) => [...adding, ...inPlace]));
    this.#loops = new Map(this.#of.flatMap(({ loops }) => [...loops]));
  }

  /** Where the variable lives, if it holds sums. */
  placeOf(variable: Variable): Place | undefined {
    return this.#codes.get(variable)?.place;
  }

  /** The sums that a statement only gives another name. */
  named(stmt: Stmt): Variable | undefined {
    for (const { aliases } of this.#of) if (aliases.has(stmt)) return aliases.get(stmt);
    return undefined;
  }
  /** Emit a statement that adds to sums; false if it is none. */
  emit(exprs: ExprCompiler, stmt: Stmt): boolean {
    const adding = this.#adding.get(stmt);
    return adding !== undefined && this.#emit(exprs, adding);
  }
  /** The sums that a statement adds outer products to, perhaps in all passes of the loop that it is, and when it sets them to zero. */
  adds(stmt: Stmt):
    | {
        readonly variable: Variable;
        readonly adding: Adding;
        readonly loop: AddingLoop | undefined;
        readonly reset: Expr | undefined;
      }
    | undefined {
    const loop = this.#loops.get(stmt);
    const adding = loop?.adding ?? this.#adding.get(stmt);
    if (!adding || !("of" in adding)) return undefined;
    return { variable: adding.of.variable, adding, loop, reset: adding.reset?.condition };
  }
  /** The sums' own code. */
  codeOf(variable: Variable): SumCode {
    return this.#codes.get(variable)!;
  }
  loop(stmt: Stmt): AddingLoop | undefined {
    return this.#loops.get(stmt);
  }
  /** False if it has to be done pass by pass. */
  emitLoop(exprs: ExprCompiler, loop: AddingLoop): boolean {
    return this.#emit(exprs, loop.adding, loop);
  }
  #emit(exprs: ExprCompiler, adding: Adding | InPlace, loop?: AddingLoop): boolean {
    if (!("of" in adding)) return emitInPlace(exprs, adding, loop);
    this.#codes.get(adding.of.variable)!.emitAdd(exprs, adding, loop);
    return true;
  }

  /** Make the sums that a statement reads or sets, itself and not those inside it. */
  emitBefore(code: Code, stmt: Stmt): void {
    if (this.#codes.size === 0) return;
    this.emitRead(code, expressionsOf(stmt), stmt.kind === "let" ? stmt.local : undefined);
  }
  emitRead(code: Code, exprs: readonly Expr[], variable?: Variable): void {
    const mentions = (of: Variable) => (e: Expr) =>
      (e.kind === "local" && e.local === of) || (e.kind === "field" && e.field === of);
    for (const [of, sums] of this.#codes)
      if (of === variable || exprs.some((expr) => someExpr(expr, mentions(of)))) sums.emitFlush(code);
  }
}
