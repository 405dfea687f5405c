/** Addresses of values and of their parts in linear memory, as the compiler of the fast engine handles them. */
import type { Code, MemoryOp } from "./wasm.js";
import { columnBytes, type Layout, type Leaf } from "./layout.js";

/** One scalar, or an array of one, at `offset` + the sum of `terms` (an i32 local times a number of bytes). */
export interface LeafRef extends Leaf {
  readonly terms: readonly { readonly local: number; readonly scale: number }[];
  /** The leaf of a whole value, with its padding: not a lane of a vector, nor a value in columns. */
  readonly whole: boolean;
}

/** A value in memory: the leaves of its type. */
export type Place = readonly LeafRef[];

/** A step into a value: a member, a lane known now, or a lane whose number stands in an i32 local. */
export type Selector =
  { readonly member: string } | { readonly lane: number } | { readonly local: number; readonly plus: number };

/** The value of `layout` at a fixed address, or at an address in a local. */
export function placeAt(layout: Layout, address: number, base?: number): Place {
  const terms = base === undefined ? [] : [{ local: base, scale: 1 }];
  return layout.leaves.map((leaf) => ({ ...leaf, offset: leaf.offset + address, terms, whole: true }));
}

/** Value number `index` (a local) of values in columns; `columns` are locals with the address of each leaf's array. */
export function inColumns(layout: Layout, columns: readonly number[], index: number): Place {
  return layout.leaves.map((leaf, i) => ({
    ...leaf,
    offset: 0,
    terms: [
      { local: columns[i]!, scale: 1 },
      { local: index, scale: columnBytes(leaf) },
    ],
    // Columns have no gaps.
    whole: false,
  }));
}

const stride = (leaf: LeafRef): number => leaf.dims.slice(1).reduce((product, n) => product * n, leaf.size);

export function select(place: Place, selector: Selector): Place {
  if ("member" in selector)
    return place
      .filter(({ path }) => path[0] === selector.member)
      .map((leaf) => ({ ...leaf, path: leaf.path.slice(1) }));
  return place.map((leaf) => {
    const step = stride(leaf);
    // Behind a lane stands the next one.
    const rest = {
      ...leaf,
      path: leaf.path.slice(1),
      dims: leaf.dims.slice(1),
      count: leaf.count / leaf.dims[0]!,
      whole: false,
    };
    if ("lane" in selector) return { ...rest, offset: leaf.offset + selector.lane * step };
    return {
      ...rest,
      offset: leaf.offset + selector.plus * step,
      terms: [...leaf.terms, { local: selector.local, scale: step }],
    };
  });
}

/** Leave the variable part of a leaf's address on the stack; the rest is the instruction's offset. */
export function emitBase(code: Code, { terms }: LeafRef): void {
  if (terms.length === 0) code.i32(0);
  terms.forEach(({ local, scale }, i) => {
    code.get(local);
    if (scale !== 1) code.i32(scale).op("i32.mul");
    if (i > 0) code.op("i32.add");
  });
}

export function loadOp({ size, signed }: Leaf): MemoryOp {
  if (size === 1) return signed ? "i32.load8_s" : "i32.load8_u";
  if (size === 2) return signed ? "i32.load16_s" : "i32.load16_u";
  return "i32.load";
}

export const storeOp = ({ size }: Leaf): MemoryOp =>
  size === 1 ? "i32.store8" : size === 2 ? "i32.store16" : "i32.store";

export function emitLoad(code: Code, leaf: LeafRef): void {
  emitBase(code, leaf);
  code.mem(loadOp(leaf), leaf.offset);
}

/** Bytes that are copied by loads and stores; the call for more takes as long as about so many. */
const MOST_WRITTEN_OUT = 256;

/** Copy a leaf's whole array; both sides are padded to 16 bytes if longer than 8. */
export function emitCopyLeaf(code: Code, to: LeafRef, from: LeafRef): void {
  const bytes = to.count * to.size;
  if (bytes > MOST_WRITTEN_OUT) {
    emitBase(code, to);
    code.i32(to.offset).op("i32.add");
    emitBase(code, from);
    code.i32(from.offset).op("i32.add");
    code.i32(bytes).memoryCopy();
    return;
  }
  let at = 0;
  const move = (load: MemoryOp, store: MemoryOp, size: number): void => {
    while (bytes - at >= size) {
      emitBase(code, to);
      emitBase(code, from);
      code.mem(load, from.offset + at).mem(store, to.offset + at);
      at += size;
    }
  };
  move("v128.load", "v128.store", 16);
  move("i64.load", "i64.store", 8);
  move("i32.load", "i32.store", 4);
  move("i32.load16_u", "i32.store16", 2);
  move("i32.load8_u", "i32.store8", 1);
}

export function emitCopy(code: Code, to: Place, from: Place): void {
  for (let first = 0; first < to.length;) {
    const count = scalarsTogether(to, from, first);
    if (count > 1) {
      const [last, start] = [to[first + count - 1]!, to[first]!];
      const size = last.offset + last.size - start.offset;
      emitCopyLeaf(code, { ...start, size: 1, count: size }, { ...from[first]!, size: 1, count: size });
    } else emitCopyLeaf(code, to[first]!, from[first]!);
    first += count;
  }
}

/** Scalars from number `first` on that lie without a gap in both values, in eight bytes at most: they are copied at once. */
function scalarsTogether(to: Place, from: Place, first: number): number {
  let bytes = to[first]!.size as number;
  let count = 1;
  for (; first + count < to.length; count++) {
    const next = [to, from].every((place) => {
      const [start, leaf] = [place[first]!, place[first + count]!];
      // No two lanes of a vector of structs lie so.
      return start.count === 1 && leaf.count === 1 && leaf.offset === start.offset + bytes && sameTerms(start, leaf);
    });
    const { size } = to[first + count]!;
    if (!next || size !== from[first + count]!.size || bytes + size > 8) break;
    bytes += size;
  }
  return count;
}

const sameTerms = ({ terms: a }: LeafRef, { terms: b }: LeafRef): boolean =>
  a.length === b.length && a.every(({ local, scale }, i) => local === b[i]!.local && scale === b[i]!.scale);
