/** A channel between two processes that run in step (rounds-code.ts): its state in Wasm locals, and the operations on it. */
import { countReleases, later, type Actor } from "./channel-code.js";
import { emitLearn, emitTell, toldBytes, toldOffset } from "./knowledge.js";
import { emitCopy, placeAt, type Place } from "./place.js";
import type { ChannelPlan, Plan } from "./plan.js";
import type { Cluster } from "./rounds.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

/** A local with a clock, and clocks after it. */
type Delay = readonly [local: number, after: number];

export class RoundChannel {
  readonly channel: ChannelPlan;
  readonly #code: Code;
  readonly #plan: Plan;
  readonly #pushed: number;
  readonly #popped: number;
  /** Clocks of the last pops and pushes, the latest first. */
  readonly #pops: readonly number[];
  readonly #pushes: readonly number[];
  readonly #stalls: { readonly push: number; readonly pop: number };
  readonly #stay: number;
  readonly #most: number;
  /** The token that has been pushed last. */
  readonly token: Place;
  /** Places of counts that change from round to round. */
  readonly #varying: readonly number[];

  constructor(code: Code, plan: Plan, channel: ChannelPlan, cluster: Cluster) {
    this.channel = channel;
    this.#code = code;
    this.#plan = plan;
    const local = (): number => code.local("i32");
    const { depth, lanes } = channel.channel;
    [this.#pushed, this.#popped, this.#most] = [local(), local(), local()];
    this.token = placeAt(channel.layout, plan.heap.take(channel.layout.bytes));
    this.#pops = Array.from({ length: Math.max(depth, lanes) }, local);
    this.#pushes = Array.from({ length: lanes }, local);
    this.#stalls = { push: local(), pop: local() };
    this.#stay = code.local("i64");
    const members = cluster.map(({ actor }) => plan.observers.indexOf(actor));
    this.#varying = channel.told.filter((place) => members.includes(place));
  }

  /** Nonzero on the stack if no token is under way. */
  emitIsEmpty(): Code {
    return this.#code.loadAt(this.channel.pushed).loadAt(this.channel.popped).op("i32.eq");
  }

  #slot(count: number, back: number): void {
    this.#code
      .get(count)
      .i32(back)
      .op("i32.sub")
      .i32(this.channel.slots - 1)
      .op("i32.and")
      .i32(2)
      .op("i32.shl");
  }

