/**
 * Rounds of loops that run in step (rounds.ts), as one Wasm function. Between rounds no token is under way, so the state of a
 * channel is the clocks of its last pops and pushes, in Wasm locals; the formulas of language rule 2 are those of
 * channel-code.ts. The function is called when all else has come to rest and the first process of the round has parked at
 * the head of its loop; it goes on until a guard fails or the horizon is near, and leaves everything as if each
 * process had run alone: frames, rings, counters, and who is to be woken.
 */
import type { Channel } from "../../hw/channel.js";
import type { Local, Loop, StateField } from "../../hw/ir/ir.js";
import { expressionsIn, expressionsWithin, statementsIn } from "../../hw/ir/walk.js";
import type { Globals } from "./channel-code.js";
import type { GridCode } from "./grid-code.js";
import { Leap, type LeapChannel, type Ranges, type Turn } from "./leap.js";
import { emitAway, leavesAlone } from "./rounds-away.js";
import type { Calls } from "./member-code.js";
import { JointMember } from "./joint-member.js";
import type { Plan } from "./plan.js";
import { frame } from "./frame.js";
import type { ProcessCompiler } from "./process-compiler.js";
import { JointRange } from "./joint-range-code.js";
import { Replay } from "./replay.js";
import { RoundChannel } from "./round-channel.js";
import { rules } from "./rules.js";
import { RoundSource } from "./round-source.js";
import type { Cluster, Pass } from "./rounds.js";
import { Settling } from "./settling.js";
import { Code } from "./wasm.js";

/** What a cluster keeps in memory. */
export interface ClusterState {
  /** 1: the first process stands at the head of its loop and waits for a round. */
  readonly parked: number;
  /** Passes that the first process does alone before it parks again, and how many it will be told next time. */
  readonly alone: number;
  readonly patience: number;
  /** Rounds done, and how many of them in leaps (leap.ts). */
  readonly rounds: number;
  readonly leapt: number;
  /** How many of these many at once (joint-range-code.ts), and with the waits of an earlier run (replay.ts). */
  readonly ranged: number;
  readonly repeated: number;
}

/** Fewer rounds than this at a time are not worth the trouble. */
export const WORTH = 2;
const MOST_PATIENCE = 1024;

export function clusterState(plan: Plan): ClusterState {
  const at = plan.heap.take(28);
  const [parked, alone, patience, rounds, leapt, ranged, repeated] = Array.from(
    { length: 7 },
    (_, i) => at + 4 * i,
  ) as [number, number, number, number, number, number, number];
  return { parked, alone, patience, rounds, leapt, ranged, repeated };
}

/** What the code of all rounds needs. */
export interface Surroundings {
  readonly plan: Plan;
  readonly globals: Globals;
  readonly grids: readonly GridCode[];
  readonly compilers: readonly ProcessCompiler[];
  /** The function that runs all others until a process has parked (compile.ts). */
  readonly rest: number;
  /** The functions of the processes, and which processes may be in the course of a call of one. */
  readonly functions: readonly number[];
  readonly within: (actor: number) => ReadonlySet<number>;
}

