/** Rounds (rounds-code.ts) of the source of an outer input with whoever takes its tokens, as one Wasm function. */
import type { Channel } from "../../hw/channel.js";
import { resume } from "./environment-code.js";
import type { Leap } from "./leap.js";
import type { MemberCode } from "./member-code.js";
import { pace } from "./pace-code.js";
import { frame } from "./frame.js";
import { exitOf } from "./pass-reader.js";
import { Ranges } from "./ranges.js";
import { RoundChannel } from "./round-channel.js";
import { emitResumes } from "./rounds-away.js";
import { RoundSource } from "./round-source.js";
import {
  callsOf,
  clocksOf,
  emitEnqueue,
  emitPatience,
  emitRounds,
  member,
  type ClusterState,
  type Surroundings,
} from "./rounds-code.js";
import { RelayCode } from "./relay-code.js";
import type { Intake, Pass, Taker } from "./rounds.js";
import { rules } from "./rules.js";
import { Code } from "./wasm.js";

/** A source goes alone for so many tokens at most where rounds do not pay. */
const MOST_ALONE = 7;

/** Rounds of the source of an outer input with whoever takes its tokens. */
export function intakeCode(around: Surroundings, { channel, takers }: Intake, state: ClusterState): Code {
  const { plan } = around;
  const code = new Code();
  const [rounds, full] = [code.local("i32"), code.local("i32")];
  code.storeAt(state.parked, () => code.i32(0));
  const ended = code.local("i32");
  const parts = { around, code, rounds, full, state, ended };
  for (const taker of takers) takerCode(parts, channel, taker);
  emitPatience(code, state, rounds, MOST_ALONE);
  emitWaits(code, around, channel).op("i32.eqz").if();
  // A source stands in front of its next token, not behind the place where it parks; if a loop has ended, it can park there again.
  code.loadAt(state.alone).get(ended).op("i32.or").op("i32.eqz").if();
  code.storeAt(state.alone, () => code.i32(1));
  code.end();
  emitEnqueue(code, around, plan.channels.get(channel)!.producer);
  code.end();
  return code;
}

interface IntakeParts {
  readonly around: Surroundings;
  readonly code: Code;
  readonly state: ClusterState;
  /** Locals: the rounds done, whether tokens tell all, and whether somebody's loop has ended. */
  readonly rounds: number;
  readonly full: number;
  readonly ended: number;
}

