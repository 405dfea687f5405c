/**
 * Processes and their control (IEEE 1666-2011 clauses 5.2 and 5.6): a method runs to its end at each trigger, a thread
 * is a generator that yields where it waits. The object is its own handle.
 */
import type { Parent } from "./context.js";
import { Event } from "./event.js";
import { message, ReportError, Severity } from "./report.js";
import { State, Throw, Trigger, Waiter, type ProcessKind } from "./waiter.js";

/** What `yield` hands to the kernel: made by `wait(...)`; a bare `yield` is `wait()`. */
export type Wait = typeof WAIT | typeof CONTINUE;
export const WAIT = Symbol("wait");
/** Yielded by a call that turned out not to suspend the caller: the thread goes on at once. */
export const CONTINUE = Symbol("continue");

/** Body of a thread: yields at every wait. `void`: a thread that never waits. */
export type ThreadBody = () => Generator<Wait | undefined, void, void> | void;
export type ProcessBody = ThreadBody;

/** Thrown through a thread (so that its `finally` blocks run) when it is killed or reset. Must not be swallowed. */
export class Unwind extends Error {
  readonly process: Process;
  readonly isReset: boolean;
  constructor(process: Process, isReset: boolean) {
    super(isReset ? "RESET" : "KILL");
    this.name = "Unwind";
    this.process = process;
    this.isReset = isReset;
  }
}

/** Whether a control call also goes to the processes below, which the process spawned. */
export type Descendants = "none" | "include";

/** Signals keep those of their readers that they reset. */
export interface ResetTarget {
  readonly process: Process;
  readonly async: boolean;
  readonly level: boolean;
}

/** What a process can be statically sensitive to: an event, a channel, a port, or an edge of a port. */
export interface Sensitivity {
  makeSensitive(process: Process): void;
}

/** A channel or port whose value can reset a process. */
export interface ResetSource {
  addReset(target: ResetTarget): void;
}

let processes = 0;

export class Process extends Waiter {
  /** From 1, different for every process. */
  readonly number = ++processes;
  /** True if spawned after elaboration. */
  readonly dynamic: boolean;
  readonly body: ProcessBody;

  // The rest is the scheduler's.
  /** The live generator of a thread; null before its first run and after a reset. */
  generator: Generator<Wait | undefined, void, void> | null = null;
  /** True while a thread's body is between its begin and its end. */
  hasStack = false;
  skipInitialize = false;
  hasResetSignal = false;
  userError: unknown;
  readonly resetSources: { removeReset(process: Process): void }[] = [];
  private stickyReset = false;
  private resetNotice: Event | null = null;
  private terminatedNotice: Event | null = null;

  constructor(parent: Parent, kind: ProcessKind, leaf: string, body: ProcessBody, dynamic: boolean) {
    super(parent, kind, leaf);
    this.body = body;
    this.dynamic = dynamic;
    this.skipInitialize = kind === "cthread";
  }

  get kind(): string {
    return `sc_${this.processKind}_process`;
  }
  get terminated(): boolean {
    return (this.state & State.Zombie) !== 0;
  }
  /** True until the process has terminated. */
  get valid(): boolean {
    return !this.terminated;
  }
  get isUnwinding(): boolean {
    return this.unwinding;
  }
  get resetEvent(): Event {
    return (this.resetNotice ??= new Event(this.context, null));
  }
  get terminatedEvent(): Event {
    return (this.terminatedNotice ??= new Event(this.context, null));
  }
  notifyReset(): void {
    this.resetNotice?.notify();
  }

  /** No run at the start of simulation; clocked threads never have one. */
  dontInitialize(): this {
    if (this.processKind === "cthread") this.context.reports.report(Severity.Warning, message.DONT_INITIALIZE);
    else this.skipInitialize = true;
    return this;
  }

  // Process control.

  suspend(descendants: Descendants = "none"): Wait {
    this.forChildren(descendants, (child) => void child.suspend(descendants));
    if (!this.context.allowProcessControlCorners) {
      if (this.hasResetSignal) this.corner(`attempt to suspend a ${this.role} that has a reset signal`);
      else if (this.stickyReset) this.corner(`attempt to suspend a ${this.role} in synchronous reset`);
    }
    this.state |= State.Suspended;
    if (this.queued) {
      this.state |= State.Ready;
      this.queue.remove(this);
    }
    if (this.context.running !== this) return CONTINUE;
    this.state |= State.Ready;
    if (this.isMethod) return CONTINUE;
    this.waiting = true;
    return WAIT;
  }

