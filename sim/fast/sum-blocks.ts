/**
 * Sums of outer products (sum-match.ts) whose factors stand in memory for many passes in a row, as words of banks do
 * (joint-products.ts): they are multiplied where they are, without a queue. A pass is a block of waves, k fastest in the rows.
 */
import { rules } from "./rules.js";
import { COLUMN_STEP, type SumForm } from "./sum-match.js";
import { Code } from "./wasm.js";

/** A byte: so far behind pointer number `pointer`. */
export interface Spot {
  readonly pointer: number;
  readonly offset: number;
  /** It counts if fewer banks of the pointer's are left out than so many; always if undefined. */
  readonly most: number | undefined;
}

/** The factors of a pass: by row (by column) and wave. Pointers go on by `steps` bytes from pass to pass. */
export interface Factors {
  readonly waves: number;
  readonly rows: readonly (readonly Spot[])[];
  readonly columns: readonly (readonly Spot[])[];
}

/** Waves whose rows are loaded at once. */
const BLOCK = 8;
const ROWS_AT_ONCE = 4;

/** The waves of a row stand next to each other, eight by eight, and so do eight columns of a wave. */
export function isInPlace({ waves, rows, columns }: Factors): boolean {
  const next = (from: Spot, to: Spot, by: number): boolean =>
    from.pointer === to.pointer && to.offset === from.offset + by && to.most === from.most;
  return (
    waves % BLOCK === 0 &&
    columns.length % COLUMN_STEP === 0 &&
    rows.every((row) => row.every((spot, w) => next(row[w - (w % BLOCK)]!, spot, w % BLOCK))) &&
    // A row that is left out is left out as a whole.
    rows.every((row) => row.every(({ pointer, most }) => pointer === row[0]!.pointer && most === row[0]!.most)) &&
    columns.every((column) => column.every(({ most }) => most === undefined)) &&
    columns.every((column, c) =>
      column.every((spot, w) => next(columns[c - (c % COLUMN_STEP)]![w]!, spot, c % COLUMN_STEP)),
    )
  );
}

/**
 * The function that adds the products of many passes to the sums at an address. Parameters: the pointers, how many banks of each are
 * left out, and the number of passes, at least 1. The words of banks that are left out are anything: rows of theirs stay as they are.
 */
export function blocksCode(
  { rows: height, columns: width, signed }: SumForm,
  at: number,
  factors: Factors,
  steps: readonly number[],
): Code {
  const code = new Code([...steps, ...steps, 0].map(() => "i32" as const));
  const passes = 2 * steps.length;
  const pointers = steps.map(() => code.local("i32"));
  const left = code.local("i32");
  const [both, low, high] = [code.local("v128"), code.local("v128"), code.local("v128")];
  for (let top = 0; top < height; top += ROWS_AT_ONCE)
    for (let first = 0; first < width; first += COLUMN_STEP) {
      const rows = Array.from({ length: Math.min(ROWS_AT_ONCE, height - top) }, (_, i) => top + i);
      const sums = rows.flatMap((row) =>
        [0, 1].map((half) => ({ local: code.temp("v128"), at: at + (row * width + first) * 4 + half * 16, row })),
      );
      const west = rows.map(() => code.temp("v128"));
      const used = new Set(
        [...rows.flatMap((row) => factors.rows[row]!), ...factors.columns[first]!].map((s) => s.pointer),
      );
      for (const pointer of used) code.get(pointer).set(pointers[pointer]!);
      for (const sum of sums) code.i32(0).mem("v128.load", sum.at).set(sum.local);
      code.get(passes).set(left);
      const loop = code.loop();
      for (let wave = 0; wave < factors.waves; wave += BLOCK) {
        rows.forEach((row, i) => {
          const { pointer, offset } = factors.rows[row]![wave]!;
          const load = `v128.load8x8_${signed.rows ? "s" : "u"}` as const;
          code.get(pointers[pointer]!).mem(load, offset).set(west[i]!);
        });
        for (let pair = 0; pair < BLOCK / 2; pair++) {
          const [one, other] = [
            factors.columns[first]![wave + 2 * pair]!,
            factors.columns[first]![wave + 2 * pair + 1]!,
          ];
          if (one.pointer === other.pointer && other.offset === one.offset + COLUMN_STEP) {
            code.get(pointers[one.pointer]!).mem("v128.load", one.offset);
            code.tee(both).get(both).shuffle(interleaved(COLUMN_STEP)).tee(both);
          } else {
            code.get(pointers[one.pointer]!).mem("v128.load64_zero", one.offset);
            code.get(pointers[other.pointer]!).mem("v128.load64_zero", other.offset);
            code.shuffle(interleaved(16)).tee(both);
          }
          const sign = signed.columns ? "s" : "u";
          code.op(`i16x8.extend_low_i8x16_${sign}`).set(low);
          code.get(both).op(`i16x8.extend_high_i8x16_${sign}`).set(high);
          west.forEach((row, i) => {
            code.get(row).get(row).shuffle(pairOf(pair)).set(both);
            [low, high].forEach((half, j) => {
              const { local } = sums[2 * i + j]!;
              code.get(both).get(half).op("i32x4.dot_i16x8_s").get(local).op("i32x4.add").set(local);
            });
          });
        }
      }
      for (const pointer of used)
        code.get(pointers[pointer]!).i32(steps[pointer]!).op("i32.add").set(pointers[pointer]!);
      code.get(left).i32(1).op("i32.sub").tee(left).brIf(loop);
      code.end();
      for (const { local, at, row } of sums) {
        const { pointer, most } = factors.rows[row]![0]!;
        if (most !== undefined)
          code
            .get(steps.length + pointer)
            .i32(most + rules.round.jointLeft)
            .op("i32.lt_s")
            .if();
        code.i32(0).get(local).mem("v128.store", at);
        if (most !== undefined) code.end();
      }
      code.free("v128", ...west, ...sums.map(({ local }) => local));
    }
  return code;
}

/** Bytes 0, n, 1, n + 1, ...: two waves of eight columns, column by column. */
export const interleaved = (n: number): number[] => Array.from({ length: 16 }, (_, i) => (i >> 1) + (i & 1) * n);
/** The 16-bit numbers of two waves, four times. */
export const pairOf = (pair: number): number[] => Array.from({ length: 16 }, (_, i) => pair * 4 + (i % 4));
