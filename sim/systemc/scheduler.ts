/**
 * The inner loop of the scheduler (IEEE 1666-2011 clause 4.2): evaluate, update, notify, and steps of time.
 *
 * What runs for every event is written to be fast: queues are arrays that never shrink, the plain cases of running a
 * method or a thread stand here, and everything else is in functions of its own (executor.ts). docs/systemc.md has the
 * figures.
 */
import { Context } from "../../hw/systemc/context.js";
import type { PrimitiveChannel } from "../../hw/systemc/channel.js";
import type { Event } from "../../hw/systemc/event.js";
import { asReportError, type Process, Unwind } from "../../hw/systemc/process.js";
import { message, type ReportError, Severity } from "../../hw/systemc/report.js";
import { Throw, WAITING } from "../../hw/systemc/waiter.js";
import { restarts, resume, runMethod, runThread, settle, threadRestarts, throwHere } from "./executor.js";
import { RunQueue } from "./run-queue.js";
import { TimedQueue } from "./timed-queue.js";

/** Something that records values, once per delta cycle and before every step of time. */
export interface Tracer {
  /** `delta`: after the update phase of a delta cycle; else before time goes on. */
  cycle(delta: boolean): void;
}

export abstract class Scheduler extends Context {
  readonly methods = new RunQueue();
  readonly threads = new RunQueue();
  readonly tracers: Tracer[] = [];
  protected readonly timed = new TimedQueue();
  /** What ended the simulation, if an error did. */
  protected error: ReportError | undefined;
  protected stopped = false;
  protected paused = false;
  /** Leave the delta cycle in which stop() is called at once. */
  protected stopsAtOnce = false;
  protected deltaEvents = 0;
  protected updateCount = 0;
  private readonly deltas: (Event | null)[] = [null];
  private updates: (PrimitiveChannel | null)[] = [null];
  private spareUpdates: (PrimitiveChannel | null)[] = [null];

  /** Steps time to the next notifications that make a process runnable. -1: none up to `until`. */
  protected advance(until: number): number {
    const { timed } = this;
    for (;;) {
      const at = timed.nextTime();
      if (at < 0 || at > until) return -1;
      if (at > this.now) this.stepTo(at);
      do {
        const event = timed.extract();
        if (event !== null) event.trigger();
      } while (timed.dueAt(at));
      if (!this.methods.isEmpty() || !this.threads.isEmpty()) return at;
    }
  }

  protected stepTo(at: number): void {
    if (this.tracers.length > 0) this.trace(false);
    this.now = at;
    this.deltasBefore = this.deltaCount;
    this.changeStamp++;
  }

  private trace(delta: boolean): void {
    for (let i = this.tracers.length - 1; i >= 0; i--) this.tracers[i]!.cycle(delta);
  }

  /** Delta cycles until nothing is runnable, or one of them. */
  protected crunch(once: boolean): void {
    const { methods, threads } = this;
    for (;;) {
      this.evaluating = true;
      let empty = true;
      do {
        if (!methods.isEmpty()) {
          empty = false;
          this.runMethods();
        }
        if (!threads.isEmpty()) {
          empty = false;
          this.runThreads();
        }
        if (this.stopped && this.stopsAtOnce) {
          this.setRunning(null);
          return;
        }
      } while (!methods.isEmpty() || !threads.isEmpty());
      this.setRunning(null);
      this.evaluating = false;

      if (!empty) this.changeStamp++;
      if (this.updateCount > 0) this.performUpdates();
      if (this.tracers.length > 0) this.trace(true);
      if (this.stopped) return;

      if (this.deltaEvents > 0) this.notifyDeltas();
      if (!empty) this.deltaCount++;
      if ((methods.isEmpty() && threads.isEmpty()) || this.paused || once) return;
    }
  }

  private runMethods(): void {
    const { methods } = this;
    methods.turn();
    for (;;) {
      try {
        while (methods.hasNext()) {
          const process = methods.next();
          this.running = process;
          this.runningNumber = process.number;
          if (process.bits === 0) process.body();
          else runMethod(process);
        }
        return;
      } catch (error) {
        this.afterThrow(error);
      }
    }
  }

