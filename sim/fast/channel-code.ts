/**
 * Channel operations of the fast engine: language rule 2 on rings of push and pop times. An operation runs at a
 * process's own clock; what it needs from the other side is either simulated already or makes the process wait.
 */
import { emitLearn, emitTell, toldBytes, type Address } from "./knowledge.js";
import type { ChannelPlan, Plan } from "./plan.js";
import { frame, standsAt } from "./frame.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

/** An actor's function under construction, as the operations see it. */
export interface Actor {
  readonly code: Code;
  readonly plan: Plan;
  readonly globals: Globals;
  readonly actor: number;
  /** Local with the actor's clock. */
  readonly time: number;
  /** It polls: then it must not outrun those it wakes. */
  readonly polls: boolean;
  /** Where it is counted what was learnt from tokens of others, if that is asked for (chain-code.ts). */
  readonly news?: number;
  /** A local with the horizon, where it is asked for often. */
  readonly horizon?: number;
  /** Leave the function; it comes back to the suspension point `id`. */
  suspend(id: number): void;
}

/** Wasm globals of the module. */
export interface Globals {
  readonly head: number;
  readonly tail: number;
  /** No clock from here on is simulated. */
  readonly horizon: number;
  /** Polls may be decided up to this clock. */
  readonly pollLimit: number;
}

/** The horizon, on the stack. */
export const emitHorizon = ({ code, globals, horizon }: Pick<Actor, "code" | "globals" | "horizon">): Code =>
  horizon === undefined ? code.globalGet(globals.horizon) : code.get(horizon);

const mask = ({ slots }: ChannelPlan): number => slots - 1;

/** Address of a slot of a ring of i32, less the ring's start: (index - back) & mask, times 4. */
export function slot(code: Code, channel: ChannelPlan, index: number, back: number): void {
  code.get(index);
  if (back !== 0) code.i32(back).op("i32.sub");
  code.i32(mask(channel)).op("i32.and").i32(2).op("i32.shl");
}

/** The local becomes the later of itself plus `one` clocks and the clock on the stack plus `other`. */
export function later(code: Code, local: number, one: number, other: number): void {
  const clock = code.temp("i32");
  if (other !== one) code.i32(other - one).op("i32.add");
  code.tee(clock).get(local).get(clock).get(local).op("i32.gt_s").op("select").i32(one).op("i32.add").set(local);
  code.free("i32", clock);
}

/** A local with the address of the slot for the next push, so that its value can be written before there is room. */
export function emitPushSlot(code: Code, channel: ChannelPlan): number {
  const address = code.local("i32");
  code.loadAt(channel.pushed).i32(mask(channel)).op("i32.and").i32(channel.layout.bytes).op("i32.mul");
  code.i32(channel.values).op("i32.add").set(address);
  return address;
}

type Releasing = Pick<Actor, "code" | "plan" | "actor">;

/** The actor's own count goes up after it has told it to others, by what `count` leaves on the stack. */
export function countReleases({ code, plan, actor }: Releasing, told: readonly number[], count: () => void): void {
  const own = plan.observers.indexOf(actor);
  if (!told.includes(own)) return;
  const at = plan.known[actor]! + own * 4;
  code.storeAt(at, () => {
    code.loadAt(at);
    count();
    code.op("i32.add");
  });
}

function knowledgeSlot(code: Code, channel: ChannelPlan, index: number): Address {
  const address = code.local("i32");
  code.get(index).i32(mask(channel)).op("i32.and").i32(toldBytes(channel.told)).op("i32.mul").set(address);
  return [address, channel.knowledge];
}

export function emitWake(actor: Actor, waits: number, sleeper: number): void {
  const { code, plan, globals } = actor;
  code.loadAt(waits).if();
  code.storeAt(waits, () => code.i32(0));
  code
    .globalGet(globals.tail)
    .i32(plan.queueSlots - 1)
    .op("i32.and")
    .i32(2)
    .op("i32.shl");
  code.i32(sleeper).mem("i32.store", plan.queue);
  code.globalGet(globals.tail).i32(1).op("i32.add").globalSet(globals.tail);
  if (actor.polls) {
    // Whoever was woken acts after this clock, and is seen one clock later still.
    code.get(actor.time).i32(1).op("i32.add").globalGet(globals.pollLimit);
    code.get(actor.time).i32(1).op("i32.add").globalGet(globals.pollLimit).op("i32.lt_s").op("select");
    code.globalSet(globals.pollLimit);
  }
  code.end();
}

function standAndLeave(actor: Actor, channel: ChannelPlan, side: "pop" | "push", id: number): void {
  const at = actor.plan.frames[actor.actor]! + frame.standsAt;
  actor.code.storeAt(at, () => actor.code.i32(standsAt(channel, side)));
  actor.suspend(id);
}

