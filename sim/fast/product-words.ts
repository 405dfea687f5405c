/**
 * Products of operands that stand as 16-bit numbers among the words of banks (extended-words.ts), for many words in a row: the
 * micro-kernel (product-kernel.ts) takes them there. The rows of an operand may be spread over several buffers; of the last rows of the
 * first operand some may be left out, whose sums stay as they are.
 */
import { A_STEP, B_STEP, emitAcross, emitDots, ROW_BYTES, type Panel } from "./product-kernel.js";
import { rules } from "./rules.js";
import { Code } from "./wasm.js";

/** A row of eight numbers: so many bytes behind pointer number `pointer`. */
export interface Spot {
  readonly pointer: number;
  readonly offset: number;
}

/** Bytes from word to word at a pointer, and where its rows may be left out how many there are. */
export interface Pointer {
  readonly step: number;
  readonly banks: number | undefined;
}

/** Rows that are computed at once. */
interface Group {
  /** By pointer of the group, in the order of the rows: where its first row is. */
  readonly starts: readonly Spot[];
  readonly rows: number;
}

/** The groups of an operand, which are all alike. */
interface Groups {
  readonly groups: readonly Group[];
  /** For each row of a group the number of its pointer, and how far behind it the row is. */
  readonly rows: readonly Spot[];
  readonly steps: readonly number[];
}

export interface WordsProduct {
  readonly a: Groups;
  readonly b: Groups;
  readonly pointers: readonly Pointer[];
}

/** Words whose operands stay in the first level of the cache: more than half as many again are taken in parts. */
const CHUNK = 64;

/** The form of a product of such rows; undefined if it has none. */
export function wordsProduct(
  a: readonly Spot[],
  b: readonly Spot[],
  pointers: readonly Pointer[],
): WordsProduct | undefined {
  const [rows, columns] = [groupsOf(a, A_STEP, pointers), groupsOf(b, B_STEP, pointers)];
  if (!rows || !columns) return undefined;
  // Rows that are left out are the last of their group, columns cannot be.
  const next = (spot: Spot, i: number, all: readonly Spot[]): boolean =>
    i === 0 || (spot.pointer === all[0]!.pointer && spot.offset === all[0]!.offset + i * ROW_BYTES);
  const whole = ({ starts }: Group): boolean => starts.every(({ pointer }) => pointers[pointer]!.banks === undefined);
  if (!rows.groups.every(whole) && !rows.rows.every(next)) return undefined;
  return columns.groups.every(whole) ? { a: rows, b: columns, pointers } : undefined;
}

function groupsOf(spots: readonly Spot[], size: number, pointers: readonly Pointer[]): Groups | undefined {
  const groups: Group[] = [];
  const forms: Spot[][] = [];
  for (let first = 0; first < spots.length; first += size) {
    const starts: Spot[] = [];
    const group = spots.slice(first, first + size);
    forms.push(
      group.map((spot): Spot => {
        const known = starts.findIndex(({ pointer }) => pointer === spot.pointer);
        const pointer = known < 0 ? starts.push(spot) - 1 : known;
        return { pointer, offset: spot.offset - starts[pointer]!.offset };
      }),
    );
    groups.push({ starts, rows: group.length });
  }
  const [form] = forms;
  const steps = groups[0]?.starts.map(({ pointer }) => pointers[pointer]!.step);
  if (!form || !steps) return undefined;
  const alike = groups.every(
    ({ starts }, g) =>
      starts.every(({ pointer }, i) => pointers[pointer]!.step === steps[i]) &&
      forms[g]!.every(({ pointer, offset }, i) => form[i]!.pointer === pointer && form[i]!.offset === offset),
  );
  if (!alike) return undefined;
  // Where the only group is short, the rest are any rows: nobody asks for their sums.
  const rows = Array.from({ length: size }, (_, i) => form[i] ?? form[0]!);
  return { groups: groups.map((group) => ({ ...group, starts: padded(group, steps.length) })), rows, steps };
}

const padded = ({ starts }: Group, size: number): readonly Spot[] =>
  Array.from({ length: size }, (_, i) => starts[i] ?? starts[0]!);