/** One of those who take the source's tokens, if it stands at its loop. */
function takerCode(parts: IntakeParts, channel: Channel, { pass, relay }: Taker): void {
  const { around, code, rounds, full, state, ended } = parts;
  const { plan } = around;
  const cluster = relay ? [relay.pass, pass] : [pass];
  const channels = new Map(
    [channel, ...(relay ? [relay.through] : [])].map((each) => [
      each,
      new RoundChannel(code, plan, plan.channels.get(each)!, cluster),
    ]),
  );
  const between = channels.get(channel)!;
  const source = new RoundSource(code, plan, between, tokensOf(pass));
  // The last pass of a loop is a round too; its process goes on behind it, and if it is the last of all and comes back, so do rounds.
  const [over, gone] = [code.local("i32"), code.local("i32")];
  const calls = callsOf(around, cluster);
  const members = cluster.map((each, i) => {
    const last = endsInRounds(each);
    const guards = each.guards.filter((guard) => !each.follows.includes(guard));
    const own = last ? { ...each, guards, around: each.wayBehind } : each;
    const part = member(around, own, code, channels, last, calls, i === 0 ? source : undefined);
    if (last) part.over = code.local("i32");
    return part;
  });
  const taker = members.at(-1)!;
  const through = relay && channels.get(relay.through)!;
  const fits = relay && through && RelayCode.fits(relay, through, source);
  const passed = fits ? new RelayCode(code, relay, members[0]!, through, source) : undefined;
  const emitOver = (part: MemberCode): void => {
    if (part.over === undefined) return;
    part.emitOver(part.over);
    code.get(over).get(part.over).op("i32.or").set(over);
  };
  const ends = taker.over === undefined ? undefined : { over, emitOver: () => emitOver(taker) };
  const ranges =
    relay && !passed ? undefined : Ranges.of(plan, pass, code, { between, source, taker, relay: passed, ends });
  // Where a loader that a relay feeds does few passes at a time, and none by the range, it is as well off alone.
  const goesOn = taker.over !== undefined && (!relay || ranges !== undefined);
  const away = { channel: relay?.through ?? channel, source, taker, over, gone };
  const [passes] = relay ? members : [];
  emitRounds(around, {
    code,
    rounds,
    full,
    state,
    channels: [
      { state: between, producer: 0, consumer: 0 },
      ...(through ? [{ state: through, producer: 0, consumer: 1 }] : []),
    ],
    standing: cluster,
    clocks: 2 * clocksOf(cluster),
    sides: [source, ...members],
    turns: members.map((part, i) => ({
      leaps: part.leaps,
      settle: (passes, turn) => part.emitSettle(passes, turn),
      ready: (limit, leap) => {
        if (i === 0) source.emitHas();
        part.emitReady(limit, leap);
        if (i === 0) code.op("i32.and");
      },
      asBefore: () => {
        part.emitAsBefore();
        if (i > 0) return;
        source.emitAsBefore();
        code.op("i32.and");
      },
      pass: (leap) => {
        part.emitPass(full, leap);
        emitOver(part);
      },
      ...(i === 0 && { many: ranges && ((most, did, period) => ranges.emitLeap(most, did, period)) }),
    })),
    over,
    ...(goesOn && {
      goOn: {
        side: taker,
        gone,
        away: (leap) => {
          // Not behind a relay that has ended.
          if (passes?.over !== undefined) {
            code.get(passes.over).if("i32");
            code.i32(1).else();
          }
          emitAway(around, code, leap, away);
          if (passes?.over !== undefined) code.end();
        },
      },
    }),
    first: ranges && through && (() => through.emitLearnAll()),
    last: ranges && (() => ranges.emitPromise(over)),
    others: ranges && ((limit, count) => ranges.emitFlow(limit, count)),
  });
  code.get(gone).get(ended).op("i32.or").set(ended);
  cluster.forEach((each, i) => {
    const [ends, head] = [members[i]!.over, plan.channels.get(each.pops[0]!)!];
    if (ends !== undefined) {
      code.get(ends);
      if (members[i] === taker) code.get(gone).op("i32.eqz").op("i32.and");
      code.if();
      const behind = around.compilers[each.actor]!.behind(each.loop);
      code.storeAt(plan.frames[each.actor]! + frame.resume, () => code.i32(behind));
      code.storeAt(head.popWaits, () => code.i32(0));
      emitEnqueue(code, around, each.actor);
      code.i32(1).set(ended).end();
    }
    if (i === 0) return;
    // A relay may be a pass ahead.
    code.loadAt(head.pushed).loadAt(head.popped).op("i32.ne").loadAt(head.popWaits).op("i32.and").if();
    code.storeAt(head.popWaits, () => code.i32(0));
    emitEnqueue(code, around, each.actor);
    code.end();
  });
}

/** All passes of an intake. */
export const passesOf = ({ takers }: Intake): readonly Pass[] => [
  ...new Set(takers.flatMap(({ pass, relay }) => (relay ? [relay.pass, pass] : [pass]))),
];

interface Away {
  readonly channel: Channel;
  readonly source: RoundSource;
  readonly taker: MemberCode;
  /** Locals: its loop is over, which it stays if it is gone. */
  readonly over: number;
  readonly gone: number;
}

/**
 * Who takes the tokens goes on behind its loop, here and now: nobody is in the course of anything that it could disturb, and of the input it sees
 * that no token is there. Nonzero on the stack if it does not come back to the head of its loop.
 */
