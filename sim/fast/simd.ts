/**
 * Compiles vector expressions with SIMD: four 32-bit lanes at a time, computed modulo 2^32 as the scalar compiler does;
 * two pairs of 64-bit lanes where an exact integer needs more. What SIMD has no instruction for (a shift by a different
 * amount in each lane) is a product with a power of two.
 */
import type { Expr, Local } from "../../hw/ir/ir.js";
import type { IntType } from "../../hw/types.js";
import { boundsOf, fitsSigned, type ExprCompiler } from "./expr.js";
import type { Code } from "./wasm.js";
import {
  accessOf,
  broadcast,
  chosenAccess,
  contiguous,
  dependsOn,
  foldLanes,
  laneValues,
  type Access,
  type Lanes,
} from "./lanes.js";
import { emitBase, type LeafRef } from "./place.js";
import { emitPut, emitShuffled, loadOf, storeBytes } from "./simd-bytes.js";
import { LaneArithmetic, Unsupported } from "./simd-arithmetic.js";
import { KeptPowers, type Maker, type Power } from "./simd-powers.js";

const NARROWEST = 4;

/** Emit `to` = the leaf of a map; false where it has no SIMD form (then nothing of use was emitted). */
export function emitSimdLeaf(compiler: ExprCompiler, to: LeafRef, expr: Extract<Expr, { kind: "map" }>): boolean {
  const locals: Local[] = [];
  const lengths: number[] = [];
  let body: Expr = expr;
  while (body.kind === "map") {
    locals.push(body.lane);
    lengths.push(body.length);
    body = body.body;
  }
  const count = lengths.reduce((product, n) => product * n, 1);
  if (!isNumber(body) || count < NARROWEST || count !== to.count) return false;
  const { code } = compiler;
  const mark = code.mark();
  try {
    storeAll(compiler, { locals, lengths, count }, to, body);
    return true;
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    code.cut(mark);
    return false;
  }
}

/** Leave nonzero on the stack if an element of a map is below zero; false where that has no SIMD form (then nothing was emitted). */
export function emitAnyNegative(
  compiler: ExprCompiler,
  { lane, length, body }: Extract<Expr, { kind: "map" }>,
): boolean {
  const { code } = compiler;
  const mark = code.mark();
  if (length < NARROWEST) return false;
  try {
    const vectors = new VectorCompiler(compiler, { locals: [lane], lengths: [length], count: length });
    for (let first = 0; first < length; first += NARROWEST) {
      vectors.amount(body, first);
      if (first > 0) code.op("v128.or");
    }
    code.op("i32x4.bitmask");
    return true;
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    code.cut(mark);
    return false;
  }
}

/** All elements; a choice that no lane changes is made once. */
function storeAll(compiler: ExprCompiler, lanes: Lanes, to: LeafRef, body: Expr): void {
  const chosen = body.kind === "select" && !dependsOn(body.condition, lanes, new Set()) ? body : undefined;
  if (!chosen || foldLanes(chosen.condition, new Map()) !== undefined) {
    if (!storeBytes(compiler, lanes, to, body)) new VectorCompiler(compiler, lanes).store(to, body);
    return;
  }
  const { code } = compiler;
  compiler.emit32(chosen.condition);
  code.if();
  try {
    storeAll(compiler, lanes, to, chosen.then);
    code.else();
    storeAll(compiler, lanes, to, chosen.else);
  } finally {
    code.end();
  }
}

class VectorCompiler extends LaneArithmetic implements Maker {
  readonly #lanes: Lanes;
  #kept: KeptPowers | undefined;
  /** Nothing is shifted left by what is kept. */
  #still = false;
  /** Names given inside the expression to values that differ from lane to lane; their 32-bit registers by group. */
  readonly #lets = new Map<Local, { value: Expr; registers: Map<number, number> }>();
  readonly #splats = new Map<Expr, number>();
  readonly #accesses = new Map<Expr, Access | undefined>();
  /** First element of the four at work. */
  #first = 0;