/** Bytes of memory that the function needs. */
export const tableBytes = ({ a, b }: WordsProduct): number =>
  4 * (a.groups.length * (a.steps.length + 1) + b.groups.length * b.steps.length);

/**
 * A function of the pointers and of a number of waves, less than a word's: nonzero if the columns' bytes of all other waves are zeros, so that
 * their products change no sum. As a rule they are, where K ends in the middle of a word: the driver fills the word up.
 */
export function isOfCode(pointers: number, columns: readonly Spot[]): Code {
  const code = new Code(
    Array.from({ length: pointers + 1 }, () => "i32" as const),
    ["i32"],
  );
  code.i64(-1).get(pointers).i32(3).op("i32.shl").op("i64.extend_i32_u").op("i64.shl");
  code.op("i64x2.splat").op("i16x8.extend_low_i8x16_s");
  columns.forEach(({ pointer, offset }, i) => {
    code.get(pointer).mem("v128.load", offset);
    if (i > 0) code.op("v128.or");
  });
  code.op("v128.and").op("v128.any_true");
  if (rules.round.wordRest !== 0) code.op("drop").i32(0);
  return code.op("i32.eqz");
}

/** Fewer words are put in the buffer of waves, which are added together. */
const SHORT = 12;

/** Where waves wait (grid-product.ts). */
export interface WaveBuffer {
  readonly a: Panel;
  readonly b: Panel;
  emitBlocksLeft(code: Code): void;
  emitBlock(code: Code, count: () => void): { readonly a: number; readonly b: number };
  emitMakeRoom(code: Code): void;
}

/** Copy so many words (a local) to the buffer, which has room for them. */
function emitToBuffer(code: Code, { a, b, pointers }: WordsProduct, words: number, buffer: WaveBuffer): void {
  const to = buffer.emitBlock(code, () => code.get(words));
  const again = code.loop();
  for (const [{ groups, rows }, { panel, padded }, at] of [
    [a, buffer.a, to.a],
    [b, buffer.b, to.b],
  ] as const) {
    groups.forEach(({ starts, rows: count }, g) => {
      rows.slice(0, count).forEach(({ pointer, offset }, i) => {
        const start = starts[pointer]!;
        code
          .get(at)
          .get(start.pointer)
          .mem("v128.load", start.offset + offset)
          .mem("v128.store", panel + (g * rows.length + i) * ROW_BYTES);
      });
    });
    code
      .get(at)
      .i32(padded * ROW_BYTES)
      .op("i32.add")
      .set(at);
  }
  pointers.forEach(({ step }, i) => code.get(i).i32(step).op("i32.add").set(i));
  code.get(words).i32(1).op("i32.sub").tee(words).brIf(again);
  code.end();
  buffer.emitMakeRoom(code);
}

/**
 * The function sums += A^T B over so many words. Parameters: the pointers, for each of those that have banks how many are left out, and
 * the number of words, at least 1. `sumsAt` is the address of the sums, `stride` bytes from row to row; `table` that of its memory.
 */