  resume(descendants: Descendants = "none"): void {
    this.forChildren(descendants, (child) => child.resume(descendants));
    const both = State.Disabled | State.Suspended;
    if (!this.context.allowProcessControlCorners && (this.state & both) === both) {
      this.state &= ~State.Suspended;
      this.corner(`call to resume() on a disabled suspended ${this.role}`);
    }
    this.state &= ~State.Suspended;
    if ((this.state & State.Ready) === 0) return;
    this.state &= ~State.Ready;
    if (this.isMethod) {
      if (this.queued || this.context.running === this) return;
      this.queue.push(this);
    } else if (!this.queued) this.queue.push(this);
    this.removeDynamicEvents();
  }

  disable(descendants: Descendants = "none"): void {
    this.forChildren(descendants, (child) => child.disable(descendants));
    if (!this.context.allowProcessControlCorners && this.trigger >= Trigger.Timeout) {
      this.corner(`attempt to disable a ${this.role} with timeout wait`);
    }
    this.state |= State.Disabled;
    if (!this.context.isRunning) {
      if (!this.isMethod) this.state |= State.Ready;
      this.queue.remove(this);
    }
  }

  enable(descendants: Descendants = "none"): void {
    this.forChildren(descendants, (child) => child.enable(descendants));
    this.state &= ~State.Disabled;
    if (this.state !== State.Ready) return;
    if (!this.isMethod && !this.context.allowProcessControlCorners) return;
    this.state = State.Normal;
    if (!this.queued) this.queue.push(this);
  }

  /** Ends the process at once; a thread's `finally` blocks run inside this call. */
  kill(descendants: Descendants = "none"): void {
    if (!this.context.isRunning) {
      this.report(Severity.Error, message.KILL_PROCESS_WHILE_UNINITIALIZED);
      return;
    }
    this.forChildren(descendants, (child) => child.kill(descendants));
    if (this.unwinding) {
      this.context.reports.report(Severity.Warning, message.PROCESS_ALREADY_UNWINDING, this.name);
      return;
    }
    if (this.terminated) return;
    if (this.isMethod) {
      this.queue.remove(this);
      this.disconnect();
      this.throwStatus = Throw.Kill;
      if (this.context.running === this) this.unwind(false);
    } else if (this.hasStack) {
      this.throwStatus = Throw.Kill;
      this.cyclesLeft = 0;
      this.removeDynamicEvents();
      this.context.preempt(this);
    } else {
      this.disconnect();
      this.queue.remove(this);
    }
  }

  /** Restarts the process from its beginning, at once. */
  reset(descendants: Descendants = "none"): void {
    this.forChildren(descendants, (child) => child.reset(descendants));
    if (this.context.status !== "SC_RUNNING") {
      this.report(Severity.Error, message.RESET_PROCESS_WHILE_NOT_RUNNING);
      return;
    }
    this.removeDynamicEvents();
    this.throwReset(true);
  }

  /** From now on, every time the process would resume it restarts instead. */
  syncResetOn(descendants: Descendants = "none"): void {
    this.forChildren(descendants, (child) => child.syncResetOn(descendants));
    if (this.stickyReset) return;
    this.stickyReset = true;
    this.resetChanged(false, true);
  }
  syncResetOff(descendants: Descendants = "none"): void {
    this.forChildren(descendants, (child) => child.syncResetOff(descendants));
    if (!this.stickyReset) return;
    this.stickyReset = false;
    this.resetChanged(false, false);
  }

  /** Throws the user's own error into a thread, at the wait where it stands. */
  throwIt(error: unknown, descendants: Descendants = "none"): void {
    if (this.context.status !== "SC_RUNNING") {
      this.report(Severity.Error, message.THROW_IT_WHILE_NOT_RUNNING);
      return;
    }
    this.forChildren(descendants, (child) => child.throwIt(error, descendants));
    const warn = (type: readonly [number, string]): void =>
      this.context.reports.report(Severity.Warning, type, this.name);
    if (this.unwinding) warn(message.PROCESS_ALREADY_UNWINDING);
    else if (this.isMethod || !this.hasStack) warn(message.THROW_IT_IGNORED);
    else {
      this.removeDynamicEvents();
      this.throwStatus = Throw.User;
      this.userError = error;
      this.context.preempt(this);
    }
  }