  private runThreads(): void {
    const { threads } = this;
    threads.turn();
    for (;;) {
      try {
        while (threads.hasNext()) {
          const process = threads.next();
          this.running = process;
          this.runningNumber = process.number;
          const { generator } = process;
          if (process.bits !== 0 || generator === null) {
            runThread(process);
            continue;
          }
          const result = resume(generator);
          const bits = process.bits;
          if (result.done === true) settle(process, result);
          else if ((bits & WAITING) !== 0) process.bits = bits & ~WAITING;
          else if (result.value !== undefined || process.unwinding) settle(process, result);
        }
        return;
      } catch (error) {
        this.afterThrow(error);
      }
    }
  }

  /** The running process has thrown: a kill or reset of itself, or an error that ends the simulation. */
  private afterThrow(error: unknown): void {
    const process = this.running!;
    try {
      if (process.isMethod) {
        if (restarts(process, error)) runMethod(process);
      } else if (threadRestarts(process, error)) runThread(process);
    } catch (failure) {
      this.fail(failure);
    }
  }

  /** An error that no process caught ends the simulation. */
  protected fail(error: unknown): never {
    this.error ??= asReportError(error, (text) => {
      this.reports.report(Severity.Error, message.UNCAUGHT_EXCEPTION, text);
      throw error;
    });
    if (error instanceof Error && error !== this.error) this.error.cause ??= error;
    this.setRunning(null);
    throw this.error;
  }

  /** The last request first. What is requested meanwhile is for the next time. */
  protected performUpdates(): void {
    const { updates, updateCount } = this;
    this.updates = this.spareUpdates;
    this.spareUpdates = updates;
    this.updateCount = 0;
    for (let i = updateCount - 1; i >= 0; i--) {
      const channel = updates[i]!;
      channel.updateRequested = 0;
      channel.update();
    }
  }

  /** The last notification first. */
  protected notifyDeltas(): void {
    const { deltas } = this;
    for (let i = this.deltaEvents - 1; i >= 0; i--) deltas[i]!.trigger();
    this.deltaEvents = 0;
  }

  private setRunning(process: Process | null): void {
    this.running = process;
    this.runningNumber = process === null ? 0 : process.number;
  }

  // What the vocabulary asks (see Context).

  addDelta(event: Event): void {
    const index = this.deltaEvents;
    if (index === this.deltas.length) grow(this.deltas);
    this.deltas[index] = event;
    event.deltaIndex = index;
    this.deltaEvents = index + 1;
  }
  removeDelta(event: Event): void {
    const last = this.deltas[--this.deltaEvents]!;
    this.deltas[event.deltaIndex] = last;
    last.deltaIndex = event.deltaIndex;
    event.deltaIndex = -1;
  }
  addTimed(event: Event, at: number): void {
    this.timed.insert(event, at);
  }
  removeTimed(event: Event): void {
    this.timed.remove(event);
  }
  requestUpdate(channel: PrimitiveChannel): void {
    const index = this.updateCount;
    if (index === this.updates.length) grow(this.updates);
    this.updates[index] = channel;
    this.updateCount = index + 1;
  }

  /** Kill, reset and throw take effect at once: the other process runs inside the call of the one that controls it. */
  preempt(process: Process): void {
    if (process.queued) process.queue.remove(process);
    const caller = this.running;
    if (caller === process) {
      if (!process.isMethod) throwHere(process);
      return;
    }
    this.setRunning(process);
    // A thread that calls counts as runnable meanwhile, so that nothing schedules it a second time. A method does not.
    const holds = caller !== null && !caller.isMethod;
    if (holds) caller.queued = true;
    try {
      if (process.isMethod) runMethod(process);
      else runThread(process);
    } catch (error) {
      if (error instanceof Unwind) throw error;
      this.fail(error);
    } finally {
      this.setRunning(caller);
      if (holds) caller.queued = false;
    }
    if (caller === null) return;
    if (!caller.isMethod) throwHere(caller);
    else if (!caller.unwinding && caller.throwStatus === Throw.Kill) caller.unwind(false);
  }
}

/** Doubles a list; filled, because an array without holes is faster. */
function grow(list: (object | null)[]): void {
  for (let more = list.length; more > 0; more--) list.push(null);
}
