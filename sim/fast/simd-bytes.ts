/**
 * Vectors of bytes, sixteen lanes at a time: sums, masks, comparisons and choices of numbers of which the low eight bits say all,
 * and elements that are picked by a number which differs from lane to lane. What is limited to eight bits is for simd-words.ts, what else needs
 * more on its way for simd.ts.
 */
import type { Expr } from "../../hw/ir/ir.js";
import type { IntType } from "../../hw/types.js";
import { boundsOf, type ExprCompiler } from "./expr.js";
import { accessOf, broadcast, contiguous, dependsOn, foldLanes, laneValues, type Access, type Lanes } from "./lanes.js";
import { emitBase, type LeafRef } from "./place.js";
import { Unsupported } from "./simd-arithmetic.js";
import { comparisonsOf, ringOf } from "./simd-ops.js";
import { emitLimited } from "./simd-words.js";
import type { Code, MemoryOp, Op } from "./wasm.js";

const BYTES = 16;

/** Emit `to` = the elements of `body`; false where they are not made of bytes. */
export function storeBytes(compiler: ExprCompiler, lanes: Lanes, to: LeafRef, body: Expr): boolean {
  if (to.size !== 1 || !dependsOn(body, lanes, new Set())) return false;
  const { code } = compiler;
  const mark = code.mark();
  try {
    for (let first = 0; first < lanes.count; first += BYTES) {
      new ByteLanes(compiler, lanes, first).bytes(body);
      if (body.type.kind === "bool") code.i32(1).op("i8x16.splat").op("v128.and");
      const register = code.local("v128");
      code.set(register);
      emitPut(code, to, lanes.count, first, register);
    }
    return true;
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    code.cut(mark);
    return false;
  }
}

const ring = ringOf("i8x16");
const comparisons = comparisonsOf("i8x16");

class ByteLanes {
  readonly #compiler: ExprCompiler;
  readonly #lanes: Lanes;
  readonly #first: number;

  constructor(compiler: ExprCompiler, lanes: Lanes, first: number) {
    this.#compiler = compiler;
    this.#lanes = lanes;
    this.#first = first;
  }

