/**
 * Events and lists of events (IEEE 1666-2011 clauses 5.10, 5.8 and 5.9).
 *
 * Orders that the standard leaves open (which of several waiting processes runs first) follow Accellera's library, so
 * that traces can be compared byte for byte: statically sensitive processes from the last registered to the first,
 * then dynamically sensitive ones; methods before threads.
 */
import { Context, currentContext, type Parent } from "./context.js";
import type { ScObject } from "./object.js";
import type { Process } from "./process.js";
import { message, Severity } from "./report.js";
import type { Time } from "./time.js";

/** What kind of notification is pending on an event. */
export const Pending = { None: 0, Delta: 1, Timed: 2 } as const;
export type Pending = (typeof Pending)[keyof typeof Pending];

export class Event {
  readonly name: string;
  readonly context: Context;
  readonly parentObject: ScObject | undefined;

  // The rest is the scheduler's.
  pending: Pending = Pending.None;
  /** Position in the list of delta notifications. */
  deltaIndex = -1;
  /** Entry of the timed queue, and when it is due. */
  timedEntry = -1;
  /** Not a number at first, because times are beyond 31 bits: then V8 keeps it as a double from the beginning. */
  timedAt = NaN;
  triggerStamp = -1;
  /** Processes that are sensitive to the event or wait for it, and traces of it. */
  waiters = 0;
  readonly staticMethods: Process[] = [];
  readonly staticThreads: Process[] = [];
  readonly dynamicMethods = new ProcessBag();
  readonly dynamicThreads = new ProcessBag();

  /** `name` may be left out; an event made before simulation then gets one of its own. `null`: the kernel's, unnamed. */
  constructor(parent?: Parent, name: string | null = "") {
    this.context = parent === undefined ? currentContext() : parent instanceof Context ? parent : parent.context;
    this.parentObject = parent === undefined || parent instanceof Context ? undefined : parent;
    const table = this.context.names;
    if (name === null || (name === "" && this.context.isRunning)) {
      this.name = "";
      return;
    }
    const leaf = name === "" ? (this.parentObject?.nameGenerator ?? table.generator).next("event") : name;
    this.name = table.create(this.parentObject, leaf);
    table.addEvent(this);
    (this.parentObject?.childEvents ?? table.topEvents).push(this);
  }

  get basename(): string {
    return this.name.slice(this.name.lastIndexOf(".") + 1);
  }

  /** True if the event was notified in this delta cycle. */
  get triggered(): boolean {
    return this.triggerStamp === this.context.changeStamp;
  }

  /**
   * `notify()`: immediately, in this evaluation phase. `notify(ZERO_TIME)`: in the next delta cycle. `notify(t)`: t from
   * now. Of two pending notifications the earlier one stays; an immediate one cancels what is pending.
   */
  notify(delay?: Time): void {
    if (delay === undefined) {
      if (!this.context.evaluating) {
        this.context.reports.report(Severity.Error, message.IMMEDIATE_NOTIFICATION);
        return;
      }
      this.cancel();
      this.triggerNow();
      return;
    }
    if (this.pending === Pending.Delta) return;
    const context = this.context;
    if (delay.value === 0) {
      if (this.pending === Pending.Timed) context.removeTimed(this);
      this.pending = Pending.Delta;
      context.addDelta(this);
      return;
    }
    const at = context.now + delay.value;
    if (this.pending === Pending.Timed) {
      if (this.timedAt <= at) return;
      context.removeTimed(this);
    }
    this.pending = Pending.Timed;
    context.addTimed(this, at);
  }

  /** For the kernel's own events, which never have a notification pending. `delay` in resolution units. */
  notifyInternal(delay: number): void {
    const context = this.context;
    if (delay === 0) {
      this.pending = Pending.Delta;
      context.addDelta(this);
    } else {
      this.pending = Pending.Timed;
      context.addTimed(this, context.now + delay);
    }
  }

  /**
   * For channels, in their update: it must not be pending already. Nobody can begin to wait before the notification
   * comes, so that without anybody who waits it is over at once. (But a place in the list of notifications counts where
   * one will be taken back while the list is worked off: a zero time-out beside an event of the same delta cycle.)
   */
  notifyNextDelta(): void {
    const context = this.context;
    if (this.pending !== Pending.None) context.reports.report(Severity.Error, message.NOTIFY_DELAYED);
    if (this.waiters === 0 && context.zeroTimeoutStamp + 1 !== context.changeStamp) {
      this.triggerStamp = context.changeStamp;
      return;
    }
    this.pending = Pending.Delta;
    context.addDelta(this);
  }

  /** Takes back a pending delta or timed notification. */
  cancel(): void {
    if (this.pending === Pending.None) return;
    if (this.pending === Pending.Delta) this.context.removeDelta(this);
    else this.context.removeTimed(this);
    this.pending = Pending.None;
  }

