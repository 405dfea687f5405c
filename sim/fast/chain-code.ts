/**
 * A push whose token is taken at once (followers.ts): if whoever pops it stands at its pop with nothing to take, the push, the
 * pop and all up to the next such pop are done in place. Rings and counts are those of channel-code.ts and stay in memory, so
 * that everybody can go on alone at any time: a follower whose way is not this one leaves with its variables in its frame.
 */
import { emitHorizon, emitPush, later, slot, type Actor } from "./channel-code.js";
import type { Link } from "./followers.js";
import { emitLearnFrom, emitRelease } from "./knowledge.js";
import type { ChannelPlan } from "./plan.js";
import { rules } from "./rules.js";
import { Code } from "./wasm.js";

/** Whoever takes the tokens of a channel in the function of who pushes them. */
export interface Taker extends Pick<Actor, "actor" | "time"> {
  readonly channel: ChannelPlan;
  /** A local: 0 nobody has looked yet, 1 its variables stand in locals and it waits for a token, 2 it is on its own. */
  readonly here: number;
  /** A local with the count of news (`Actor.news`) up to which it has learnt. */
  readonly learnt: number;
  readonly spaced: Link["spaced"];
  /** Places of the counts that go up with every token that is pushed on the way to it. */
  readonly varying: readonly number[];
  /** Nonzero on the stack if it stands at the pop. */
  emitStands(): void;
  load(): void;
  /** Its variables to memory; it waits for a token. */
  save(): void;
  /** What it does from behind the pop up to the next; the token stands at the address in a local. */
  emitPass(address: number): void;
}

/** Put its variables back to memory if they stand in locals. */
export function emitApart(code: Code, taker: Taker): void {
  code.get(taker.here).i32(1).op("i32.eq").if();
  taker.save();
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

/** Push the token that stands in its slot, at the address in a local; `id` is the suspension point in front of this code. */
export function emitPushTo(actor: Actor, taker: Taker, pushing: Pushing, address: number, id: number): void {
  const { code, time } = actor;
  const { channel } = taker;
  const { depth, lanes } = channel.channel;
  const { pushAfterPop, pushAfterPush, popAfterPush, popAfterPop } = rules.chain;
  const done = code.block();
  const apart = code.block();
  emitLook(code, taker);
  code.get(taker.here).i32(1).op("i32.ne").brIf(apart);
  const [i, pushed, ready] = [code.temp("i32"), code.temp("i32"), code.temp("i32")];
  // All tokens before this one have been popped.
  code.loadAt(channel.pushed).set(i);
  slot(code, channel, i, depth);
  code.mem("i32.load", channel.popTimes);
  if (taker.spaced.pushes) code.i32(pushAfterPop).op("i32.add").set(pushed);
  else {
    code.set(pushed);
    slot(code, channel, i, lanes);
    code.mem("i32.load", channel.pushTimes);
    later(code, pushed, pushAfterPop, pushAfterPush);
  }
  code.get(pushed).get(time).get(pushed).get(time).op("i32.gt_s").op("select").tee(pushed);
  if (taker.spaced.pops) code.i32(popAfterPush).op("i32.add").set(ready);
  else {
    code.set(ready);
    slot(code, channel, i, lanes);
    code.mem("i32.load", channel.popTimes);
    later(code, ready, popAfterPush, popAfterPop);
  }
  code.get(ready);
  emitHorizon(actor).op("i32.ge_s").if();
  emitApart(code, taker);
  code.br(apart);
  code.end();
  settle(actor, taker, pushing, i, pushed, ready);
  taker.emitPass(address);
  code.br(done);
  code.free("i32", i, pushed, ready);
  code.end();
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

/** Token `i` is pushed in clock `pushed`, and popped at `ready` or later. */
function settle(actor: Actor, taker: Taker, { fuller }: Pushing, i: number, pushed: number, ready: number): void {
  const { code, time } = actor;
  const { channel } = taker;
  raise(code, time, pushed, channel.pushStall);
  slot(code, channel, i, 0);
  code.get(time).mem("i32.store", channel.pushTimes);
  emitFuller(code, channel, time, i);
  code.get(time).get(i).call(fuller(channel)).end();
  learn(actor, taker);
  raise(code, taker.time, ready, channel.popStall);
  slot(code, channel, i, 0);
  code.get(taker.time).mem("i32.store", channel.popTimes);
  code.storeAt(
    channel.occupancySum,
    () => {
      code.loadAt(channel.occupancySum, "i64.load").get(taker.time).get(time);
      code.op("i32.sub").op("i64.extend_i32_s").op("i64.add");
    },
    "i64.store",
  );
  for (const count of [channel.pushed, channel.popped]) code.storeAt(count, () => code.get(i).i32(1).op("i32.add"));
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
