/**
 * A run of rounds (rounds-code.ts) goes on without its first process, which is on its way back to its loop, or to another one: what it does
 * then, and whether a leap goes on behind it.
 */
import { statementsIn } from "../../hw/ir/walk.js";
import type { Leap } from "./leap.js";
import type { Plan } from "./plan.js";
import { emitEnqueue, WORTH, type ClusterState, type Side, type Surroundings } from "./rounds-code.js";
import type { Cluster, Pass } from "./rounds.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

/** The first process of a round goes away. All but the number of its actor, its side and functions are locals. */
export interface Away {
  readonly actor: number;
  readonly side: Side;
  readonly state: ClusterState;
  readonly over: number;
  readonly full: number;
  readonly gone: number;
  readonly rounds: number;
  /** Rounds when it was away last. */
  readonly since: number;
  /** Emits where it goes on. */
  readonly behind: () => void;
  /**
   * Tells all others what it knows now. They stand at pops, and what the next tokens tell, each from whoever has heard it then, they
   * would know before they do anything else.
   */
  readonly tell: () => void;
  /** Where it parks at other loops. */
  readonly elsewhere: readonly ClusterState[];
}

/**
 * The first process's loop is over: it goes on by itself, and so do all others, while those of the rounds stand at their heads and their
 * channels, which nobody else uses, stay empty. If it comes back to its loop, rounds go on. Nonzero on the stack if it does not, or was there
 * for too few of them.
 *
 * If no time has passed for it, nothing of what tells the clocks of rounds has changed, and a leap goes on.
 */
export function emitAway({ plan, globals, rest }: Surroundings, code: Code, leap: Leap, away: Away): void {
  const { side, state, over, full, behind, actor, gone, tell, rounds, since, elsewhere } = away;
  const left = code.local("i32");
  // Not if it does not pay.
  code.get(rounds).get(since).op("i32.sub").i32(WORTH).op("i32.lt_s").if("i32");
  code.i32(1).else();
  code.get(rounds).set(since);
  code.get(side.time).set(left);
  side.save();
  behind();
  // There it would use the channels of the rounds: it parks, and these end.
  for (const { alone } of elsewhere) code.storeAt(alone, () => code.i32(0));
  emitEnqueue(code, { plan, globals }, actor);
  code.i32(state.parked).call(rest);
  code.i32(0).set(over);
  code.loadAt(state.parked).op("i32.eqz").tee(gone);
  code.get(gone).op("i32.eqz").if();
  code.storeAt(state.parked, () => code.i32(0));
  side.load();
  // What it has heard meanwhile has to be told.
  emitResumes(code, leap, side.time, left).if();
  if (rules.round.awayDeaf === 0) tell();
  code.else();
  code.i32(rules.round.awayDeaf === 0 ? 1 : 0).set(full);
  code.end().end().end();
}

/** Behind a process's way back to its loop, which it had left at the clock in `left`: whether a leap goes on, on the stack too. */
export function emitResumes(code: Code, leap: Leap, time: number, left: number): Code {
  code.get(leap.steady).get(time).get(left).op("i32.sub");
  return code.i32(rules.round.awaySlack).op("i32.le_s").op("i32.and").tee(leap.resumes);
}

/** The first process uses the channels of the rounds nowhere but in its loop, and in others at whose heads it parks. */
export function leavesAlone(
  { ir }: Plan,
  cluster: Cluster,
  elsewhere: readonly { readonly cluster: Cluster }[],
): boolean {
  const [{ actor, loop }] = cluster as readonly [Pass, ...Pass[]];
  const channels = new Set(cluster.flatMap(({ pushes }) => pushes));
  const within = new Set(statementsIn([loop, ...elsewhere.map((other) => other.cluster[0]!.loop)]));
  return [...statementsIn(ir.processes[actor]!.body)].every(
    (stmt) => within.has(stmt) || !("channel" in stmt) || !stmt.channel.parts.some((part) => channels.has(part)),
  );
}
