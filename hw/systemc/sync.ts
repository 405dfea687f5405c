/** Mutual exclusion and counting between threads, and queued events (IEEE 1666-2011 clauses 6.27-6.29). */
import type { Parent } from "./context.js";
import { Event } from "./event.js";
import { ScObject } from "./object.js";
import type { Process, Wait } from "./process.js";
import { message, Severity } from "./report.js";
import type { Time } from "./time.js";
import { wait } from "./wait.js";

export class Mutex extends ScObject {
  private owner: Process | null = null;
  private readonly freed: Event;

  constructor(parent: Parent, leaf?: string) {
    super(parent, leaf, "mutex");
    this.freed = new Event(this.context, null);
  }
  get kind(): string {
    return "sc_mutex";
  }
  /** `yield* mutex.lock()`; a second lock by the owner does nothing. */
  *lock(): Generator<Wait, void, void> {
    if (this.owner !== null && this.owner === this.context.running) return;
    while (this.owner !== null) yield wait(this.freed);
    this.owner = this.context.running;
  }
  tryLock(): boolean {
    if (this.owner !== null && this.owner !== this.context.running) return false;
    this.owner = this.context.running;
    return true;
  }
  /** False if the caller does not own the mutex. */
  unlock(): boolean {
    if (this.owner !== this.context.running) return false;
    this.owner = null;
    this.freed.notify();
    return true;
  }
}

export class Semaphore extends ScObject {
  private count: number;
  private readonly freed: Event;

  constructor(parent: Parent, leaf: string | undefined, initial: number) {
    super(parent, leaf, "semaphore");
    this.freed = new Event(this.context, null);
    this.count = initial;
    if (initial < 0) {
      this.context.reports.report(Severity.Error, message.INVALID_SEMAPHORE_VALUE, `semaphore '${this.name}'`);
    }
  }
  get kind(): string {
    return "sc_semaphore";
  }
  get value(): number {
    return this.count;
  }
  /** `yield* semaphore.wait()`: takes one, waits while there is none. */
  *wait(): Generator<Wait, void, void> {
    while (this.count <= 0) yield wait(this.freed);
    this.count--;
  }
  tryWait(): boolean {
    if (this.count <= 0) return false;
    this.count--;
    return true;
  }
  post(): void {
    this.count++;
    this.freed.notify();
  }
}

/** An event that keeps every notification: n notifications for one time are n delta cycles there. */
export class EventQueue extends ScObject {
  private readonly event: Event;
  /** Times still to come, a sorted list: queues are short. */
  private readonly due: number[] = [];

  constructor(parent: Parent, leaf?: string) {
    super(parent, leaf, "event_queue");
    this.event = new Event(this.context, null);
    const fire = this.context.createProcess("method", this, "fire_event", () => this.fire(), false);
    fire.addStaticEvent(this.event);
    fire.dontInitialize();
  }
  get kind(): string {
    return "sc_event_queue";
  }
  get defaultEvent(): Event {
    return this.event;
  }
  makeSensitive(process: Process): void {
    process.addStaticEvent(this.event);
  }
  notify(delay: Time): void {
    const at = this.context.now + delay.value;
    if (this.due.length === 0 || at < this.due[0]!) this.event.notify(delay);
    const index = this.due.findIndex((other) => other > at);
    this.due.splice(index < 0 ? this.due.length : index, 0, at);
  }
  cancelAll(): void {
    this.due.length = 0;
    this.event.cancel();
  }
  private fire(): void {
    if (this.due.length === 0) return;
    this.due.shift();
    if (this.due.length > 0) this.event.notifyInternal(this.due[0]! - this.context.now);
  }
}
