/**
 * A source's pace in rounds (rounds-code.ts): what it may do without a word from the board is worked out once for many rounds,
 * and a leap (leap.ts) finds out before a pass whether each of its beats comes as long after the one before as in the last pass.
 */
import { pace, PaceCode } from "./pace-code.js";
import type { Environment } from "./plan.js";
import { rules } from "./rules.js";
import { emitSeries } from "./series.js";
import type { Code } from "./wasm.js";

/** Tokens in a row; all are locals, but for the clocks that their taker takes for each, and the least that have to be between two. */
export interface Flow {
  readonly next: number;
  readonly times: number;
  readonly most: number;
  readonly moved: number;
  readonly limit: number;
  readonly clocks: number;
  readonly apart: number;
  /** The next token must not come before this clock; the taker's clock in front of it. */
  readonly least: number;
  readonly taker: number;
  /** Of so many of the last tokens of all somebody wants to know the clocks. */
  readonly asked: number;
}

export class RoundPace extends PaceCode {
  /** Tokens of a pass. */
  readonly #tokens: number;
  /** The number of the first token that may need an answer or a transfer that is not there. */
  readonly #until: number;
  /** By how much the pace moved the clock on before each token of the last pass. */
  readonly #raises: readonly number[];
  /** `free` after the pass of a leap. */
  readonly #freeAfter: number;
  /** Constants of the record. */
  readonly #constants: { readonly beatClocks: number; readonly gap: number };
  readonly #perBurst: number;
  readonly #answers: number;
  /** What it promises when it goes (see `pace`). */
  readonly flow: number;
  readonly least: number;