/** Rounds of processes among themselves; the first may be the first of others, too, in other loops. */
export function roundsCode(
  around: Surroundings,
  cluster: Cluster,
  state: ClusterState,
  beside: ReadonlyMap<Loop, ClusterState>,
  elsewhere: readonly { readonly cluster: Cluster; readonly state: ClusterState }[],
): Code {
  const { plan } = around;
  const code = new Code();
  const [driver, ...others] = cluster as readonly [Pass, ...Pass[]];
  const alone = others.flatMap(({ actor, loop, pushes }) => {
    const state = beside.get(loop);
    return state ? [{ actor, state, pushes }] : [];
  });
  // Who parks beside the first process goes on if somebody waits for its token; the first one stays where it is, so that neither gets ahead.
  for (const { actor, state, pushes } of alone) {
    code.loadAt(state.parked);
    pushes.forEach((channel, i) => {
      code.loadAt(plan.channels.get(channel)!.popWaits);
      if (i > 0) code.op("i32.or");
    });
    code.op("i32.and").if();
    emitRelease(code, around, actor, state);
    code.op("return").end();
  }
  const channels = new Map<Channel, RoundChannel>();
  for (const { pushes } of cluster)
    for (const channel of pushes)
      channels.set(channel, new RoundChannel(code, plan, plan.channels.get(channel)!, cluster));
  const members = cluster.map((pass, i) => member(around, pass, code, channels, i === 0, callsOf(around, cluster)));
  const [rounds, over, full, gone] = [code.local("i32"), code.local("i32"), code.local("i32"), code.local("i32")];
  code.storeAt(state.parked, () => code.i32(0));
  /** Its last pass has been done: it goes on behind it. */
  const goBehind = (): void => {
    const behind = around.compilers[driver.actor]!.behind(driver.loop);
    code.storeAt(plan.frames[driver.actor]! + frame.resume, () => code.i32(behind));
  };
  const tell = (): void => {
    for (const pass of others) for (const channel of pass.pops) channels.get(channel)!.emitLearnAll();
  };
  const since = code.local("i32");
  const away = {
    actor: driver.actor,
    side: members[0]!,
    state,
    over,
    full,
    gone,
    rounds,
    since,
    behind: goBehind,
    tell,
    elsewhere: elsewhere.map((other) => other.state),
  };
  const leapChannels = [...channels].map(([channel, state]) => {
    const place = (side: "pushes" | "pops"): number => cluster.findIndex((pass) => pass[side].includes(channel));
    return { state, producer: place("pushes"), consumer: place("pops") };
  });
  const players = members.map(({ time, held, decided }, i) => {
    const { head } = cluster[i]!;
    return { time, held, decided, head: head && channels.get(headChannel(head)) };
  });
  // Who feeds a grid goes on from tile to tile, so that little would be gained; its function is near V8's limit (docs/engine-speed.md).
  const repeats = members.every(({ leaps, feeds }) => leaps && !feeds) && others.every(hearsFirst);
  const replay = repeats ? new Replay(code, plan.heap, players, leapChannels, state.repeated) : undefined;
  if (replay) for (const each of members) each.noting = replay.first;
  emitRounds(around, {
    code,
    rounds,
    full,
    state,
    channels: leapChannels,
    replay: replay && { replay, tell },
    standing: others.filter(({ head }) => head !== undefined),
    tell: !replay && others.every(hearsFirst) ? tell : undefined,
    beside: alone.map(({ state }) => state),
    clocks: clocksOf(cluster),
    sides: members,
    over,
    goOn: leavesAlone(plan, cluster, elsewhere)
      ? { gone, side: members[0]!, away: (leap) => emitAway(around, code, leap, away) }
      : undefined,
    ranges: () =>
      JointRange.of(code, members, channels, state.ranged, over, (feeder) =>
        replay
          ? undefined
          : new Settling(code, plan, plan.ir.processes[driver.actor]!.node.path, {
              players,
              channels: [...channels.values()],
              feeder,
            }),
      ),
    turns: members.map((each, i) => ({
      leaps: each.leaps,
      settle: (passes, turn) => each.emitSettle(passes, turn),
      ready: (limit, leap) => each.emitReady(limit, leap),
      asBefore: (ends) => each.emitAsBefore(undefined, ends),
      pass: (leap) => {
        each.emitPass(full, leap);
        if (i > 0) return;
        each.emitOver(over);
      },
    })),
  });
  code.get(over).if();
  goBehind();
  code.end();
  for (const { actor, head } of others) {
    if (!head) continue;
    const channel = plan.channels.get(headChannel(head))!;
    code.loadAt(channel.pushed).loadAt(channel.popped).op("i32.ne").loadAt(channel.popWaits).op("i32.and").if();
    code.storeAt(channel.popWaits, () => code.i32(0));
    emitEnqueue(code, around, actor);
    code.end();
  }
  emitPatience(code, state, rounds);
  code.get(gone).op("i32.eqz").if();
  emitEnqueue(code, around, driver.actor);
  code.end();
  return code;
}

