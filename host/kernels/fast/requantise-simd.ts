/**
 * TFLite's requantisation in WebAssembly with SIMD: four int32 sums to four clamped outputs, in 64-bit lanes. The arithmetic is
 * `multiplyByQuantisedMultiplier`'s (host/kernels/arithmetic.ts), for multipliers that are not negative.
 */
import type { ConvLayer } from "../../../driver/layer.js";
import type { Code } from "../../../sim/fast/wasm.js";
import type { QuantisedMultiplier } from "../arithmetic.js";

/** Channels at a time, in all kernels with SIMD. */
export const LANES = 8;
/** Per channel, in arrays one after the other: bias, left shift's factor, multiplier (32 bits); what follows (64 bits). */
export const TABLE_BYTES = 3 * 4 + 3 * 8;

/** Numbers of locals. */
export interface Tables {
  /** Address of the first table's entries of this block of channels, the first channel of the block, and address of the tables. */
  readonly table: number;
  readonly block: number;
  readonly tables: number;
  /** Channels that the tables have room for. */
  readonly padded: number;
  readonly zero: number;
  readonly clampMin: number;
  readonly clampMax: number;
}

/**
 * Four sums, those of channels `first` to `first + 3` of the block, to outputs: the doubling high multiply is (a * b + 2^30) >> 31;
 * the rounding shift by e, ties away from zero, is (x + 2^(e - 1) - (x < 0)) >> e, and the shift a multiplication by 2^(32 - e) of
 * which the upper half counts, since lanes have no shifts of their own.
 */
export function emitRequantise(code: Code, sums: number, first: number, p: Tables): void {
  const [multiplier, half, sign, wide] = [code.temp("v128"), code.temp("v128"), code.temp("v128"), code.temp("i32")];
  const halves = [code.temp("v128"), code.temp("v128")];
  // Array `index` of 32 bits: table + index * padded * 4 + first * 4.
  const load = (index: number): void => {
    code
      .get(p.table)
      .get(p.padded)
      .i32(4 * index)
      .op("i32.mul")
      .op("i32.add")
      .mem("v128.load", first * 4);
  };
  code.get(sums);
  load(1);
  code.op("i32x4.mul").set(sums);
  load(2);
  code.set(multiplier);
  // The arrays of 64 bits stand behind the three of 32: tables + padded * 12 + block * 8 + first * 8.
  code.get(p.tables).get(p.padded).i32(12).op("i32.mul").op("i32.add");
  code.get(p.block).i32(3).op("i32.shl").op("i32.add").set(wide);
  const load64 = (index: number, offset: number): void => {
    code
      .get(wide)
      .get(p.padded)
      .i32(8 * index)
      .op("i32.mul")
      .op("i32.add")
      .mem("v128.load", offset);
  };
  (["i64x2.extmul_low_i32x4_s", "i64x2.extmul_high_i32x4_s"] as const).forEach((product, i) => {
    const offset = first * 8 + i * 16;
    code
      .get(sums)
      .get(multiplier)
      .op(product)
      .i64(2 ** 30)
      .op("i64x2.splat")
      .op("i64x2.add");
    code.i32(31).op("i64x2.shr_s").set(half);
    code.get(half).i32(63).op("i64x2.shr_s");
    load64(1, offset);
    code.op("v128.and").set(sign);
    code.get(half);
    load64(0, offset);
    code.op("i64x2.add").get(sign).op("i64x2.add");
    load64(2, offset);
    code.op("i64x2.mul").set(halves[i]!);
  });
  // The upper 32 bits of four products.
  code.get(halves[0]!).get(halves[1]!).shuffle([4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31]);
  code.get(p.zero).op("i32x4.splat").op("i32x4.add");
  code.get(p.clampMin).op("i32x4.splat").op("i32x4.max_s");
  code.get(p.clampMax).op("i32x4.splat").op("i32x4.min_s").set(sums);
  code.free("v128", multiplier, half, sign, ...halves);
  code.free("i32", wide);
}

/** What of a layer the tables are made of. */
export type Requantised = Pick<ConvLayer, "outChannels" | "bias" | "multipliers" | "shifts">;

/** True if a layer's requantisation is what the code does. */
export const requantisesInSimd = ({ multipliers, shifts }: Requantised): boolean =>
  multipliers.every((multiplier) => multiplier >= 0) &&
  shifts.every((shift, c) => shift <= 31 && (shift >= -31 || multipliers[c] === 0));

/** Writes the tables of a layer at the start of `bytes`, with room for `padded` channels. */
export function writeTables(
  bytes: Uint8Array,
  { outChannels, bias, multipliers, shifts }: Requantised,
  padded: number,
): void {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, 3 * padded);
  // Of 64 bits, the lower half first.
  const wide = new Int32Array(bytes.buffer, bytes.byteOffset + 12 * padded, 6 * padded);
  // Half of what the shift drops, whether there is a shift, and 2^(32 - right).
  const [sign, power] = [2 * padded, 4 * padded];
  // Once a channel, and in a first run nothing but V8's interpreter does it: nothing is made that need not be.
  for (let c = 0, half = 0; c < outChannels; c++, half += 2) {
    const shift = shifts[c]!;
    words[c] = bias[c]!;
    words[padded + c] = shift > 0 ? 1 << shift : 1;
    words[2 * padded + c] = multipliers[c]!;
    const right = shift < -31 ? 31 : -shift;
    if (right > 0) {
      wide[half] = 1 << (right - 1);
      wide[sign + half] = wide[sign + half + 1] = -1;
      wide[power + half] = 1 << (32 - right);
      wide[half + 1] = wide[power + half + 1] = 0;
    } else {
      wide[half] = wide[half + 1] = wide[sign + half] = wide[sign + half + 1] = wide[power + half] = 0;
      wide[power + half + 1] = 1;
    }
  }
}

/** As for eight channels alike, whose sums stand for themselves. */
export const equalChannels = ({ multiplier, shift }: QuantisedMultiplier): Requantised => ({
  outChannels: LANES,
  bias: new Int32Array(LANES),
  multipliers: new Int32Array(LANES).fill(multiplier),
  shifts: new Int32Array(LANES).fill(shift),
});
