/**
 * Many rounds of a leap (leap.ts) at once, where each process takes the same way through all of them (joint-range.ts): variables grow
 * by their steps, the words that a grid is fed with are copied from their banks one after the other, epochs of what is read are set
 * in one go. Clocks move on by the period. Everything is left as if each round had been done alone.
 */
import type { Channel } from "../../hw/channel.js";
import type { BankView } from "./bank-view.js";
import { emitCount } from "./induction.js";
import type { JointMember } from "./joint-member.js";
import { JointWayRound } from "./joint-way-round.js";
import { BLOCK } from "./product-kernel.js";
import { rangeOf, type PartRange } from "./joint-range.js";
import type { RoundChannel } from "./round-channel.js";
import type { PassStep } from "./rounds.js";
import { rules } from "./rules.js";
import type { Rounds, Settling } from "./settling.js";
import type { Code } from "./wasm.js";

/** Fewer rounds are as fast one by one. */
const WORTH = 2;

interface Member {
  readonly code: JointMember;
  readonly range: PartRange;
}

export class JointRange {
  readonly #code: Code;
  readonly #members: readonly Member[];
  readonly #channels: ReadonlyMap<Channel, RoundChannel>;
  /** Where rounds that are done so are counted. */
  readonly #done: number;
  readonly #wayRound: JointWayRound | undefined;
  /** What its clocks are where they do not move alike yet, if it may begin there. */
  readonly settling: Settling | undefined;

  /** After the code of a leap's round has been emitted; `over` (a local) becomes 1 if the first process's loop is over. Undefined where rounds have to be done one by one. */
  static of(
    code: Code,
    members: readonly JointMember[],
    channels: ReadonlyMap<Channel, RoundChannel>,
    done: number,
    over: number,
    settling: (feeder: Rounds["feeder"]) => Settling | undefined,
  ): JointRange | undefined {
    if (members.filter((member) => member.feeds).length > 1 || !members.every((member) => member.canRange))
      return undefined;
    const ranges = rangeOf(members.map((member) => member.part));
    const feeder = members.find((member) => member.feeds);
    return (
      ranges &&
      new JointRange(
        code,
        members.map((member, i) => ({ code: member, range: ranges[i]! })),
        channels,
        done,
        over,
        settling(feeder && { time: feeder.time, clocks: BLOCK }),
      )
    );
  }

  private constructor(
    code: Code,
    members: readonly Member[],
    channels: ReadonlyMap<Channel, RoundChannel>,
    done: number,
    over: number,
    settling: Settling | undefined,
  ) {
    this.#code = code;
    this.settling = settling;
    const [{ code: first, range }] = members as readonly [Member, ...Member[]];
    this.#wayRound = range.wayRound && new JointWayRound(code, first, range, range.wayRound, over);
    this.#done = done;
    this.#members = members;
    this.#channels = channels;
  }

