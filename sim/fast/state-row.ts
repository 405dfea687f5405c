/** Numbers of the state of rounds as they stand in memory, four to a vector (settling.ts, known-step.ts). */
import type { Heap } from "./layout.js";
import type { Code } from "./wasm.js";

/** Numbers, as many as there are and a few that are zero, or copies of the first. */
export interface Row {
  readonly at: number;
  readonly length: number;
}

export const VECTOR = 16;
export const up = (count: number): number => Math.ceil(count / 4) * 4;
export const rowOf = (heap: Heap, length: number): Row => ({ at: heap.take(up(length) * 4), length: up(length) });
/** Bytes from the start of a row to each of its vectors. */
export const vectors = (row: Row): number[] => Array.from({ length: row.length / 4 }, (_, i) => i * VECTOR);

/** Emits the vectors of clocks relative to `base`, a local; only the first of them where not `all` are asked for. */
export function relativeTo(code: Code, clocks: Row, base: number, all: boolean): (() => void)[] {
  const heard = all ? vectors(clocks) : vectors(clocks).slice(0, 1);
  return heard.map((at) => () => {
    code
      .loadAt(clocks.at + at, "v128.load")
      .get(base)
      .op("i32x4.sub");
  });
}

export function emitRowCopy(code: Code, to: Row, from: Row): void {
  for (const at of vectors(to)) code.storeAt(to.at + at, () => code.loadAt(from.at + at, "v128.load"), "v128.store");
}

/** A row, perhaps less another one, to the address in a local and `to`. */
export function emitRowStore(code: Code, base: number, row: Row, to: number, before?: Row): void {
  for (const at of vectors(row)) {
    code.get(base).loadAt(row.at + at, "v128.load");
    if (before) code.loadAt(before.at + at, "v128.load").op("i32x4.sub");
    code.mem("v128.store", to + at);
  }
}
