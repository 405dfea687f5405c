/**
 * Clocked processes: generators that run from one rising edge to the next `yield` (language rule 1). Time passes at
 * `yield`, at `yield* clocks(n)`, and where a channel operation has to wait.
 */
import type { Module } from "./module.js";

/** What a generator hands to the engine: undefined for one clock edge, else what it waits for. */
export type Wait = undefined | Blocked | Edges;

/** A channel operation that cannot happen yet. */
export interface Blocked {
  readonly kind: "pop" | "push";
  readonly channel: {
    readonly path: string;
    /** Set by the engine where `readyAt` is Infinity: who is to be woken by the other side. */
    popWaiter: ProcessNode | undefined;
    pushWaiter: ProcessNode | undefined;
  };
  /** Earliest clock in which it can happen; Infinity while that depends on the other side. */
  readonly readyAt: number;
}

export interface Edges {
  readonly kind: "clocks";
  readonly clocks: number;
  /** True if the time is a guess about hardware that is not yet written (rule 8). */
  readonly estimate: boolean;
}

/** The body of a process, or of a helper that a process calls with `yield*`. */
export type Process<T = void> = Generator<Wait, T, void>;

/** An operation to be used with `yield*`. */
export interface Operation<T> {
  [Symbol.iterator](): Iterator<Wait, T, void>;
}

/** Wait for `n` clock edges; n may be 0. */
export function* clocks(n: number): Process {
  if (n > 0) yield { kind: "clocks", clocks: n, estimate: false };
}

export function* estimated(n: number): Process {
  if (n > 0) yield { kind: "clocks", clocks: n, estimate: true };
}

/** One clocked process of a module, as declared by `this.clocked(this.run)`. */
export class ProcessNode {
  readonly module: Module;
  readonly body: () => Process;
  /** Number in the design, in order of declaration; set by elaboration. */
  index = -1;

  constructor(module: Module, body: () => Process) {
    this.module = module;
    this.body = body;
  }

  get name(): string {
    return this.body.name;
  }

  /** `top.child.run`. */
  get path(): string {
    return `${this.module.path}.${this.name}`;
  }
}
