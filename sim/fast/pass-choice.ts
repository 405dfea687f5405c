/**
 * Loops that have passes of several kinds (rounds.ts): a branch that waits is there in some passes and left out in others, as
 * where a design has modes. Each choice of branches is a pass of its own; those are taken that fit together.
 */
import type { Stmt } from "../../hw/ir/ir.js";

/** Whether a pass takes a branch that waits; by the `if` that holds it. */
export type Choices = ReadonlyMap<Stmt, boolean>;

/** A pass, if there is one, and the `if`s whose branch it leaves out though no choice says so, in the order of the text. */
export interface Reading<P> {
  readonly pass: P | undefined;
  readonly open: readonly Stmt[];
}

const MOST_READINGS = 8;

/** The passes of a loop for all choices, up to a few; first the one that takes no branch that waits. */
export function kindsOf<P>(read: (choices: Choices) => Reading<P>): P[] {
  const found: P[] = [];
  const todo: Choices[] = [new Map()];
  for (let i = 0; i < todo.length && i < MOST_READINGS; i++) {
    const choices = todo[i]!;
    const { pass, open } = read(choices);
    if (pass) found.push(pass);
    open.forEach((stmt, at) => {
      const without = open.slice(0, at).map((each) => [each, false] as const);
      todo.push(new Map([...choices, ...without, [stmt, true]]));
    });
  }
  return found;
}