/** Move the actor's clock on to `ready`, counting the wait; leave where the horizon comes first. */
function waitUntil(actor: Actor, channel: ChannelPlan, side: "pop" | "push", ready: number, id: number): void {
  const { code, time } = actor;
  const stall = side === "push" ? channel.pushStall : channel.popStall;
  code.get(ready).get(time).op("i32.gt_s").if();
  code.get(ready);
  emitHorizon(actor).op("i32.ge_s").if();
  standAndLeave(actor, channel, side, id);
  code.end();
  code.storeAt(stall, () => code.loadAt(stall).get(ready).op("i32.add").get(time).op("i32.sub"));
  code.get(ready).set(time);
  code.end();
}

/** Push the value that stands in the slot. `id` is the suspension point in front of this code. */
export function emitPush(actor: Actor, channel: ChannelPlan, id: number): void {
  const { code } = actor;
  const [i, ready] = [code.temp("i32"), code.temp("i32")];
  code.loadAt(channel.pushed).tee(i);
  code.loadAt(channel.popped).op("i32.sub").i32(channel.channel.depth).op("i32.ge_s").if();
  code.storeAt(channel.pushWaits, () => code.i32(1));
  standAndLeave(actor, channel, "push", id);
  code.end();
  slot(code, channel, i, channel.channel.depth);
  code.mem("i32.load", channel.popTimes).set(ready);
  slot(code, channel, i, channel.channel.lanes);
  code.mem("i32.load", channel.pushTimes);
  later(code, ready, rules.ring.pushAfterPop, rules.ring.pushAfterPush);
  waitUntil(actor, channel, "push", ready, id);
  settlePush(actor, channel, i);
  code.free("i32", i, ready);
}

/** Nonzero on the stack if an operation can be done without a wait for what is not simulated, in the clock in `limit` or before. */
export function emitPossible(code: Code, channel: ChannelPlan, side: "pop" | "push", limit: number): void {
  const i = code.temp("i32");
  const depth = side === "pop" ? 0 : channel.channel.depth;
  code
    .loadAt(side === "pop" ? channel.popped : channel.pushed)
    .tee(i)
    .i32(depth)
    .op("i32.sub");
  code.loadAt(side === "pop" ? channel.pushed : channel.popped).op("i32.lt_s");
  slot(code, channel, i, depth);
  code.mem("i32.load", side === "pop" ? channel.pushTimes : channel.popTimes);
  code.get(limit).op("i32.lt_s").op("i32.and");
  code.free("i32", i);
}

/** Nonzero on the stack if an operation can be done in the clock in `time`, without a wait. */
export function emitAtOnce(code: Code, channel: ChannelPlan, side: "pop" | "push", time: number): void {
  const i = code.temp("i32");
  code.get(time);
  if (rules.round.leapTakes !== 0) code.i32(side === "pop" ? rules.round.leapTakes : 0).op("i32.add");
  code.set(i);
  emitPossible(code, channel, side, i);
  code.loadAt(side === "pop" ? channel.popped : channel.pushed).set(i);
  slot(code, channel, i, channel.channel.lanes);
  code.mem("i32.load", side === "pop" ? channel.popTimes : channel.pushTimes);
  code.get(time).op("i32.lt_s").op("i32.and");
  code.free("i32", i);
}

/** `ok` = 1 and the push done, if it can be in this very clock. */
export function emitTryPush(actor: Actor, channel: ChannelPlan, ok: number): void {
  const { code, time } = actor;
  const i = code.temp("i32");
  code.loadAt(channel.pushed).tee(i);
  code.loadAt(channel.popped).op("i32.sub").i32(channel.channel.depth).op("i32.lt_s");
  slot(code, channel, i, channel.channel.depth);
  code.mem("i32.load", channel.popTimes).get(time).op("i32.lt_s").op("i32.and");
  slot(code, channel, i, channel.channel.lanes);
  code.mem("i32.load", channel.pushTimes).get(time).op("i32.lt_s").op("i32.and").tee(ok).if();
  settlePush(actor, channel, i);
  code.end();
  code.free("i32", i);
}

function settlePush(actor: Actor, channel: ChannelPlan, i: number): void {
  const { code, plan, time } = actor;
  slot(code, channel, i, 0);
  code.get(time).mem("i32.store", channel.pushTimes);
  code.storeAt(channel.pushed, () => code.get(i).i32(1).op("i32.add"));
  if (channel.told.length > 0) {
    emitTell(code, channel.told, knowledgeSlot(code, channel, i), plan.known[actor.actor]!);
    countReleases(actor, channel.told, () => code.i32(1));
  }
  emitPushOccupancy(code, channel, i, time);
  if (channel.consumer >= 0) emitWake(actor, channel.popWaits, channel.consumer);
}

/**
 * The greatest occupancy is m or more if token i was pushed before token i - m + 1 was popped: the side that is simulated
 * later finds out.
 */