function emitAway({ plan, compilers, functions }: Surroundings, code: Code, leap: Leap, away: Away): void {
  const { channel, source, taker, over, gone } = away;
  const { pass } = taker;
  const { popWaits } = plan.channels.get(channel)!;
  const { resume } = frame;
  const at = plan.frames[pass.actor]!;
  const own = compilers[pass.actor]!;
  const left = code.local("i32");
  code.get(taker.time).set(left);
  taker.save();
  code.storeAt(at + resume, () => code.i32(own.behind(pass.loop)));
  code.storeAt(popWaits, () => code.i32(0));
  code.call(functions[pass.actor]!);
  code.loadAt(popWaits).op("i32.eqz");
  if (rules.round.awayHead === 0) {
    code.loadAt(at + resume).i32(own.pointOf(pass.head!));
    code.op("i32.ne").op("i32.or");
  }
  code.tee(gone).tee(over).tee(taker.over!).op("i32.eqz").if();
  taker.load();
  // At a board's pace tokens flow, which is better than a leap.
  source.emitIsPaced();
  code.op("i32.eqz").if();
  emitResumes(code, leap, taker.time, left).op("drop");
  code.end().end();
  code.get(gone);
}

/** A source that waited for an answer and has it parks, as its own code would; nonzero on the stack if so. */
export function emitParksAgain(
  { code, plan, globals }: Pick<Surroundings, "plan" | "globals"> & { readonly code: Code },
  channel: Channel,
  { alone, parked }: ClusterState,
): void {
  const { pace: record, gaps } = plan.environments.get(channel)!;
  const at = plan.frames[plan.channels.get(channel)!.producer]!;
  const parks = code.temp("i32");
  const field = (name: "begun" | "burst" | "answered"): Code => code.loadAt(record).mem("i32.load", pace[name]);
  field("begun");
  field("burst");
  field("answered").op("i32.lt_s").op("i32.and");
  code
    .loadAt(at + frame.resume)
    .i32(resume.pace)
    .op("i32.eq")
    .op("i32.and");
  code
    .loadAt(at + frame.time)
    .globalGet(globals.horizon)
    .op("i32.lt_s")
    .op("i32.and");
  code.loadAt(gaps).loadAt(alone).op("i32.or").op("i32.eqz").op("i32.and").tee(parks).if();
  code.storeAt(parked, () => code.i32(1));
  code.storeAt(at + frame.resume, () => code.i32(resume.next));
  code.end();
  code.get(parks);
  code.free("i32", parks);
}

/** The loop's last pass can be done in rounds. */
export const endsInRounds = ({ loop }: Pass): boolean => exitOf(loop) === undefined;

/** A source whose next token needs an answer of the board waits for it, as its own code would; nonzero on the stack if so. */
function emitWaits(code: Code, { plan, globals }: Surroundings, channel: Channel): Code {
  const { pace: record, gaps, done, count } = plan.environments.get(channel)!;
  const { producer } = plan.channels.get(channel)!;
  const at = code.local("i32");
  const field = (name: "begun" | "burst" | "answered"): Code => code.get(at).mem("i32.load", pace[name]);
  code.loadAt(record).tee(at).if("i32");
  field("begun");
  field("burst");
  field("answered").op("i32.ge_s").op("i32.and");
  code.loadAt(done).loadAt(count).op("i32.lt_s").op("i32.and");
  code.loadAt(gaps).op("i32.eqz").op("i32.and");
  code
    .loadAt(plan.frames[producer]! + frame.time)
    .globalGet(globals.horizon)
    .op("i32.lt_s")
    .op("i32.and");
  code.else().i32(0).end();
  const waits = code.local("i32");
  code.tee(waits).if();
  code.get(at).i32(1).mem("i32.store", pace.waits);
  code.storeAt(plan.frames[producer]! + frame.resume, () => code.i32(resume.pace));
  code.end();
  return code.get(waits);
}

/** Tokens that a pass of an intake pops. */
export const tokensOf = ({ steps }: Pass): number => steps.filter(({ kind }) => kind === "pop").length;
