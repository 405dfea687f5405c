/** Vector expressions that the fast engine has special forms for: shifts by lane, wide products, bytes, choices of all lanes alike. */
import {
  andU,
  asr,
  bits,
  bool,
  clamp,
  doublingHighMul,
  i32,
  i8,
  Module,
  orU,
  roundingShiftRight,
  shl,
  struct,
  u16,
  u32,
  uint,
  int,
  u8,
  vec,
  xorU,
  type Process,
} from "../../../hw/index.js";

const u5 = uint(5);
const i10 = int(10);

export const LANES = 16;
const Words = vec(i32, LANES);
const Bytes = vec(u8, LANES);
const Few = vec(u8, 8);
const Small = vec(i8, 12);

export const Operands = struct({
  x: Words,
  y: Words,
  n: vec(u5, LANES),
  bytes: Bytes,
  few: Few,
  signed: Small,
  /** Ten bits each. */
  narrow: vec(i10, LANES),
  low: i8,
  top: i8,
  by: u5,
  held: u8,
  flag: bool,
});
const Results = struct({
  shifted: Words,
  alike: Words,
  left: Words,
  times: Words,
  high: Words,
  rest: vec(u16, LANES),
  low: vec(u32, LANES),
  halved: vec(u32, LANES),
  carried: Words,
  scaled: Words,
  limited: Words,
  doubled: Words,
  chosen: vec(i10, LANES),
  turned: Few,
  joined: Few,
  mixed: Bytes,
  flags: vec(bool, LANES),
  less: vec(bool, 12),
  clamped: Bytes,
  within: Small,
  lesser: Bytes,
  greater: Bytes,
});

export class Vectors extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(Operands);
  readonly out = this.channelOut(Results);

  constructor() {
    super(null, "vectors");
    this.clocked(this.run);
  }

  *run(): Process {
    let kept = Few.zero();
    for (;;) {
      const { x, y, n, bytes, few, signed, narrow, low, top, by, held, flag } = yield* this.in.pop();
      const turned = Few((b) => few[andU(u8(b - held), 7)]!);
      const joined = Few((b) => (b < held ? kept[b]! : turned[b]!));
      kept = Few((b) => (flag || b >= held ? turned[b]! : kept[b]!));
      yield* this.out.push({
        shifted: Words((l) => roundingShiftRight(x[l]!, n[l]!)),
        alike: Words((l) => roundingShiftRight(x[l]!, by)),
        left: Words((l) => i32(shl(x[l]! + y[l]!, bits(n[l]!, 3, 0)))),
        times: Words((l) => i32(x[l]! * 16)),
        high: Words((l) => i32(asr(asr(x[l]!, 16) * y[l]!, 15))),
        rest: vec(u16, LANES)((l) => u16(bits(asr(x[l]!, 16) * y[l]!, 14, 0))),
        low: vec(u32, LANES)((l) => u32(asr(bits(x[l]!, 15, 0) * y[l]!, 16))),
        halved: vec(u32, LANES)((l) => u32(asr(bits(x[l]!, 31, 0) + bits(y[l]!, 31, 0), 1))),
        carried: Words((l) => i32(asr(bits(x[l]!, 15, 0) + bits(y[l]!, 31, 0) + 16384, 15))),
        scaled: Words((l) => i32(asr(x[l]! * asr(y[l]!, 12), 11))),
        limited: Words((l) => i32(clamp(x[l]!, -1000, 65536))),
        doubled: Words((l) => doublingHighMul(x[l]!, y[l]!)),
        chosen: vec(
          i10,
          LANES,
        )((l) => (flag ? i10(i8(asr(x[l]!, by))) : i10(clamp(roundingShiftRight(y[l]!, n[l]!), -512, 511)))),
        turned,
        joined,
        mixed: Bytes((l) => u8(xorU(orU(bytes[l]!, 5), u8(bytes[15 - l]! - held)))),
        flags: vec(bool, LANES)((l) => bytes[l]! > l * 16 && !(bytes[l]! === held)),
        less: vec(bool, 12)((l) => signed[l]! < signed[11 - l]!),
        clamped: Bytes((l) => u8(xorU(u8(clamp(narrow[l]! + low, low, top)), held))),
        within: Small((l) => i8(clamp(narrow[l]! * 9 - signed[l]!, low, top))),
        lesser: Bytes((l) => u8(Math.min(Math.max(narrow[l]! - bytes[l]!, 0), held))),
        greater: Bytes((l) => u8(Math.max(Math.min(narrow[15 - l]!, 200), held))),
      });
      yield;
    }
  }
}
