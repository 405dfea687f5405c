/**
 * Rounds of loops that run in step (rounds.ts), as one Wasm function. Between rounds no token is under way, so the state of a
 * channel is the clocks of its last pops and pushes, in Wasm locals; the formulas of language rule 2 are those of
 * channel-code.ts. The function is called when all else has come to rest and the first process of the round has parked at
 * the head of its loop; it goes on until a guard fails or the horizon is near, and leaves everything as if each
 * process had run alone: frames, rings, counters, and who is to be woken.
 */
import type { Channel } from "../../hw/channel.js";
import type { Local, StateField } from "../../hw/ir/ir.js";
import { expressionsWithin, statementsIn } from "../../hw/ir/walk.js";
import type { Globals } from "./channel-code.js";
import type { GridCode } from "./grid-code.js";
import { MemberCode } from "./member-code.js";
import type { Plan } from "./plan.js";
import { frame } from "./plan.js";
import type { ProcessCompiler } from "./process.js";
import { RoundChannel } from "./round-channel.js";
import type { Cluster, Pass } from "./rounds.js";
import { Code } from "./wasm.js";

/** What a cluster keeps in memory. */
export interface ClusterState {
  /** 1: the first process stands at the head of its loop and waits for a round. */
  readonly parked: number;
  /** Passes that the first process does alone before it parks again, and how many it will be told next time. */
  readonly alone: number;
  readonly patience: number;
  /** Rounds done. */
  readonly rounds: number;
}

/** Fewer rounds than this at a time are not worth the trouble. */
const WORTH = 2;
const MOST_PATIENCE = 1024;

export function clusterState(plan: Plan): ClusterState {
  const at = plan.heap.take(16);
  return { parked: at, alone: at + 4, patience: at + 8, rounds: at + 12 };
}

export function roundsCode(
  plan: Plan,
  globals: Globals,
  cluster: Cluster,
  state: ClusterState,
  grids: readonly GridCode[],
  compilers: readonly ProcessCompiler[],
): Code {
  const code = new Code();
  const channels = new Map<Channel, RoundChannel>();
  for (const { pushes } of cluster)
    for (const channel of pushes) channels.set(channel, new RoundChannel(code, plan, plan.channels.get(channel)!, cluster));
  const members = cluster.map((pass) => {
    const process = plan.ir.processes[pass.actor]!;
    return new MemberCode(plan, globals, pass, grids, process, code, compilers[pass.actor]!, channels);
  });
  const [driver, ...others] = cluster as readonly [Pass, ...Pass[]];
  const rounds = code.local("i32");

  code.storeAt(state.parked, () => code.i32(0));
  const done = code.block();
  const notReady = code.block();
  for (const { actor, head } of others) {
    const { popWaits } = plan.channels.get(headChannel(head!))!;
    code.loadAt(popWaits).op("i32.eqz").brIf(notReady);
    code.loadAt(plan.frames[actor]! + frame.resume).i32(compilers[actor]!.pointOf(head!)).op("i32.ne").brIf(notReady);
  }
  for (const channel of channels.values()) channel.emitIsEmpty().op("i32.eqz").brIf(notReady);
  members.forEach((member) => member.load());
  for (const channel of channels.values()) channel.load();
  const clocks = cluster.reduce((sum, pass) => sum + pass.clocks, 0);
  const limit = code.local("i32");
  code.globalGet(globals.horizon).i32(clocks).op("i32.sub").set(limit);
  const stop = code.block();
  const again = code.loop();
  for (const member of members) code.get(member.time).get(limit).op("i32.ge_s").brIf(stop);
  for (const member of members) {
    member.emitReady();
    code.op("i32.eqz").brIf(stop);
    member.emitPass(rounds);
  }
  code.get(rounds).i32(1).op("i32.add").set(rounds).br(again);
  code.end();
  code.end();
  members.forEach((member) => member.save());
  for (const channel of channels.values()) channel.save();
  code.br(done);
  code.end();
  code.end();
  code.storeAt(state.rounds, () => code.loadAt(state.rounds).get(rounds).op("i32.add"));
  for (const { actor, head } of others) {
    const channel = plan.channels.get(headChannel(head!))!;
    code.loadAt(channel.pushed).loadAt(channel.popped).op("i32.ne").loadAt(channel.popWaits).op("i32.and").if();
    code.storeAt(channel.popWaits, () => code.i32(0));
    emitEnqueue(code, plan, globals, actor);
    code.end();
  }
  // If it did not pay, the first process goes on alone for a while, and for longer each time.
  code.get(rounds).i32(WORTH).op("i32.ge_s").if();
  code.storeAt(state.patience, () => code.i32(0));
  code.else();
  code.storeAt(state.patience, () => {
    const next = code.local("i32");
    code.loadAt(state.patience).i32(1).op("i32.shl").i32(1).op("i32.or").tee(next);
    code.i32(MOST_PATIENCE).get(next).i32(MOST_PATIENCE).op("i32.lt_s").op("select");
  });
  code.end();
  code.storeAt(state.alone, () => code.loadAt(state.patience));
  emitEnqueue(code, plan, globals, driver.actor);
  return code;
}

const headChannel = ({ channel }: NonNullable<Pass["head"]>): Channel => channel.parts[0]!;

function emitEnqueue(code: Code, plan: Plan, globals: Globals, actor: number): void {
  code
    .globalGet(globals.tail)
    .i32(plan.queueSlots - 1)
    .op("i32.and")
    .i32(2)
    .op("i32.shl");
  code.i32(actor).mem("i32.store", plan.queue);
  code.globalGet(globals.tail).i32(1).op("i32.add").globalSet(globals.tail);
}

/** Variables that a pass names or assigns, those that it declares aside. */
export function variablesOf({ loop }: Pass): { used: Set<Local | StateField>; declared: Set<Local> } {
  const used = new Set<Local | StateField>();
  const declared = new Set<Local>();
  for (const stmt of statementsIn([loop])) {
    if (stmt.kind === "let") declared.add(stmt.local);
    if (stmt.kind === "pop" && stmt.into) declared.add(stmt.into);
  }
  for (const expr of expressionsWithin([loop]))
    if (expr.kind === "local") used.add(expr.local);
    else if (expr.kind === "field") used.add(expr.field);
  return { used, declared };
}
