/**
 * Leaps: rounds (rounds-code.ts) without the formulas of time. The state of time between rounds is the processes' clocks and the
 * clocks of the last pops and pushes; a round takes it to the next by maxima and sums with fixed numbers (max-plus linear and
 * homogeneous: Baccelli, Cohen, Olsder and Quadrat, *Synchronization and Linearity*, 1992). So if a round moved every clock of
 * the state by the same period, the next does too, as long as each process takes the same steps: each operation waits as long
 * as it did in the last round. What channels count grows by the same amounts.
 */
import type { Replay } from "./replay.js";
import type { RoundChannel } from "./round-channel.js";
import { rules } from "./rules.js";
import type { Settling } from "./settling.js";
import type { Code } from "./wasm.js";

/** A process's part in a round, as the code of rounds emits it. Conditions leave a number on the stack. */
export interface Turn {
  /** It can take part in leaps. */
  readonly leaps: boolean;
  /** It will do what it does as a rule. */
  readonly ready: (limit: number, leap: boolean) => void;
  /** It will take as many clocks as in the last round; `ends`, a local, may become 1 where only clocks behind its last operation are others. */
  readonly asBefore: (ends?: number) => void;
  readonly pass: (leap: boolean) => void;
  /** After a leap of so many passes (a local); `turn`, a local, is not zero where a round is half done. */
  readonly settle: (passes: number, turn: number) => void;
  /** Of the only process: as many passes of a leap at once as can be, `most` at most; `did` becomes how many. All are locals. */
  readonly many?: ((most: number, did: number, period: number) => void) | undefined;
}

/** A channel, and the turns that push into it and pop from it. */
export interface LeapChannel {
  readonly state: RoundChannel;
  readonly producer: number;
  readonly consumer: number;
}

/** Many rounds of a leap at once, once the code of one is emitted (joint-range-code.ts). */
export type Ranges = () => RangeCode | undefined;

interface RangeCode {
  /** It may begin where clocks do not move alike yet. */
  readonly settling: Settling | undefined;
  readonly emit: (rounds: number, period: number) => void;
}

type Noted = readonly [clock: number, before: number];

/** After a leap that came to nothing, so many rounds pass before the next is thought of. */
const PAUSE = 8;

/** So many clocks before the limit a period of up to `LONG` clocks, a power of two, is taken for one of `LONG`. */
const FAR = 1 << 16;
const LONG = 64;

export class Leap {
  /** A local: the turn with which the next round begins; those before it have been done in a leap. */
  readonly turn: number;
  readonly #code: Code;
  readonly #times: readonly number[];
  readonly #channels: readonly LeapChannel[];
  readonly #turns: readonly Turn[];
  readonly #limit: number;
  readonly #over: number | undefined;
  readonly #ranges: Ranges;
  readonly #replay: Replay | undefined;
  readonly #possible: boolean;
  /** The clocks of the state, and what they were before this round. */
  readonly #noted: readonly Noted[];
  readonly #period: number;
  /** So many rounds pass before a leap is thought of. */
  readonly #pause: number;
  /** A local: 1 as long as all is as a leap has left it at the end of a round. */
  readonly steady: number;
  /** A local: 1 where the next leap goes on from there, though there was no round before it; it begins with many rounds or not at all. */
  readonly resumes: number;
  /** A local: 1 where the last leap ended with a round that took other clocks than those before: what follows may be known (known-step.ts). */
  readonly anew: number;
  /** A local: the round that is known to follow, or 0; then the next leap is that round. */
  readonly step: number;
  /** A local: the round is the leap's last. */
  readonly #ends: number;
  #stepAt: number | undefined;

