/**
 * The post-processor: from int32 sums to int8 outputs, `lanes` a clock, in a pipeline of five processes. The arithmetic is
 * TFLite's reference (gemmlowp's fixed point, Jacob et al., arXiv 1712.05877), to the bit:
 *
 *     out = clamp(zero + roundingShiftRight(doublingHighMul((sum + bias) << left, multiplier), right))
 *
 * With a multiplier that is not negative, doublingHighMul(x, m) = floor((x m + 2^30) / 2^31). Two 16 x 31 bit products
 * (two DSP48E1 each) make it: x m = high 2^16 + low, of which the low 16 bits of low cannot carry into the result.
 */
import type { GemmConfig } from "../../driver/gemm/config.js";
import {
  asr,
  assert,
  bits,
  clamp,
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
import type { Channel, I32, Module, Process, U16, U32, U8, VecType } from "../../hw/index.js";
import { ParameterStore } from "./parameter-store.js";
import {
  productType,
  roundedType,
  scaledType,
  shiftedType,
  i10,
  u5,
  type I10,
  type U5,
  type TokenOf,
} from "./tokens.js";

export class PostProcessor extends ParameterStore {
  static override readonly source = import.meta.url;
  readonly values: VecType<I32>;
  readonly narrow: VecType<I10>;
  readonly shifts: VecType<U5>;
  readonly rests: VecType<U16>;
  readonly lows: VecType<U32>;
  readonly bytes: VecType<U8>;

  readonly scaled: Channel<TokenOf<typeof scaledType>>;
  readonly products: Channel<TokenOf<typeof productType>>;
  readonly rounded: Channel<TokenOf<typeof roundedType>>;
  readonly shifted: Channel<TokenOf<typeof shiftedType>>;

  constructor(parent: Module, name: string, config: GemmConfig) {
    super(parent, name, config);
    const { lanes } = config;
    this.values = vec(i32, lanes);
    this.narrow = vec(i10, lanes);
    this.shifts = vec(u5, lanes);
    this.rests = vec(u16, lanes);
    this.lows = vec(u32, lanes);
    this.bytes = vec(u8, lanes);
    this.scaled = this.channel(scaledType(lanes), { name: "scaled" });
    this.products = this.channel(productType(lanes), { name: "products" });
    this.rounded = this.channel(roundedType(lanes), { name: "rounded" });
    this.shifted = this.channel(shiftedType(lanes), { name: "shifted" });
    this.clocked(this.scale);
    this.clocked(this.multiply);
    this.clocked(this.roundHigh);
    this.clocked(this.shift);
    this.clocked(this.clampOutputs);
  }

  /** (sum + bias) << left, modulo 2^32 as in C. */
  *scale(): Process {
    for (;;) {
      const sums = yield* this.sums.pop();
      assert(sums.parameter < this.depth, "the parameters stand in their memory");
      this.read.read(sums.parameter);
      yield;
      const word = this.read.q;
      yield* this.scaled.push({
        values: this.values((l) => {
          const { bias, left } = word[l]!;
          const low = i32(shl(sums.values[l]! + bias, bits(left, 3, 0)));
          return i32(shl(low, bits(left, 4, 4) * 16));
        }),
        multipliers: this.values((l) => word[l]!.multiplier),
        right: this.shifts((l) => word[l]!.right),
        place: sums.place,
      });
    }
  }

  *multiply(): Process {
    for (;;) {
      const { values, multipliers, right, place } = yield* this.scaled.pop();
      yield* this.products.push({
        high: this.values((l) => i32(asr(asr(values[l]!, 16) * multipliers[l]!, 15))),
        rest: this.rests((l) => u16(bits(asr(values[l]!, 16) * multipliers[l]!, 14, 0))),
        low: this.lows((l) => u32(asr(bits(values[l]!, 15, 0) * multipliers[l]!, 16))),
        right,
        place,
      });
      yield;
    }
  }

  /** floor((x m + 2^30) / 2^31). */
  *roundHigh(): Process {
    for (;;) {
      const { high, rest, low, right, place } = yield* this.products.pop();
      yield* this.rounded.push({
        values: this.values((l) => i32(high[l]! + asr(rest[l]! + low[l]! + 16384, 15))),
        right,
        place,
      });
      yield;
    }
  }

  *shift(): Process {
    for (;;) {
      const job = yield* this.shiftJob.pop();
      assert(job.vectors >= 1, "a layer has outputs");
      const planes = u4(job.raw ? 4 : 1);
      assert(planes >= 1, "a value has a plane or four");
      for (let i = u32(0); i < job.vectors; i = u32(i + 1)) {
        const { values, right, place } = yield* this.rounded.pop();
        let address = place.address;
        for (let plane = u4(0); plane < planes; plane = u4(plane + 1)) {
          const low = u5(plane * 8);
          yield* this.shifted.push({
            values: this.narrow((l) =>
              job.raw
                ? i10(i8(asr(values[l]!, low)))
                : i10(clamp(roundingShiftRight(values[l]!, right[l]!), i10.min, i10.max)),
            ),
            place: { ...place, address, complete: place.complete && plane === planes - 1 },
          });
          address = u16(address + job.planeWords);
          yield;
        }
      }
    }
  }

  *clampOutputs(): Process {
    for (;;) {
      const job = yield* this.clampJob.pop();
      assert(job.vectors >= 1, "a layer has outputs");
      for (let i = u32(0); i < job.vectors; i = u32(i + 1)) {
        const { values, place } = yield* this.shifted.pop();
        const bytes = this.bytes((l) => u8(xorU(u8(clamp(values[l]! + job.zero, job.min, job.max)), job.flip)));
        const { address, complete, rows } = place;
        for (let p = 0; p < this.parts; p++)
          if (place.part === p) yield* this.out[p]!.push({ bytes, address, complete, rows });
        yield;
      }
    }
  }
}
