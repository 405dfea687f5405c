/**
 * A module that joins what is left of a token with the next one: names for what a few bytes were before they change, which the
 * fast engine does without where it can (sim/fast/move-up.ts), and forms in which they are needed.
 */
import { andU, Module, u8, vec } from "../../../hw/index.js";
import type { Process, U8, VecType } from "../../../hw/index.js";
import type { Random } from "./random.js";

/** Without a name: it is used up to the change. With one: used behind it, in a branch, or when they change once more. */
export const UNNAMED = ["field", "local"] as const;
export const NAMED = ["behind", "branch", "again"] as const;
const FORMS = [...UNNAMED, ...NAMED];
export type Form = (typeof FORMS)[number];

export interface KeepingOptions {
  readonly form: Form;
  readonly bytes: number;
}

export const randomKeeping = (random: Random, form: Form): KeepingOptions => ({ form, bytes: 2 + random.below(20) });

export class Keeping extends Module {
  static readonly source = import.meta.url;
  readonly is: Readonly<Record<Form, boolean>>;
  readonly bytes: number;
  readonly beat: VecType<U8>;
  readonly in;
  readonly out;
  kept: readonly U8[];
  held = u8(0);

  constructor({ form, bytes }: KeepingOptions) {
    super(null, "keeping");
    this.is = Object.fromEntries(FORMS.map((each) => [each, each === form])) as Readonly<Record<Form, boolean>>;
    this.bytes = bytes;
    this.beat = vec(u8, bytes);
    this.kept = this.beat.zero();
    this.in = this.channelIn(this.beat);
    this.out = this.channelOut(this.beat);
    this.clocked(this.join);
  }

  *join(): Process {
    let last = this.beat.zero();
    for (;;) {
      const token = yield* this.in.pop();
      this.held = u8(andU(token[0]!, 7));
      if (this.is.local) {
        const before = last;
        const joined = this.beat((b) => (b < this.held ? before[b]! : token[b]!));
        last = this.beat((b) => (b >= this.held ? before[b]! : token[b]!));
        yield* this.out.push(joined);
      } else {
        const { kept } = this;
        const joined = this.beat((b) => (b < this.held ? kept[b]! : token[b]!));
        if (this.is.again) this.kept = this.beat((b) => u8(kept[b]! + 3));
        if (this.is.branch) {
          if (this.held > 2) yield* this.out.push(this.beat((b) => u8(kept[b]! + 1)));
        }
        this.kept = this.beat((b) => (b >= this.held ? u8(token[b]! + kept[b]!) : kept[this.bytes - 1 - b]!));
        yield* this.out.push(joined);
        if (this.is.behind) yield* this.out.push(this.beat((b) => u8(kept[b]! ^ 255)));
      }
      yield;
    }
  }
}
