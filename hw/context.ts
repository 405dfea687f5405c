/**
 * What the parts of a design need from the engine that runs them: the present clock and the process at work. The kernel
 * (sim/kernel) implements it; a design that no engine has taken up has none.
 */
import type { ProcessNode } from "./process.js";
import { TandemError } from "./errors.js";

export interface ClockContext {
  /** The present clock: 0 is the first edge with reset low. */
  now: number;
  /** The process that is being evaluated; undefined between processes. */
  current: ProcessNode | undefined;
  /** Let `process` run again in clock `at`, which is later than `now`. */
  wake(process: ProcessNode, at: number): void;
  /** A signal was written; its new value is seen after this edge. */
  changed(signal: { update(): void }): void;
}

/** The context of a part that belongs to no running engine. */
export const detached: ClockContext = {
  get now(): number {
    throw new TandemError("The design is not running", { hint: "Give it to a kernel first: new Kernel(top)." });
  },
  current: undefined,
  wake: () => undefined,
  changed: () => undefined,
};
