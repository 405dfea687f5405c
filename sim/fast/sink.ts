/** The sink of an outer output that takes tokens in the function of who pushes them (chain-code.ts). */
import type { Taker } from "./chain-code.js";
import { emitGap, emitTokenMoved, resume } from "./environment-code.js";
import type { ChainContext } from "./takers.js";
import { PaceCode } from "./pace-code.js";
import type { Passing } from "./passing.js";
import { emitCopy, inColumns, type Place } from "./place.js";
import { frame } from "./frame.js";
import type { ChannelPlan, Environment } from "./plan.js";
import type { Code } from "./wasm.js";

export class SinkTaker implements Taker {
  readonly channel: ChannelPlan;
  readonly passing: Passing;
  /** It may take several tokens in a clock. */
  readonly paces = false;
  readonly time: number;
  readonly #code: Code;
  readonly #frame: number;
  readonly #horizon: number;
  readonly #buffer: Environment;
  readonly #columns: readonly number[];
  /** The number of the next token. */
  readonly #next: number;
  readonly #pace: PaceCode;

  constructor({ plan, horizon, code, passings }: ChainContext, channel: ChannelPlan) {
    this.channel = channel;
    this.passing = passings.of(channel);
    this.#code = code;
    this.#horizon = horizon;
    this.#frame = plan.frames[channel.consumer]!;
    this.#buffer = plan.environments.get(channel.channel)!;
    const local = (): number => code.local("i32");
    [this.time, this.#next] = [local(), local()];
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

  /** Its variables stand in locals: they go to memory when the function is left, or another is called that may take it along. */
  emitApart(): void {
    this.passing.ifHere(this.#code);
    this.#save();
    this.passing.end(this.#code);
    this.#code.end();
  }

  #save(): void {
    const code = this.#code;
    code.storeAt(this.#frame + frame.time, () => code.get(this.time));
    code.storeAt(this.#buffer.done, () => code.get(this.#next));
    this.#pace.save();
  }

  emitTime(): void {
    return;
  }

  emitPass(token: Place): void {
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
    emitCopy(code, inColumns(layout, this.#columns, this.#next), token);
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
    this.#save();
    this.passing.end(code);
    code.end();
    code.free("i32", state);
  }
}
