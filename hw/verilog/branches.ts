/**
 * Which branches of a walk are plain `if ... else` statements: both arms do no more than compute, and meet again in one
 * step that nothing else leads to. All other meeting points need a flag.
 */
import type { Step } from "../fsm/walk.js";

/** Only one step leads here, and no clock begins here: the text stands where that step goes on. */
export const inline = (step: Step): boolean => !step.state && step.from.length === 1;

interface Exit {
  readonly step: Step;
  /** Ways by which it is reached. */
  readonly ways: number;
}

export interface Branches {
  /** Where the arms of a branch meet. */
  readonly joins: ReadonlyMap<Step, Step>;
  /** The same steps, as a set. */
  readonly met: ReadonlySet<Step>;
}

export function findBranches(steps: readonly Step[]): Branches {
  const joins = new Map<Step, Step>();
  const met = new Set<Step>();
  const exits = new Map<Step, Exit | undefined>();
  const follow = (step: Step | undefined): Exit | undefined => {
    if (!step) return undefined;
    return inline(step) ? exits.get(step) : { step, ways: 1 };
  };
  const compute = (step: Step): Exit | undefined => {
    const { node } = step;
    if (node.kind === "action") return follow(step.next);
    if (node.kind !== "branch") return undefined;
    const then = follow(step.next);
    const otherwise = follow(step.otherwise);
    if (!then || !otherwise || then.step !== otherwise.step) return undefined;
    const ways = then.ways + otherwise.ways;
    const { step: join } = then;
    if (join.state || join.from.length !== ways) return { step: join, ways };
    joins.set(step, join);
    met.add(join);
    return exits.get(join);
  };
  // Every step stands before those that it leads to.
  for (const step of steps.toReversed()) exits.set(step, compute(step));
  return { joins, met };
}
