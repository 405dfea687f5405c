/**
 * What is kept of a channel whose tokens are taken in the function of who pushes them (chain-code.ts): words in memory, the same for all
 * functions in which that is done. So it stays when a function is left, and rings and counts are filled in when anybody else looks: whoever
 * pushes alone or takes alone, and the outside.
 */
import type { Channel } from "../../hw/channel.js";
import { slot } from "./channel-code.js";
import type { Chains, Link } from "./followers.js";
import { frame } from "./frame.js";
import { AWAY, type StepsOf } from "./in-step.js";
import type { ChannelPlan, Plan } from "./plan.js";
import { rules } from "./rules.js";
import { Code } from "./wasm.js";

/**
 * All tokens have been popped. From `even` on each of them was popped right after its push, and is in no ring. Words in memory
 * cost less than locals that are carried through all of a function.
 */
export class Passing {
  readonly channel: ChannelPlan;
  /** Places of the counts that go up with tokens on the way to this channel, in whichever function. */
  readonly varying: readonly number[];
  /** 1: the taker waits for a token, and is taken along; else nobody knows. */
  readonly here: number;
  /** The count of news (`Actor.news`) of who pushes up to which the taker has learnt. */
  readonly learnt: number;
  /** Tokens so far, and the clock in which the last of them was popped. */
  readonly count: number;
  readonly last: number;
  readonly even: number;
  /** Of stages in step: the taker's clock while it is taken along, and its waits that the channel's count lacks. */
  readonly time: number | undefined;
  readonly stalls: number | undefined;
  readonly #frame: number;
  readonly #passed: number;

  constructor(
    plan: Plan,
    channel: ChannelPlan,
    varying: readonly number[],
    place: ReturnType<StepsOf["placeOf"]>,
    passed: (passing: Passing) => number,
  ) {
    this.channel = channel;
    this.varying = varying;
    this.#frame = plan.frames[channel.consumer]!;
    const at = plan.heap.take(20);
    [this.count, this.last, this.even, this.here, this.learnt] = [at, at + 4, at + 8, at + 12, at + 16];
    if (place) {
      const { lanes, lane } = place;
      const inLane = (words: number): number => words + lane * 4;
      [this.count, this.last, this.time, this.stalls] = [lanes.counts, lanes.lasts, lanes.times, lanes.stalls].map(
        inLane,
      ) as [number, number, number, number];
      if (lane > 0) this.learnt = inLane(lanes.learnt);
    }
    this.#passed = passed(this);
  }

