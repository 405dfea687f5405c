/**
 * A push whose token is taken at once (followers.ts): if whoever pops it stands at its pop with nothing to take, the push, the
 * pop and all up to the next such pop are done in place. Rings and counts are those of channel-code.ts, and are
 * in memory when anybody else looks, who can go on alone then: a follower whose way is not this one leaves with its variables in its frame.
 */
import { emitHorizon, emitPush, emitPushSlot, later, slot, type Actor } from "./channel-code.js";
import { emitLearnFrom, emitRelease } from "./knowledge.js";
import { emitCopy, placeAt, type Place } from "./place.js";
import type { ChannelPlan } from "./plan.js";
import { rules } from "./rules.js";
import { Code, type Label } from "./wasm.js";

/** Whoever takes the tokens of a channel in the function of who pushes them. */
export interface Taker extends Pick<Actor, "actor" | "time"> {
  readonly channel: ChannelPlan;
  readonly passing: Passing;
  /** A local: 0 nobody has looked yet, 1 its variables stand in locals and it waits for a token, 2 it is on its own. */
  readonly here: number;
  /** A local with the count of news (`Actor.news`) up to which it has learnt. */
  readonly learnt: number;
  /** Places of the counts that go up with every token that is pushed on the way to it. */
  readonly varying: readonly number[];
  /** Nonzero on the stack if it stands at the pop. */
  emitStands(): void;
  load(): void;
  /** Its variables to memory; it waits for a token. */
  save(): void;
  /** Each pass takes a clock. */
  readonly paces: boolean;
  /** What it does from behind the pop up to the next. */
  emitPass(token: Place): void;
}

/**
 * Of a channel whose tokens are taken at once: what stands in locals as long as they are. All tokens have been popped. From `even` on each
 * of them was popped right after its push; these are in memory when all is saved.
 */
export class Passing {
  readonly channel: ChannelPlan;
  /** Tokens so far, and the clock in which the last of them was popped. */
  readonly count: number;
  readonly last: number;
  readonly even: number;
  readonly #code: Code;

  constructor(code: Code, channel: ChannelPlan) {
    this.#code = code;
    this.channel = channel;
    [this.count, this.last, this.even] = [code.local("i32"), code.local("i32"), code.local("i32")];
  }

  load(): void {
    const code = this.#code;
    const { channel, count, even } = this;
    code.loadAt(channel.popped).tee(even).set(count);
    slot(code, channel, count, 1);
    code.mem("i32.load", channel.popTimes).set(this.last);
  }

  save({ passed }: Pushing): void {
    this.#code.get(this.even).get(this.count).get(this.last).call(passed(this.channel));
  }
}

/** Put its variables back to memory if they stand in locals. */
export function emitApart(code: Code, taker: Taker, pushing: Pushing): void {
  code.get(taker.here).i32(1).op("i32.eq").if();
  taker.save();
  taker.passing.save(pushing);
  code.end();
  code.i32(2).set(taker.here);
}

function emitLook(code: Code, taker: Taker): void {
  const { channel } = taker;
  code.get(taker.here).op("i32.eqz").if();
  code.i32(2).set(taker.here);
  code.loadAt(channel.popWaits).if();
  taker.emitStands();
  code.if();
  taker.load();
  taker.passing.load();
  code.i32(1).set(taker.here).i32(-1).set(taker.learnt);
  // Its pop comes after the push.
  code.loadAt(channel.maxOccupancy).op("i32.eqz").if();
  code.storeAt(channel.maxOccupancy, () => code.i32(1));
  code.end().end().end().end();
}

/** What all that push in a function share. */
export interface Pushing {
  /** The function of a push that goes by the rings alone: from the actor's clock to the clock after it, -1 if it has to wait. */
  readonly alone: (channel: ChannelPlan) => number;
  /** The function that raises the greatest occupancy of a channel when token `i` is pushed at `time`. */
  readonly fuller: (channel: ChannelPlan) => number;
  /** The function that puts tokens to memory that were popped right after their pushes: `even` to `count`, the last at `last`. */
  readonly passed: (channel: ChannelPlan) => number;
}

