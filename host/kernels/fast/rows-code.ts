/** What the matrix products of the CPU's convolutions have in common: pairs of rows times four columns, and small steps of WebAssembly. */
import { A_STEP, B_STEP, emitAcross, emitDots, ROW_BYTES } from "../../../sim/fast/product-kernel.js";
import type { Code } from "../../../sim/fast/wasm.js";

/** Bytes of four columns in a block of eight taps. */
export const GROUP_BYTES = B_STEP * ROW_BYTES;

/** The local goes on by a number, or by another local. */
export function step(code: Code, local: number, by: { readonly local: number } | number): void {
  code.get(local);
  if (typeof by === "number") code.i32(by);
  else code.get(by.local);
  code.op("i32.add").set(local);
}

/** Again, once less. */
export const countDown = (code: Code, local: number): Code => code.get(local).i32(1).op("i32.sub").tee(local);

/** Locals that say where operands stand; `at`, `out` and `row` are changed. */
export interface PairsAt {
  /** The first of the rows, `rowBytes` each. */
  readonly at: number;
  readonly rowBytes: number;
  /** Four columns, and how many blocks of eight taps are multiplied, at least one. */
  readonly panel: number;
  readonly blocks: number;
  /** Where the sums go, `sumBytes` from row to row. */
  readonly out: number;
  readonly sumBytes: number;
  /** So many rows, rounded up to two. */
  readonly row: number;
}

/** Sums of two rows at a time, over four columns: added to what is there, or put in its place. */
export function emitRowPairs(
  code: Code,
  { at, rowBytes, panel, blocks, out, sumBytes, row }: PairsAt,
  add: boolean,
): void {
  const vectors = (count: number): number[] => Array.from({ length: count }, () => code.local("v128"));
  const totals = vectors(A_STEP * B_STEP);
  const rowsNow = vectors(A_STEP);
  const column = code.local("v128");
  const [left, pb] = code.locals("i32", 2);
  const pa = code.locals("i32", A_STEP);
  const pairs = code.loop();
  for (const total of totals) code.v128(new Array<number>(16).fill(0)).set(total);
  code.get(at).set(pa[0]).get(at).get(rowBytes).op("i32.add").set(pa[1]);
  code.get(panel).set(pb).get(blocks).set(left);
  const inner = code.loop();
  emitDots(
    code,
    (i) => code.get(pa[i]!).mem("v128.load"),
    (j) => code.get(pb).mem("v128.load", j * ROW_BYTES),
    { sums: totals, rows: rowsNow, column },
  );
  for (const pointer of pa) step(code, pointer, ROW_BYTES);
  step(code, pb, GROUP_BYTES);
  countDown(code, left).brIf(inner);
  code.end();
  for (let i = 0; i < A_STEP; i++) {
    code.get(out);
    emitAcross(code, totals.slice(i * B_STEP, (i + 1) * B_STEP));
    if (add) code.get(out).mem("v128.load").op("i32x4.add");
    code.mem("v128.store");
    step(code, out, { local: sumBytes });
    step(code, at, { local: rowBytes });
  }
  code.get(row).i32(A_STEP).op("i32.sub").tee(row).i32(0).op("i32.gt_s").brIf(pairs);
  code.end();
}

/** Places in memory from `start` on, one behind the other; what is stored may reach 15 bytes beyond its end. */
export class Places {
  end: number;

  constructor(start: number) {
    this.end = start;
  }

  take(bytes: number): number {
    const at = this.end;
    this.end += Math.ceil((bytes + 16) / 16) * 16;
    return at;
  }
}
