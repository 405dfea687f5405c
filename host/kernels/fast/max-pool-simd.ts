/** MAX_POOL_2D in WebAssembly with SIMD: sixteen channels of a pixel at a time. */
import { declareKernels } from "../../../driver/wasm-kernels.js";
import { Code } from "../../../sim/fast/wasm.js";

/** Channels at a time; a layer must have as many. The last ones are done together with some before them. */
export const POOL_LANES = 16;
/**
 * A row of `outs` output pixels from `to` on: each the largest of `lines` x `filter` pixels of `channels` bytes, those that lie beside the picture left out, within
 * the activation's range. `from` is the first of these lines, `width` pixels long; the first output's pixels begin `before` pixels left of it, the next `stride` further.
 */
type Row = (
  ...args: [
    from: number,
    lines: number,
    width: number,
    channels: number,
    to: number,
    outs: number,
    filter: number,
    stride: number,
    before: number,
    min: number,
    max: number,
  ]
) => void;

export const openMaxPool = declareKernels<Readonly<Record<"int8" | "uint8", Row>>>("max pool", () => ({
  int8: rowCode(true),
  uint8: rowCode(false),
}));

function rowCode(signed: boolean): Code {
  const code = new Code(Array.from({ length: 11 }, () => "i32" as const));
  const [from, lines, width, channels, to, outs, filter, stride, before, min, max] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ] as const;
  const [left, first, taps, start, lineBytes] = code.locals("i32", 5);
  const [block, line, lineCount, tap, tapCount, last] = code.locals("i32", 6);
  const most = code.local("v128");
  code.get(channels).i32(POOL_LANES).op("i32.sub").set(last);
  code.get(width).get(channels).op("i32.mul").set(lineBytes);
  code.i32(0).get(before).op("i32.sub").set(left);
  const nextPixel = code.loop();
  code.i32(0).get(left).get(left).i32(0).op("i32.lt_s").op("select").set(first);
  code.get(left).get(filter).op("i32.add").tee(taps).get(width).get(taps).get(width).op("i32.lt_s").op("select");
  code.get(first).op("i32.sub").set(taps);
  code.get(from).get(first).get(channels).op("i32.mul").op("i32.add").set(start).i32(0).set(block);
  const next = code.loop();
  // The last block ends with the last channel.
  code.get(block).get(last).get(block).get(last).op("i32.lt_s").op("select").set(block);
  code.get(min).op("i8x16.splat").set(most);
  code.get(start).get(block).op("i32.add").set(line).get(lines).set(lineCount);
  const nextLine = code.loop();
  code.get(line).set(tap).get(taps).set(tapCount);
  const nextTap = code.loop();
  code.get(tap).mem("v128.load").get(most);
  code.op(signed ? "i8x16.max_s" : "i8x16.max_u").set(most);
  code.get(tap).get(channels).op("i32.add").set(tap);
  code.get(tapCount).i32(1).op("i32.sub").tee(tapCount).brIf(nextTap);
  code.end();
  code.get(line).get(lineBytes).op("i32.add").set(line);
  code.get(lineCount).i32(1).op("i32.sub").tee(lineCount).brIf(nextLine);
  code.end();
  code.get(to).get(block).op("i32.add").get(most).get(max).op("i8x16.splat");
  code.op(signed ? "i8x16.min_s" : "i8x16.min_u").mem("v128.store");
  code.get(block).i32(POOL_LANES).op("i32.add").tee(block).get(channels).op("i32.lt_s").brIf(next);
  code.end();
  code.get(to).get(channels).op("i32.add").set(to).get(left).get(stride).op("i32.add").set(left);
  code.get(outs).i32(1).op("i32.sub").tee(outs).brIf(nextPixel);
  code.end();
  return code;
}