export function member(
  { plan, globals, grids, compilers }: Surroundings,
  pass: Pass,
  code: Code,
  channels: ReadonlyMap<Channel, RoundChannel>,
  first: boolean,
  calls: Calls,
  source?: RoundSource,
): JointMember {
  const process = plan.ir.processes[pass.actor]!;
  return new JointMember(
    plan,
    globals,
    pass,
    grids,
    process,
    code,
    compilers[pass.actor]!,
    channels,
    first,
    calls,
    source,
  );
}

/** Who takes tokens from a round and shares no memory with it, whatever runs in the course of its call. */
export function callsOf({ plan, functions, within, compilers }: Surroundings, cluster: Cluster): Calls {
  const memories = new Set(cluster.flatMap((pass) => [...pass.memories]));
  const members = new Set(cluster.map(({ actor }) => actor));
  const mayRun = (actor: number): boolean => {
    const { body, polls } = plan.ir.processes[actor]!;
    if (members.has(actor) || polls || compilers[actor]!.polls) return false;
    for (const stmt of statementsIn(body))
      if ((stmt.kind === "read" || stmt.kind === "write") && stmt.port.parts.some(({ memory }) => memories.has(memory)))
        return false;
    return true;
  };
  return (channel) => {
    const { consumer } = plan.channels.get(channel)!;
    if (consumer < 0 || consumer >= functions.length) return undefined;
    return [consumer, ...within(consumer)].every(mayRun) ? functions[consumer] : undefined;
  };
}

/** A process that has parked goes on. */
function emitRelease(
  code: Code,
  around: Pick<Surroundings, "plan" | "globals">,
  actor: number,
  state: ClusterState,
): void {
  code.storeAt(state.parked, () => code.i32(0));
  emitEnqueue(code, around, actor);
}

/** Who has parked beside a first process goes on, since that one cannot. */
export function besideCode(around: Pick<Surroundings, "plan" | "globals">, actor: number, state: ClusterState): Code {
  const code = new Code();
  emitRelease(code, around, actor, state);
  return code;
}

interface Parts {
  readonly code: Code;
  /** Counts the rounds. */
  readonly rounds: number;
  /** A local: tokens tell all that their producers know, not only what changes from round to round. */
  readonly full: number;
  readonly state: ClusterState;
  readonly channels: readonly LeapChannel[];
  /** Who has to stand at the head of its loop, with nothing to pop. */
  readonly standing: readonly Pass[];
  /** Who has to be parked, beside the first one. */
  readonly beside?: readonly ClusterState[];
  /** No clock moves on by more in a round. */
  readonly clocks: number;
  readonly sides: readonly Side[];
  readonly turns: readonly Turn[];
  /** A local that is 1 when the first process's loop is over. */
  readonly over?: number;
  /** In front of a round: others in another way; `count` gets a local with how many. Nonzero on the stack if there were any. */
  readonly others?: ((limit: number, count: (done: number) => void) => void) | undefined;
  readonly ranges?: Ranges;
  /** Runs that begin as an earlier one did; `tell` tells everybody what the first process knows. */
  readonly replay?: { readonly replay: Replay; readonly tell: () => void } | undefined;
  readonly goOn?: GoesOn | undefined;
  /** Tells everybody what the others know, where a round that is remembered by itself may follow (known-step.ts). */
  readonly tell?: (() => void) | undefined;
  /** In front of all rounds. */
  readonly first?: (() => void) | undefined;
  /** Behind all rounds, before the state goes to memory. */
  readonly last?: (() => void) | undefined;
}

