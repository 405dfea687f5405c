/** The source of an outer input in rounds (rounds-code.ts): it pushes a token of its buffer whenever one is popped. */
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

  constructor(code: Code, plan: Plan, state: RoundChannel) {
    this.#code = code;
    this.#plan = plan;
    this.#state = state;
    this.channel = state.channel;
    this.#environment = plan.environments.get(this.channel.channel)!;
    this.time = code.local("i32");
    this.#next = code.local("i32");
    this.#columns = this.#environment.tokens.map(() => code.local("i32"));
  }

  load(): void {
    const code = this.#code;
    code.loadAt(this.#plan.frames[this.channel.producer]! + frame.time).set(this.time);
    code.loadAt(this.#environment.done).set(this.#next);
    this.#environment.tokens.forEach((address, i) => code.loadAt(address).set(this.#columns[i]!));
  }
  save(): void {
    const code = this.#code;
    code.storeAt(this.#plan.frames[this.channel.producer]! + frame.time, () => code.get(this.time));
    code.storeAt(this.#environment.done, () => code.get(this.#next));
  }

  /** Nonzero on the stack if it has `count` tokens more. */
  emitHas(count: number): void {
    this.#code.get(this.#next).i32(count).op("i32.add").loadAt(this.#environment.count).op("i32.le_s");
  }

  /** Push the next token; it stands in a place of its own, for a pass may pop several. */
  emitToken(rounds: number): Place {
    const code = this.#code;
    const { times } = this.#environment;
    const token = placeAt(this.channel.layout, this.#plan.heap.take(this.channel.layout.bytes));
    emitCopy(code, token, inColumns(this.channel.layout, this.#columns, this.#next));
    this.#state.emitPush({ code, plan: this.#plan, actor: this.channel.producer, time: this.time }, rounds);
    code.loadAt(times).if();
    code.get(this.#next).i32(2).op("i32.shl").loadAt(times).op("i32.add").get(this.time).mem("i32.store");
    code.end();
    code.get(this.#next).i32(1).op("i32.add").set(this.#next);
    return token;
  }
}