  /** The taker stands at its pop: it is taken along from now on. */
  begin(code: Code): void {
    const { channel, count, even, last } = this;
    const tokens = code.temp("i32");
    code.loadAt(channel.popped).set(tokens);
    for (const address of [count, even]) code.storeAt(address, () => code.get(tokens));
    code.storeAt(last, () => {
      slot(code, channel, tokens, 1);
      code.mem("i32.load", channel.popTimes);
    });
    code.free("i32", tokens);
    code.storeAt(this.here, () => code.i32(1));
    if (this.time !== undefined) code.storeAt(this.time, () => code.loadAt(this.#frame + frame.time));
    // Its pop comes after the push.
    code.loadAt(channel.maxOccupancy).op("i32.eqz").if();
    code.storeAt(channel.maxOccupancy, () => code.i32(1));
    code.end();
  }

  /** Rings and counts as they are. */
  save(code: Code): void {
    code.call(this.#passed);
  }
  /** Nobody is taken along any more. */
  end(code: Code): void {
    const { time } = this;
    this.save(code);
    code.storeAt(this.here, () => code.i32(0));
    if (time === undefined) return;
    code.storeAt(this.#frame + frame.time, () => code.loadAt(time));
    code.storeAt(time, () => code.i32(AWAY));
  }

  /** Begin a branch for the case that the taker is taken along. */
  ifHere(code: Code): void {
    code.loadAt(this.here).i32(1).op("i32.eq").if();
  }
  /** Whoever stands behind its back does not know it: rings and counts as they are. */
  emitApart(code: Code): void {
    this.ifHere(code);
    this.end(code);
    code.end();
  }
}

/** Of a design, by channel. */
export class Passings {
  readonly #passings: ReadonlyMap<ChannelPlan, Passing>;

  /** `passed`: see `passedChannel`. */
  constructor(plan: Plan, chains: Chains, steps: StepsOf, passed: (passing: Passing) => number) {
    const onTheWay = observersOf(plan, chains);
    this.#passings = new Map(
      [...onTheWay].map(([key, observers]) => {
        const channel = plan.channels.get(key)!;
        const varying = channel.told.filter((place) => observers.has(place));
        return [channel, new Passing(plan, channel, varying, steps.placeOf(key), passed)];
      }),
    );
  }

  /** Of a channel with takers in some function. */
  of(channel: ChannelPlan): Passing {
    return this.#passings.get(channel)!;
  }
  /** In front of a push by the rings, in a function where nobody is taken along: elsewhere the taker may be. */
  emitAlone(code: Code, channel: ChannelPlan): void {
    if (rules.chain.chainAlone === 0) this.#passings.get(channel)?.emitApart(code);
  }
  emitAllApart(code: Code): void {
    for (const passing of this.#passings.values()) passing.emitApart(code);
  }
}

/** By channel, the places of those who share memories and whose pushes lead to it, in any function. */
function observersOf(plan: Plan, chains: Chains): ReadonlyMap<Channel, ReadonlySet<number>> {
  const edges: { readonly channel: Channel; readonly from: number; readonly to: number }[] = [];
  const walk = (links: readonly Link[], from: number): void => {
    for (const { channel, follower, next } of links) {
      const to = plan.channels.get(channel)!.consumer;
      if (!edges.some((edge) => edge.channel === channel)) edges.push({ channel, from, to });
      if (follower) walk(next, follower.actor);
    }
  };
  plan.ir.processes.forEach((_, actor) => {
    walk(chains.of(actor), actor);
  });
  const found = new Map(edges.map(({ channel }) => [channel, new Set<number>()]));
  for (let grew = true; grew;) {
    grew = false;
    for (const { channel, from } of edges) {
      const all = found.get(channel)!;
      const before = all.size;
      const own = plan.observers.indexOf(from);
      if (own >= 0) all.add(own);
      for (const { channel: above, to } of edges)
        if (to === from) for (const place of found.get(above)!) all.add(place);
      grew ||= all.size > before;
    }
  }
  return found;
}

/**
 * A function that puts tokens to the rings that were popped right after their pushes. Of the clocks only the last are exact. Others may as
 * well be later: as if tokens had come one a clock
 * up to then. They say until when a slot or a lane was used, which is over when the next token can come (`emitPushTo`).
 */
export function passedChannel({ channel, stalls, ...words }: Passing): Code {
  const code = new Code();
  const [count, last] = [code.local("i32"), code.local("i32")];
  const [tokens, at] = [code.local("i32"), code.local("i32")];
  if (stalls !== undefined) {
    code.storeAt(channel.popStall, () => code.loadAt(channel.popStall).loadAt(stalls).op("i32.add"));
    code.storeAt(stalls, () => code.i32(0));
  }
  code.loadAt(words.count).set(count);
  for (const address of [channel.pushed, channel.popped]) code.storeAt(address, () => code.get(count));
  code.get(count).loadAt(words.even).op("i32.sub").tee(tokens).op("i32.eqz").if();
  code.op("return").end();
  code.storeAt(words.even, () => code.get(count));
  code.loadAt(words.last).set(last);
  const sum = (): void => {
    code.loadAt(channel.occupancySum, "i64.load").get(tokens).op("i64.extend_i32_u");
    code.i64(rules.chain.popAfterPush).op("i64.mul").op("i64.add");
  };
  code.storeAt(channel.occupancySum, sum, "i64.store");
  code.get(tokens).i32(channel.slots).get(tokens).i32(channel.slots).op("i32.lt_s").op("select").set(tokens);
  const loop = code.loop();
  slot(code, channel, count, 1);
  code.tee(at).get(last).mem("i32.store", channel.popTimes);
  code.get(at).get(last).i32(rules.chain.popAfterPush).op("i32.sub").mem("i32.store", channel.pushTimes);
  code.get(count).i32(1).op("i32.sub").set(count);
  code.get(last).i32(1).op("i32.sub").set(last);
  code.get(tokens).i32(1).op("i32.sub").tee(tokens).brIf(loop);
  code.end();
  return code;
}
