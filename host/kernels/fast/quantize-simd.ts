/** QUANTIZE of floating-point numbers in WebAssembly with SIMD: eight at a time. */
import { declareKernels } from "../../../driver/wasm-kernels.js";
import { Code } from "../../../sim/fast/wasm.js";

/** Numbers at a time; as many less one behind the last are read, and their bytes written. */
export const QUANTISED = 8;
/** `count` numbers (32 bits) over the scale, rounded with ties away from zero, NaN to 0, with the zero point, to bytes within a range. The scale as its 32 bits. */
type Quantise = (
  ...args: [from: number, to: number, count: number, scale: number, zero: number, min: number, max: number]
) => void;

export const openQuantise = declareKernels<Readonly<Record<"int8" | "uint8", Quantise>>>("quantise", () => ({
  int8: quantiseCode(true),
  uint8: quantiseCode(false),
}));

/** Whatever is further from zero is clamped, wherever the zero point lies. */
const FAR = 2 ** 20;
/** 0.5 as a number of 32 bits. */
const HALF = 0x3f000000;
const SIGN = -(2 ** 31);

function quantiseCode(signed: boolean): Code {
  const code = new Code(Array.from({ length: 7 }, () => "i32" as const));
  const [from, to, count, scale, zero, min, max] = [0, 1, 2, 3, 4, 5, 6] as const;
  const values = [code.local("v128"), code.local("v128")] as const;
  const [whole, rest] = [code.local("v128"), code.local("v128")];
  const next = code.loop();
  values.forEach((value, i) => {
    code
      .get(from)
      .mem("v128.load", 16 * i)
      .get(scale)
      .op("i32x4.splat")
      .op("f32x4.div")
      .tee(value);
    // Towards zero; what is left out is exact, but where it does not matter, and decides.
    code.op("i32x4.trunc_sat_f32x4_s").i32(FAR).op("i32x4.splat").op("i32x4.min_s");
    code.i32(-FAR).op("i32x4.splat").op("i32x4.max_s").set(whole);
    code.get(value).get(whole).op("f32x4.convert_i32x4_s").op("f32x4.sub").set(rest);
    // A comparison that holds gives -1.
    code.get(whole).get(rest).i32(HALF).op("i32x4.splat").op("f32x4.ge").op("i32x4.sub");
    code
      .get(rest)
      .i32(HALF | SIGN)
      .op("i32x4.splat")
      .op("f32x4.le")
      .op("i32x4.add");
    code.get(zero).op("i32x4.splat").op("i32x4.add");
    code.get(min).op("i32x4.splat").op("i32x4.max_s").get(max).op("i32x4.splat").op("i32x4.min_s").set(value);
  });
  code.get(values[0]).get(values[1]).op("i16x8.narrow_i32x4_s").tee(whole).get(whole);
  code.op(signed ? "i8x16.narrow_i16x8_s" : "i8x16.narrow_i16x8_u").set(whole);
  code.get(to).get(whole).storeLane(8, 0, 0);
  code
    .get(from)
    .i32(4 * QUANTISED)
    .op("i32.add")
    .set(from)
    .get(to)
    .i32(QUANTISED)
    .op("i32.add")
    .set(to);
  code.get(count).i32(QUANTISED).op("i32.sub").tee(count).i32(0).op("i32.gt_s").brIf(next);
  code.end();
  return code;
}
