/**
 * The engine's memory as after reset, so that a function of the design's module (run-code.ts) sets it back: a table of its parts, and a copy of
 * those that are not all one byte. Nearly all of it are zeros.
 */
import type { EngineImage } from "./image.js";

/** A part of the memory that is set back: to a byte, or if that is negative to what stands at another address. */
export const partRow = { at: 0, length: 4, byte: 8, source: 12, bytes: 16 } as const;

type Initial = Pick<EngineImage, "initial" | "fills">;

/** Where the table stands, and the end of what is taken. */
export interface Pristine {
  readonly start: number;
  readonly end: number;
  readonly top: number;
}

/** Bytes that table and copy take. */
export function pristineBytes({ initial, fills }: Initial): number {
  const filled = fills.reduce((sum, [start, end]) => sum + end - start, 0);
  return (2 * fills.length + 1) * partRow.bytes + initial.length - filled;
}

/** Writes both at `start`, a multiple of 16, and the initial image at 0. */
export function placePristine(memory: ArrayBuffer, { initial, fills }: Initial, start: number): Pristine {
  const [bytes, words] = [new Uint8Array(memory), new Int32Array(memory)];
  const parts: { at: number; length: number; byte: number }[] = [];
  let from = 0;
  for (const [at, end, byte] of [...fills, [initial.length, initial.length, -1] as const]) {
    if (at > from) parts.push({ at: from, length: at - from, byte: -1 });
    if (byte >= 0) parts.push({ at, length: end - at, byte });
    from = end;
  }
  const end = start + parts.length * partRow.bytes;
  let top = end;
  parts.forEach(({ at, length, byte }, i) => {
    words.set([at, length, byte, top], (start + i * partRow.bytes) >> 2);
    if (byte >= 0) return;
    bytes.set(initial.subarray(at, at + length), top);
    top += length;
  });
  bytes.set(initial);
  return { start, end, top };
}