  /** The low eight bits of sixteen elements; a condition as all ones or zeros. */
  bytes(expr: Expr): void {
    const { code } = this.#compiler;
    const isBool = expr.type.kind === "bool";
    if (!dependsOn(expr, this.#lanes, new Set())) {
      if (isBool) code.i32(0);
      this.#compiler.emit32(expr);
      if (isBool) code.op("i32.sub");
      code.op("i8x16.splat");
      return;
    }
    const { count } = this.#lanes;
    const known = Array.from({ length: BYTES }, (_, i) =>
      foldLanes(expr, laneValues(this.#lanes, Math.min(this.#first + i, count - 1))),
    );
    if (known.every((x) => x !== undefined)) {
      code.v128(known.map((x) => (isBool ? -x : x) & 255));
      return;
    }
    switch (expr.kind) {
      case "index":
        if (!this.#load(accessOf(this.#compiler, expr, this.#lanes))) this.#pick(expr);
        return;
      case "member":
        if (!this.#load(accessOf(this.#compiler, expr, this.#lanes))) throw new Unsupported();
        return;
      case "cast":
        this.#cast(expr);
        return;
      case "select":
        this.bytes(expr.then);
        this.bytes(expr.else);
        this.bytes(expr.condition);
        code.op("v128.bitselect");
        return;
      case "unary":
        if (expr.op !== "!") throw new Unsupported();
        this.bytes(expr.operand);
        code.op("v128.not");
        return;
      case "binary":
        this.#binary(expr);
        return;
      case "call":
        if (!ring[expr.helper]) {
          emitLimited(this.#compiler, this.#lanes, this.#first, expr);
          return;
        }
        this.bytes(expr.args[0]!);
        this.bytes(expr.args[1]!);
        code.op(ring[expr.helper]!);
        return;
      default:
        throw new Unsupported();
    }
  }

  #cast({ type, operand }: Extract<Expr, { kind: "cast" }>): void {
    const { code } = this.#compiler;
    if (type.kind !== "int") throw new Unsupported();
    const { bits, signed, min, max } = type as IntType;
    const { lo, hi } = boundsOf(operand);
    this.bytes(operand);
    if (operand.type.kind === "bool") code.i32(1).op("i8x16.splat").op("v128.and");
    if (bits >= 8 || (lo >= min && hi <= max)) return;
    if (signed) throw new Unsupported();
    code
      .i32(2 ** bits - 1)
      .op("i8x16.splat")
      .op("v128.and");
  }

  #binary({ op, left, right }: Extract<Expr, { kind: "binary" }>): void {
    const { code } = this.#compiler;
    const bools = left.type.kind === "bool" || right.type.kind === "bool";
    if (op === "&&" || op === "||") {
      this.bytes(left);
      this.bytes(right);
      code.op(op === "&&" ? "v128.and" : "v128.or");
      return;
    }
    const compare = comparisons[op];
    const known = compare ? this.#comparison(compare, left, right) : ring[op];
    if (!known || bools) throw new Unsupported();
    this.bytes(left);
    this.bytes(right);
    code.op(known);
  }

  /** Eight bits are all of both numbers. */
  #comparison([signed, unsigned]: readonly [Op, Op], left: Expr, right: Expr): Op | undefined {
    const both = [boundsOf(left), boundsOf(right)];
    if (both.every(({ lo, hi }) => lo >= 0 && hi <= 255)) return unsigned;
    return both.every(({ lo, hi }) => lo >= -128 && hi <= 127) ? signed : undefined;
  }

  /** Elements at known places; false if they are not. */
  #load(access: Access | undefined): boolean {
    const { code } = this.#compiler;
    if (!access) return false;
    if (access.leaf.size !== 1) throw new Unsupported();
    const { leaf, offsets } = access;
    const count = Math.min(BYTES, this.#lanes.count - this.#first);
    if (broadcast(access, this.#first, count)) {
      emitBase(code, leaf);
      code.mem("i32.load8_u", leaf.offset + offsets[this.#first]!).op("i8x16.splat");
    } else if (contiguous(access, this.#first, BYTES)) {
      emitBase(code, leaf);
      code.mem(loadOf(count), leaf.offset + offsets[this.#first]!);
    } else {
      const register = code.local("v128");
      if (!emitShuffled(code, access, this.#first, this.#lanes.count, register)) throw new Unsupported();
      code.get(register);
    }
    // Flags lie in memory as 0 and 1.
    if (leaf.type.kind === "bool") code.v128(new Array<number>(BYTES).fill(0)).op("i8x16.ne");
    return true;
  }

  /** An element of a vector of up to sixteen bytes, of another number in each lane. */
  #pick({ base, index }: Extract<Expr, { kind: "index" }>): void {
    const { code } = this.#compiler;
    if (dependsOn(base, this.#lanes, new Set())) throw new Unsupported();
    const place = this.#compiler.resolvePlace(base, []);
    const [leaf] = place ?? [];
    const { lo, hi } = boundsOf(index);
    if (place?.length !== 1 || leaf?.size !== 1 || leaf.dims.length !== 1 || leaf.type.kind === "bool")
      throw new Unsupported();
    if (lo < 0 || hi >= leaf.count || leaf.count > BYTES) throw new Unsupported();
    emitBase(code, leaf);
    code.mem(loadOf(leaf.count), leaf.offset);
    this.bytes(index);
    code.op("i8x16.swizzle");
  }
}

/** A load of so many bytes or more. Of no more than were stored at once, as a rule: the processor waits for two stores to become one load. */
export const loadOf = (bytes: number): MemoryOp =>
  bytes <= 4 ? "v128.load32_zero" : bytes <= 8 ? "v128.load64_zero" : "v128.load";

/** Sixteen bytes of elements out of 32 next to each other, or out of twice sixteen, in a register; false if they are further apart. */
export function emitShuffled(
  code: Code,
  { leaf, offsets }: Access,
  first: number,
  all: number,
  register: number,
): boolean {
  const { size } = leaf;
  const count = Math.min(BYTES / size, all - first);
  const mine = offsets.slice(first, first + count);
  const [least, end] = [Math.min(...mine), Math.max(...mine) + size];
  if (end - least > 2 * BYTES) return shuffledOfTwo(code, leaf, mine, register);
  // One load lies below the last element: what stands behind it was stored on its own, and the processor would wait for it.
  const from = end - least > BYTES || least < 0 ? least : Math.max(0, end - BYTES);
  const bytes = Array.from({ length: BYTES }, (_, i) => {
    const element = Math.floor(i / size);
    return element < count ? mine[element]! - from + (i % size) : 0;
  });
  emitBase(code, leaf);
  code.mem(loadOf(end - from), leaf.offset + from);
  if (end - from > BYTES) {
    emitBase(code, leaf);
    code.mem(loadOf(end - from), leaf.offset + from + BYTES);
  } else code.tee(register).get(register);
  code.shuffle(bytes).set(register);
  return true;
}

/** Elements that stand in two vectors apart from each other. */
function shuffledOfTwo(code: Code, leaf: Access["leaf"], offsets: readonly number[], register: number): boolean {
  const { size } = leaf;
  // As they were stored, as a rule: the processor waits for two stores to become one load.
  const vectors = [...new Set(offsets.map((offset) => Math.floor(offset / BYTES)))].sort((a, b) => a - b);
  if (vectors.length !== 2 || offsets.some((offset) => offset % size !== 0) || vectors[0]! < 0) return false;
  for (const vector of vectors) {
    emitBase(code, leaf);
    code.mem("v128.load", leaf.offset + vector * BYTES);
  }
  const bytes = Array.from({ length: BYTES }, (_, i) => {
    const offset = offsets[Math.floor(i / size)];
    if (offset === undefined) return 0;
    return (Math.floor(offset / BYTES) === vectors[0] ? 0 : BYTES) + (offset % BYTES) + (i % size);
  });
  code.shuffle(bytes).set(register);
  return true;
}

/** Store a register at element `first` of `count`; arrays above 8 bytes are padded to 16. */
export function emitPut(code: Code, to: LeafRef, count: number, first: number, register: number): void {
  const bytes = Math.min(BYTES, (count - first) * to.size);
  const offset = to.offset + first * to.size;
  if (bytes === BYTES || paddedAfter(to)) {
    emitBase(code, to);
    code.get(register).mem("v128.store", offset);
    return;
  }
  let at = 0;
  for (const size of [8, 4, 2, 1] as const)
    while (bytes - at >= size) {
      emitBase(code, to);
      code.get(register).storeLane(size, offset + at, at / size);
      at += size;
    }
}

/** The array is a whole leaf, longer than 8 bytes: what stands behind it, up to a multiple of 16, belongs to it. */
const paddedAfter = ({ count, size, whole }: LeafRef): boolean => whole && count * size > 8;