/** The process whose loop is over can be away from it for a while, in the middle of a run of rounds. */
interface GoesOn {
  readonly side: Side;
  /** A local that is 1 if it has not come back: its variables stand in its frame. */
  readonly gone: number;
  /** It goes on, and perhaps comes back; nonzero on the stack if it does not. */
  readonly away: (leap: Leap) => void;
}

export interface Side {
  readonly time: number;
  load(): void;
  save(): void;
  /** Has its say on the clock before which all must be before a round, in the local `limit`. */
  bound?(limit: number): void;
}

/** Do rounds if everybody is ready, until somebody is not or a clock is near the horizon. */
export function emitRounds(around: Surroundings, parts: Parts): void {
  const { plan, globals, compilers } = around;
  const { code, rounds, full, channels, standing, sides, turns } = parts;
  const notReady = code.block();
  for (const { parked } of parts.beside ?? []) code.loadAt(parked).op("i32.eqz").brIf(notReady);
  for (const { actor, head } of standing) {
    const { popWaits } = plan.channels.get(headChannel(head!))!;
    code.loadAt(popWaits).op("i32.eqz").brIf(notReady);
    code
      .loadAt(plan.frames[actor]! + frame.resume)
      .i32(compilers[actor]!.pointOf(head!))
      .op("i32.ne")
      .brIf(notReady);
  }
  for (const { state } of channels) state.emitIsEmpty().op("i32.eqz").brIf(notReady);
  const kept = [...sides, ...channels.map(({ state }) => state)];
  for (const part of kept) part.load();
  parts.first?.();
  const limit = code.local("i32");
  code.globalGet(globals.horizon).i32(parts.clocks).op("i32.sub").set(limit);
  for (const side of sides) side.bound?.(limit);
  const leap = new Leap(
    code,
    sides.map(({ time }) => time),
    channels,
    turns,
    limit,
    parts.over,
    parts.ranges,
    parts.replay?.replay,
  );
  parts.replay?.replay.emitBegin();
  code.i32(1).set(full);
  const count = (done: number): void => {
    code.get(rounds).get(done).op("i32.add").set(rounds);
    code.storeAt(parts.state.leapt, () => code.loadAt(parts.state.leapt).get(done).op("i32.add"));
  };
  const stop = code.block();
  const again = code.loop();
  const round = code.block();
  const emitIsOver = (over: number): void => {
    code.get(over).if();
    if (parts.goOn) {
      parts.goOn.away(leap);
      code.brIf(stop);
      if (parts.replay) code.i32(1).set(parts.replay.replay.fresh);
      code.get(leap.resumes).brIf(round);
    } else code.br(stop);
    code.end();
  };
  if (parts.others) {
    if (parts.over !== undefined) emitIsOver(parts.over);
    // Not in the middle of a round.
    if (turns.length > 1) code.get(leap.turn).op("i32.eqz").if("i32");
    parts.others(limit, count);
    if (turns.length > 1) code.else().i32(0).end();
    code.brIf(again);
  }
  const entries = turns.map(() => code.block()).reverse();
  code.get(leap.turn).brTable(entries, entries[0]!);
  turns.forEach(({ ready, pass }, i) => {
    code.end();
    if (i === 0) {
      if (parts.over !== undefined && !parts.others) emitIsOver(parts.over);
      if (parts.replay) {
        const { replay, tell } = parts.replay;
        code.get(replay.fresh).if();
        replay.emitTry(limit);
        code.if();
        if (rules.round.awayDeaf === 0) tell();
        code.i32(0).set(full);
        leap.emitRepeats();
        code.br(round).end().end();
      }
      if (parts.tell) {
        code.get(leap.anew).if();
        leap.emitStep();
        code.get(leap.step).if();
        code.get(full).if();
        if (rules.round.awayDeaf === 0) parts.tell();
        code.i32(0).set(full).end();
        code.br(round).end().end();
      }
      for (const { time } of sides) code.get(time).get(limit).op("i32.ge_s").brIf(stop);
      leap.emitBefore();
    }
    ready(limit, false);
    code.op("i32.eqz").brIf(stop);
    pass(false);
  });
  code.get(rounds).i32(1).op("i32.add").set(rounds);
  code.get(full).i32(1).op("i32.shr_u").set(full);
  code.end();
  leap.emitAfter(full, count);
  code.br(again);
  code.end();
  code.end();
  parts.last?.();
  kept.forEach((part) => {
    const mayBeGone = part === parts.goOn?.side && parts.goOn;
    if (mayBeGone) code.get(mayBeGone.gone).op("i32.eqz").if();
    part.save();
    if (mayBeGone) code.end();
  });
  code.end();
}

