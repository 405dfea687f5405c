/**
 * The post-processor at level `cycle`: what it computes and where its tokens go, not yet how. One process does a vector of
 * outputs in a clock with TFLite's arithmetic as it is written down (gemmlowp's fixed point, arXiv 1712.05877), a 32 x 32
 * multiplication in one clock included, which no DSP does; the clocks of the pipeline that it will need are an estimate. It
 * has the ports of post-processor.ts, which took its place when the stages were worked out.
 */
import type { GemmConfig } from "../../driver/gemm/config.js";
import {
  asr,
  assert,
  clamp,
  doublingHighMul,
  i32,
  i8,
  roundingShiftRight,
  shl,
  u16,
  u32,
  u4,
  u8,
  vec,
  xorU,
} from "../../hw/index.js";
import type { I32, Module, Process, VecType, U8 } from "../../hw/index.js";
import { ParameterStore } from "./parameter-store.js";
import { u5, type U5 } from "./tokens.js";

/** Stages from the sums to the outputs: read, scale, multiply, round, shift, clamp. */
const STAGES = 6;

export class PostProcessorModel extends ParameterStore {
  static override readonly source = import.meta.url;
  readonly values: VecType<I32>;
  readonly shifts: VecType<U5>;
  readonly bytes: VecType<U8>;

  constructor(parent: Module, name: string, config: GemmConfig) {
    super(parent, name, config);
    this.values = vec(i32, config.lanes);
    this.shifts = vec(u5, config.lanes);
    this.bytes = vec(u8, config.lanes);
    this.clocked(this.requantise);
  }

  *requantise(): Process {
    for (;;) {
      const shape = yield* this.shiftJob.pop();
      const job = yield* this.clampJob.pop();
      assert(shape.vectors >= 1, "a layer has outputs");
      const planes = u4(shape.raw ? 4 : 1);
      yield* this.estimate(STAGES - 2);
      for (let i = u32(0); i < shape.vectors; i = u32(i + 1)) {
        const sums = yield* this.sums.pop();
        assert(sums.parameter < this.depth, "the parameters stand in their memory");
        this.read.read(sums.parameter);
        yield;
        const word = this.read.q;
        const scaled = this.values((l) => {
          const { bias, multiplier, left } = word[l]!;
          const x = i32(shl(i32(sums.values[l]! + bias), left % 16));
          return doublingHighMul(i32(shl(x, left < 16 ? 0 : 16)), multiplier);
        });
        const right = this.shifts((l) => word[l]!.right);
        const { part, complete, rows } = sums.place;
        let address = sums.place.address;
        let plane = u4(0);
        for (;;) {
          const low = u5(plane * 8);
          const bytes = this.bytes((l) => {
            const value = shape.raw ? i8(asr(scaled[l]!, low)) : roundingShiftRight(scaled[l]!, right[l]!);
            return u8(xorU(u8(clamp(value + job.zero, job.min, job.max)), job.flip));
          });
          const last = plane === planes - 1;
          for (let p = 0; p < this.parts; p++)
            if (part === p) yield* this.out[p]!.push({ bytes, address, complete: complete && last, rows });
          if (last) break;
          address = u16(address + shape.planeWords);
          plane = u4(plane + 1);
          yield;
        }
      }
    }
  }
}