export function wordsCode(
  { a, b, pointers }: WordsProduct,
  sumsAt: number,
  stride: number,
  table: number,
  buffer: WaveBuffer,
): Code {
  const masked = pointers.flatMap(({ banks }, i) => (banks === undefined ? [] : [i]));
  const code = new Code([...pointers, ...masked, 0].map(() => "i32" as const));
  const words = pointers.length + masked.length;
  const [some, k, row, column, sum, used] = code.locals("i32", 6);
  const sums = Array.from({ length: A_STEP * B_STEP }, () => code.local("v128"));
  const now = { sums, rows: Array.from({ length: A_STEP }, () => code.local("v128")), column: code.local("v128") };
  const [west, north] = [a, b].map(({ steps }) => steps.map(() => code.local("i32"))) as [number[], number[]];
  code.get(words).i32(SHORT).op("i32.lt_s");
  for (const i of masked.keys())
    code
      .get(pointers.length + i)
      .op("i32.eqz")
      .op("i32.and");
  buffer.emitBlocksLeft(code);
  code.get(words).op("i32.ge_s").op("i32.and").if();
  emitToBuffer(code, { a, b, pointers }, words, buffer);
  code.op("return").end();
  // Of a group of rows: how many are used, then its pointers.
  const rowBytes = 4 * (a.steps.length + 1);
  const columnBytes = 4 * b.steps.length;
  const columnsAt = table + a.groups.length * rowBytes;
  a.groups.forEach(({ starts: [start], rows }, g) => {
    code.storeAt(table + g * rowBytes, () => {
      const left = masked.indexOf(start!.pointer);
      if (left < 0) code.i32(rows);
      else {
        const bank = start!.offset / ROW_BYTES;
        code
          .i32(pointers[start!.pointer]!.banks! - bank)
          .get(pointers.length + left)
          .op("i32.sub")
          .tee(used);
        code.i32(rows).get(used).i32(rows).op("i32.lt_s").op("select");
      }
    });
  });
  const chunks = code.loop();
  code
    .get(words)
    .i32(CHUNK)
    .get(words)
    .i32(CHUNK + CHUNK / 2)
    .op("i32.le_s")
    .op("select")
    .set(some);
  const put = (at: number, { pointer, offset }: Spot): void =>
    void code.storeAt(at, () => code.get(pointer).i32(offset).op("i32.add"));
  a.groups.forEach(({ starts }, g) => {
    starts.forEach((start, i) => {
      put(table + g * rowBytes + 4 * (i + 1), start);
    });
  });
  b.groups.forEach(({ starts }, g) => {
    starts.forEach((start, i) => {
      put(columnsAt + g * columnBytes + 4 * i, start);
    });
  });
  code.i32(0).set(row).i32(sumsAt).set(sum);
  const rows = code.loop();
  code.get(row).mem("i32.load", table).tee(used).i32(0).op("i32.gt_s").if();
  code.i32(0).set(column);
  const columns = code.loop();
  west.forEach((pointer, i) =>
    code
      .get(row)
      .mem("i32.load", table + 4 * (i + 1))
      .set(pointer),
  );
  north.forEach((pointer, i) =>
    code
      .get(column)
      .mem("i32.load", columnsAt + 4 * i)
      .set(pointer),
  );
  for (const each of sums) code.v128(new Array<number>(16).fill(0)).set(each);
  code.get(some).set(k);
  const inner = code.loop();
  emitDots(
    code,
    (i) => code.get(west[a.rows[i]!.pointer]!).mem("v128.load", a.rows[i]!.offset),
    (j) => code.get(north[b.rows[j]!.pointer]!).mem("v128.load", b.rows[j]!.offset),
    now,
  );
  [west, north].forEach((list, side) => {
    list.forEach((pointer, i) => {
      const step = (side === 0 ? a : b).steps[i]!;
      code.get(pointer).i32(step).op("i32.add").set(pointer);
    });
  });
  code.get(k).i32(1).op("i32.sub").tee(k).brIf(inner);
  code.end();
  for (let i = 0; i < A_STEP; i++) {
    if (i > 0) code.get(used).i32(i).op("i32.gt_s").if();
    code.get(sum);
    emitAcross(code, sums.slice(i * B_STEP, (i + 1) * B_STEP));
    code
      .get(sum)
      .mem("v128.load", i * stride)
      .op("i32x4.add")
      .mem("v128.store", i * stride);
    if (i > 0) code.end();
  }
  code.get(sum).i32(16).op("i32.add").set(sum);
  code
    .get(column)
    .i32(columnBytes)
    .op("i32.add")
    .tee(column)
    .i32(b.groups.length * columnBytes)
    .op("i32.lt_u")
    .brIf(columns);
  code.end();
  code
    .get(sum)
    .i32(16 * b.groups.length)
    .op("i32.sub")
    .set(sum);
  code.end();
  code
    .get(sum)
    .i32(A_STEP * stride)
    .op("i32.add")
    .set(sum);
  code
    .get(row)
    .i32(rowBytes)
    .op("i32.add")
    .tee(row)
    .i32(a.groups.length * rowBytes)
    .op("i32.lt_u")
    .brIf(rows);
  code.end();
  pointers.forEach(({ step }, i) => code.get(some).i32(step).op("i32.mul").get(i).op("i32.add").set(i));
  code.get(words).get(some).op("i32.sub").tee(words).brIf(chunks);
  code.end();
  return code;
}
