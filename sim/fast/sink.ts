/** The sink of an outer output that takes tokens in the function of who pushes them (chain-code.ts). */
import type { Taker } from "./chain-code.js";
import { emitGap, emitTokenMoved, resume } from "./environment-code.js";
import type { ChainContext } from "./follower.js";
import type { Link } from "./followers.js";
import { PaceCode } from "./pace-code.js";
import { emitCopy, inColumns, placeAt } from "./place.js";
import { frame, type ChannelPlan, type Environment } from "./plan.js";
import type { Code } from "./wasm.js";

export class SinkTaker implements Taker {
  readonly channel: ChannelPlan;
  readonly here: number;
  readonly learnt: number;
  readonly spaced: Link["spaced"];
  readonly varying: readonly number[];
  readonly time: number;
  readonly #code: Code;
  readonly #frame: number;
  readonly #horizon: number;
  readonly #buffer: Environment;
  readonly #columns: readonly number[];
  /** The number of the next token. */
  readonly #next: number;
  readonly #pace: PaceCode;

  constructor(
    { plan, horizon, code }: ChainContext,
    { spaced }: Link,
    channel: ChannelPlan,
    varying: readonly number[],
  ) {
    this.channel = channel;
    this.spaced = spaced;
    this.varying = varying;
    this.#code = code;
    this.#horizon = horizon;
    this.#frame = plan.frames[channel.consumer]!;
    this.#buffer = plan.environments.get(channel.channel)!;
    const local = (): number => code.local("i32");
    [this.here, this.learnt, this.time, this.#next] = [local(), local(), local(), local()];
    this.#columns = this.#buffer.tokens.map(local);
    this.#pace = new PaceCode(code, this.#buffer, false, this.time, this.#frame + frame.pollTime);
  }

  get actor(): number {
    return this.channel.consumer;
  }

  emitStands(): void {
    this.#code
      .loadAt(this.#frame + frame.resume)
      .i32(resume.operation)
      .op("i32.eq");
  }

  load(): void {
    const code = this.#code;
    code.loadAt(this.#frame + frame.time).set(this.time);
    code.loadAt(this.#buffer.done).set(this.#next);
    this.#buffer.tokens.forEach((address, i) => code.loadAt(address).set(this.#columns[i]!));
    this.#pace.load();
  }

  save(): void {
    const code = this.#code;
    code.storeAt(this.#frame + frame.time, () => code.get(this.time));
    code.storeAt(this.#buffer.done, () => code.get(this.#next));
    this.#pace.save();
  }

  emitPass(address: number): void {
    const code = this.#code;
    const { layout, popWaits } = this.channel;
    const state = code.temp("i32");
    const stays = code.block();
    const away = code.block();
    const leave = (to: number): void => {
      code.i32(to).set(state).br(away);
    };
    const horizon = (to: number): void => {
      code.get(this.time).get(this.#horizon).op("i32.ge_s").if();
      leave(to);
      code.end();
    };
    emitCopy(code, inColumns(layout, this.#columns, this.#next), placeAt(layout, 0, address));
    emitTokenMoved(code, this.#buffer, this.time, this.#next);
    this.#pace.moved();
    code.get(this.#next).loadAt(this.#buffer.count).op("i32.ge_s").if();
    leave(resume.next);
    code.end();
    emitGap(code, this.#buffer, this.time, this.#next);
    this.#pace.next(
      () => horizon(resume.pace),
      () => leave(resume.pace),
    );
    horizon(resume.operation);
    code.br(stays);
    code.end();
    code.storeAt(popWaits, () => code.i32(0));
    code.storeAt(this.#frame + frame.resume, () => code.get(state));
    this.save();
    code.i32(2).set(this.here);
    code.end();
    code.free("i32", state);
  }
}
