/** Times that are apart evenly, written four at once. */
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

/** `count` numbers from `first` on, `step` apart, go to the address `at`. All are locals. What stands behind them stays. */
export function emitSeries(code: Code, at: number, first: number, count: number, step: () => void): void {
  const behind = code.temp("v128");
  const [to, end, four, by] = [code.temp("i32"), code.temp("i32"), code.temp("v128"), code.temp("v128")];
  step();
  if (rules.round.rangeTime !== 0) code.i32(rules.round.rangeTime).op("i32.add");
  code.op("i32x4.splat").set(by);
  const numbers = [0, 1, 2, 3].flatMap((n) => [n, 0, 0, 0]);
  code.get(by).v128(numbers).op("i32x4.mul").get(first).op("i32x4.splat").op("i32x4.add").set(four);
  code.get(by).i32(2).op("i32x4.shl").set(by);
  code.get(at).tee(to).get(count).i32(2).op("i32.shl").op("i32.add").set(end);
  code.get(end).mem("v128.load").set(behind);
  const loop = code.loop();
  code.get(to).get(four).mem("v128.store");
  code.get(four).get(by).op("i32x4.add").set(four);
  code.get(to).i32(16).op("i32.add").tee(to).get(end).op("i32.lt_u").brIf(loop);
  code.end();
  code.get(end).get(behind).mem("v128.store");
  code.free("i32", to, end);
  code.free("v128", four, by, behind);
}
