/**
 * The types of the hardware language: integers of 1 to 32 bits, booleans, vectors and structs of them.
 *
 * An integer value is a plain JavaScript number with a brand that only the compiler sees. Arithmetic on branded numbers
 * gives a plain `number` (an exact integer), so a result has to pass a type again before it can be stored, and that call
 * is where the truncation stands: `acc = i32(acc + a * b)`. A type, called, wraps modulo 2^bits as hardware does.
 */
import { TandemError } from "./errors.js";

declare const brand: unique symbol;

export type Int<N extends number = number> = number & { readonly [brand]: { readonly int: N } };
export type UInt<N extends number = number> = number & { readonly [brand]: { readonly uint: N } };

/** What every type can do. `V` is the JavaScript type of its values. */
interface Common<V> {
  readonly name: string;
  /** Bits in hardware. */
  readonly bits: number;
  zero(): V;
  /** A value that shares nothing with `value`. */
  copy(value: V): V;
}

export interface IntType<V extends number = number> extends Common<V> {
  (x: number): V;
  readonly kind: "int";
  readonly signed: boolean;
  /** Least and greatest value. */
  readonly min: number;
  readonly max: number;
}

export interface BoolType extends Common<boolean> {
  (x: boolean): boolean;
  readonly kind: "bool";
}

export interface VecType<V = unknown> extends Common<readonly V[]> {
  /** A new vector: a copy of another, or lane by lane from a function of the lane's number. */
  (source: readonly V[] | ((lane: number) => V)): V[];
  readonly kind: "vec";
  readonly of: Type<V>;
  readonly length: number;
  zero(): V[];
}

export interface StructType<V = unknown> extends Common<V> {
  (value: V): V;
  readonly kind: "struct";
  readonly fields: Readonly<Record<string, Type>>;
}

export type AnyType = IntType | BoolType | VecType<never> | StructType<never>;
/** A type whose values are `V`. */
export type Type<V = unknown> = Common<V> & { readonly kind: "int" | "bool" | "vec" | "struct" };
/** The JavaScript type of a hardware type's values. */
export type ValueOf<T> = T extends { zero(): infer V } ? V : never;

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller names the callable type it makes
const make = <T>(call: (x: never) => unknown, properties: Readonly<Record<string, unknown>>): T => {
  // A function's own `name` is not writable, only configurable.
  for (const [key, value] of Object.entries(properties)) Object.defineProperty(call, key, { value, enumerable: true });
  return call as T;
};

/** Types of the vectors and structs that `zero()` made: the compiler asks for those of registers. */
const makers = new WeakMap<object, Type>();

function made<V extends object>(value: V, type: Type): V {
  makers.set(value, type);
  return value;
}

/** The type whose `zero()` made a vector or struct; undefined for other values. */
export function typeOfZero(value: unknown): Type | undefined {
  return typeof value === "object" && value !== null ? makers.get(value) : undefined;
}

function notAnInteger(x: unknown, type: string): never {
  const hint = "Look for a vector index out of range, a division, or a value never set.";
  throw new TandemError(`${type}(${String(x)}): not an integer of at most 53 bits`, { hint });
}

function checkBits(bits: number, what: string): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > 32)
    throw new TandemError(`${what}(${bits}): an integer type has 1 to 32 bits`, {
      hint: "Use a vector for wider words.",
    });
}

const ints = new Map<string, IntType>();

/** Signed integer, two's complement, 1 to 32 bits. */
export function int<N extends number>(bits: N): IntType<Int<N>> {
  checkBits(bits, "int");
  return cached(`i${bits}`, () => {
    const shift = 32 - bits;
    const wrap = (x: number): number => {
      if (!Number.isSafeInteger(x)) notAnInteger(x, `i${bits}`);
      return (x << shift) >> shift;
    };
    return integer(wrap, `i${bits}`, bits, true, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1);
  });
}

