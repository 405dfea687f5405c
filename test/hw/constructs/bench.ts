/** A module with ports of several kinds, for examples that only differ in what their process does. */
import { bool, i32, i8, Module, struct, u32, u4, u8, vec, type Process } from "../../../hw/index.js";

export const Word = vec(i8, 4);
export const Pair = struct({ low: i8, high: i8 });

export abstract class Bench extends Module {
  static readonly source = import.meta.url;
  readonly a = this.channelIn(i8);
  readonly n = this.channelIn(u8);
  readonly wide = this.channelIn(u32);
  readonly v = this.channelIn(Word);
  readonly y = this.channelOut(i32);
  readonly out = this.channelOut(Word);
  readonly pairs = this.channelOut(Pair);
  readonly flag = this.channelIn(bool);
  readonly op = this.channelIn(u4);

  constructor() {
    super(null, "bench");
    this.clocked(this.run);
  }

  abstract run(): Process;
}
