/** Signals: a register between processes. One process writes; readers see the value after the edge (language rule 4). */
import { detached, type ClockContext } from "./context.js";
import { TandemError } from "./errors.js";
import type { Module } from "./module.js";
import type { ProcessNode } from "./process.js";
import type { Type } from "./types.js";

export class Signal<V = unknown> {
  readonly owner: Module;
  name = "";
  readonly type: Type<V>;
  readonly initial: V;
  context: ClockContext = detached;
  writer: ProcessNode | undefined;
  #now: V;
  #next: V;

  constructor(owner: Module, type: Type<V>, initial?: V) {
    this.owner = owner;
    this.type = type;
    this.initial = type.copy(initial ?? type.zero());
    this.#now = this.#next = this.initial;
  }

  get path(): string {
    return `${this.owner.path}.${this.name}`;
  }

  read(): V {
    return this.#now;
  }

  /** Readers see `value` from the next clock on; the last write of a clock counts. */
  write(value: V): void {
    const { current } = this.context;
    if (this.writer !== current) {
      if (this.writer && current)
        throw new TandemError(`Signal ${this.path} is written by both ${this.writer.path} and ${current.path}`, {
          hint: "A signal has one writer.",
        });
      this.writer = current;
    }
    this.#next = this.type.copy(value);
    this.context.changed(this);
  }

  /** The edge. */
  update(): void {
    this.#now = this.#next;
  }

  reset(): void {
    this.#now = this.#next = this.initial;
    this.writer = undefined;
  }
}