  /**
   * `times`: locals with the clocks of all that take part; none of them may be at the clock in `limit` before a round. No round comes
   * after `over`, a local, has become 1. `ranges`: many rounds at once, if that is possible. `replay`: a leap may begin as an earlier run of rounds did.
   */
  constructor(
    code: Code,
    times: readonly number[],
    channels: readonly LeapChannel[],
    turns: readonly Turn[],
    limit: number,
    over: number | undefined,
    ranges: Ranges = () => undefined,
    replay?: Replay,
  ) {
    const local = (): number => code.local("i32");
    this.#code = code;
    this.#times = times;
    this.#channels = channels;
    this.#turns = turns;
    this.#limit = limit;
    this.#over = over;
    this.#ranges = ranges;
    this.#replay = replay;
    this.#possible = turns.every(({ leaps }) => leaps);
    [this.turn, this.#period, this.#pause, this.steady, this.resumes] = [local(), local(), local(), local(), local()];
    [this.anew, this.step, this.#ends] = [local(), local(), local()];
    this.#noted = [...times, ...channels.flatMap(({ state }) => state.clocks)].map((clock) => [clock, local()]);
    code.i32(0).set(this.turn).i32(0).set(this.#pause);
  }

  /** In front of a round. */
  emitBefore(): void {
    if (!this.#possible) return;
    const code = this.#code;
    code.i32(0).set(this.steady);
    code.get(this.#pause).op("i32.eqz").if();
    this.#noted.forEach(([clock, before]) => code.get(clock).set(before));
    code.end();
  }

  /** In front of a round, behind a leap that ended with another one than those before: `step` becomes what is known to follow. */
  emitStep(): void {
    this.#code.i32(0).set(this.anew);
    this.#stepAt = this.#code.mark();
  }

  /**
   * Behind a round: leap if it moved all clocks alike, unless tokens have to tell all that is known (`full`, a local): those of a leap
   * do not. `count` gets a local with the rounds done.
   */
  emitAfter(full: number, count: (done: number) => void): void {
    const code = this.#code;
    if (!this.#possible) return;
    code.i32(0).set(this.turn);
    this.#replay?.emitRecord();
    code.get(this.#pause).if("i32");
    code.get(this.#pause).i32(1).op("i32.sub").set(this.#pause).i32(0);
    code.else();
    code.get(this.resumes).get(this.step).op("i32.or");
    if (this.#replay) code.get(this.#replay.rounds).op("i32.or");
    code.if("i32");
    code.i32(1).else();
    const [[first, before], ...others] = this.#noted as [Noted, ...Noted[]];
    const leaps = code.local("i32");
    code.get(first).get(before).op("i32.sub").set(this.#period);
    code.i32(0);
    for (const [clock, earlier] of others)
      code.get(clock).get(earlier).op("i32.sub").get(this.#period).op("i32.ne").op("i32.add");
    code
      .i32(rules.round.leapSlack)
      .op("i32.gt_s")
      .get(this.#period)
      .i32(1)
      .op("i32.lt_s")
      .op("i32.or")
      .get(full)
      .op("i32.or")
      .op("i32.eqz")
      .end()
      .end()
      .set(leaps);
    const steps = this.#stepAt !== undefined;
    const stepped = code.local("i32");
    const again = steps ? code.loop() : undefined;
    const behind = code.mark();
    code.get(leaps).if();
    const settling = this.#leap(count, stepped);
    code.end();
    if (steps) {
      // Behind the round that was known a way may be.
      code.get(stepped).if();
      code.i32(0).set(stepped).i32(0).set(leaps).br(again!).end().end();
    }
    if (settling) {
      code.insertAt(behind, () => this.#emitSettling(settling, full, leaps));
      if (this.#stepAt !== undefined)
        code.insertAt(this.#stepAt, () => {
          code.get(this.#pause).op("i32.eqz").if();
          settling.step.emitFind(this.step);
          // Any but zero.
          code.i32(1).set(this.#period).end();
        });
    }
  }

  /** A leap also begins in a state from which it is known how all clocks come to move alike. */
  #emitSettling(settling: Settling, full: number, leaps: number): void {
    const code = this.#code;
    if (this.#stepAt !== undefined) settling.step.emitDone();
    code.get(leaps).if();
    settling.emitEnd(this.#period);
    code.else();
    settling.emitTry(() => {
      code.get(full);
      if (this.#over !== undefined) code.get(this.#over).op("i32.or");
    });
    code.get(settling.way).if();
    settling.emitPeriod().set(this.#period);
    code.i32(1).set(leaps);
    code.end().end();
  }

  /** The round that was known has been done, or a part of it: clocks of channels are those of then, moved; all else is as behind any leap. */
  #emitStepClocks(settling: Settling, done: number): void {
    const code = this.#code;
    code.get(this.step).if();
    code.i32(0).set(this.#period);
    for (const { state, producer, consumer } of this.#channels)
      for (const [turn, times] of [
        [producer, state.sides.push.times],
        [consumer, state.sides.pop.times],
      ] as const) {
        code.get(done).get(this.turn).i32(turn).op("i32.gt_s").op("i32.or").if();
        settling.step.emitMove(this.step, times);
        code.end();
      }
    code.end();
  }

  /** In front of a leap that repeats rounds of an earlier run. */
  emitRepeats(): void {
    this.#code.i32(0).set(this.#pause);
  }

  #leap(count: (done: number) => void, stepped: number): Settling | undefined {
    const code = this.#code;
    const limit = this.#limit;
    const replay = this.#replay;
    // Of runs that are repeated the waits of all rounds are known.
    const ends = replay ? undefined : this.#ends;
    replay?.emitSteady(this.#period);
    const [most, done] = [code.local("i32"), code.local("i32")];
    // Rounds before the latest clock is at the limit.
    const latest = code.local("i32");
    const [first, ...others] = this.#times;
    code.get(first!).set(latest);
    for (const time of others) code.get(time).get(latest).get(time).get(latest).op("i32.gt_s").op("select").set(latest);
    replay?.emitAhead(this.#period, latest);
    const lately = code.mark();
    code.get(limit).get(latest).op("i32.sub").tee(most).i32(FAR).op("i32.gt_s");
    code.get(this.#period).i32(LONG).op("i32.le_s").op("i32.and").if();
    // A division takes as long as half a round.
    code.get(most).i32(Math.log2(LONG)).op("i32.shr_u").set(most);
    code.else();
    code.get(most).get(this.#period).op("i32.add").i32(1).op("i32.sub").set(most);
    code.i32(0).get(most).get(this.#period);
    if (replay) code.i32(1).get(this.#period).op("select");
    code.op("i32.div_u").get(latest).get(limit).op("i32.ge_s").op("select").set(most);
    code.end();
    if (replay) {
      // Behind the rounds that are repeated there may be none that are alike.
      code.get(replay.rounds).get(most).i32(0).get(this.#period).op("select").op("i32.add");
      code.get(most).get(replay.rounds).op("select").set(most);
    }
    const mostly = code.mark();
    code.i32(0).set(done).i32(0).set(this.anew);
    if (ends !== undefined) code.i32(0).set(ends);
    const enters = code.mark();
    // Where many rounds can be done at once, that comes first.
    const skips = code.local("i32");
    const start = code.mark();
    const out = code.block();
    const again = code.loop();
    code.i32(0).set(this.turn);
    code.get(done).get(most).op("i32.ge_s").brIf(out);
    if (this.#over !== undefined) code.get(this.#over).brIf(out);
    replay?.emitRound();
    const { many } = this.#turns[0]!;
    if (many) {
      const [left, did] = [code.local("i32"), code.local("i32")];
      code.get(most).get(done).op("i32.sub").set(left);
      many(left, did, this.#period);
      code.get(done).get(did).op("i32.add").set(done);
      code.get(did).brIf(again);
    }
    code.get(skips).op("i32.eqz").if();
    this.#turns.forEach(({ ready, asBefore, pass }, i) => {
      code.i32(i).set(this.turn);
      ready(limit, true);
      asBefore(ends);
      code.op("i32.and").op("i32.eqz").brIf(out);
      pass(true);
    });
    code.get(done).i32(1).op("i32.add").set(done);
    if (ends !== undefined) {
      code.i32(0).set(this.turn);
      if (rules.round.leapOn === 0) code.get(ends).brIf(out);
    }
    code.end();
    if (replay) {
      replay.emitNext();
      code.brIf(again);
    }
    const range = this.#ranges();
    const settling = range?.settling;
    code.insertAt(start, () => {
      code.i32(range ? 1 : 0);
      if (settling) code.get(this.step).op("i32.eqz").op("i32.and");
      if (replay) code.get(replay.rounds).op("i32.eqz").op("i32.and");
      code.set(skips);
      if (!range && !many) code.i32(0).get(most).get(this.resumes).op("select").set(most);
    });
    if (range) {
      code.i32(0).set(skips);
      if (this.#over !== undefined) code.get(this.#over).brIf(again);
      replay?.emitRangeFails(done);
      if (replay) code.brIf(again);
      const rounds = code.local("i32");
      code.get(most).get(done).op("i32.sub").set(rounds);
      range.emit(rounds, this.#period);
      replay?.emitRanged(rounds, done);
      code.get(done).get(rounds).op("i32.add").set(done);
      if (settling) code.get(settling.way).brIf(out);
      else code.get(done).op("i32.eqz").get(this.resumes).op("i32.and").brIf(out);
    }
    code.br(again);
    code.end();
    code.end();
    code.get(done).get(this.turn).op("i32.or").if();
    if (settling) this.#emitStepClocks(settling, done);
    const [pushed, popped] = [code.temp("i32"), code.temp("i32")];
    const passes = (turn: number, into: number): void => {
      code.get(done).get(this.turn).i32(turn).op("i32.gt_s").op("i32.add").set(into);
    };
    if (replay) {
      // As a rule it ends behind a round.
      code
        .get(replay.rounds)
        .i32(0)
        .op("i32.ne")
        .get(this.turn)
        .op("i32.eqz")
        .op("i32.and")
        .get(done)
        .get(replay.rounds)
        .op("i32.ge_s");
      code.op("i32.and").if();
      replay.emitSettleAll(done, this.#period);
      code.else();
    }
    for (const channel of this.#channels) {
      const { state, producer, consumer } = channel;
      passes(producer, pushed);
      passes(consumer, popped);
      if (replay) {
        code.get(replay.rounds).if();
        replay.emitSettle(channel, pushed, popped);
        code.end();
      }
      if (settling) for (const side of [pushed, popped]) code.get(side).get(settling.rounds).op("i32.sub").set(side);
      state.emitSettle(pushed, popped, this.#period, settling?.rounds);
    }
    if (replay) code.end();
    this.#turns.forEach(({ settle }, i) => {
      passes(i, pushed);
      settle(pushed, this.turn);
    });
    code.free("i32", pushed, popped);
    count(done);
    code.end();
    code.get(this.turn).op("i32.eqz").get(done).i32(0).op("i32.ne").op("i32.and").set(this.steady);
    if (ends !== undefined) {
      code.get(ends).get(this.steady).op("i32.and").get(this.step).op("i32.eqz").op("i32.and").set(this.anew);
      code.get(this.steady).get(this.step).i32(0).op("i32.ne").op("i32.and").set(stepped);
      code.get(ends).op("i32.eqz").get(this.steady).op("i32.and").set(this.steady);
    }
    // Of the round that a leap leaves half done, the clocks before it were not noted.
    code.get(this.turn).i32(0).op("i32.ne").i32(PAUSE).get(done).get(this.resumes).op("i32.or");
    code.get(this.step).op("i32.or").op("select");
    if (settling) settling.step.emitEnd(this.step, stepped);
    code.i32(0).set(this.step);
    code.set(this.#pause).i32(0).set(this.resumes);
    if (replay) {
      code.i32(0).get(replay.fresh).get(done).op("select").set(replay.fresh);
      code.get(replay.rounds).if();
      code.get(this.turn).i32(0).op("i32.ne").set(this.#pause);
      replay.emitEnd(done, this.turn, this.#period, this.steady, this.#over);
      code.end();
    }
    if (!settling) return undefined;
    code.get(settling.way).if();
    settling.emitNone();
    code.i32(0).set(settling.way).i32(0).set(this.#pause).end();
    code.insertAt(enters, () => {
      code.get(this.step).if();
      settling.step.emitTake(this.step);
      code.get(most).i32(0).op("i32.ne").set(most).i32(1).set(this.#ends).end();
    });
    code.insertAt(mostly, () => {
      code.i32(0).set(settling.rounds);
      code.get(settling.way).i32(0).op("i32.ne").get(most).i32(0).op("i32.ne").op("i32.and").if();
      settling.emitRounds().get(most).op("i32.add").set(most).end();
    });
    code.insertAt(lately, () => {
      code.get(settling.way).if();
      settling.emitMost().get(latest).op("i32.add").set(latest).end();
    });
    return settling;
  }
}
