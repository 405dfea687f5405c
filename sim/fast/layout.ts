/**
 * How values of the language lie in the linear memory of the fast engine. A value is split into *leaves*: one array per
 * scalar of its type, so that a vector of structs becomes one contiguous array per field, ready for SIMD.
 * An element takes 1, 2 or 4 bytes.
 */
import type { IntType, Type, BoolType, VecType, StructType } from "../../hw/types.js";

export type ScalarType = IntType | BoolType;
export type Bytes = 1 | 2 | 4;

/** A scalar of a type: `path` has member names, and "*" for each vector around it (its lengths in `dims`). */
export interface Leaf {
  readonly path: readonly string[];
  readonly type: ScalarType;
  readonly size: Bytes;
  readonly signed: boolean;
  readonly dims: readonly number[];
  /** Bytes from the start of the value. */
  readonly offset: number;
  /** Elements: the product of `dims`. */
  readonly count: number;
}

export interface Layout {
  readonly type: Type;
  readonly leaves: readonly Leaf[];
  /** Bytes of a value; arrays of values have this stride. A multiple of 16 if above 8. */
  readonly bytes: number;
}

export const isScalar = (type: { readonly kind: string }): boolean => type.kind === "int" || type.kind === "bool";

function flatten(type: Type, path: string[], dims: number[], out: Omit<Leaf, "offset">[]): void {
  if (type.kind === "vec") {
    const { of, length } = type as VecType;
    flatten(of, [...path, "*"], [...dims, length], out);
  } else if (type.kind === "struct") {
    for (const [name, field] of Object.entries((type as StructType).fields)) flatten(field, [...path, name], dims, out);
  } else {
    const scalar = type as ScalarType;
    const size: Bytes = scalar.bits <= 8 ? 1 : scalar.bits <= 16 ? 2 : 4;
    const count = dims.reduce((product, n) => product * n, 1);
    out.push({ path, type: scalar, size, signed: scalar.kind === "int" && scalar.signed, dims, count });
  }
}

const up = (n: number, to: number): number => Math.ceil(n / to) * to;
const layouts = new WeakMap<Type, Layout>();

export function layoutOf(type: Type): Layout {
  const known = layouts.get(type);
  if (known) return known;
  const flat: Omit<Leaf, "offset">[] = [];
  flatten(type, [], [], flat);
  let at = 0;
  const leaves = flat.map((leaf): Leaf => {
    const bytes = leaf.count * leaf.size;
    // Arrays start where a whole SIMD load can; scalars where they are aligned.
    at = up(at, bytes > 8 ? 16 : bytes > 4 ? 8 : leaf.size);
    const offset = at;
    at += bytes > 8 ? up(bytes, 16) : bytes;
    return { ...leaf, offset };
  });
  const bytes = at > 8 ? up(at, 16) : at > 4 ? 8 : at > 2 ? 4 : at;
  const layout = { type, leaves, bytes };
  layouts.set(type, layout);
  return layout;
}

/** Bytes of a leaf where values lie in columns: one array per leaf, without gaps. */
export const columnBytes = ({ count, size }: Leaf): number => count * size;

/** Hands out addresses of linear memory. */
export class Heap {
  #at: number;
  constructor(start: number) {
    this.#at = start;
  }
  take(bytes: number, align = 16): number {
    const at = up(this.#at, align);
    this.#at = at + bytes;
    return at;
  }
  get used(): number {
    return this.#at;
  }
}

type Get = (address: number) => number;

function getter(view: DataView, { size, signed }: Leaf): Get {
  if (size === 1) return signed ? (a) => view.getInt8(a) : (a) => view.getUint8(a);
  if (size === 2) return signed ? (a) => view.getInt16(a, true) : (a) => view.getUint16(a, true);
  return signed ? (a) => view.getInt32(a, true) : (a) => view.getUint32(a, true);
}

/** Write a value of the language at an address. */
export function writeValue(view: DataView, address: number, layout: Layout, value: unknown): void {
  writeLeaves(
    view,
    layout.leaves.map(({ offset }) => address + offset),
    layout,
    value,
  );
}

/** Write a value of the language, each leaf at an address of its own. */
export function writeLeaves(view: DataView, addresses: readonly number[], layout: Layout, value: unknown): void {
  layout.leaves.forEach((leaf, i) => {
    let at = addresses[i]!;
    const put = (x: unknown, depth: number): void => {
      const step = leaf.path[depth];
      if (step === undefined) {
        const n = Number(x);
        if (leaf.size === 1) view.setUint8(at, n);
        else if (leaf.size === 2) view.setUint16(at, n, true);
        else view.setUint32(at, n, true);
        at += leaf.size;
      } else if (step === "*") for (const lane of x as unknown[]) put(lane, depth + 1);
      else put((x as Record<string, unknown>)[step], depth + 1);
    };
    put(value, 0);
  });
}

/** Read a value of the language whose leaves lie at these addresses. */
export function readLeaves(view: DataView, addresses: readonly number[], layout: Layout): unknown {
  const cursors = layout.leaves.map((leaf, i) => ({ at: addresses[i]!, get: getter(view, leaf), leaf }));
  const build = (type: Type, leaves: { first: number }): unknown => {
    if (type.kind === "vec") {
      const { of, length } = type as VecType;
      const { first } = leaves;
      const lanes: unknown[] = [];
      for (let lane = 0; lane < length; lane++) {
        leaves.first = first;
        lanes.push(build(of, leaves));
      }
      return lanes;
    }
    if (type.kind === "struct")
      return Object.fromEntries(
        Object.entries((type as StructType).fields).map(([name, field]) => [name, build(field, leaves)]),
      );
    const cursor = cursors[leaves.first++]!;
    const x = cursor.get(cursor.at);
    cursor.at += cursor.leaf.size;
    return type.kind === "bool" ? x !== 0 : x;
  };
  return build(layout.type, { first: 0 });
}
