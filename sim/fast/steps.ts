/**
 * Resumable code. A function that is left in the middle (at a *suspension point*) and called again has to find its way
 * back into nested loops and branches. Points are numbered in the order of the text, so the points inside a piece of
 * code are a range of numbers; a sequence that holds points begins with one branch on the number to resume at, 0 being
 * the ordinary way in.
 */
import type { Code } from "./wasm.js";

/** One piece of a sequence. */
export interface Step {
  /** Suspension points inside. */
  readonly points: number;
  /** Code in front of the way back in: done once, not again on the return. */
  readonly before?: () => void;
  readonly emit: () => void;
}

export const totalPoints = (steps: readonly Step[]): number => steps.reduce((sum, { points }) => sum + points, 0);

/** The number of the next point, and the local with the number to resume at. */
export interface Resumption {
  readonly code: Code;
  readonly resume: number;
  next: number;
}

/** Emit the steps one after the other, with a way back to each that holds points. */
export function emitSequence(resumption: Resumption, steps: readonly Step[]): void {
  const { code, resume } = resumption;
  const targets = steps.filter(({ points }) => points > 0);
  const direct = targets.length === 1 && steps[0] === targets[0] && !steps[0]!.before;
  if (targets.length === 0 || direct) {
    for (const { before, emit } of steps) {
      before?.();
      emit();
    }
    return;
  }
  const first = resumption.next;
  // The block of the last target is outermost: leaving a block arrives in front of its step.
  const labels = targets.map(() => code.block()).reverse();
  const start = code.block();
  code.get(resume).op("i32.eqz").brIf(start);
  code.get(resume).i32(first).op("i32.sub");
  const table = targets.flatMap(({ points }, i) => Array.from({ length: points }, () => labels[i]!));
  code.brTable(table, labels.at(-1)!);
  code.end();
  for (const { points, before, emit } of steps) {
    before?.();
    if (points > 0) code.end();
    emit();
  }
}
