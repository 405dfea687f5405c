/**
 * A channel between two processes that run in step (rounds-code.ts): its state in Wasm locals, and the operations on it. In a
 * leap (leap.ts) every operation happens so many clocks after the same one of the round before: the wait of each is that
 * of the last round, and what the channel counts is made up for when the leap ends.
 */
import type { BankView } from "./bank-view.js";
import { countReleases, later, type Actor } from "./channel-code.js";
import { emitLearn, emitLearnFrom, emitTell, toldBytes, toldOffset } from "./knowledge.js";
import { movesOnly } from "./moves.js";
import { emitCopy, placeAt, type Place } from "./place.js";
import type { ChannelPlan, Plan } from "./plan.js";
import type { Cluster } from "./rounds.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

/** A local with a clock, and clocks after it. */
type Delay = readonly [local: number, after: number];

/** An operation of a round: locals with its wait, and, of a pop, with the clocks that its token had been there. */
export interface Operation {
  readonly wait: number;
  readonly stayed: number;
}

/** One side of a channel: locals with its clocks, the latest first, and with what is counted. */
interface ChannelSide {
  readonly times: readonly number[];
  readonly operations: readonly Operation[];
  readonly count: number;
  readonly stall: number;
}

/** An actor of a round, and those whose tokens come to it within the round. */
function upTo(actor: number, cluster: Cluster): number[] {
  const found = [actor];
  for (const at of found) {
    const pops = cluster.find((pass) => pass.actor === at)?.pops ?? [];
    for (const pass of cluster)
      if (pass.pushes.some((channel) => pops.includes(channel)) && !found.includes(pass.actor)) found.push(pass.actor);
  }
  return found;
}

export class RoundChannel {
  readonly channel: ChannelPlan;
  readonly #code: Code;
  readonly #plan: Plan;
  readonly #cluster: Cluster;
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
  /** In a leap: the token that has been pushed last stands among the words of banks (bank-view.ts). */
  view: BankView | undefined;
  /** Places of counts that change from round to round. */
  readonly #varying: readonly number[];
  /** The operations of a round, in order. */
  readonly #operations: Record<"push" | "pop", Operation[]> = { push: [], pop: [] };