  constructor(compiler: ExprCompiler, lanes: Lanes) {
    super(compiler);
    this.#lanes = lanes;
  }

  store(to: LeafRef, body: Expr): void {
    if (!this.varies(body)) {
      this.#fill(to, body);
      return;
    }
    const access = this.#access(body);
    if (access?.leaf.size === to.size) {
      this.#gather(to, access);
      return;
    }
    this.#kept = KeptPowers.of(this.compiler, this.#lanes, body, this.#alike());
    if (this.#kept?.left === undefined) {
      this.#storeAll(to, body);
      return;
    }
    const { code } = this;
    code.loadAt(this.#kept.left).if();
    try {
      this.#alike().#storeAll(to, body);
      code.else();
      const still = this.#alike();
      still.#still = true;
      still.#storeAll(to, body);
    } finally {
      code.end();
    }
  }

  /** Another one, that has nothing in registers. */
  #alike(): VectorCompiler {
    const other = new VectorCompiler(this.compiler, this.#lanes);
    other.#kept = this.#kept;
    return other;
  }

  #storeAll(to: LeafRef, body: Expr): void {
    const { count } = this.#lanes;
    const group = 16 / to.size;
    const limited = to.size === 2 && to.signed ? limitedBehind(body) : undefined;
    for (let first = 0; first < count; first += group) {
      const parts: number[] = [];
      for (let part = first; part < Math.min(first + group, count); part += 4) {
        this.#first = part;
        this.vector(limited?.value ?? body);
        if (to.type.kind === "bool") this.code.i32(1).op("i32x4.splat").op("v128.and");
        const register = this.code.local("v128");
        this.code.set(register);
        parts.push(register);
      }
      while (parts.length < group / 4) parts.push(parts.at(-1)!);
      const packed = this.#narrow(to, parts);
      if (limited) {
        const limit = (n: number): Code =>
          this.code.v128(new Array<number[]>(8).fill([n & 255, (n >> 8) & 255]).flat());
        this.code.get(packed);
        limit(limited.hi).op("i16x8.min_s");
        limit(limited.lo).op("i16x8.max_s").set(packed);
      }
      emitPut(this.code, to, count, first, packed);
    }
  }

