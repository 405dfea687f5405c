/**
 * The copying of im2col in WebAssembly with SIMD: taps of neighbouring pixels, 16 bytes at a time. It does not look at what it copies, so the
 * CPU's convolution uses it for taps of 16 bits (host/kernels/fast).
 */
import { Code } from "../sim/fast/wasm.js";
import { declareKernels } from "./wasm-kernels.js";

/** Bytes that are written at a time: up to 15 behind a run, which the next run, the filling or the next row overwrites. */
export const COPY_BYTES = 16;

/**
 * Rows of taps at `to`, `rowBytes` each, for `pixels` output pixels `pixelStep` apart in a picture with its border: from each of `lines`
 * lines, `runs` runs of `runBytes`; the rest of a row is `filler`. Up to 15 bytes behind the last row are written too.
 */
export type CopyTaps = (
  ...args: [
    image: number,
    to: number,
    pixels: number,
    pixelStep: number,
    lines: number,
    lineStep: number,
    runs: number,
    runStep: number,
    runBytes: number,
    rowBytes: number,
    filler: number,
  ]
) => void;

function copyTapsCode(): Code {
  const code = new Code(Array.from({ length: 11 }, () => "i32" as const));
  const [image, to, pixels, pixelStep, lines, lineStep, runs, runStep, runBytes, rowBytes, filler] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ] as const;
  const [at, line, lineCount, run, runCount, byte, end] = code.locals("i32", 7);
  const filling = code.local("v128");
  const step = (value: number, by: number): Code => code.get(value).get(by).op("i32.add").set(value);
  const again = (value: number): Code => code.get(value).i32(1).op("i32.sub").tee(value);
  code.get(filler).op("i8x16.splat").set(filling);
  const pixel = code.loop();
  code.get(to).set(at).get(image).set(line).get(lines).set(lineCount);
  const nextLine = code.loop();
  code.get(line).set(run).get(runs).set(runCount);
  const nextRun = code.loop();
  code.i32(0).set(byte);
  const copy = code.loop();
  code.get(at).get(byte).op("i32.add").get(run).get(byte).op("i32.add").mem("v128.load").mem("v128.store");
  code.get(byte).i32(COPY_BYTES).op("i32.add").tee(byte).get(runBytes).op("i32.lt_u").brIf(copy);
  code.end();
  step(at, runBytes);
  step(run, runStep);
  again(runCount).brIf(nextRun);
  code.end();
  step(line, lineStep);
  again(lineCount).brIf(nextLine);
  code.end();
  step(image, pixelStep);
  step(to, rowBytes);
  code.get(to).set(end);
  const filled = code.block();
  const fill = code.loop();
  code.get(at).get(end).op("i32.ge_u").brIf(filled);
  code.get(at).get(filling).mem("v128.store");
  code.get(at).i32(COPY_BYTES).op("i32.add").set(at).br(fill);
  code.end();
  code.end();
  again(pixels).brIf(pixel);
  code.end();
  return code;
}

export const openCopyTaps = declareKernels<{ readonly copyTaps: CopyTaps }>("im2col", () => ({
  copyTaps: copyTapsCode(),
}));
