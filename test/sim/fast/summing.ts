/**
 * A module that adds outer products to a matrix of sums and gives it away now and then, in forms that the fast engine makes
 * matrix products of, and in forms that look alike and are none.
 */
import { andU, asr, bool, i16, i32, i8, Module, mulPair, struct, u8, vec, xorU } from "../../../hw/index.js";
import type { ChannelIn, ChannelOut, I32, I8, Process, U8, VecType } from "../../../hw/index.js";
import type { Random } from "./random.js";

/** Forms that are matrix products, and forms that are not. */
export const PRODUCTS = [
  "named",
  "direct",
  "swapped",
  "unsigned",
  "pairs",
  "apart",
  "flipped",
  "two",
  "late",
  "single",
  "field",
  "patched",
] as const;
export const OTHERS = [
  "lanes",
  "narrow",
  "wide",
  "crossed",
  "minus",
  "ragged",
  "twice",
  "nonzero",
  "fed",
  "asked",
  "kept",
  "halves",
] as const;
export type Form = (typeof PRODUCTS)[number] | (typeof OTHERS)[number];

export interface SummingOptions {
  readonly form: Form;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

const PARTS = 2;

interface Wave {
  readonly a: readonly (readonly I8[])[];
  readonly b: readonly (readonly (readonly I8[])[])[];
  readonly first: boolean;
  readonly last: boolean;
  readonly gap: U8;
}

export class Summing extends Module {
  static readonly source = import.meta.url;
  readonly is: Readonly<Record<Form, boolean>>;
  readonly depth: number;
  readonly row: VecType<I32>;
  readonly part: VecType<readonly I32[]>;
  readonly sums: VecType<readonly (readonly I32[])[]>;
  readonly waves: ChannelIn<Wave>;
  readonly out: ChannelOut<readonly (readonly (readonly I32[])[])[]>;
  total: readonly (readonly (readonly I32[])[])[];
  readonly corner = this.channelOut(i32);

  constructor({ form, rows, columns, depth }: SummingOptions) {
    super(null, "summing");
    this.is = Object.fromEntries([...PRODUCTS, ...OTHERS].map((name) => [name, name === form])) as typeof this.is;
    this.depth = depth;
    const byte = (form === "unsigned" ? u8 : i8) as typeof i8;
    this.row = vec(i32, columns / PARTS);
    this.part = vec(this.row, PARTS);
    this.sums = vec(this.part, rows);
    this.total = this.sums.zero();
    const a = vec(vec(byte, rows), depth);
    const b = vec(vec(vec(byte, columns / PARTS), PARTS), depth);
    this.waves = this.channelIn(struct({ a, b, first: bool, last: bool, gap: u8 }));
    this.out = this.channelOut(this.sums);
    this.clocked(this.add);
  }

