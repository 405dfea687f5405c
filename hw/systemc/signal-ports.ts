/** Ports for signals (IEEE 1666-2011 clauses 6.8-6.14: sc_in, sc_inout, sc_out). */
import type { Parent } from "./context.js";
import type { Event } from "./event.js";
import { EventFinder, Port } from "./port.js";
import type { SignalIn, SignalInOut } from "./signal.js";

export abstract class SignalPort<T, C extends SignalIn<T>> extends Port<C> {
  private atEnd: (() => void)[] = [];

  read(): T {
    return this.channel.read();
  }
  /** Called once the port is bound: for traces. */
  atEndOfElaboration(call: () => void): void {
    this.atEnd.push(call);
  }
  override endOfElaboration(): void {
    for (const call of this.atEnd) call();
    this.atEnd = [];
  }
  get event(): boolean {
    return this.channel.event;
  }
  get defaultEvent(): Event {
    return this.channel.defaultEvent;
  }
  get valueChangedEvent(): Event {
    return this.channel.valueChangedEvent;
  }
  get posedgeEvent(): Event {
    return this.channel.posedgeEvent;
  }
  get negedgeEvent(): Event {
    return this.channel.negedgeEvent;
  }
  /** For static sensitivity before the port is bound. */
  valueChanged(): EventFinder<C> {
    return new EventFinder<C>(this, (channel) => channel.valueChangedEvent);
  }
  pos(): EventFinder<C> {
    return new EventFinder<C>(this, (channel) => channel.posedgeEvent);
  }
  neg(): EventFinder<C> {
    return new EventFinder<C>(this, (channel) => channel.negedgeEvent);
  }
}

export class In<T> extends SignalPort<T, SignalIn<T>> {
  constructor(parent: Parent, leaf?: string) {
    super(parent, leaf, { role: "in" });
  }
  override get kind(): string {
    return "sc_in";
  }
}

export class InOut<T> extends SignalPort<T, SignalInOut<T>> {
  private initial: { value: T } | undefined;
  constructor(parent: Parent, leaf?: string) {
    super(parent, leaf, { role: "out" });
  }
  override get kind(): string {
    return "sc_inout";
  }
  write(value: T): void {
    this.channel.write(value);
  }
  /** The value that the port writes when elaboration ends. */
  initialize(value: T): void {
    if (this.size > 0) this.write(value);
    else this.initial = { value };
  }
  override endOfElaboration(): void {
    if (this.initial !== undefined) this.write(this.initial.value);
    this.initial = undefined;
    super.endOfElaboration();
  }
}

export class Out<T> extends InOut<T> {
  override get kind(): string {
    return "sc_out";
  }
}
