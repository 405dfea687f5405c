/**
 * What a process waits for: its static sensitivity, and the dynamic one that a wait or next_trigger puts in its place
 * for once (IEEE 1666-2011 clauses 4.2.1.2, 5.2.17 and 5.2.18).
 */
import type { Parent, ProcessQueue } from "./context.js";
import { Event, type EventAndList, type EventList } from "./event.js";
import { ScObject } from "./object.js";
import type { Process } from "./process.js";
import { message, Severity } from "./report.js";

/** What will make the process run next. */
export const Trigger = {
  Static: 0,
  Event: 1,
  Or: 2,
  And: 3,
  Timeout: 4,
  EventTimeout: 5,
  OrTimeout: 6,
  AndTimeout: 7,
} as const;
export type Trigger = (typeof Trigger)[keyof typeof Trigger];

/** Bits of a process's state; a normal process has none. */
export const State = { Normal: 0, Disabled: 1, Ready: 2, Suspended: 4, Zombie: 8 } as const;

/**
 * The further bits of `bits`: everything that makes a process other than one that waits for its static sensitivity, so
 * that the scheduler sees with one comparison whether a process is in that plain state.
 */
const STATE = 0b1111;
export const QUEUED = 1 << 4;
/** Something is to be thrown into the process, a reset is active, or it is unwinding. */
export const SPECIAL = 1 << 5;
const COUNTING = 1 << 6;
/** From a wait until the yield that belongs to it. */
export const WAITING = 1 << 7;
const TRIGGER_SHIFT = 8;
const TRIGGER = 0b111 << TRIGGER_SHIFT;
const ON_EVENT = Trigger.Event << TRIGGER_SHIFT;
const ON_TIMEOUT = Trigger.Timeout << TRIGGER_SHIFT;

/** What is to be thrown into a process when it runs next. */
export const Throw = { None: 0, Kill: 1, User: 2, AsyncReset: 3, SyncReset: 4 } as const;
export type Throw = (typeof Throw)[keyof typeof Throw];

export type ProcessKind = "method" | "thread" | "cthread";

export abstract class Waiter extends ScObject {
  readonly processKind: ProcessKind;
  readonly isMethod: boolean;
  /** Where it waits to run. */
  readonly queue: ProcessQueue;
  /** True if the last wait ended by its time-out. */
  timedOut = false;

  // The rest is the scheduler's.
  /** All of the state below in one number; 0: waits for its static sensitivity, and nothing is special about it. */
  bits = 0;
  readonly timeoutEvent: Event;
  readonly staticEvents: Event[] = [];
  private waitEvent: Event | null = null;
  private waitList: EventList | null = null;
  private eventsLeft = 0;
  private toThrow: Throw = Throw.None;
  private cycles = 0;
  private resets = 0;
  private asyncResets = 0;
  private unwinds = false;

  constructor(parent: Parent, kind: ProcessKind, leaf: string) {
    super(parent, leaf, kind === "method" ? "method_p" : "thread_p");
    this.processKind = kind;
    this.isMethod = kind === "method";
    this.queue = this.isMethod ? this.context.methods : this.context.threads;
    this.timeoutEvent = new Event(this.context, null);
  }

