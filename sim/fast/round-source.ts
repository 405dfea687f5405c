/** The source of an outer input in rounds (rounds-code.ts): it pushes a token of its buffer whenever one is popped. */
import { PaceCode } from "./pace-code.js";
import { emitCopy, inColumns, placeAt, type Place } from "./place.js";
import type { ChannelPlan, Environment, Plan } from "./plan.js";
import { frame } from "./plan.js";
import type { RoundChannel } from "./round-channel.js";
import type { Code } from "./wasm.js";

export class RoundSource {
  readonly channel: ChannelPlan;
  /** The source's clock. */
  readonly time: number;
  readonly #code: Code;
  readonly #plan: Plan;
  readonly #state: RoundChannel;
  readonly #environment: Environment;
  readonly #next: number;
  readonly #columns: readonly number[];
  readonly #pace: PaceCode;

  constructor(code: Code, plan: Plan, state: RoundChannel) {
    this.#code = code;
    this.#plan = plan;
    this.#state = state;
    this.channel = state.channel;
    this.#environment = plan.environments.get(this.channel.channel)!;
    this.time = code.local("i32");
    this.#next = code.local("i32");
    this.#columns = this.#environment.tokens.map(() => code.local("i32"));
    const question = plan.frames[this.channel.producer]! + frame.pollTime;
    this.#pace = new PaceCode(code, this.#environment, true, this.time, question);
  }

  load(): void {
    const code = this.#code;
    code.loadAt(this.#plan.frames[this.channel.producer]! + frame.time).set(this.time);
    code.loadAt(this.#environment.done).set(this.#next);
    this.#environment.tokens.forEach((address, i) => code.loadAt(address).set(this.#columns[i]!));
    this.#pace.load();
  }
  save(): void {
    const code = this.#code;
    code.storeAt(this.#plan.frames[this.channel.producer]! + frame.time, () => code.get(this.time));
    code.storeAt(this.#environment.done, () => code.get(this.#next));
    this.#pace.save();
  }

  /** Nonzero on the stack if no board decides when its tokens come: then they can come in leaps. */
  emitAtOwnPace(): void {
    this.#code.loadAt(this.#environment.pace).op("i32.eqz");
  }

  /** Nonzero on the stack if it has `count` tokens more, and all of them move before the clock in the local `limit`. */
  emitHas(count: number, limit: number): void {
    this.#code.get(this.#next).i32(count).op("i32.add").loadAt(this.#environment.count).op("i32.le_s");
    this.#pace.emitHasBefore(count, limit);
    this.#code.op("i32.and");
  }

  /**
   * Push the next token; it stands in a place of its own, for a pass may pop several. `again`: in a leap, which of the pushes
   * of a pass it is.
   */
  emitToken(rounds: number, again?: number): Place {
    const code = this.#code;
    const { times } = this.#environment;
    const token = placeAt(this.channel.layout, this.#plan.heap.take(this.channel.layout.bytes));
    emitCopy(code, token, inColumns(this.channel.layout, this.#columns, this.#next));
    const actor = { code, plan: this.#plan, actor: this.channel.producer, time: this.time };
    if (again === undefined) {
      this.#pace.nextAnswered();
      this.#state.emitPush(actor, rounds);
    } else this.#state.emitLeap(actor, "push", again);
    code.loadAt(times).if();
    code.get(this.#next).i32(2).op("i32.shl").loadAt(times).op("i32.add").get(this.time).mem("i32.store");
    code.end();
    code.get(this.#next).i32(1).op("i32.add").set(this.#next);
    this.#pace.moved();
    return token;
  }
}
