/**
 * A range of rounds (joint-range-code.ts) that goes on over the end of the first process's loop: it goes the way round the loop around
 * it, within the range, as long as nobody else can see that (`WayRoundRange` in joint-range.ts). Its variables move on while
 * the length of the range is found; if the range turns out shorter, they go back and once more.
 */
import { emitCount, type Count } from "./induction.js";
import type { JointMember } from "./joint-member.js";
import type { PartRange, WayRoundRange } from "./joint-range.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

export class JointWayRound {
  readonly #code: Code;
  readonly #member: JointMember;
  readonly #range: PartRange;
  readonly #way: WayRoundRange;
  /** Becomes 1 if the loop around it is over, too. */
  readonly #over: number;
  /** For how many passes all is alike: of the loop as it stands, and of the range's first. */
  readonly #alike: number;
  readonly #first: number;

  constructor(code: Code, member: JointMember, range: PartRange, way: WayRoundRange, over: number) {
    this.#code = code;
    this.#member = member;
    this.#range = range;
    this.#way = way;
    this.#over = over;
    [this.#alike, this.#first] = [code.local("i32"), code.local("i32")];
  }

  /** In front of the range; leaves nonzero on the stack if more than one pass is what it has to be, or one with the way round. */
  emitFirst(): void {
    const code = this.#code;
    const again = code.temp("i32");
    this.#emitLeast(this.#range.counts, this.#first);
    code.get(this.#first).i32(1).op("i32.ne").if("i32");
    code.get(this.#first).i32(1).op("i32.gt_s").else();
    this.#emitLeast(this.#way.again, again);
    code.get(again).op("i32.eqz").end();
    code.free("i32", again);
  }

  /**
   * `rounds` (a local) is how many all others can do; `check` may lower it further, from as many as the first process can do. Afterwards
   * it is how many are to be done, and the process's variables are those behind them; with fewer than `worth` (a local) nothing has changed.
   */
  emit(rounds: number, worth: number, check: () => void): void {
    const code = this.#code;
    const [done, kept] = [code.temp("i32"), this.#way.changed.map(() => code.temp("i32"))];
    const variables = this.#way.changed.map((of) => this.#member.localOf(of));
    const goBack = (): void => {
      variables.forEach((local, i) => code.get(kept[i]!).set(local));
      code.i32(0).set(this.#over);
    };
    variables.forEach((local, i) => code.get(local).set(kept[i]!));
    const again = code.loop();
    this.#emitGo(rounds, done);
    code.get(done).set(rounds);
    check();
    code.get(rounds).get(done).op("i32.lt_s").get(rounds).get(worth).op("i32.lt_s").op("i32.or").if();
    goBack();
    code.get(rounds).get(worth).op("i32.ge_s").brIf(again);
    code.end();
    code.end();
    code.free("i32", done, ...kept);
  }

  /** Up to `most` passes (a local); `done` becomes how many. */
  #emitGo(most: number, done: number): void {
    const code = this.#code;
    const [passes, other] = [code.temp("i32"), code.temp("i32")];
    const v0 = this.#way.told.map(({ value }) => {
      const local = code.temp("i32");
      this.#member.exprs.emit32(value);
      code.set(local);
      return local;
    });
    code.i32(0).set(done).get(this.#first).set(this.#alike);
    const out = code.block();
    const again = code.loop();
    code.get(most).get(done).op("i32.sub").set(passes);
    code.get(this.#alike).get(passes).get(this.#alike).get(passes).op("i32.lt_s").op("select").set(passes);
    this.#emitLeast(this.#way.again, other);
    code.get(passes).get(other).op("i32.le_s").if();
    this.#emitPasses(passes, done);
    code.br(out);
    code.end();
    code.get(other).i32(1).op("i32.add").set(passes);
    this.#emitPasses(passes, done);
    this.#member.emitOver(this.#over);
    code.get(this.#over).get(done).get(most).op("i32.ge_s").op("i32.or").brIf(out);
    this.#way.told.forEach(({ value, step }, i) => {
      this.#member.exprs.emit32(value);
      code.get(v0[i]!);
      if (step !== 0) code.get(done).i32(step).op("i32.mul").op("i32.add");
      code.op("i32.ne").i32(rules.round.jointDeaf).op("i32.gt_s").brIf(out);
    });
    this.#emitLeast(this.#range.counts, this.#alike);
    code.br(again);
    code.end();
    code.end();
    code.free("i32", passes, other, ...v0);
  }

  /** For tests only: the variables behind more passes than there were. */
  emitExtra(passes: number): void {
    for (const [of, step] of this.#range.grows) this.#member.emitGrow(of, () => this.#code.i32(step * passes));
  }

  #emitPasses(passes: number, done: number): void {
    const code = this.#code;
    for (const [of, step] of this.#range.grows)
      this.#member.emitGrow(of, () => code.get(passes).i32(step).op("i32.mul"));
    code.get(done).get(passes).op("i32.add").set(done);
  }

  #emitLeast(counts: readonly Count[], into: number): void {
    emitCount(this.#member.exprs, { kind: "all", of: counts });
    this.#code.set(into);
  }
}
