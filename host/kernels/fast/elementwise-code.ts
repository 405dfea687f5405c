/** Operators by tables and by whole runs of bytes in WebAssembly: JavaScript does them as fast when V8 has compiled it well, which is later. */
import { declareKernels } from "../../../driver/wasm-kernels.js";
import { Code } from "../../../sim/fast/wasm.js";
import { emitRequantise, LANES } from "./requantise-simd.js";

interface Elementwise {
  /** `to[i] = table[from[i]]`, bytes; at least one. */
  readonly lookup: (from: number, to: number, count: number, table: number) => void;
  /** `to[i] = table[a[i] << 8 | b[i]]`, bytes; at least one. */
  readonly lookupPairs: (a: number, b: number, to: number, count: number, table: number) => void;
  /**
   * A table for `lookupPairs`: `a` and `b` are addresses of 256 words, whose sums are requantised by the tables of eight equal channels
   * (requantise-simd.ts).
   */
  readonly pairsSigned: Pairs;
  readonly pairsUnsigned: Pairs;
  /**
   * `sums[i]` (words) of the products of a row of 16 bits with row i of `count` rows of bytes, `length` in each, at least one; behind the row of 16 bits
   * there are zeros up to the next multiple of eight.
   */
  readonly dotsSigned: Dots;
  readonly dotsUnsigned: Dots;
  /** `count` runs of `bytes` at `from` to every `step` bytes at `to`. */
  readonly spread: (from: number, to: number, count: number, bytes: number, step: number) => void;
}

type Dots = (row: number, weights: number, sums: number, count: number, length: number) => void;

type Pairs = (
  ...args: [a: number, b: number, to: number, tables: number, zero: number, clampMin: number, clampMax: number]
) => void;

export const openElementwise = declareKernels<Elementwise>("elementwise", () => ({
  lookup: lookupCode(),
  lookupPairs: lookupPairsCode(),
  pairsSigned: pairsCode(true),
  pairsUnsigned: pairsCode(false),
  dotsSigned: dotsCode(true),
  dotsUnsigned: dotsCode(false),
  spread: spreadCode(),
}));

const withParameters = (count: number): Code => new Code(Array.from({ length: count }, () => "i32" as const));

const step = (code: Code, local: number, by: number): Code => code.get(local).i32(by).op("i32.add").set(local);

function lookupCode(): Code {
  const code = withParameters(4);
  const [from, to, count, table] = [0, 1, 2, 3];
  const next = code.loop();
  code.get(to).get(table).get(from).mem("i32.load8_u").op("i32.add").mem("i32.load8_u").mem("i32.store8");
  step(code, from, 1);
  step(code, to, 1);
  code.get(count).i32(1).op("i32.sub").tee(count).brIf(next);
  code.end();
  return code;
}

function lookupPairsCode(): Code {
  const code = withParameters(5);
  const [a, b, to, count, table] = [0, 1, 2, 3, 4] as const;
  const next = code.loop();
  code.get(to);
  code.get(a).mem("i32.load8_u").i32(8).op("i32.shl").get(b).mem("i32.load8_u").op("i32.or");
  code.get(table).op("i32.add").mem("i32.load8_u").mem("i32.store8");
  for (const local of [a, b, to]) step(code, local, 1);
  code.get(count).i32(1).op("i32.sub").tee(count).brIf(next);
  code.end();
  return code;
}

function pairsCode(signed: boolean): Code {
  const code = withParameters(7);
  const [a, b, to, tables, zero, clampMin, clampMax] = [0, 1, 2, 3, 4, 5, 6] as const;
  const [padded, block, endOfA, at, endOfB] = code.locals("i32", 5);
  const [first, low, high] = [code.local("v128"), code.local("v128"), code.local("v128")];
  code.i32(LANES).set(padded).get(a).i32(1024).op("i32.add").set(endOfA).get(b).i32(1024).op("i32.add").set(endOfB);
  const nextA = code.loop();
  code.get(a).mem("i32.load").op("i32x4.splat").set(first).get(b).set(at);
  const nextB = code.loop();
  [low, high].forEach((value, i) => {
    code
      .get(at)
      .mem("v128.load", 16 * i)
      .get(first)
      .op("i32x4.add")
      .set(value);
    emitRequantise(code, value, 4 * i, { table: tables, block, tables, padded, zero, clampMin, clampMax });
  });
  code.get(low).get(high).op("i16x8.narrow_i32x4_s").tee(low).get(low);
  code.op(signed ? "i8x16.narrow_i16x8_s" : "i8x16.narrow_i16x8_u").set(low);
  code.get(to).get(low).storeLane(8, 0, 0);
  step(code, to, LANES);
  step(code, at, 4 * LANES);
  code.get(at).get(endOfB).op("i32.lt_u").brIf(nextB);
  code.end();
  step(code, a, 4);
  code.get(a).get(endOfA).op("i32.lt_u").brIf(nextA);
  code.end();
  return code;
}

function dotsCode(signed: boolean): Code {
  const code = withParameters(5);
  const [row, weights, sums, count, length] = [0, 1, 2, 3, 4];
  const [at, i] = code.locals("i32", 2);
  const total = code.local("v128");
  const next = code.loop();
  code.get(row).set(at).i32(0).set(i).i32(0).op("i32x4.splat").set(total);
  const inner = code.loop();
  code.get(at).mem("v128.load");
  code
    .get(weights)
    .get(i)
    .op("i32.add")
    .mem(signed ? "v128.load8x8_s" : "v128.load8x8_u");
  code.op("i32x4.dot_i16x8_s").get(total).op("i32x4.add").set(total);
  step(code, at, 16);
  code.get(i).i32(8).op("i32.add").tee(i).get(length).op("i32.lt_s").brIf(inner);
  code.end();
  code.get(sums);
  [0, 1, 2, 3].forEach((lane) => {
    code.get(total).extractI32(lane);
    if (lane > 0) code.op("i32.add");
  });
  code.mem("i32.store");
  step(code, sums, 4);
  code.get(weights).get(length).op("i32.add").set(weights);
  code.get(count).i32(1).op("i32.sub").tee(count).brIf(next);
  code.end();
  return code;
}

function spreadCode(): Code {
  const code = withParameters(5);
  const [from, to, count, bytes, stride] = [0, 1, 2, 3, 4];
  const next = code.loop();
  code.get(to).get(from).get(bytes).memoryCopy();
  code.get(from).get(bytes).op("i32.add").set(from);
  code.get(to).get(stride).op("i32.add").set(to);
  code.get(count).i32(1).op("i32.sub").tee(count).brIf(next);
  code.end();
  return code;
}
