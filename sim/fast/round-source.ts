/** The source of an outer input in rounds (rounds-code.ts): it pushes a token of its buffer whenever one is popped. */
import { inColumns, type Place } from "./place.js";
import type { ChannelPlan, Environment, Plan } from "./plan.js";
import { frame } from "./frame.js";
import type { RoundChannel } from "./round-channel.js";
import { RoundPace, type Flow } from "./round-pace.js";
import { emitSeries } from "./series.js";
import type { Code } from "./wasm.js";

export class RoundSource {
  readonly channel: ChannelPlan;
  /** The source's clock. */
  readonly time: number;
  readonly #code: Code;
  readonly #plan: Plan;
  readonly #state: RoundChannel;
  readonly #environment: Environment;
  readonly next: number;
  readonly columns: readonly number[];
  /**
   * Where the clock of token 0 would stand. Without a pace nobody asks for clocks but a range, for those of its last tokens: they have a place of their own
   * there, since an array for all tokens would be memory that nobody else touches, half as much as the tokens are.
   */
  readonly times: number;
  readonly #pace: RoundPace;
  readonly #tokens: number;

  /** `tokens`: that a pass takes. */
  constructor(code: Code, plan: Plan, state: RoundChannel, tokens: number) {
    this.#code = code;
    this.#plan = plan;
    this.#state = state;
    this.channel = state.channel;
    this.#environment = plan.environments.get(this.channel.channel)!;
    this.time = code.local("i32");
    this.next = code.local("i32");
    this.times = code.local("i32");
    this.columns = this.#environment.tokens.map(() => code.local("i32"));
    const question = plan.frames[this.channel.producer]! + frame.pollTime;
    this.#tokens = tokens;
    this.#pace = new RoundPace(code, this.#environment, this.time, question, tokens);
  }

  load(): void {
    const code = this.#code;
    code.loadAt(this.#plan.frames[this.channel.producer]! + frame.time).set(this.time);
    code.loadAt(this.#environment.done).set(this.next);
    code.loadAt(this.#environment.times).set(this.times);
    this.#environment.tokens.forEach((address, i) => code.loadAt(address).set(this.columns[i]!));
    this.#pace.load();
  }
  save(): void {
    const code = this.#code;
    code.storeAt(this.#plan.frames[this.channel.producer]! + frame.time, () => code.get(this.time));
    code.storeAt(this.#environment.done, () => code.get(this.next));
    this.#pace.save();
  }

  /** What a board's pace makes of the clock before which all are before a pass. */
  bound(limit: number): void {
    this.#pace.bound(this.next, limit);
  }

  /** How many tokens may go without a word from the board, on the stack. */
  emitLeft(): void {
    this.#pace.emitLeft(this.next);
  }

  /** Nonzero on the stack if a board sets its pace. */
  emitIsPaced(): void {
    this.#code.get(this.#pace.paced);
  }

  /**
   * In a leap without a pace: `count` tokens (a local) go, `period` clocks (a local) after each other. Nobody asks for the times of any but the
   * last `asked`, which go to the address `kept`.
   */
  emitAgain(count: number, period: number, asked: number, kept: number): void {
    const code = this.#code;
    const [at, time, few, less] = [code.temp("i32"), code.temp("i32"), code.temp("i32"), code.temp("i32")];
    code.i32(kept).set(at);
    code.get(count).i32(asked).get(count).i32(asked).op("i32.lt_s").op("select").tee(few);
    code.get(count).op("i32.sub").set(less);
    code.get(at).get(this.next).get(less).op("i32.sub").i32(2).op("i32.shl").op("i32.sub").set(this.times);
    code.get(this.time).get(this.#state.waitOf("push", 0)).op("i32.add");
    code.get(less).get(period).op("i32.mul").op("i32.sub").set(time);
    emitSeries(code, at, time, few, () => code.get(period));
    code.get(this.next).get(count).op("i32.add").set(this.next);
    code.get(this.time).get(count).get(period).op("i32.mul").op("i32.add").set(this.time);
    code.free("i32", at, time, few, less);
  }

  /** The least clocks between two tokens that flow to a process that takes so many for each. */
  apart(clocks: number): number {
    return Math.max(clocks, this.channel.channel.depth === 1 ? 2 : 1);
  }

  /**
   * At a board's pace, into a channel that never makes it wait: `most` tokens at most, `moved` becomes how many. The first must not come
   * before the clock in `least`; the one who takes them is at the clock in `taker` in front of each, and must be before `limit` then. All are
   * locals.
   */
  emitFlow(flow: Pick<Flow, "most" | "moved" | "limit" | "least" | "taker" | "clocks" | "asked">): void {
    const { next, times } = this;
    this.#pace.emitFlow({ ...flow, next, times, apart: this.apart(flow.clocks) });
    this.#code.get(this.next).get(flow.moved).op("i32.add").set(this.next);
  }

  /** When it goes, it promises that so many tokens flow (a local), if the first does not come before the clock in `least`, another one. */
  emitPromise(flow: number, least: number): void {
    this.#code.get(flow).set(this.#pace.flow).get(least).set(this.#pace.least);
  }

  /** Nonzero on the stack if it has the tokens of a pass, and none waits for a word from the board. */
  emitHas(): void {
    this.#pace.emitHasPass(this.next);
  }

  /** Nonzero on the stack if the tokens of the next pass come as those of the last did. */
  emitAsBefore(): void {
    this.#pace.emitAsBefore(Array.from({ length: this.#tokens }, (_, i) => this.#state.waitOf("push", i)));
  }

  /** Token number `at`, a local, where the buffer has it. */
  tokenAt(at: number): Place {
    return inColumns(this.channel.layout, this.columns, at);
  }

  /** Push the next token, which is number `i` of a pass; it is read where the buffer has it. `again`: in a leap. */
  emitToken(full: number, i: number, again: boolean): Place {
    const code = this.#code;
    const at = code.local("i32");
    code.get(this.next).set(at);
    const actor = { code, plan: this.#plan, actor: this.channel.producer, time: this.time };
    if (again) {
      this.#pace.nextAgain(i);
      this.#state.emitLeap(actor, "push", i);
    } else {
      this.#pace.nextAnswered(i);
      this.#state.emitPush(actor, full);
    }
    this.emitIsPaced();
    code.if();
    code.get(this.next).i32(2).op("i32.shl").get(this.times).op("i32.add").get(this.time).mem("i32.store");
    code.end();
    code.get(this.next).i32(1).op("i32.add").set(this.next);
    if (again) this.#pace.movedAgain(i);
    else this.#pace.moved();
    return inColumns(this.channel.layout, this.columns, at);
  }
}