  get state(): number {
    return this.bits & STATE;
  }
  set state(state: number) {
    this.bits = (this.bits & ~STATE) | state;
  }
  /** True while in a run queue. */
  get queued(): boolean {
    return (this.bits & QUEUED) !== 0;
  }
  set queued(queued: boolean) {
    this.bits = queued ? this.bits | QUEUED : this.bits & ~QUEUED;
  }
  /** True from a wait until the yield that belongs to it. */
  get waiting(): boolean {
    return (this.bits & WAITING) !== 0;
  }
  set waiting(waiting: boolean) {
    this.bits = waiting ? this.bits | WAITING : this.bits & ~WAITING;
  }
  get trigger(): Trigger {
    return ((this.bits & TRIGGER) >> TRIGGER_SHIFT) as Trigger;
  }
  set trigger(trigger: Trigger) {
    this.bits = (this.bits & ~TRIGGER) | (trigger << TRIGGER_SHIFT);
  }
  /** Edges that `wait(n)` still has to let pass. */
  get cyclesLeft(): number {
    return this.cycles;
  }
  set cyclesLeft(cycles: number) {
    this.cycles = cycles;
    this.bits = cycles > 0 ? this.bits | COUNTING : this.bits & ~COUNTING;
  }
  get throwStatus(): Throw {
    return this.toThrow;
  }
  set throwStatus(status: Throw) {
    this.toThrow = status;
    this.setSpecial();
  }
  /** Reset signals that are at their active level. */
  get activeResets(): number {
    return this.resets;
  }
  set activeResets(count: number) {
    this.resets = count;
    this.setSpecial();
  }
  get activeAsyncResets(): number {
    return this.asyncResets;
  }
  set activeAsyncResets(count: number) {
    this.asyncResets = count;
    this.setSpecial();
  }
  /** True while a kill, a reset or an error thrown into the process goes through it. */
  get unwinding(): boolean {
    return this.unwinds;
  }
  set unwinding(unwinding: boolean) {
    this.unwinds = unwinding;
    this.setSpecial();
  }
  private setSpecial(): void {
    const special = this.unwinds || (this.toThrow | this.resets | this.asyncResets) !== 0;
    this.bits = special ? this.bits | SPECIAL : this.bits & ~SPECIAL;
  }

  addStaticEvent(event: Event): void {
    if (this.staticEvents.includes(event)) return;
    this.staticEvents.push(event);
    event.addStatic(this as unknown as Process);
  }
  removeStaticEvents(): void {
    for (let i = this.staticEvents.length - 1; i >= 0; i--) {
      this.staticEvents[i]!.removeStatic(this as unknown as Process);
    }
    this.staticEvents.length = 0;
  }

  /** A thread's `wait(event)`: the most frequent wait, in the fewest steps. */
  waitFor(event: Event): void {
    event.dynamicThreads.add(this as unknown as Process);
    event.waiters++;
    this.waitEvent = event;
    this.bits = (this.bits & ~TRIGGER) | ON_EVENT | WAITING;
  }

  // Dynamic sensitivity: a time-out in resolution units (or -1 for none), and an event or a list (or null).

  awaitEvent(timeout: number, event: Event | null): void {
    const self = this as unknown as Process;
    if (timeout >= 0) this.startTimeout(timeout);
    if (event !== null) event.addDynamic(self);
    this.waitEvent = event;
    this.trigger = event === null ? Trigger.Timeout : timeout >= 0 ? Trigger.EventTimeout : Trigger.Event;
  }
  awaitAny(timeout: number, list: EventList): void {
    if (timeout >= 0) this.startTimeout(timeout);
    list.addDynamic(this as unknown as Process);
    this.waitList = list;
    this.trigger = timeout >= 0 ? Trigger.OrTimeout : Trigger.Or;
  }
  awaitAll(timeout: number, list: EventAndList): void {
    if (timeout >= 0) this.startTimeout(timeout);
    list.addDynamic(this as unknown as Process);
    this.waitList = list;
    this.eventsLeft = list.size;
    this.trigger = timeout >= 0 ? Trigger.AndTimeout : Trigger.And;
  }
  private startTimeout(timeout: number): void {
    if (timeout === 0) this.context.zeroTimeoutStamp = this.context.changeStamp;
    this.timeoutEvent.notifyInternal(timeout);
    this.timeoutEvent.addDynamic(this as unknown as Process);
  }

  /** Back to static sensitivity: what next_trigger() does before it sets up anything. */
  clearTrigger(): void {
    if (this.trigger === Trigger.Static) return;
    if (this.trigger >= Trigger.Timeout) {
      this.timeoutEvent.cancel();
      this.timeoutEvent.forget();
    }
    this.waitEvent?.removeDynamic(this as unknown as Process);
    this.waitList?.removeDynamic(this as unknown as Process, undefined);
    this.waitEvent = null;
    this.waitList = null;
    this.eventsLeft = 0;
    this.trigger = Trigger.Static;
  }

