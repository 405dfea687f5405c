/** MAX_POOL_2D in WebAssembly with SIMD: sixteen channels of a pixel at a time. */
import { declareKernels } from "../../../driver/wasm-kernels.js";
import { Code } from "../../../sim/fast/wasm.js";

/** Channels at a time; a layer must have as many. The last ones are done together with some before them. */
export const POOL_LANES = 16;
/** The largest of `lines` x `taps` pixels of `channels` bytes from `from` on, within the activation's range, to `to`. */
type Pixel = (
  ...args: [
    from: number,
    lines: number,
    lineBytes: number,
    taps: number,
    channels: number,
    to: number,
    min: number,
    max: number,
  ]
) => void;

export const openMaxPool = declareKernels<Readonly<Record<"int8" | "uint8", Pixel>>>("max pool", () => ({
  int8: pixelCode(true),
  uint8: pixelCode(false),
}));

function pixelCode(signed: boolean): Code {
  const code = new Code(Array.from({ length: 8 }, () => "i32" as const));
  const [from, lines, lineBytes, taps, channels, to, min, max] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const [block, line, lineCount, tap, tapCount, last] = code.locals("i32", 6);
  const most = code.local("v128");
  code.get(channels).i32(POOL_LANES).op("i32.sub").set(last);
  const next = code.loop();
  // The last block ends with the last channel.
  code.get(block).get(last).get(block).get(last).op("i32.lt_s").op("select").set(block);
  code.get(min).op("i8x16.splat").set(most);
  code.get(from).get(block).op("i32.add").set(line).get(lines).set(lineCount);
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
  return code;
}