  load(): void {
    const code = this.#code;
    const { pushed, popped, pushTimes, popTimes, maxOccupancy } = this.channel;
    code.loadAt(pushed).set(this.#pushed).loadAt(popped).set(this.#popped).loadAt(maxOccupancy).set(this.#most);
    this.#pops.forEach((time, i) => {
      this.#slot(this.#popped, i + 1);
      code.mem("i32.load", popTimes).set(time);
    });
    this.#pushes.forEach((time, i) => {
      this.#slot(this.#pushed, i + 1);
      code.mem("i32.load", pushTimes).set(time);
    });
  }

  /** Everything back to memory; a token that nobody has popped tells what its producer knew. */
  save(): void {
    const code = this.#code;
    const { pushed, popped, pushTimes, popTimes, maxOccupancy, pushStall, popStall, occupancySum } = this.channel;
    code.storeAt(pushed, () => code.get(this.#pushed));
    code.storeAt(popped, () => code.get(this.#popped));
    code.storeAt(maxOccupancy, () => code.get(this.#most));
    code.storeAt(pushStall, () => code.loadAt(pushStall).get(this.#stalls.push).op("i32.add"));
    code.storeAt(popStall, () => code.loadAt(popStall).get(this.#stalls.pop).op("i32.add"));
    const sum = (): Code => code.loadAt(occupancySum, "i64.load").get(this.#stay).op("i64.add");
    code.storeAt(occupancySum, sum, "i64.store");
    this.#pops.forEach((time, i) => {
      this.#slot(this.#popped, i + 1);
      code.get(time).mem("i32.store", popTimes);
    });
    this.#pushes.forEach((time, i) => {
      this.#slot(this.#pushed, i + 1);
      code.get(time).mem("i32.store", pushTimes);
    });
    code.get(this.#pushed).get(this.#popped).op("i32.ne").if();
    const { layout, slots, values } = this.channel;
    const at = code.local("i32");
    code.get(this.#pushed).i32(1).op("i32.sub");
    code
      .i32(slots - 1)
      .op("i32.and")
      .i32(layout.bytes)
      .op("i32.mul")
      .set(at);
    emitCopy(code, placeAt(layout, values, at), this.token);
    this.#saveKnowledge();
    code.end();
  }

  #saveKnowledge(): void {
    const code = this.#code;
    const { told } = this.channel;
    if (told.length === 0) return;
    const slot = this.#knowledge(1);
    emitTell(code, told, [slot, this.channel.knowledge], this.#plan.known[this.channel.producer]!);
    const own = this.#own();
    if (own >= 0) {
      // The producer's own count has gone up since.
      const at = this.channel.knowledge + toldOffset(told, own);
      code.get(slot).get(slot).mem("i32.load", at).i32(1).op("i32.sub").mem("i32.store", at);
    }
  }

  /** The place of the producer's own count, if tokens tell it. */
  #own(): number {
    const own = this.#plan.observers.indexOf(this.channel.producer);
    return this.channel.told.includes(own) ? own : -1;
  }

  #knowledge(back: number): number {
    const code = this.#code;
    const slot = code.local("i32");
    code
      .get(this.#pushed)
      .i32(back)
      .op("i32.sub")
      .i32(this.channel.slots - 1)
      .op("i32.and");
    code.i32(toldBytes(this.channel.told)).op("i32.mul").set(slot);
    return slot;
  }

  /** Push what stands in `token`. */
  emitPush(actor: Pick<Actor, "code" | "plan" | "actor" | "time">, rounds: number): void {
    const code = this.#code;
    const { told, knowledge, channel } = this.channel;
    const { pushAfterPop, pushAfterPush } = rules.round;
    const [freed, before] = [this.#pops[channel.depth - 1]!, this.#pushes[channel.lanes - 1]!];
    this.#wait(actor.time, [freed, pushAfterPop], [before, pushAfterPush], this.#stalls.push);
    // It finds as many tokens in the channel as were popped later than now.
    const held = code.temp("i32");
    code.i32(1);
    for (const pop of this.#pops.slice(0, channel.depth - 1))
      code.get(pop).get(actor.time).op("i32.gt_s").op("i32.add");
    code.tee(held).get(this.#most).get(held).get(this.#most).op("i32.gt_s").op("select").set(this.#most);
    code.free("i32", held);
    this.#shift(this.#pushes, actor.time);
    if (told.length > 0) {
      code.get(rounds).op("i32.eqz").if();
      emitTell(code, told, [this.#knowledge(0), knowledge], this.#plan.known[actor.actor]!);
      code.end();
      countReleases(actor, told, () => code.i32(1));
    }
    code.get(this.#pushed).i32(1).op("i32.add").set(this.#pushed);
  }

  /** Pop the token that was pushed in this round. */
  emitPop(actor: Actor, rounds: number): void {
    const code = this.#code;
    const { told, knowledge, channel } = this.channel;
    const [push] = this.#pushes;
    const { popAfterPush, popAfterPop } = rules.round;
    this.#wait(actor.time, [push!, popAfterPush], [this.#pops[channel.lanes - 1]!, popAfterPop], this.#stalls.pop);
    code.get(this.#stay).get(actor.time).get(push!).op("i32.sub").op("i64.extend_i32_s").op("i64.add").set(this.#stay);
    this.#shift(this.#pops, actor.time);
    code.get(this.#popped).i32(1).op("i32.add").set(this.#popped);
    if (told.length === 0) return;
    const known = this.#plan.known[actor.actor]!;
    code.get(rounds).op("i32.eqz").if();
    emitLearn(code, told, known, [this.#knowledge(1), knowledge]);
    code.else();
    const [news, old] = [code.temp("i32"), code.temp("i32")];
    for (const place of this.#varying) {
      code.loadAt(this.#plan.known[this.channel.producer]! + place * 4);
      if (place === this.#own()) code.i32(1).op("i32.sub");
      code.set(news);
      const at = known + place * 4;
      code.i32(0).get(news).loadAt(at).tee(old).get(news).get(old).op("i32.gt_u").op("select").mem("i32.store", at);
    }
    code.free("i32", news, old);
    code.end();
  }

  /** The clock moves on to so many clocks after both others, if it is not there yet. */
  #wait(time: number, [one, after]: Delay, [other, afterOther]: Delay, stall: number): void {
    const code = this.#code;
    const wait = code.temp("i32");
    code.get(one).set(wait).get(other);
    later(code, wait, after, afterOther);
    code.get(wait).get(time).op("i32.sub").set(wait);
    code.get(wait).i32(0).get(wait).i32(0).op("i32.gt_s").op("select").set(wait);
    code.get(stall).get(wait).op("i32.add").set(stall);
    code.get(time).get(wait).op("i32.add").set(time);
    code.free("i32", wait);
  }

  #shift(times: readonly number[], now: number): void {
    for (let i = times.length - 1; i > 0; i--) this.#code.get(times[i - 1]!).set(times[i]!);
    this.#code.get(now).set(times[0]!);
  }
}