  /**
   * Do up to `rounds` rounds (a local), `period` clocks (a local) each, but for the first ones if it is known how they come to that; `rounds`
   * becomes how many they are.
   */
  emit(rounds: number, period: number): void {
    const code = this.#code;
    const out = code.block();
    const [worth, even] = [code.local("i32"), code.local("i32")];
    code.i32(WORTH).set(worth);
    if (this.settling) {
      code.get(this.settling.way).if();
      this.settling.emitRounds().i32(WORTH).op("i32.add").set(worth).end();
    }
    this.#emitLength(rounds, period, worth, () => code.i32(0).set(rounds).br(out));
    if (rules.round.jointExtra !== 0) {
      code.get(rounds).i32(rules.round.jointExtra).op("i32.add").set(rounds);
      this.#wayRound?.emitExtra(rules.round.jointExtra);
    }
    code.get(rounds).get(worth).op("i32.lt_s").if();
    code.i32(0).set(rounds).br(out).end();
    if (this.settling) {
      code.get(this.settling.way).if();
      this.settling.emitTake();
      code.end();
    }
    // Those that move all clocks by the period.
    code.get(rounds).get(worth).op("i32.sub").i32(WORTH).op("i32.add").set(even);
    code.storeAt(this.#done, () => code.loadAt(this.#done).get(rounds).op("i32.add"));
    for (const member of this.#members)
      member.code.views.forEach((view, i) => {
        const at = member.code.stepOfRead(view);
        const tells = this.#tells(member, () => true);
        view.emitReadMany(rounds, member.range.readSteps[i]!, {
          before: this.#tells(member, (step) => member.code.pass.steps.indexOf(step) < at),
          each: tells,
        });
      });
    for (const member of this.#members) {
      const feed = member.code.feeds;
      if (feed) {
        const clock = this.#emitClock(member, member.code.pass.steps.indexOf(feed));
        // Before it there was one after the other, too.
        code.get(clock).get(rounds).get(even).op("i32.sub").i32(BLOCK).op("i32.mul").op("i32.sub").set(clock);
        member.code.emitFeedMany(feed, rounds, clock, (view) => this.#readStep(view));
      }
      const adds = member.code.adds;
      if (adds) member.code.emitAddMany(adds, rounds, (view) => this.#readStep(view));
    }
    for (const member of this.#members)
      member.code.views.forEach((view, i) => {
        const clock = this.#emitClock(member, member.code.stepOfRead(view));
        code.get(even).i32(1).op("i32.sub").get(period).op("i32.mul").get(clock).op("i32.add").set(clock);
        view.emitEndAt(rounds, member.range.readSteps[i]!, clock);
      });
    for (const member of this.#members) this.#emitKnowledge(member, rounds);
    for (const { code: member } of this.#members) member.emitSeen();
    for (const { code: member, range } of this.#members) {
      // Its variables have gone on with the length.
      if (range.wayRound === undefined)
        for (const [of, step] of range.grows) member.emitGrow(of, () => code.get(rounds).i32(step).op("i32.mul"));
      code.get(even).get(period).op("i32.mul").get(member.time).op("i32.add").set(member.time);
    }
    code.end();
  }

  #readStep(view: BankView): number {
    const member = this.#members.find(({ code }) => code.views.includes(view))!;
    return member.range.readSteps[member.code.views.indexOf(view)]!;
  }

  /** `rounds` becomes smaller, if not so many can be done; `leave` leaves where they are not `worth` it (a local). */
  #emitLength(rounds: number, period: number, worth: number, leave: () => void): void {
    const code = this.#code;
    const atMost = (): void => {
      const other = code.temp("i32");
      code.tee(other).get(rounds).get(other).get(rounds).op("i32.lt_s").op("select").set(rounds);
      code.free("i32", other);
    };
    /** None, if what is on the stack is zero. */
    const only = (): void => {
      const holds = code.temp("i32");
      code.set(holds).get(rounds).i32(0).get(holds).op("select").set(rounds);
      code.free("i32", holds);
    };
    for (const { code: member, range } of this.#members) {
      member.emitBindTokens(true);
      if (range.wayRound) {
        this.#wayRound!.emitFirst();
        only();
      } else
        for (const count of range.counts) {
          emitCount(member.exprs, count);
          atMost();
        }
      member.emitAsBefore(this.settling?.way);
      only();
      if (member === this.#members[0]!.code) {
        code.get(rounds).get(worth).op("i32.lt_s").if();
        leave();
        code.end();
      }
      for (const { channel, value } of range.tokens) member.emitToken(this.#channels.get(channel)!.token, value);
      if (member.feeds) {
        code.get(period).i32(BLOCK).op("i32.eq");
        member.emitCanFeed(member.feeds);
        code.op("i32.and");
        only();
      }
      member.views.forEach((view) => {
        view.emitFound(member.exprs);
        only();
      });
    }
    const written = (): void => {
      for (const { code: member, range } of this.#members)
        member.views.forEach((view, i) => view.emitWrittenMany(rounds, range.readSteps[i]!));
    };
    if (!this.#wayRound) {
      written();
      return;
    }
    code.get(rounds).get(worth).op("i32.ge_s").if();
    this.#wayRound.emit(rounds, worth, written);
    code.end();
  }

  /** A local with the clock at which a step of the first pass begins. */
  #emitClock({ code: member, range }: Member, step: number): number {
    const code = this.#code;
    const clock = code.local("i32");
    code.get(member.time);
    for (const before of member.pass.steps.slice(0, step)) {
      if (before.kind === "pop" || before.kind === "push")
        code.get(this.#channels.get(before.channel)!.waitOf(before.kind, 0)).op("i32.add");
      else if (before.kind === "clocks" && before.count === 1) code.i32(1).op("i32.add");
      else if (before.kind === "clocks") {
        const count = code.temp("i32");
        member.exprs.emit32(range.clocks.get(before)!);
        code.set(count).get(count).i32(0).get(count).i32(0).op("i32.gt_s").op("select").op("i32.add");
        code.free("i32", count);
      } else if (before.kind === "feed") code.i32(BLOCK).op("i32.add");
    }
    code.set(clock);
    return clock;
  }

  /** By how much a process's own count goes up in a pass, with those pushes. */
  #tells({ code: member }: Member, which: (step: PassStep) => boolean): number {
    return member.pass.steps.filter(
      (step) => step.kind === "push" && which(step) && this.#channels.get(step.channel)!.tellsOwn,
    ).length;
  }

  #emitKnowledge(member: Member, rounds: number): void {
    const actor = member.code;
    for (const step of actor.pass.steps)
      if (step.kind === "pop") this.#channels.get(step.channel)!.emitLearnVarying(actor);
      else if (step.kind === "push") this.#channels.get(step.channel)!.emitCount(actor, rounds);
      else if (step.kind === "feed") actor.emitTellMany(step, rounds);
  }
}