  /** Elements that stand in memory as they are to be stored. */
  #gather(to: LeafRef, access: Access): void {
    const code = this.code;
    const { count } = this.#lanes;
    const group = 16 / to.size;
    for (let first = 0; first < count; first += group) {
      const register = code.local("v128");
      if (contiguous(access, first, group)) {
        emitBase(code, access.leaf);
        code.mem(loadOf((count - first) * to.size), access.leaf.offset + access.offsets[first]!).set(register);
      } else if (!emitShuffled(code, access, first, count, register)) {
        code.v128(new Array<number>(16).fill(0)).set(register);
        for (let i = first; i < Math.min(first + group, count); i++) {
          emitBase(code, access.leaf);
          code
            .get(register)
            .loadLane(to.size, access.leaf.offset + access.offsets[i]!, i - first)
            .set(register);
        }
      }
      emitPut(this.code, to, count, first, register);
    }
  }

  /** The same value in all lanes. */
  #fill(to: LeafRef, body: Expr): void {
    const code = this.code;
    const register = code.local("v128");
    this.compiler.emit32(body);
    code.op(to.size === 1 ? "i8x16.splat" : to.size === 2 ? "i16x8.splat" : "i32x4.splat").set(register);
    const { count } = this.#lanes;
    for (let first = 0; first < count; first += 16 / to.size) emitPut(this.code, to, count, first, register);
  }

  /** Registers of four 32-bit lanes as one of the size that is stored. */
  #narrow({ size, signed }: LeafRef, parts: readonly number[]): number {
    const code = this.code;
    const [a, b, c, d] = parts as [number, number, number, number];
    if (size === 4) return a;
    const register = code.local("v128");
    if (size === 2) {
      code
        .get(a)
        .get(b)
        .op(signed ? "i16x8.narrow_i32x4_s" : "i16x8.narrow_i32x4_u")
        .set(register);
      return register;
    }
    code.get(a).get(b).op("i16x8.narrow_i32x4_s").get(c).get(d).op("i16x8.narrow_i32x4_s");
    code.op(signed ? "i8x16.narrow_i16x8_s" : "i8x16.narrow_i16x8_u").set(register);
    return register;
  }

  name(local: Local, value: Expr): void {
    this.#lets.set(local, { value, registers: new Map() });
  }
  amount(n: Expr, first: number): void {
    this.#first = first;
    this.vector(n);
  }

  protected kept(n: Expr, power: Power): boolean {
    const at = this.#kept?.at(n, power, this.#first);
    if (at !== undefined) this.code.loadAt(at, "v128.load");
    return at !== undefined;
  }
  protected keeps(n: Expr): boolean {
    return this.#kept?.at(n, "half", 0) !== undefined;
  }
  protected still(n: Expr): boolean {
    return this.#still && this.#kept?.at(n, "power", 0) !== undefined;
  }

  protected varies(expr: Expr): boolean {
    return dependsOn(expr, this.#lanes, new Set(this.#lets.keys()));
  }

  #access(expr: Expr): Access | undefined {
    if (!this.#accesses.has(expr)) this.#accesses.set(expr, accessOf(this.compiler, expr, this.#lanes));
    return this.#accesses.get(expr);
  }

  /** The low 32 bits of four elements; a condition as all ones or zeros. */
  protected vector(expr: Expr): void {
    const code = this.code;
    if (!this.varies(expr)) {
      this.#splat(expr);
      return;
    }
    const known = Array.from({ length: 4 }, (_, i) =>
      foldLanes(expr, laneValues(this.#lanes, Math.min(this.#first + i, this.#lanes.count - 1))),
    );
    if (known.every((x) => x !== undefined)) {
      this.#constants(expr.type.kind === "bool" ? known.map((x) => -x) : known);
      return;
    }
    switch (expr.kind) {
      case "local":
        this.#let(expr.local);
        return;
      case "let":
        if (!isNumber(expr.value)) throw new Unsupported();
        this.name(expr.local, expr.value);
        this.vector(expr.body);
        return;
      case "index":
        if (expr.base.kind === "call" && expr.base.helper === "mulPair") {
          this.vector(expr.base.args[0]!);
          this.#load(this.#pairAccess(expr, expr.base.args));
          code.op("i32x4.mul");
          return;
        }
        this.#load(this.#access(expr));
        return;
      case "member":
        this.#load(this.#access(expr));
        return;
      case "cast":
        this.vector(expr.operand);
        if (expr.type.kind === "int") this.wrap(expr.type as IntType, expr.operand);
        return;
      case "select":
        this.vector(expr.then);
        this.vector(expr.else);
        this.vector(expr.condition);
        code.op("v128.bitselect");
        return;
      case "unary":
        this.vector(expr.operand);
        code.op(expr.op === "-" ? "i32x4.neg" : "v128.not");
        return;
      case "binary":
        this.binary(expr);
        return;
      case "call":
        this.call(expr);
        return;
      default:
        throw new Unsupported();
    }
  }

  #constants(values: readonly number[]): void {
    const bytes = values.flatMap((x) =>
      [0, 8, 16, 24].map((shift) => (Number(BigInt.asIntN(32, BigInt(x))) >> shift) & 255),
    );
    this.code.v128(bytes);
  }

  #splat(expr: Expr): void {
    const code = this.code;
    const constant = foldLanes(expr, new Map());
    if (constant !== undefined) {
      this.#constants(new Array<number>(4).fill(expr.type.kind === "bool" ? -constant : constant));
      return;
    }
    let register = this.#splats.get(expr);
    if (register === undefined) {
      register = code.local("v128");
      this.#splats.set(expr, register);
      if (expr.type.kind === "bool") code.i32(0);
      this.compiler.emit32(expr);
      if (expr.type.kind === "bool") code.op("i32.sub");
      code.op("i32x4.splat").set(register);
    }
    code.get(register);
  }

  #let(local: Local): void {
    const known = this.#lets.get(local);
    if (!known) throw new Unsupported();
    let register = known.registers.get(this.#first);
    if (register === undefined) {
      register = this.code.local("v128");
      known.registers.set(this.#first, register);
      this.vector(known.value);
      this.code.set(register);
    }
    this.code.get(register);
  }

  /** The other factor of a lane of a pair of products: of all lanes one array, whichever of the pair each of them takes. */
  #pairAccess(expr: Extract<Expr, { kind: "index" }>, [, b0, b1]: readonly Expr[]): Access | undefined {
    if (!this.#accesses.has(expr)) {
      this.#accesses.set(expr, chosenAccess(this.compiler, expr.index, [b1!, b0!], this.#lanes));
    }
    return this.#accesses.get(expr);
  }

  #load(access: Access | undefined): void {
    const code = this.code;
    if (!access) throw new Unsupported();
    const { leaf, offsets } = access;
    const first = this.#first;
    const offset = leaf.offset + offsets[first]!;
    if (broadcast(access, first, 4)) {
      emitBase(code, leaf);
      const signed = leaf.signed ? "s" : "u";
      if (leaf.size === 4) code.mem("i32.load", offset);
      else code.mem(leaf.size === 1 ? `i32.load8_${signed}` : `i32.load16_${signed}`, offset);
      code.op("i32x4.splat");
    } else if (contiguous(access, first, 4)) {
      emitBase(code, leaf);
      const sign = leaf.signed ? "s" : "u";
      if (leaf.size === 4) code.mem("v128.load", offset);
      else if (leaf.size === 2) code.mem(`v128.load16x4_${sign}`, offset);
      else
        code.mem("v128.load32_zero", offset).op(`i16x8.extend_low_i8x16_${sign}`).op(`i32x4.extend_low_i16x8_${sign}`);
    } else {
      if (leaf.size !== 4) throw new Unsupported();
      code.v128(new Array<number>(16).fill(0));
      const register = code.local("v128");
      code.set(register);
      for (let i = 0; i < 4; i++) {
        emitBase(code, leaf);
        const at = offsets[Math.min(first + i, offsets.length - 1)]!;
        code
          .get(register)
          .loadLane(4, leaf.offset + at, i)
          .set(register);
      }
      code.get(register);
    }
    // Flags lie in memory as 0 and 1.
    if (leaf.type.kind === "bool") code.v128(new Array<number>(16).fill(0)).op("i32x4.ne");
  }
}

/** A limit to less than 16 bits, which may come behind the narrowing to 16 bits: that keeps the order of numbers. */
function limitedBehind(expr: Expr): { readonly value: Expr; readonly lo: number; readonly hi: number } | undefined {
  let at = expr;
  while (at.kind === "cast" && at.type.kind === "int") {
    const [{ min, max }, { lo, hi }] = [at.type as IntType, boundsOf(at.operand)];
    if (lo < min || hi > max) return undefined;
    at = at.operand;
  }
  if (at.kind !== "call" || at.helper !== "clamp" || !fitsSigned(boundsOf(at.args[0]!))) return undefined;
  const [lo, hi] = [foldLanes(at.args[1]!, new Map()), foldLanes(at.args[2]!, new Map())];
  if (lo === undefined || hi === undefined || lo > hi || lo < -32768 || hi > 32767) return undefined;
  return { value: at.args[0]!, lo, hi };
}

const isNumber = ({ type }: Expr): boolean => type.kind === "exact" || type.kind === "int" || type.kind === "bool";