  constructor(code: Code, environment: Environment, time: number, question: number, tokens: number) {
    super(code, environment, true, time, question);
    this.#tokens = tokens;
    this.#until = code.local("i32");
    this.#raises = Array.from({ length: tokens }, () => code.local("i32"));
    this.#freeAfter = code.local("f64");
    this.#constants = { beatClocks: code.local("f64"), gap: code.local("f64") };
    [this.#perBurst, this.#answers] = [code.local("i32"), code.local("i32")];
    [this.flow, this.least] = [code.local("i32"), code.local("i32")];
  }

  override load(): void {
    const code = this.code;
    super.load();
    code.get(this.record).if();
    for (const field of ["beatClocks", "gap"] as const) super.constant(field).set(this.#constants[field]);
    super.perBurst().set(this.#perBurst);
    this.field("answers").set(this.#answers);
    code.end();
  }

  override save(): void {
    super.save();
    const code = this.code;
    code.get(this.record).if();
    code.get(this.record).get(this.flow).mem("i32.store", pace.flow);
    code.get(this.record).get(this.least).mem("i32.store", pace.least);
    code.end();
    code.i32(0).set(this.flow);
  }

  protected override constant(field: "beatClocks" | "gap"): Code {
    return this.code.get(this.#constants[field]);
  }
  protected override perBurst(): Code {
    return this.code.get(this.#perBurst);
  }
  protected override answer(burst: number): void {
    this.code.get(this.#answers).get(burst).i32(3).op("i32.shl").op("i32.add").mem("f64.load");
  }

  /**
   * After `load`: find out how far tokens may go from number `next` (a local) on. `limit`, a local, is the clock before which all must
   * be before a pass; it becomes earlier by what the pace may add in one. A beat comes `beatClocks` after the one before and
   * `gap` after a burst's end, or after an answer with the beats of its burst, whichever is later.
   */
  bound(next: number, limit: number): void {
    const code = this.code;
    code.loadAt(this.environment.end).set(this.#until);
    code.get(this.record).if();
    code.get(limit);
    this.constant("beatClocks");
    this.constant("gap").op("f64.add").f64(2).op("f64.add").f64(this.#tokens).op("f64.mul");
    this.perBurst().op("f64.convert_i32_s");
    this.constant("beatClocks")
      .op("f64.mul")
      .op("f64.add")
      .op("f64.ceil")
      .op("i32.trunc_sat_f64_s")
      .op("i32.sub")
      .set(limit);
    const [to, count] = [code.temp("i32"), code.temp("i32")];
    code.get(next);
    this.available();
    code.op("i32.add").set(to);
    code.get(to).get(this.#until).get(to).get(this.#until).op("i32.lt_s").op("select").set(this.#until);
    code.get(to).get(next).op("i32.gt_s").if();
    // The latest answer of all.
    this.field("answered").i32(1).op("i32.sub").set(count);
    this.answer(count);
    code.get(this.free).op("f64.max").get(limit).op("f64.convert_i32_s").op("f64.ge").if();
    code.get(next).set(this.#until);
    code.end().end().end();
    code.free("i32", to, count);
  }

  /** On the stack: tokens from number `next` (a local) on that may go. */
  emitLeft(next: number): void {
    this.code.get(this.#until).get(next).op("i32.sub");
  }
  /** A local that is 0 if there is no pace. */
  get paced(): number {
    return this.record;
  }

  /**
   * Tokens whose pushes never wait for the channel, so that each goes at the edge at which its beat is there; the times of all stand in
   * `times`. The first beat of each burst is worked out as always. Those behind it come a clock after each other, if a beat takes a clock:
   * its time and that of the answer grow by one then, and so does the edge behind them. With numbers of one binade that is exact: there
   * whole numbers are added without rounding.
   */
  emitFlow(flow: Flow): void {
    const code = this.code;
    const { next, times, most, moved, limit, clocks, apart, least, taker } = flow;
    const { beat, within, burst, beats } = this.state;
    const [at, count, first, other] = [code.temp("i32"), code.temp("i32"), code.temp("i32"), code.temp("i32")];
    const [answered, edge] = [code.temp("f64"), code.temp("f64")];
    const free = this.free;
    const lessen = (value: () => void): void => {
      value();
      code.tee(other).get(count).get(other).get(count).op("i32.lt_s").op("select").set(count);
    };
    code.i32(0).set(moved);
    code.get(next).i32(2).op("i32.shl").get(times).op("i32.add").set(at);
    const out = code.block();
    const loop = code.loop();
    code.get(moved).get(most).op("i32.ge_s").brIf(out);
    for (const time of [taker, this.time]) code.get(time).get(limit).op("i32.ge_s").brIf(out);
    if (apart === 1) {
      this.#asArbiter(flow, at);
      code.brIf(loop);
    }
    code.f64(0).set(answered);
    this.beatAnswered(burst, answered);
    code.get(free).get(answered).op("f64.max").f64(1e-9).op("f64.sub").op("f64.ceil").tee(edge);
    code
      .op("i32.trunc_sat_f64_s")
      .tee(first)
      .get(least)
      .i32(rules.round.rangeFlow)
      .op("i32.sub")
      .op("i32.lt_s")
      .brIf(out);
    code.i32(1).set(count);
    if (apart === 1) {
      // As many as there are before the end of anything, but one.
      code.get(most).get(moved).op("i32.sub").set(count);
      lessen(() => this.perBurst().get(within).op("i32.sub"));
      lessen(() => code.get(beats).get(beat).op("i32.sub"));
      lessen(() => code.get(limit).get(first).op("i32.sub").i32(clocks).op("i32.sub"));
      if (rules.round.rangeEven !== 0) code.get(count).i32(rules.round.rangeEven).op("i32.add").set(count);
      // All numbers are of one binade, up to a clock before and behind.
      code.get(count).i32(1);
      code
        .get(free)
        .get(answered)
        .op("f64.min")
        .f64(1)
        .op("f64.sub")
        .op("i32.trunc_sat_f64_s")
        .tee(other)
        .op("i32.clz");
      code.get(first).get(count).op("i32.add").i32(2).op("i32.add").op("i32.clz").op("i32.eq");
      code.get(other).i32(0).op("i32.gt_s").op("i32.and");
      code.get(count).i32(0).op("i32.gt_s").op("i32.and");
      this.constant("beatClocks").f64(1).op("f64.le").op("i32.and");
      code.op("select").set(count);
    }
    emitSeries(code, at, first, count, () => code.i32(1));
    // `freed`, and a clock for each beat behind the first.
    code.get(edge).get(free).get(edge).get(free).op("f64.sub").f64(1).op("f64.ge").op("select");
    code.get(count).op("f64.convert_i32_s");
    this.constant("beatClocks").op("f64.mul").op("f64.add").set(free);
    for (const total of [moved, beat, within]) code.get(total).get(count).op("i32.add").set(total);
    code.get(at).get(count).i32(2).op("i32.shl").op("i32.add").set(at);
    code.get(first).get(count).op("i32.add").i32(1).op("i32.sub").tee(this.time);
    code.i32(apart).op("i32.add").set(least);
    code
      .get(this.time)
      .i32(1 + clocks)
      .op("i32.add")
      .set(taker);
    this.over(false);
    code.br(loop);
    code.end();
    code.end();
    code.free("i32", at, count, first, other);
    code.free("f64", answered, edge);
  }

  /**
   * Whole bursts that the arbiter has done (flow-code.ts), from the address `at` (a local) on; nonzero on the stack if there are any. Of the
   * clocks of their beats only those of the last burst are written down, which has to be as long as what is `asked`.
   */
  #asArbiter({ most, moved, limit, clocks, least, taker, asked }: Flow, at: number): void {
    const code = this.code;
    const { beat, within, burst } = this.state;
    const [bursts, count, first, any] = [code.temp("i32"), code.temp("i32"), code.temp("i32"), code.temp("i32")];
    const clockOf = (offset: number): void => {
      this.field("firsts")
        .get(burst)
        .get(bursts)
        .op("i32.add")
        .i32(2)
        .op("i32.shl")
        .op("i32.add")
        .mem("i32.load", offset);
    };
    code.i32(0).set(any);
    this.field("ahead").get(burst).op("i32.sub").set(bursts);
    code.get(within).op("i32.eqz").get(bursts).i32(0).op("i32.gt_s").op("i32.and");
    this.perBurst().i32(asked).op("i32.ge_s").op("i32.and").if();
    code.get(most).get(moved).op("i32.sub");
    this.perBurst()
      .op("i32.div_u")
      .tee(count)
      .get(bursts)
      .get(count)
      .get(bursts)
      .op("i32.lt_s")
      .op("select")
      .tee(bursts);
    this.perBurst().op("i32.mul").tee(count).if();
    clockOf(-4);
    code.set(first);
    code.get(first);
    this.perBurst().op("i32.add").i32(clocks).op("i32.add").get(limit).op("i32.le_s");
    this.field("firsts").get(burst).i32(2).op("i32.shl").op("i32.add").mem("i32.load");
    code.get(least).op("i32.ge_s").op("i32.and").tee(any).if();
    code.get(burst).get(bursts).op("i32.add").set(burst);
    this.field("frees")
      .get(burst)
      .i32(3)
      .op("i32.shl")
      .op("i32.add")
      .i32(8)
      .op("i32.sub")
      .mem("f64.load")
      .set(this.free);
    for (const total of [moved, beat]) code.get(total).get(count).op("i32.add").set(total);
    code.get(at).get(count).i32(2).op("i32.shl").op("i32.add");
    this.perBurst().tee(count).i32(2).op("i32.shl").op("i32.sub").set(at);
    emitSeries(code, at, first, count, () => code.i32(1));
    code.get(at).get(count).i32(2).op("i32.shl").op("i32.add").set(at);
    code.get(first).get(count).op("i32.add").i32(1).op("i32.sub").set(this.time);
    code.get(this.time).i32(1).op("i32.add").set(least);
    code
      .get(this.time)
      .i32(1 + clocks)
      .op("i32.add")
      .set(taker);
    code.end().end().end();
    code.get(any);
    code.free("i32", bursts, count, first, any);
  }

  /** Nonzero on the stack if the tokens of a pass from number `next` (a local) on may go. */
  emitHasPass(next: number): void {
    this.code.get(next).i32(this.#tokens).op("i32.add").get(this.#until).op("i32.le_s");
  }

  /** Move the clock on to the earliest of beat `i` of a pass, whose answer is there. */
  nextAnswered(i: number): void {
    const code = this.code;
    code.get(this.record).if();
    const [ready, before] = [code.temp("f64"), code.temp("i32")];
    code.get(this.time).set(before);
    code.get(this.free).set(ready);
    this.beatAnswered(this.state.burst, ready);
    this.raiseTo(ready);
    code.get(this.time).get(before).op("i32.sub").set(this.#raises[i]!);
    code.free("f64", ready);
    code.free("i32", before);
    code.end();
  }

  /** The same in a leap. */
  nextAgain(i: number): void {
    const code = this.code;
    code.get(this.record).if();
    code.get(this.time).get(this.#raises[i]!).op("i32.add").set(this.time);
    code.end();
  }

  /** In a leap: beat `i` of a pass has moved. */
  movedAgain(i: number): void {
    if (i === this.#tokens - 1) this.code.get(this.#freeAfter).set(this.free);
    this.moved(true);
  }

  /** Nonzero on the stack if all beats of the next pass come as in the last one; `waits` are locals with the waits of their pushes. */
  emitAsBefore(waits: readonly number[]): void {
    const code = this.code;
    code.get(this.record).if("i32");
    const [same, time, within, burst] = [code.temp("i32"), code.temp("i32"), code.temp("i32"), code.temp("i32")];
    const [ready, now] = [code.temp("f64"), code.temp("f64")];
    const free = this.#freeAfter;
    code.i32(1).set(same).get(this.time).set(time).get(this.free).set(free);
    code.get(this.state.within).set(within).get(this.state.burst).set(burst);
    this.#raises.forEach((raise, i) => {
      code.get(free).set(ready);
      this.beatAnswered(burst, ready, within);
      code.get(ready).f64(1e-9).op("f64.sub").set(ready);
      code.get(time).get(raise).op("i32.add").tee(time).op("f64.convert_i32_s").set(now);
      // The edge at or after `ready` is the clock, or it is earlier and the clock was not moved on.
      code.get(ready).get(now).op("f64.le");
      code.get(ready).get(now).f64(1).op("f64.sub").op("f64.gt").get(raise).op("i32.eqz").op("i32.or");
      code.op("i32.and").get(same).op("i32.and").set(same);
      code.get(time).get(waits[i]!).op("i32.add").tee(time).op("f64.convert_i32_s").set(now);
      this.freed(free, now);
      code.get(within).i32(1).op("i32.add").tee(within);
      this.perBurst().op("i32.ge_s").if();
      code.i32(0).set(within).get(burst).i32(1).op("i32.add").set(burst);
      code.get(free);
      this.constant("gap").op("f64.add").set(free);
      code.end();
    });
    code.get(same);
    code.else().i32(1).end();
    code.free("i32", same, time, within, burst);
    code.free("f64", ready, now);
  }
}
