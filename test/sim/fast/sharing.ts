/**
 * A module whose multipliers serve two modes, with operands chosen by the mode: what the fast engine takes apart
 * (sim/fast/unshare.ts), and forms that look alike and must stay as they are.
 */
import { andU, asr, bool, i16, i32, i8, Module, mulPair, struct, vec } from "../../../hw/index.js";
import type { ChannelIn, ChannelOut, I16, I32, I8, Process, VecType } from "../../../hw/index.js";
import type { Random } from "./random.js";

/** Taken apart: with pairs of products and with single ones. */
export const APART = ["pairs", "single"] as const;
/** Left as they are: a name that is used behind the branch; a mode that changes while it is used. */
export const TOGETHER = ["behind", "changing"] as const;
export type Form = (typeof APART)[number] | (typeof TOGETHER)[number];

interface Wave {
  readonly a: readonly (readonly I8[])[];
  readonly b: readonly (readonly I8[])[];
  readonly zero: I8;
  readonly first: boolean;
  readonly last: boolean;
  readonly wide: boolean;
}

const ROWS = 4;
const COLUMNS = 8;

export class Sharing extends Module {
  static readonly source = import.meta.url;
  readonly is: Readonly<Record<Form, boolean>>;
  readonly depth: number;
  readonly row = vec(i32, COLUMNS);
  readonly sums = vec(this.row, ROWS);
  readonly product: VecType<I16> = vec(i16, 2);
  readonly rowProducts = vec(this.product, COLUMNS / 2);
  readonly products = vec(this.rowProducts, ROWS);
  readonly one = vec(i16, COLUMNS);
  readonly singles = vec(this.one, ROWS);
  readonly taps: VecType<readonly I8[]>;
  readonly waves: ChannelIn<Wave>;
  readonly extra: ChannelIn<readonly (readonly I8[])[]>;
  readonly out: ChannelOut<readonly (readonly I32[])[]>;
  readonly seen: ChannelOut<I32>;

  constructor({ form, depth }: { readonly form: Form; readonly depth: number }) {
    super(null, "sharing");
    this.is = Object.fromEntries([...APART, ...TOGETHER].map((name) => [name, name === form])) as typeof this.is;
    this.depth = depth;
    this.taps = vec(vec(i8, COLUMNS), depth);
    const a = vec(vec(i8, ROWS), depth);
    this.waves = this.channelIn(struct({ a, b: this.taps, zero: i8, first: bool, last: bool, wide: bool }));
    this.extra = this.channelIn(this.taps);
    this.out = this.channelOut(this.sums);
    this.seen = this.channelOut(i32);
    this.clocked(this.add);
  }

  *add(): Process {
    let sums = this.sums.zero();
    let channels = this.row.zero();
    let flips = false;
    for (;;) {
      const { a, b, zero, first, last, wide } = yield* this.waves.pop();
      let taps: readonly (readonly I8[])[] = this.taps.zero();
      if (wide)
        for (const extra of [this.extra]) {
          const token = yield* extra.pop();
          taps = token;
        }
      flips = wide;
      for (let d = 0; d < this.depth; d++) {
        if (this.is.single) {
          const products = this.singles((r) =>
            this.one((c) => i16((wide && r < 1 ? taps[d]![c]! : a[d]![r]!) * (b[d]![c]! - (wide ? zero : 0)))),
          );
          if (wide) {
            const before = channels;
            channels = this.row((c) => i32((first && d === 0 ? 0 : before[c]!) + products[0]![c]!));
          } else {
            const before = sums;
            sums = this.sums((r) => this.row((c) => i32((first && d === 0 ? 0 : before[r]![c]!) + products[r]![c]!)));
          }
        } else if (this.is.changing) {
          const products = this.singles((r) =>
            this.one((c) => i16((flips && r < 1 ? taps[d]![c]! : a[d]![r]!) * b[d]![c]!)),
          );
          if (flips) channels = this.row((c) => i32((first ? 0 : channels[c]!) + products[0]![c]!));
          else sums = this.sums((r) => this.row((c) => i32((first ? 0 : sums[r]![c]!) + products[r]![c]!)));
          flips = !flips;
        } else {
          const products = this.products((r) =>
            this.rowProducts((q) =>
              mulPair(
                wide && r < 2 ? taps[d]![q * 2 + andU(r, 1)]! : a[d]![r]!,
                b[d]![q * 2]! - (wide ? zero : 0),
                b[d]![q * 2 + 1]! - (wide ? zero : 0),
              ),
            ),
          );
          if (wide) {
            const before = channels;
            channels = this.row((c) =>
              i32((first && d === 0 ? 0 : before[c]!) + products[andU(c, 1)]![asr(c, 1)]![andU(c, 1)]!),
            );
          } else {
            const before = sums;
            sums = this.sums((r) =>
              this.row((c) => i32((first && d === 0 ? 0 : before[r]![c]!) + products[r]![asr(c, 1)]![andU(c, 1)]!)),
            );
          }
          if (this.is.behind && d === this.depth - 1) yield* this.seen.push(i32(products[3]![1]![0]!));
        }
      }
      if (last) {
        const others = sums;
        yield* this.out.push(this.sums((r) => this.row((c) => (r === 0 && wide ? channels[c]! : others[r]![c]!))));
      }
      yield;
    }
  }
}

/** Waves of both modes, in runs; and the taps of those that want some. */
export function randomWaves(random: Random, depth: number, count: number): { waves: Wave[]; extra: I8[][][] } {
  const number = (): I8 => i8(random.pick([-128, 127, 0, -1, random.below(256), random.below(256)]));
  const list = <T>(n: number, of: () => T): T[] => Array.from({ length: n }, of);
  let wide = false;
  const waves = list(count, () => {
    if (random.chance(0.2)) wide = !wide;
    return {
      a: list(depth, () => list(ROWS, number)),
      b: list(depth, () => list(COLUMNS, number)),
      zero: number(),
      first: random.chance(0.2),
      last: random.chance(0.4),
      wide,
    };
  });
  const extra = waves.filter((wave) => wave.wide).map(() => list(depth, () => list(COLUMNS, number)));
  return { waves, extra };
}