export function emitPushOccupancy(code: Code, channel: ChannelPlan, i: number, time: number): void {
  const [j, last] = [code.temp("i32"), code.temp("i32")];
  code.get(i).loadAt(channel.maxOccupancy).op("i32.sub").tee(j);
  code.loadAt(channel.popped).i32(1).op("i32.sub").tee(last).get(j).get(last).op("i32.lt_s").op("select").set(j);
  const loop = code.loop();
  code.get(time);
  slot(code, channel, j, 0);
  code.mem("i32.load", channel.popTimes).op("i32.lt_s").if();
  code.storeAt(channel.maxOccupancy, () => code.get(i).get(j).op("i32.sub").i32(1).op("i32.add"));
  code.get(j).i32(1).op("i32.sub").set(j).br(loop);
  code.end();
  code.end();
  code.free("i32", j, last);
}

function emitPopOccupancy(code: Code, channel: ChannelPlan, i: number, time: number): void {
  const j = code.temp("i32");
  code.get(i).loadAt(channel.maxOccupancy).op("i32.add").set(j);
  const loop = code.loop();
  code.get(j).loadAt(channel.pushed).op("i32.lt_s");
  slot(code, channel, j, 0);
  code.mem("i32.load", channel.pushTimes).get(time).op("i32.lt_s").op("i32.and").if();
  code.get(j).i32(1).op("i32.add").set(j);
  code.storeAt(channel.maxOccupancy, () => code.get(j).get(i).op("i32.sub")).br(loop);
  code.end();
  code.end();
  code.free("i32", j);
}

/** Pop; `take(address)` copies the value from the address in that local. */
export function emitPop(actor: Actor, channel: ChannelPlan, id: number, take: (address: number) => void): void {
  const { code } = actor;
  const [i, ready] = [code.temp("i32"), code.temp("i32")];
  code.loadAt(channel.popped).tee(i).loadAt(channel.pushed).op("i32.ge_s").if();
  code.storeAt(channel.popWaits, () => code.i32(1));
  standAndLeave(actor, channel, "pop", id);
  code.end();
  slot(code, channel, i, 0);
  code.mem("i32.load", channel.pushTimes).set(ready);
  slot(code, channel, i, channel.channel.lanes);
  code.mem("i32.load", channel.popTimes);
  later(code, ready, rules.ring.popAfterPush, rules.ring.popAfterPop);
  waitUntil(actor, channel, "pop", ready, id);
  settlePop(actor, channel, i, take);
  code.free("i32", i, ready);
}

/** `ok` = 1 and `take` done, if a pop can happen in this very clock; with `stay` the token stays. */
export function emitTryPop(
  actor: Actor,
  channel: ChannelPlan,
  ok: number,
  stay: boolean,
  take: (address: number) => void,
): void {
  const { code, time } = actor;
  const i = code.temp("i32");
  code.loadAt(channel.popped).tee(i).loadAt(channel.pushed).op("i32.lt_s");
  slot(code, channel, i, 0);
  code.mem("i32.load", channel.pushTimes).get(time).op("i32.lt_s").op("i32.and");
  slot(code, channel, i, channel.channel.lanes);
  code.mem("i32.load", channel.popTimes).get(time).op("i32.lt_s").op("i32.and").tee(ok).if();
  if (stay) takeValue(code, channel, i, take);
  else settlePop(actor, channel, i, take);
  code.end();
  code.free("i32", i);
}

function takeValue(code: Code, channel: ChannelPlan, i: number, take: (address: number) => void): void {
  const address = code.temp("i32");
  code.get(i).i32(mask(channel)).op("i32.and").i32(channel.layout.bytes).op("i32.mul");
  code.i32(channel.values).op("i32.add").set(address);
  take(address);
  code.free("i32", address);
}

function settlePop(actor: Actor, channel: ChannelPlan, i: number, take: (address: number) => void): void {
  const { code, plan, time } = actor;
  slot(code, channel, i, 0);
  code.get(time).mem("i32.store", channel.popTimes);
  code.storeAt(
    channel.occupancySum,
    () => {
      code.loadAt(channel.occupancySum, "i64.load").get(time);
      slot(code, channel, i, 0);
      code.mem("i32.load", channel.pushTimes).op("i32.sub").op("i64.extend_i32_s").op("i64.add");
    },
    "i64.store",
  );
  takeValue(code, channel, i, take);
  code.storeAt(channel.popped, () => code.get(i).i32(1).op("i32.add"));
  emitPopOccupancy(code, channel, i, time);
  if (channel.told.length > 0)
    emitLearn(code, channel.told, plan.known[actor.actor]!, knowledgeSlot(code, channel, i), actor.news);
  if (channel.producer >= 0) emitWake(actor, channel.pushWaits, channel.producer);
}