/** It pops before it does anything that others could see: what it is told before, it might have been told with its tokens. */
function hearsFirst({ steps }: Pass): boolean {
  const last = steps.findLastIndex(({ kind }) => kind === "pop");
  return steps.slice(0, last).every((step) => {
    if (step.kind === "pop" || step.kind === "clocks" || step.kind === "count") return true;
    return (
      step.kind === "plain" && ![...statementsIn([step.stmt])].some(({ kind }) => kind === "read" || kind === "write")
    );
  });
}

/** The first process is alone for a while if the rounds did not pay, and for longer each time. */
export function emitPatience(code: Code, state: ClusterState, rounds: number, most = MOST_PATIENCE): void {
  code.storeAt(state.rounds, () => code.loadAt(state.rounds).get(rounds).op("i32.add"));
  code.get(rounds).i32(WORTH).op("i32.ge_s").if();
  code.storeAt(state.patience, () => code.i32(0));
  code.else();
  code.storeAt(state.patience, () => {
    const next = code.local("i32");
    code.loadAt(state.patience).i32(1).op("i32.shl").i32(1).op("i32.or").tee(next);
    code.i32(most).get(next).i32(most).op("i32.lt_s").op("select");
  });
  code.end();
  code.storeAt(state.alone, () => code.loadAt(state.patience));
}

/** A pop counts a clock, and so does the push of its token by a source. */
export const clocksOf = (cluster: Cluster): number => cluster.reduce((sum, pass) => sum + pass.clocks, 0);

const headChannel = ({ channel }: NonNullable<Pass["head"]>): Channel => channel.parts[0]!;

export function emitEnqueue(
  code: Code,
  { plan, globals }: Pick<Surroundings, "plan" | "globals">,
  actor: number | (() => void),
): void {
  code
    .globalGet(globals.tail)
    .i32(plan.queueSlots - 1)
    .op("i32.and")
    .i32(2)
    .op("i32.shl");
  if (typeof actor === "number") code.i32(actor);
  else actor();
  code.mem("i32.store", plan.queue);
  code.globalGet(globals.tail).i32(1).op("i32.add").globalSet(globals.tail);
}

/** Variables that a pass names or assigns, those that it declares aside; what the way round declares stays. */
export function variablesOf({ loop, around }: Pass): { used: Set<Local | StateField>; declared: Set<Local> } {
  const used = new Set<Local | StateField>();
  const declared = new Set<Local>();
  for (const stmt of statementsIn([loop])) {
    if (stmt.kind === "let") declared.add(stmt.local);
    if (stmt.kind === "pop" && stmt.into) declared.add(stmt.into);
  }
  for (const stmt of statementsIn(around?.stmts ?? [])) if (stmt.kind === "let") used.add(stmt.local);
  const conditions = (around?.guards ?? []).flatMap(({ condition }) => [...expressionsIn(condition)]);
  for (const expr of [...expressionsWithin([loop, ...(around?.stmts ?? [])]), ...conditions])
    if (expr.kind === "local") used.add(expr.local);
    else if (expr.kind === "field") used.add(expr.field);
  return { used, declared };
}
