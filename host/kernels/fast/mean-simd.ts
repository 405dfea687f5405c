/** MEAN over neighbouring axes in WebAssembly with SIMD: eight sums at a time, requantised where they are. */
import { declareKernels } from "../../../driver/wasm-kernels.js";
import { Code } from "../../../sim/fast/wasm.js";
import { emitRequantise, LANES } from "./requantise-simd.js";

/**
 * `inner` outputs, each the requantised sum of `start` and of its byte in `count` runs of `inner` bytes; at least one of each. Tables: those of eight equal
 * channels. Up to seven bytes behind the input are read, and as many behind the output written.
 */
type Mean = (
  ...args: [
    from: number,
    to: number,
    count: number,
    inner: number,
    start: number,
    tables: number,
    zero: number,
    clampMin: number,
    clampMax: number,
  ]
) => void;

export const openMean = declareKernels<Readonly<Record<"int8" | "uint8", Mean>>>("mean", () => ({
  int8: meanCode(true),
  uint8: meanCode(false),
}));

function meanCode(signed: boolean): Code {
  const code = new Code(Array.from({ length: 9 }, () => "i32" as const));
  const [from, to, count, inner, start, tables, zero, clampMin, clampMax] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;
  const [at, left, first, block, padded] = code.locals("i32", 5);
  const [low, high, words] = [code.local("v128"), code.local("v128"), code.local("v128")];
  const sign = signed ? "s" : "u";
  code.i32(LANES).set(padded);
  const nextBlock = code.loop();
  code.get(start).op("i32x4.splat").tee(low).set(high);
  code.get(from).get(first).op("i32.add").set(at).get(count).set(left);
  const next = code.loop();
  code.get(at).mem(`v128.load8x8_${sign}`).set(words);
  code.get(low).get(words).op(`i32x4.extend_low_i16x8_${sign}`).op("i32x4.add").set(low);
  code.get(high).get(words).op(`i32x4.extend_high_i16x8_${sign}`).op("i32x4.add").set(high);
  code.get(at).get(inner).op("i32.add").set(at);
  code.get(left).i32(1).op("i32.sub").tee(left).brIf(next);
  code.end();
  [low, high].forEach((value, i) =>
    emitRequantise(code, value, 4 * i, { table: tables, block, tables, padded, zero, clampMin, clampMax }),
  );
  code.get(low).get(high).op("i16x8.narrow_i32x4_s").tee(low).get(low);
  code.op(`i8x16.narrow_i16x8_${sign}`).set(low);
  code.get(to).get(first).op("i32.add").get(low).storeLane(8, 0, 0);
  code.get(first).i32(LANES).op("i32.add").tee(first).get(inner).op("i32.lt_s").brIf(nextBlock);
  code.end();
  return code;
}