/** Such a function (see `Pushing`): tokens that are popped later than now are there. Parameters: `time`, `i`. */
export function fullerChannel(channel: ChannelPlan): Code {
  const code = new Code(["i32", "i32"]);
  const loop = code.loop();
  emitFuller(code, channel, 0, 1);
  code.storeAt(channel.maxOccupancy, () => code.loadAt(channel.maxOccupancy).i32(1).op("i32.add"));
  code.br(loop);
  code.end().end();
  return code;
}

/**
 * Such a function (see `Pushing`). Of the clocks only the last are exact. Others may as well be later: as if tokens had come one a clock
 * up to then. They say until when a slot or a lane was used, which is over when the next token can come (`emitPushTo`).
 */
export function passedChannel(channel: ChannelPlan): Code {
  const code = new Code(["i32", "i32", "i32"]);
  const [even, count, last] = [0, 1, 2];
  const [tokens, at] = [code.local("i32"), code.local("i32")];
  for (const address of [channel.pushed, channel.popped]) code.storeAt(address, () => code.get(count));
  code.get(count).get(even).op("i32.sub").tee(tokens).op("i32.eqz").if();
  code.op("return").end();
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

/** Begin a branch that is taken if the channel holds more than ever before. */
function emitFuller(code: Code, channel: ChannelPlan, time: number, i: number): void {
  code.get(time).get(i).loadAt(channel.maxOccupancy).op("i32.sub");
  code
    .i32(channel.slots - 1)
    .op("i32.and")
    .i32(2)
    .op("i32.shl");
  code.mem("i32.load", channel.popTimes).op("i32.lt_s").if();
}

/** Such a function (see `Pushing`). What is not done as a rule stands apart from what is: both in one place are too much code. */
export function alonePush({ plan, globals }: Pick<Actor, "plan" | "globals">, channel: ChannelPlan): Code {
  const code = new Code(["i32"], ["i32"]);
  const suspend = (): void => {
    code.i32(-1).op("return");
  };
  emitPush({ code, plan, globals, actor: channel.producer, time: 0, polls: false, suspend }, channel, 0);
  return code.get(0);
}

/**
 * Push a token; `id` is the suspension point in front of this code. It is `inSlot`, or has to be copied there if it is not taken at once.
 *
 * All tokens before this one have been popped. Let the last of them have been popped in clock `last` <= t; of one token at a time and
 * a depth of two, any other was popped before that. Then nothing makes the push wait (the slot was freed before t, and the token
 * before was pushed before it was popped), nothing but the taker's own clock makes the pop wait, and the channel holds one token.
 * Where operations share a clock or there is one slot, `last` < t is needed. A taker that is ready at t + 1 and whose pass takes a
 * clock has popped at t or before.
 */
export function emitPushTo(
  actor: Actor,
  taker: Taker,
  pushing: Pushing,
  token: Place,
  inSlot: boolean,
  id: number,
): void {
  const { code, time } = actor;
  const { channel, passing } = taker;
  const { depth, lanes } = channel.channel;
  const { popAfterPush, chainFlow } = rules.chain;
  const done = code.block();
  const apart = code.block();
  const beyond = code.block();
  emitLook(code, taker);
  code.get(taker.here).i32(1).op("i32.ne").brIf(apart);
  const ready = code.temp("i32");
  code.get(time).i32(popAfterPush).op("i32.add").set(ready);
  code.get(taker.time).get(ready);
  if (chainFlow !== 0) code.i32(chainFlow).op("i32.add");
  code.op("i32.le_s");
  const free = lanes === 1 && depth > 1 ? 0 : 1;
  if (!taker.paces || free !== 0)
    code
      .get(passing.last)
      .get(time)
      .i32(chainFlow - free)
      .op("i32.add")
      .op("i32.le_s")
      .op("i32.and");
  code.if();
  code.get(ready);
  emitHorizon(actor).op("i32.ge_s").brIf(beyond);
  raise(code, taker.time, ready, channel.popStall);
  code.get(ready).set(passing.last);
  code.else();
  pushByRings(actor, taker, pushing, beyond);
  code.end();
  code.free("i32", ready);
  learn(actor, taker);
  code.get(passing.count).i32(1).op("i32.add").set(passing.count);
  taker.emitPass(token);
  code.br(done);
  code.end();
  emitApart(code, taker, pushing);
  const toSlot = (): void => emitCopy(code, placeAt(channel.layout, 0, emitPushSlot(code, channel)), token);
  if (inSlot) toSlot();
  code.end();
  if (!inSlot) toSlot();
  const after = code.temp("i32");
  code.get(time).call(pushing.alone(channel)).tee(after).i32(0).op("i32.lt_s").if();
  actor.suspend(id);
  code.end();
  code.get(after).set(time);
  code.free("i32", after);
  code.end();
}

/** The clock in a local moves on to the one in another; `stall` counts the wait. */
function raise(code: Code, time: number, to: number, stall: number): void {
  code.get(to).get(time).op("i32.gt_s").if();
  code.storeAt(stall, () => code.loadAt(stall).get(to).op("i32.add").get(time).op("i32.sub"));
  code.get(to).set(time);
  code.end();
}

/** The times of the push and of the pop by the formulas of channel-code.ts; a branch to `beyond` where they reach the horizon. */
function pushByRings(actor: Actor, taker: Taker, pushing: Pushing, beyond: Label): void {
  const { code, time } = actor;
  const { channel, passing } = taker;
  const { count, last, even } = passing;
  const { depth, lanes } = channel.channel;
  const { pushAfterPop, pushAfterPush, popAfterPush, popAfterPop } = rules.chain;
  const [pushed, ready] = [code.temp("i32"), code.temp("i32")];
  code.get(even).get(count).op("i32.ne").if();
  passing.save(pushing);
  code.get(count).set(even).end();
  slot(code, channel, count, depth);
  code.mem("i32.load", channel.popTimes).set(pushed);
  slot(code, channel, count, lanes);
  code.mem("i32.load", channel.pushTimes);
  later(code, pushed, pushAfterPop, pushAfterPush);
  code.get(pushed).get(time).get(pushed).get(time).op("i32.gt_s").op("select").tee(pushed).set(ready);
  slot(code, channel, count, lanes);
  code.mem("i32.load", channel.popTimes);
  later(code, ready, popAfterPush, popAfterPop);
  code.get(ready);
  emitHorizon(actor).op("i32.ge_s").brIf(beyond);
  raise(code, time, pushed, channel.pushStall);
  slot(code, channel, count, 0);
  code.get(time).mem("i32.store", channel.pushTimes);
  emitFuller(code, channel, time, count);
  code.get(time).get(count).call(pushing.fuller(channel)).end();
  raise(code, taker.time, ready, channel.popStall);
  slot(code, channel, count, 0);
  code.get(taker.time).tee(last).mem("i32.store", channel.popTimes);
  const sum = (): void => {
    code.loadAt(channel.occupancySum, "i64.load").get(last).get(time);
    code.op("i32.sub").op("i64.extend_i32_s").op("i64.add");
  };
  code.storeAt(channel.occupancySum, sum, "i64.store");
  code.get(count).i32(1).op("i32.add").set(even);
  code.free("i32", pushed, ready);
}

/** What the token tells: all that is known if there are news, else what changes with every token. */
function learn(actor: Actor, taker: Taker): void {
  const { code, plan, news } = actor;
  const { told } = taker.channel;
  if (told.length === 0) return;
  const [to, from] = [plan.known[taker.actor]!, plan.known[actor.actor]!];
  code.get(taker.learnt).get(news!).op("i32.ne").if();
  emitLearnFrom(code, told, to, from);
  code.get(news!).set(taker.learnt);
  code.else();
  emitLearnFrom(code, taker.varying, to, from);
  code.end();
  const own = plan.observers.indexOf(actor.actor);
  if (told.includes(own)) emitRelease(code, from, own);
}