  constructor(code: Code, plan: Plan, channel: ChannelPlan, cluster: Cluster) {
    this.channel = channel;
    this.#code = code;
    this.#plan = plan;
    this.#cluster = cluster;
    const local = (): number => code.local("i32");
    const { depth, lanes } = channel.channel;
    [this.#pushed, this.#popped, this.#most] = [local(), local(), local()];
    this.token = placeAt(channel.layout, plan.heap.take(channel.layout.bytes));
    this.#pops = Array.from({ length: Math.max(depth, lanes) }, local);
    this.#pushes = Array.from({ length: lanes }, local);
    this.#stalls = { push: local(), pop: local() };
    this.#stay = code.local("i64");
    const sources = upTo(channel.producer, cluster).map((actor) => plan.observers.indexOf(actor));
    this.#varying = channel.told.filter((place) => sources.includes(place));
  }

  /** Who pops does nothing with a token but move its elements (moves.ts). */
  get movesOnly(): boolean {
    const { channel } = this.channel;
    return this.#cluster.every(
      (pass) => !pass.pops.includes(channel) || movesOnly(pass, channel, (stmt) => this.#plan.sums.adds(stmt)),
    );
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

  /** Push what stands in `token`; in a `full` round (a local) with all that the producer knows. */
  emitPush(actor: Pick<Actor, "code" | "plan" | "actor" | "time">, full: number): void {
    const code = this.#code;
    const { told, knowledge, channel } = this.channel;
    const { pushAfterPop, pushAfterPush } = rules.round;
    const [freed, before] = [this.#pops[channel.depth - 1]!, this.#pushes[channel.lanes - 1]!];
    const { wait } = this.#operation("push");
    this.#wait(actor.time, [freed, pushAfterPop], [before, pushAfterPush], wait);
    code.get(this.#stalls.push).get(wait).op("i32.add").set(this.#stalls.push);
    // It finds as many tokens in the channel as were popped later than now.
    const held = code.temp("i32");
    code.i32(1);
    for (const pop of this.#pops.slice(0, channel.depth - 1))
      code.get(pop).get(actor.time).op("i32.gt_s").op("i32.add");
    code.tee(held).get(this.#most).get(held).get(this.#most).op("i32.gt_s").op("select").set(this.#most);
    code.free("i32", held);
    this.#shift(this.#pushes, actor.time);
    if (told.length > 0) {
      code.get(full).if();
      emitTell(code, told, [this.#knowledge(0), knowledge], this.#plan.known[actor.actor]!);
      code.end();
      countReleases(actor, told, () => code.i32(1));
    }
    code.get(this.#pushed).i32(1).op("i32.add").set(this.#pushed);
  }

  /** Pop the token that was pushed in this round. */
  emitPop(actor: Actor, full: number): void {
    const code = this.#code;
    const { told, knowledge, channel } = this.channel;
    const [push] = this.#pushes;
    const { popAfterPush, popAfterPop } = rules.round;
    const { wait, stayed } = this.#operation("pop");
    this.#wait(actor.time, [push!, popAfterPush], [this.#pops[channel.lanes - 1]!, popAfterPop], wait);
    code.get(this.#stalls.pop).get(wait).op("i32.add").set(this.#stalls.pop);
    code.get(actor.time).get(push!).op("i32.sub").set(stayed);
    code.get(this.#stay).get(stayed).op("i64.extend_i32_s").op("i64.add").set(this.#stay);
    this.#shift(this.#pops, actor.time);
    code.get(this.#popped).i32(1).op("i32.add").set(this.#popped);
    if (told.length === 0) return;
    code.get(full).if();
    // It was told in full, or is older than what is learnt besides.
    emitLearn(code, told, this.#plan.known[actor.actor]!, [this.#knowledge(1), knowledge]);
    code.end();
    this.emitLearnVarying(actor);
  }

  /** Tokens tell the producer's own count. */
  get tellsOwn(): boolean {
    return this.#own() >= 0;
  }
  /** In a leap: so many tokens more (a local) have told what their producer knows. */
  emitCount(actor: Pick<Actor, "code" | "plan" | "actor">, pushes: number): void {
    const { told } = this.channel;
    if (told.length > 0) countReleases(actor, told, () => this.#code.get(pushes));
  }

  /** Learn what has changed since the round before. */
  emitLearnVarying({ actor }: Pick<Actor, "actor">): void {
    const code = this.#code;
    const known = this.#plan.known[actor]!;
    const [news, old] = [code.temp("i32"), code.temp("i32")];
    for (const place of this.#varying) {
      code.loadAt(this.#plan.known[this.channel.producer]! + place * 4);
      if (place === this.#own()) code.i32(1).op("i32.sub");
      code.set(news);
      const at = known + place * 4;
      code.i32(0).get(news).loadAt(at).tee(old).get(news).get(old).op("i32.gt_u").op("select").mem("i32.store", at);
    }
    code.free("i32", news, old);
  }

  /** Between rounds: who pops learns all that tokens would tell now. */
  emitLearnAll(): void {
    const { told, producer, consumer } = this.channel;
    const { known } = this.#plan;
    if (told.length > 0) emitLearnFrom(this.#code, told, known[consumer]!, known[producer]!);
  }

  #operation(side: "push" | "pop"): Operation {
    const [wait, stayed] = [this.#code.local("i32"), this.#code.local("i32")];
    this.#operations[side].push({ wait, stayed });
    return { wait, stayed };
  }

  /** The local with the wait of operation `i` of the last round. */
  waitOf(side: "push" | "pop", i: number): number {
    return this.#operations[side][i]!.wait;
  }

  /** In a leap: operation `i` of a round; the value of a push stands in `token`. */
  emitLeap(actor: Pick<Actor, "code" | "plan" | "actor" | "time">, side: "push" | "pop", i: number): void {
    const { told } = this.channel;
    const { wait } = this.#operations[side][i]!;
    this.#code.get(actor.time).get(wait).op("i32.add");
    if (rules.round.leapWait !== 0) this.#code.i32(rules.round.leapWait).op("i32.add");
    this.#code.set(actor.time);
    if (side === "pop") this.emitLearnVarying(actor);
    else if (told.length > 0) countReleases(actor, told, () => this.#code.i32(1));
  }

  /** Its two sides: clocks, the latest first, operations of a round, locals with what is counted. */
  get sides(): {
    readonly push: ChannelSide;
    readonly pop: ChannelSide & { readonly stay: number };
  } {
    const { push, pop } = this.#operations;
    return {
      push: { times: this.#pushes, operations: push, count: this.#pushed, stall: this.#stalls.push },
      pop: { times: this.#pops, operations: pop, count: this.#popped, stall: this.#stalls.pop, stay: this.#stay },
    };
  }

  /** Clocks that tell the rest of time, as they are between rounds. */
  get clocks(): readonly number[] {
    return [...this.#pops, ...this.#pushes];
  }

  /**
   * After a leap: `pushed` and `popped` are locals with the passes that did so, each `period` (a local) clocks after the last; of `others`
   * (a local) before them only the tokens are not counted yet.
   */
  emitSettle(pushed: number, popped: number, period: number, others?: number): void {
    const code = this.#code;
    const shift = code.temp("i32");
    const { push, pop } = this.sides;
    const sides = [
      { passes: pushed, ...push },
      { passes: popped, ...pop },
    ];
    for (const { passes, operations, times, count, stall } of sides) {
      code.get(passes).get(period).op("i32.mul").set(shift);
      for (const time of times) code.get(time).get(shift).op("i32.add").set(time);
      code.get(count).get(passes);
      if (others !== undefined) code.get(others).op("i32.add");
      code.i32(operations.length).op("i32.mul").op("i32.add").set(count);
      for (const { wait } of operations) code.get(stall).get(wait).get(passes).op("i32.mul").op("i32.add").set(stall);
    }
    for (const { stayed } of pop.operations) {
      code.get(this.#stay).get(stayed).op("i64.extend_i32_s").get(popped).op("i64.extend_i32_s");
      code.op("i64.mul").op("i64.add").set(this.#stay);
    }
    code.free("i32", shift);
  }

  /** The clocks that the last token had been there, of the only pop of a round. */
  get stayed(): number {
    return this.#operations.pop[0]!.stayed;
  }

  /**
   * The first clock at which a token is pushed without a wait, whatever flows behind it: `after` clocks behind the last, if that was popped one
   * clock after its push and all stand as they did then; else when all that was has been popped. `source` and `taker` are locals with the
   * clocks of both sides, which takes `clocks` for a token; a relay (undefined) pushes in the clock in which it pops.
   */
  emitFlows(source: number | undefined, taker: number, clocks: number, apart: number): void {
    const code = this.#code;
    const [[pop], [push]] = [this.#pops, this.#pushes] as unknown as [readonly [number], readonly [number]];
    const [least, other] = [code.temp("i32"), code.temp("i32")];
    code.get(pop).set(least);
    for (const [clock, after] of [
      [push, 0],
      [source ?? push, -1],
      [taker, -2],
    ] as const) {
      code.get(clock).i32(after).op("i32.add").tee(other);
      code.get(least).get(other).get(least).op("i32.gt_s").op("select").set(least);
    }
    code.get(push).i32(apart).op("i32.add").get(least).i32(1).op("i32.add");
    code.get(pop).get(push).op("i32.sub").i32(1).op("i32.eq");
    if (source !== undefined) code.get(source).get(push).op("i32.eq").op("i32.and");
    code.get(taker).get(pop).op("i32.sub").i32(clocks).op("i32.le_s").op("i32.and");
    code.op("select");
    code.free("i32", least, other);
  }

  /**
   * Behind `count` (a local) tokens that were pushed at the clocks that end at the address `end` (a local), none of which waited for the
   * channel, and popped one clock later by a process that takes `clocks` for each and stood at the clock in `taker` (a local) before.
   * `after`: the pushes are so many clocks behind those in memory.
   */
  emitFlowed(count: number, end: number, taker: number, clocks: number, after = 0): void {
    const code = this.#code;
    const [last, at] = [code.temp("i32"), code.temp("i32")];
    const clock = (): void => {
      code.mem("i32.load");
      if (after !== 0) code.i32(after).op("i32.add");
      code.set(last);
    };
    code.get(end).i32(4).op("i32.sub");
    clock();
    code
      .get(this.#stalls.pop)
      .get(last)
      .op("i32.add")
      .i32(1 + clocks)
      .op("i32.add")
      .get(taker)
      .op("i32.sub");
    code.get(count).i32(clocks).op("i32.mul").op("i32.sub").set(this.#stalls.pop);
    code.get(this.#stay).get(count).op("i64.extend_i32_s").op("i64.add").set(this.#stay);
    for (const total of [this.#pushed, this.#popped]) code.get(total).get(count).op("i32.add").set(total);
    code.get(this.#most).i32(1).get(this.#most).op("select").set(this.#most);
    const size = this.#pops.length;
    code.get(count).i32(size).get(count).i32(size).op("i32.lt_s").op("select").i32(2).op("i32.shl").set(at);
    code.get(end).get(at).op("i32.sub").set(at);
    const loop = code.loop();
    code.get(at);
    clock();
    this.#shift(this.#pushes, last);
    code.get(last).i32(1).op("i32.add").set(last);
    this.#shift(this.#pops, last);
    code.get(at).i32(4).op("i32.add").tee(at).get(end).op("i32.lt_u").brIf(loop);
    code.end();
    code.free("i32", last, at);
  }

  /** The clock moves on to so many clocks after both others, if it is not there yet; `wait` becomes how many. */
  #wait(time: number, [one, after]: Delay, [other, afterOther]: Delay, wait: number): void {
    const code = this.#code;
    code.get(one).set(wait).get(other);
    later(code, wait, after, afterOther);
    code.get(wait).get(time).op("i32.sub").set(wait);
    code.get(wait).i32(0).get(wait).i32(0).op("i32.gt_s").op("select").set(wait);
    code.get(time).get(wait).op("i32.add").set(time);
  }

  #shift(times: readonly number[], now: number): void {
    for (let i = times.length - 1; i > 0; i--) this.#code.get(times[i - 1]!).set(times[i]!);
    this.#code.get(now).set(times[0]!);
  }
}