  /** Drops the dynamic sensitivity; `keepTimeout` for a time-out that is just being delivered. */
  removeDynamicEvents(keepTimeout = false): void {
    this.trigger = Trigger.Static;
    if (!keepTimeout) {
      this.timeoutEvent.removeDynamic(this as unknown as Process);
      this.timeoutEvent.cancel();
    }
    this.waitEvent?.removeDynamic(this as unknown as Process);
    this.waitList?.removeDynamic(this as unknown as Process, undefined);
    this.waitEvent = null;
    this.waitList = null;
  }

  /** An event of the static sensitivity was notified, while no process runs. */
  triggerStatic(): void {
    if (this.bits === 0) this.queue.push(this as unknown as Process);
    else this.triggerStaticNow();
  }
  /** The same at any time: a process may be notified by itself. */
  triggerStaticNow(): void {
    if ((this.state & State.Disabled) !== 0 || this.queued || this.trigger !== Trigger.Static) return;
    const context = this.context;
    if (context.running === (this as unknown as Process)) {
      this.selfNotified();
      return;
    }
    if (this.cyclesLeft > 0 && this.throwStatus === Throw.None) {
      this.cyclesLeft--;
      return;
    }
    if ((this.state & State.Suspended) !== 0) this.state |= State.Ready;
    else this.queue.push(this as unknown as Process);
  }

  /**
   * An event of the dynamic sensitivity was notified, while no process runs. True if the process is to be removed from
   * the event's list.
   */
  triggerDynamic(event: Event): boolean {
    if (this.bits !== ON_EVENT && this.bits !== ON_TIMEOUT) return this.triggerDynamicNow(event);
    this.timedOut = false;
    this.waitEvent = null;
    this.bits = 0;
    this.queue.push(this as unknown as Process);
    return true;
  }
  /** The same at any time: a process may be notified by itself. */
  triggerDynamicNow(event: Event): boolean {
    this.timedOut = false;
    const self = this as unknown as Process;
    if (this.isMethod && this.context.running === self) {
      this.selfNotified();
      return false;
    }
    if (this.queued) return true;
    const timedOut = event === this.timeoutEvent;
    if ((this.state & State.Disabled) !== 0) {
      if (timedOut) this.removeDynamicEvents(true);
      return timedOut;
    }
    switch (this.trigger) {
      case Trigger.Event:
        this.waitEvent = null;
        break;
      case Trigger.Timeout:
        break;
      case Trigger.And:
        if (--this.eventsLeft > 0) return true;
        this.waitList = null;
        break;
      case Trigger.Or:
        this.waitList!.removeDynamic(self, event);
        this.waitList = null;
        break;
      case Trigger.EventTimeout:
        if (timedOut) this.waitEvent!.removeDynamic(self);
        else this.stopTimeout();
        this.timedOut = timedOut;
        this.waitEvent = null;
        break;
      case Trigger.OrTimeout:
        if (!timedOut) this.stopTimeout();
        this.timedOut = timedOut;
        this.waitList!.removeDynamic(self, event);
        this.waitList = null;
        break;
      case Trigger.AndTimeout:
        if (timedOut) this.waitList!.removeDynamic(self, event);
        else if (--this.eventsLeft > 0) return true;
        else this.stopTimeout();
        this.timedOut = timedOut;
        this.waitList = null;
        break;
      case Trigger.Static:
        this.context.reports.report(Severity.Warning, message.NOT_EXPECTING_DYNAMIC_EVENT, this.name);
        return true;
    }
    this.trigger = Trigger.Static;
    if ((this.state & State.Suspended) !== 0) this.state |= State.Ready;
    else this.queue.push(self);
    return true;
  }

  private stopTimeout(): void {
    this.timeoutEvent.cancel();
    this.timeoutEvent.forget();
  }

  /** A process that notifies, at once, an event that it is sensitive to does not trigger itself. */
  private selfNotified(): void {
    this.context.reports.once(Severity.Warning, message.IMMEDIATE_SELF_NOTIFICATION, this.name);
  }
}
