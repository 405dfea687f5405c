/**
 * A push whose token is taken at once (followers.ts): if whoever pops it stands at its pop with nothing to take, the push, the
 * pop and all up to the next such pop are done in place. Rings and counts are those of channel-code.ts, and are
 * in memory when anybody else looks, who can go on alone then: a follower whose way is not this one leaves with its variables in its frame.
 */
import { emitHorizon, emitPush, emitPushSlot, later, slot, type Actor } from "./channel-code.js";
import type { StepsOf } from "./in-step.js";
import { emitInStep, type Stages } from "./in-step-code.js";
import { countNews, emitLearnFrom, emitRelease } from "./knowledge.js";
import type { Passing, Passings } from "./passing.js";
import { emitCopy, placeAt, type Place } from "./place.js";
import type { ChannelPlan } from "./plan.js";
import { rules } from "./rules.js";
import { Code, type Label } from "./wasm.js";

/** Whoever takes the tokens of a channel in the function of who pushes them. */
export interface Taker extends Pick<Actor, "actor" | "time"> {
  readonly channel: ChannelPlan;
  readonly passing: Passing;
  /** Where its count of news stands (`Actor.news`); undefined if nobody asks. */
  readonly news?: number;
  /** Each pass takes a clock. */
  readonly paces: boolean;
  /** Nonzero on the stack if it stands at the pop. */
  emitStands(): void;
  /** Its variables from memory, for many passes. */
  load(): void;
  /** If it is taken along, it is not any more; its variables are in memory. */
  emitApart(): void;
  /** Its clock to the local `time`, in front of a pass. */
  emitTime(): void;
  /** What it does from behind the pop up to the next. */
  emitPass(token: Place): void;
}

function emitLook(code: Code, taker: Taker): void {
  const { channel, passing } = taker;
  code.loadAt(channel.popWaits).if();
  taker.emitStands();
  code.if();
  taker.load();
  passing.begin(code);
  code.end().end();
}

/** What all that push in a function share. */
export interface Pushing {
  /** The function of a push that goes by the rings alone: from the actor's clock to the clock after it, -1 if it has to wait. */
  readonly alone: (channel: ChannelPlan) => number;
  /** The function that raises the greatest occupancy of a channel when token `i` is pushed at `time`. */
  readonly fuller: (channel: ChannelPlan) => number;
  readonly passings: Passings;
  readonly steps: StepsOf;
  /** A function that makes stages in step learn (`learningCode`), by their first channel. */
  readonly learning: (first: ChannelPlan, code: () => Code) => number;
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
  inStep?: Stages,
): void {
  const { code, time } = actor;
  const { channel, passing } = taker;
  const { depth, lanes } = channel.channel;
  const { popAfterPush, chainFlow } = rules.chain;
  const done = code.block();
  if (inStep) emitInStep(actor, inStep, token, done);
  const apart = code.block();
  const beyond = code.block();
  code.loadAt(passing.here).i32(1).op("i32.ne").if();
  emitLook(code, taker);
  code.loadAt(passing.here).i32(1).op("i32.ne").brIf(apart);
  code.end();
  const ready = code.temp("i32");
  code.get(time).i32(popAfterPush).op("i32.add").set(ready);
  taker.emitTime();
  code.get(taker.time).get(ready);
  if (chainFlow !== 0) code.i32(chainFlow).op("i32.add");
  code.op("i32.le_s");
  const free = lanes === 1 && depth > 1 ? 0 : 1;
  if (!taker.paces || free !== 0) {
    code.loadAt(passing.last).get(time);
    code
      .i32(chainFlow - free)
      .op("i32.add")
      .op("i32.le_s")
      .op("i32.and");
  }
  code.if();
  code.get(ready);
  emitHorizon(actor).op("i32.ge_s").brIf(beyond);
  raise(code, taker.time, ready, channel.popStall);
  code.storeAt(passing.last, () => code.get(ready));
  code.else();
  pushByRings(actor, taker, pushing, beyond);
  code.end();
  code.free("i32", ready);
  learn(actor, taker);
  release(actor, channel);
  code.storeAt(passing.count, () => code.loadAt(passing.count).i32(1).op("i32.add"));
  taker.emitPass(token);
  code.br(done);
  code.end();
  taker.emitApart();
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
  const { depth, lanes } = channel.channel;
  const { pushAfterPop, pushAfterPush, popAfterPush, popAfterPop } = rules.chain;
  const [count, pushed, ready] = [code.temp("i32"), code.temp("i32"), code.temp("i32")];
  code.loadAt(passing.count).tee(count).loadAt(passing.even).op("i32.ne").if();
  passing.save(code);
  code.end();
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
  code.get(taker.time).mem("i32.store", channel.popTimes);
  code.storeAt(passing.last, () => code.get(taker.time));
  const sum = (): void => {
    code.loadAt(channel.occupancySum, "i64.load").get(taker.time).get(time);
    code.op("i32.sub").op("i64.extend_i32_s").op("i64.add");
  };
  code.storeAt(channel.occupancySum, sum, "i64.store");
  code.storeAt(passing.even, () => code.get(count).i32(1).op("i32.add"));
  code.free("i32", count, pushed, ready);
}

/** What the token tells: all that is known if there are news, else what changes with every token. */
function learn(actor: Actor, taker: Taker): void {
  const { code, plan } = actor;
  const { told } = taker.channel;
  if (told.length === 0) return;
  const [to, from] = [plan.known[taker.actor]!, plan.known[actor.actor]!];
  const { learnt, varying } = taker.passing;
  const news = actor.news!;
  code.loadAt(news).loadAt(learnt).op("i32.ne");
  if (rules.chain.chainDeaf !== 0) code.op("drop").i32(0);
  code.if();
  emitLearnFrom(code, told, to, from);
  code.storeAt(learnt, () => code.loadAt(news));
  if (taker.news !== undefined) countNews(code, taker.news);
  code.else();
  emitLearnFrom(code, varying, to, from);
  code.end();
}

/** The count of who pushes goes up, now that it is told: what it does from here on comes later. */
export function release({ code, plan, actor }: Pick<Actor, "code" | "plan" | "actor">, { told }: ChannelPlan): void {
  const own = plan.observers.indexOf(actor);
  if (told.includes(own)) emitRelease(code, plan, plan.known[actor]!, own);
}