  /** Forgets who waits: for the time-out event of a process whose wait ended otherwise. */
  forget(): void {
    this.pending = Pending.None;
    this.waiters -= this.dynamicMethods.count + this.dynamicThreads.count;
    this.dynamicMethods.count = 0;
    this.dynamicThreads.count = 0;
  }

  /** An immediate notification: makes every process runnable that waits for this event, but the one that runs. */
  private triggerNow(): void {
    this.triggerStamp = this.context.changeStamp;
    for (const processes of [this.staticMethods, this.dynamicMethods, this.staticThreads, this.dynamicThreads]) {
      if (processes instanceof ProcessBag) processes.triggerNow(this);
      else for (let i = processes.length - 1; i >= 0; i--) processes[i]!.triggerStaticNow();
    }
  }

  /** Makes every process runnable that waits for this event. No process is running. */
  trigger(): void {
    this.triggerStamp = this.context.changeStamp;
    this.pending = Pending.None;
    triggerAll(this.staticMethods);
    if (this.dynamicMethods.count !== 0) this.dynamicMethods.trigger(this);
    triggerAll(this.staticThreads);
    if (this.dynamicThreads.count !== 0) this.dynamicThreads.trigger(this);
  }

  makeSensitive(process: Process): void {
    process.addStaticEvent(this);
  }
  addStatic(process: Process): void {
    (process.isMethod ? this.staticMethods : this.staticThreads).push(process);
    this.waiters++;
  }
  removeStatic(process: Process): void {
    const list = process.isMethod ? this.staticMethods : this.staticThreads;
    const index = list.lastIndexOf(process);
    if (index < 0) return;
    list[index] = list[list.length - 1]!;
    list.pop();
    this.waiters--;
  }
  addDynamic(process: Process): void {
    (process.isMethod ? this.dynamicMethods : this.dynamicThreads).add(process);
    this.waiters++;
  }
  removeDynamic(process: Process): void {
    if ((process.isMethod ? this.dynamicMethods : this.dynamicThreads).remove(process)) this.waiters--;
  }

  or(other: Event | EventOrList): EventOrList {
    return new EventOrList(this).or(other);
  }
  and(other: Event | EventAndList): EventAndList {
    return new EventAndList(this).and(other);
  }
}

/** The last one first. */
function triggerAll(processes: readonly Process[]): void {
  for (let i = processes.length - 1; i >= 0; i--) processes[i]!.triggerStatic();
}

/** Processes that wait dynamically. The array never shrinks, so that waiting allocates nothing. */
class ProcessBag {
  count = 0;
  private readonly items: Process[] = [];

  add(process: Process): void {
    this.items[this.count++] = process;
  }
  /** False if it does not wait here. */
  remove(process: Process): boolean {
    for (let i = this.count - 1; i >= 0; i--) {
      if (this.items[i] === process) {
        this.items[i] = this.items[--this.count]!;
        return true;
      }
    }
    return false;
  }
  trigger(event: Event): void {
    for (let i = 0; i < this.count; i++) {
      if (this.items[i]!.triggerDynamic(event)) this.drop(i--, event);
    }
  }
  triggerNow(event: Event): void {
    for (let i = 0; i < this.count; i++) {
      if (this.items[i]!.triggerDynamicNow(event)) this.drop(i--, event);
    }
  }
  private drop(index: number, event: Event): void {
    this.items[index] = this.items[--this.count]!;
    event.waiters--;
  }
}

/** Common to both kinds of list: distinct events, in order of appearance. */
export class EventList {
  readonly events: Event[] = [];

  constructor(...events: readonly Event[]) {
    for (const event of events) this.push(event);
  }
  get size(): number {
    return this.events.length;
  }
  /** Adds the events of another list, last one first (as Accellera's library does; the order is visible in traces). */
  protected append(other: Event | EventList): void {
    if (other instanceof Event) this.push(other);
    else for (let i = other.events.length - 1; i >= 0; i--) this.push(other.events[i]!);
  }
  private push(event: Event): void {
    if (!this.events.includes(event)) this.events.push(event);
  }
  addDynamic(process: Process): void {
    for (let i = this.events.length - 1; i >= 0; i--) this.events[i]!.addDynamic(process);
  }
  removeDynamic(process: Process, except: Event | undefined): void {
    for (let i = this.events.length - 1; i >= 0; i--) {
      const event = this.events[i]!;
      if (event !== except) event.removeDynamic(process);
    }
  }
}

/** Waits for the first of its events. */
export class EventOrList extends EventList {
  or(other: Event | EventOrList): this {
    this.append(other);
    return this;
  }
}

/** Waits until every one of its events has been notified, in whatever order and delta cycle. */
export class EventAndList extends EventList {
  and(other: Event | EventAndList): this {
    this.append(other);
    return this;
  }
}

export const anyOf = (...events: Event[]): EventOrList => new EventOrList(...events);
export const allOf = (...events: Event[]): EventAndList => new EventAndList(...events);