  *add(): Process {
    let sums = this.sums.zero();
    let seen = u8(0);
    for (;;) {
      const { a, b, first, last, gap } = yield* this.waves.pop();
      for (let i = u8(0); i < gap; i = u8(i + 1)) yield;
      if (this.is.patched && gap === 1) sums[andU(seen, 1)] = this.part((p) => this.row((c) => i32(seen + p * 3 + c)));
      if (this.is.asked) if (sums[0]![0]![0]! > 1000) yield;
      for (let d = 0; d < this.depth; d++) {
        if (this.is.direct || this.is.patched)
          sums = this.sums((r) =>
            this.part((p) =>
              this.row((c) => i32(a[d]![r]! * b[d]![p]![c]! + (first && d === 0 ? 0 : sums[r]![p]![c]!))),
            ),
          );
        else if (this.is.single) {
          const anew = first && d === 0;
          sums = this.sums((r) =>
            this.part((p) => this.row((c) => i32((anew ? 0 : sums[r]![p]![c]!) + a[d]![r]! * b[d]![p]![c]!))),
          );
        } else if (this.is.field)
          this.total = this.sums((r) =>
            this.part((p) =>
              this.row((c) => i32((first && d === 0 ? 0 : this.total[r]![p]![c]!) + a[d]![r]! * b[d]![p]![c]!)),
            ),
          );
        else if (this.is.fed)
          sums = this.sums((r) =>
            this.part((p) =>
              this.row((c) => i32((first && d === 0 ? 0 : sums[r]![p]![c]!) + i8(sums[0]![0]![0]!) * b[d]![p]![c]!)),
            ),
          );
        else {
          const before = sums;
          if (this.is.named || this.is.unsigned || this.is.asked)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) => i32((first && d === 0 ? 0 : before[r]![p]![c]!) + a[d]![r]! * b[d]![p]![c]!)),
              ),
            );
          if (this.is.swapped)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) => i32((!first || d > 0 ? before[r]![p]![c]! : 0) + b[d]![p]![c]! * a[d]![r]!)),
              ),
            );
          if (this.is.pairs)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) =>
                  i32(
                    (first && d === 0 ? 0 : before[r]![p]![c]!) +
                      mulPair(a[d]![r]!, b[d]![p]![asr(c, 1) * 2]!, b[d]![p]![asr(c, 1) * 2 + 1]!)[andU(c, 1)]!,
                  ),
                ),
              ),
            );
          if (this.is.apart)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) =>
                  i32(
                    (first && d === 0 ? 0 : before[r]![p]![c]!) +
                      mulPair(a[d]![r]!, b[d]![p]![andU(gap, 1)]!, b[d]![p]![andU(gap, 3)]!)[andU(c, 1)]!,
                  ),
                ),
              ),
            );
          if (this.is.flipped)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) =>
                  i32(
                    (first && d === 0 ? 0 : before[r]![p]![c]!) +
                      i8(xorU(u8(a[d]![r]!), gap)) * (gap > 0 ? b[d]![p]![c]! : a[d]![0]!),
                  ),
                ),
              ),
            );
          if (this.is.two)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) =>
                  i32(
                    (first && d === 0 ? 0 : before[r]![p]![c]!) +
                      a[d]![r]! * b[d]![p]![c]! +
                      i32(a[0]![r]! * b[0]![1 - p]![c]!),
                  ),
                ),
              ),
            );
          if (this.is.late)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) =>
                  i32((first && d === this.depth - 1 ? 0 : before[r]![p]![c]!) + a[d]![r]! * b[d]![p]![c]!),
                ),
              ),
            );
          if (this.is.lanes)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) =>
                  i32((first && d === 0 ? 0 : before[r]![p]![c]!) + b[d]![p]![c]! * (b[0]![p]![c]! - a[d]![0]!)),
                ),
              ),
            );
          if (this.is.narrow)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) => i32(i16((first && d === 0 ? 0 : before[r]![p]![c]!) + a[d]![r]! * b[d]![p]![c]!))),
              ),
            );
          if (this.is.wide)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) =>
                  i32((first && d === 0 ? 0 : before[r]![p]![c]!) + a[d]![r]! * (b[d]![p]![c]! - a[0]![0]!)),
                ),
              ),
            );
          if (this.is.crossed)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) => i32((first && d === 0 ? 0 : before[r]![p]![c]!) + a[d]![r]! * i8(b[d]![p]![c]! + r))),
              ),
            );
          if (this.is.minus)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) => i32((first && d === 0 ? 0 : before[r]![p]![c]!) - a[d]![r]! * b[d]![p]![c]!)),
              ),
            );
          if (this.is.ragged)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) => i32((first && r === 0 ? 0 : before[r]![p]![c]!) + a[d]![r]! * b[d]![p]![c]!)),
              ),
            );
          if (this.is.twice)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) => i32(before[r]![p]![c]! + before[r]![p]![c]! + a[d]![r]! * b[d]![p]![c]!)),
              ),
            );
          if (this.is.nonzero)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) => i32((first && d === 0 ? 1 : before[r]![p]![c]!) + a[d]![r]! * b[d]![p]![c]!)),
              ),
            );
          if (this.is.halves)
            sums = this.sums((r) =>
              this.part((p) =>
                this.row((c) => i32((first && d === 0 ? 0 : before[r]![1 - p]![c]!) + a[d]![r]! * b[d]![p]![c]!)),
              ),
            );
          if (this.is.kept) {
            sums = this.sums((r) =>
              this.part((p) => this.row((c) => i32(before[r]![p]![c]! + a[d]![r]! * b[d]![p]![c]!))),
            );
            if (first) yield* this.corner.push(before[0]![0]![0]!);
          }
        }
      }
      seen = u8(seen + 1);
      if (last) yield* this.out.push(this.is.field ? this.total : sums);
      yield;
    }
  }
}

/** Waves with a reset and a reading now and then; `rare`: hardly ever, so that many waves come together. */
export function randomWaves(random: Random, { form, rows, columns, depth }: SummingOptions, count: number): Wave[] {
  const byte = (form === "unsigned" ? u8 : i8) as typeof i8;
  const number = (): I8 => byte(random.pick([-128, 127, 0, -1, random.below(256), random.below(256)]));
  const list = <T>(n: number, of: () => T): T[] => Array.from({ length: n }, of);
  const often = random.pick([0.02, 0.3, 0.9]);
  return list(count, () => ({
    a: list(depth, () => list(rows, number)),
    b: list(depth, () => list(PARTS, () => list(columns / PARTS, number))),
    first: random.chance(random.pick([0.02, 0.3])),
    last: random.chance(often),
    gap: u8(random.pick([0, 0, 0, 1, 2])),
  }));
}
