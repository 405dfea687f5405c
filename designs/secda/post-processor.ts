/** The arithmetic of SECDA's post-processors, and VM's: a block of sums to a block of outputs, which leaves on a stream of its own. */
import { beatType, type Beat } from "../../driver/stream.js";
import {
  bits,
  bool,
  clamp,
  doublingHighMul,
  i32,
  Module,
  roundingShiftRight,
  shl,
  u8,
  vec,
  xorU,
} from "../../hw/index.js";
import type { ChannelOut, I32, Process, U8 } from "../../hw/index.js";
import { BLOCK, POST_AGAIN, POST_PROCESS, POST_READY } from "./facts.js";
import { Result, type Ending, type Parameters } from "./tokens.js";

const Bytes = vec(u8, BLOCK);

/** A sum of channel `c` of a block as its output: TFLite's arithmetic, not SECDA's single rounding. */
export function requantised(sum: I32, c: number, parameters: Parameters, ending: Ending): U8 {
  const left = parameters.left[c]!;
  const half = i32(shl(i32(sum + parameters.bias[c]!), bits(left, 3, 0)));
  const scaled = doublingHighMul(i32(shl(half, bits(left, 4, 4) * 16)), parameters.multiplier[c]!);
  const value = roundingShiftRight(scaled, parameters.right[c]!) + ending.zero;
  return u8(xorU(u8(clamp(value, ending.min, ending.max)), ending.flip));
}

export class PostProcessor extends Module {
  static readonly source = import.meta.url;
  readonly results = this.channelIn(Result);
  /** It takes another block. */
  readonly idle = this.channelOut(bool);
  /** The outputs of the last block of a COMPUTE have left. */
  readonly drained = this.channelOut(bool);
  readonly stream: ChannelOut<Beat>;

  constructor(parent: Module, name: string) {
    super(parent, name);
    this.stream = this.channelOut(beatType(BLOCK));
    this.clocked(this.postProcess);
  }

  *postProcess(): Process {
    yield* this.idle.push(true);
    for (;;) {
      const { sums, parameters, terms, ending, last } = yield* this.results.pop();
      yield* this.estimate(POST_PROCESS - BLOCK);
      for (let r = u8(0); r < BLOCK; r = u8(r + 1)) {
        const data = Bytes((c) => requantised(i32(sums[r]![c]! - terms[r]!), c, parameters, ending));
        yield* this.stream.push({ data, last: last && r === BLOCK - 1 });
        yield;
      }
      yield* this.estimate(POST_READY);
      yield* this.idle.push(true);
      yield* this.estimate(POST_AGAIN);
      if (last) yield* this.drained.push(true);
    }
  }
}