/** Unsigned integer, 1 to 32 bits. */
export function uint<N extends number>(bits: N): IntType<UInt<N>> {
  checkBits(bits, "uint");
  return cached(`u${bits}`, () => {
    const shift = 32 - bits;
    const wrap = (x: number): number => {
      if (!Number.isSafeInteger(x)) notAnInteger(x, `u${bits}`);
      return (x << shift) >>> shift;
    };
    return integer(wrap, `u${bits}`, bits, false, 0, 2 ** bits - 1);
  });
}

function cached<V extends number>(name: string, build: () => IntType): IntType<V> {
  let type = ints.get(name);
  if (!type) ints.set(name, (type = build()));
  return type as IntType<V>;
}

function integer(
  wrap: (x: number) => number,
  name: string,
  bits: number,
  signed: boolean,
  min: number,
  max: number,
): IntType {
  return make(wrap, { kind: "int", name, bits, signed, min, max, zero: () => 0, copy: (x: number) => x });
}

/** An unsigned type that holds 0 to `max`: the usual type of a counter or an address. */
export function uintFor(max: number): IntType<UInt> {
  return uint(Math.max(1, Math.ceil(Math.log2(max + 1))));
}

export const bool: BoolType = make((x: boolean) => x, {
  kind: "bool",
  name: "bool",
  bits: 1,
  zero: () => false,
  copy: (x: boolean) => x,
});

/** `length` values of one type, lane 0 in the least significant bits. */
export function vec<V>(of: Type<V>, length: number): VecType<V> {
  if (!Number.isInteger(length) || length < 1)
    throw new TandemError(`vec(${of.name}, ${length}): a vector has one lane or more`);
  const scalar = of.kind === "int" || of.kind === "bool";
  const copy = (v: readonly V[]): V[] => (scalar ? v.slice() : v.map((x) => of.copy(x)));
  const call = (source: readonly V[] | ((lane: number) => V)): V[] => {
    if (typeof source !== "function") return copy(source);
    const lanes = new Array<V>(length);
    for (let lane = 0; lane < length; lane++) lanes[lane] = source(lane);
    return lanes;
  };
  const zero = (): V[] =>
    made(
      call(() => of.zero()),
      type,
    );
  const name = `vec(${of.name}, ${length})`;
  const type: VecType<V> = make(call, { kind: "vec", name, bits: of.bits * length, of, length, zero, copy });
  return type;
}

type Fields = Readonly<Record<string, Type>>;
type StructValue<F> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** Named fields; the first stands in the most significant bits. */
export function struct<F extends object>(fields: F & Fields): StructType<StructValue<F>> {
  type V = StructValue<F>;
  const entries = Object.entries(fields as Readonly<Record<string, Type>>);
  const copy = (v: V): V => {
    const out: Record<string, unknown> = {};
    for (const [key, type] of entries) out[key] = type.copy((v as Record<string, unknown>)[key]);
    return out as V;
  };
  const zero = (): V => made(Object.fromEntries(entries.map(([key, of]) => [key, of.zero()])) as V & object, type);
  const name = `{ ${entries.map(([key, type]) => `${key}: ${type.name}`).join(", ")} }`;
  const bits = entries.reduce((sum, [, type]) => sum + type.bits, 0);
  const type: StructType<V> = make(copy, { kind: "struct", name, bits, fields, zero, copy });
  return type;
}

export const u1 = uint(1);
export const u2 = uint(2);
export const u4 = uint(4);
export const u8 = uint(8);
export const u12 = uint(12);
export const u16 = uint(16);
export const u24 = uint(24);
export const u32 = uint(32);
export const i8 = int(8);
export const i9 = int(9);
export const i16 = int(16);
export const i32 = int(32);
export type U1 = UInt<1>;
export type U8 = UInt<8>;
export type U12 = UInt<12>;
export type U16 = UInt<16>;
export type U32 = UInt<32>;
export type I8 = Int<8>;
export type I9 = Int<9>;
export type I16 = Int<16>;
export type I32 = Int<32>;
