/** A post-processor of SECDA's designs: a block of sums to a block of outputs, which leaves on a stream of its own. */
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
import type { ChannelOut, Process } from "../../hw/index.js";
import { BLOCK, POST_PROCESS } from "./facts.js";
import { Result } from "./tokens.js";

const Bytes = vec(u8, BLOCK);

export class PostProcessor extends Module {
  static readonly source = import.meta.url;
  readonly results = this.channelIn(Result);
  /** It takes another block. */
  readonly idle = this.channelOut(bool);
  /** The outputs of a tile's last block have left. */
  readonly drained = this.channelOut(bool);
  readonly stream: ChannelOut<Beat>;

  constructor(parent: Module, name: string) {
    super(parent, name);
    this.stream = this.channelOut(beatType(BLOCK));
    this.clocked(this.postProcess);
  }

  *postProcess(): Process {
    for (;;) {
      yield* this.idle.push(true);
      const { sums, parameters, terms, ending, final, last } = yield* this.results.pop();
      yield* this.estimate(POST_PROCESS - BLOCK);
      for (let r = u8(0); r < BLOCK; r = u8(r + 1)) {
        const data = Bytes((c) => {
          const sum = i32(sums[r]![c]! + parameters.bias[c]! - terms[r]!);
          const left = parameters.left[c]!;
          const half = i32(shl(sum, bits(left, 3, 0)));
          const scaled = doublingHighMul(i32(shl(half, bits(left, 4, 4) * 16)), parameters.multiplier[c]!);
          const value = roundingShiftRight(scaled, parameters.right[c]!) + ending.zero;
          return u8(xorU(u8(clamp(value, ending.min, ending.max)), ending.flip));
        });
        yield* this.stream.push({ data, last: last && r === BLOCK - 1 });
        yield;
      }
      if (final) yield* this.drained.push(true);
    }
  }
}