  // Reset.

  /** A reset signal is at its active level before simulation starts. */
  initiallyInReset(async: boolean): void {
    if (async) this.activeAsyncResets++;
    else this.activeResets++;
  }

  resetChanged(async: boolean, asserted: boolean): void {
    if (!this.context.allowProcessControlCorners && !async && (this.state & State.Suspended) !== 0) {
      this.corner("synchronous reset changed on a suspended process");
    }
    if (this.terminated) return;
    const step = asserted ? 1 : -1;
    if (async) this.activeAsyncResets += step;
    else this.activeResets += step;
    if (asserted && this.context.isRunning) this.throwReset(async);
    const resetting = this.throwStatus === Throw.SyncReset || this.throwStatus === Throw.AsyncReset;
    if (resetting && this.activeAsyncResets === 0 && this.activeResets === 0 && !this.stickyReset) {
      this.throwStatus = Throw.None;
    }
  }

  private throwReset(async: boolean): void {
    if (this.unwinding) {
      this.context.reports.report(Severity.Warning, message.PROCESS_ALREADY_UNWINDING, this.name);
      return;
    }
    if (this.terminated) return;
    this.throwStatus = async ? Throw.AsyncReset : Throw.SyncReset;
    if (!this.isMethod) this.cyclesLeft = 0;
    if (!async) return;
    if (!this.isMethod) this.state &= ~State.Ready;
    this.removeDynamicEvents();
    if (this.isMethod) {
      if (this.context.running === this) this.unwind(true);
      this.context.preempt(this);
    } else if (this.context.evaluating) this.context.preempt(this);
    else {
      this.queue.remove(this);
      this.queue.runNext(this);
    }
  }

  /** The throw status with which the body starts: given by the resets that are active. */
  begin(): void {
    if (this.throwStatus === Throw.None && this.activeResets === 0 && this.activeAsyncResets === 0) return;
    if (this.throwStatus === Throw.SyncReset || this.throwStatus === Throw.AsyncReset) this.notifyReset();
    this.throwStatus = this.statusFromResets();
  }
  statusFromResets(): Throw {
    return this.activeAsyncResets > 0 ? Throw.AsyncReset : this.activeResets > 0 ? Throw.SyncReset : Throw.None;
  }

  /** Leaves the running body from inside. */
  unwind(isReset: boolean): never {
    this.unwinding = true;
    throw new Unwind(this, isReset);
  }

  /** The end of a process: out of every list, and its terminated event is notified. */
  disconnect(): void {
    if (this.terminated) return;
    this.removeDynamicEvents();
    this.removeStaticEvents();
    for (const source of this.resetSources) source.removeReset(this);
    this.resetSources.length = 0;
    this.state = State.Zombie;
    this.terminatedNotice?.notify();
  }

  private get role(): string {
    return this.isMethod ? "method" : "thread";
  }
  private forChildren(descendants: Descendants, action: (child: Process) => void): void {
    if (descendants !== "include") return;
    for (const child of [...this.childObjects]) if (child instanceof Process) action(child);
  }
  private corner(what: string): void {
    this.report(Severity.Error, message.PROCESS_CONTROL_CORNER_CASE, what);
  }
  report(severity: Severity, type: readonly [number, string], text = ""): void {
    this.context.reports.report(severity, type, text === "" ? this.name : `${text}: ${this.name}`);
  }
}

/** True while the running process is being killed or reset. */
export function isUnwinding(process: Process | null): boolean {
  return process?.unwinding ?? false;
}

/** An error that reached the end of a process, as the report that ends the simulation. */
export function asReportError(error: unknown, report: (text: string) => never): ReportError {
  if (error instanceof ReportError) return error;
  try {
    return report(error instanceof Error ? error.message : typeof error === "string" ? error : "UNKNOWN EXCEPTION");
  } catch (reported) {
    if (reported instanceof ReportError) return reported;
    throw reported;
  }
}
