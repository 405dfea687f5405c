/**
 * The IEEE 1666-2011 scheduler (clause 4.2): evaluate, update, notify; delta cycles; timed notification; start, pause and
 * stop. One `Simulation` is one model; it builds its hierarchy first, then runs it.
 *
 *     const sim = new Simulation();
 *     new Top(sim, "top");
 *     sim.start(ns(100));
 */
import { Context, setCurrentContext, type Status } from "../../hw/systemc/context.js";
import type { PrimitiveChannel } from "../../hw/systemc/channel.js";
import type { Event } from "../../hw/systemc/event.js";
import type { Module } from "../../hw/systemc/module.js";
import { NameTable } from "../../hw/systemc/names.js";
import type { Export, Port } from "../../hw/systemc/port.js";
import { asReportError, Process, Unwind, type ProcessBody } from "../../hw/systemc/process.js";
import { message, type ReportError, Reports, Severity } from "../../hw/systemc/report.js";
import type { Parent } from "../../hw/systemc/context.js";
import { formatTime, MAX_TIME, Time, ZERO_TIME } from "../../hw/systemc/time.js";
import type { ProcessKind } from "../../hw/systemc/waiter.js";
import { State, Throw } from "../../hw/systemc/waiter.js";
import { Elaboration } from "./elaboration.js";
import { runMethod, runThread, throwHere } from "./executor.js";
import { RunQueue } from "./run-queue.js";
import { TimedQueue } from "./timed-queue.js";

/** What `start(t)` does when nothing is left to happen before t: go on to t, or stay. */
export type StarvationPolicy = "run to time" | "exit on starvation";
/** What `stop()` does with the delta cycle in which it is called. */
export type StopMode = "finish delta" | "immediate";

/** Something that records values, once per delta cycle and before every step of time. */
export interface Tracer {
  cycle(delta: boolean): void;
}

type Phase = "evaluate" | "update" | "notify" | "elaborate";

export class Simulation extends Context {
  readonly reports: Reports;
  readonly names: NameTable;
  stopMode: StopMode = "finish delta";
  readonly tracers: Tracer[] = [];

  private phase: Phase = "elaborate";
  private stage: Status = "SC_ELABORATION";
  private inControl = false;
  private stopped = false;
  private paused = false;
  private error: ReportError | undefined;
  private startedOnce = false;
  private initialDelta = true;
  private startOfSimulationCalled = false;
  private readonly methods = new RunQueue();
  private readonly threads = new RunQueue();
  private readonly timed = new TimedQueue();
  private readonly deltas: Event[] = [];
  private deltaEvents = 0;
  private updates: PrimitiveChannel[] = [];
  private updating: PrimitiveChannel[] = [];
  private updateCount = 0;
  private readonly elaboration: Elaboration;

  constructor() {
    super();
    this.reports = new Reports({
      reportTime: () => formatTime(this.now, this),
      reportProcess: () => (this.isRunning ? this.running?.name : undefined),
      stop: () => this.stop(),
    });
    this.names = new NameTable(this.reports);
    this.elaboration = new Elaboration(this);
    setCurrentContext(this);
  }

  // What a model asks.

  /** Simulated time. */
  get timeStamp(): Time {
    return new Time(this.now);
  }
  get status(): Status {
    return this.stage !== "SC_RUNNING" || this.inControl ? this.stage : "SC_PAUSED";
  }
  get evaluating(): boolean {
    return this.phase === "evaluate" && this.isRunning;
  }
  get endOfSimulationInvoked(): boolean {
    return this.elaboration.endCalled;
  }
  get startOfSimulationInvoked(): boolean {
    return this.startOfSimulationCalled;
  }
  get pendingActivityAtCurrentTime(): boolean {
    return this.deltaEvents > 0 || !this.methods.isEmpty() || !this.threads.isEmpty() || this.updateCount > 0;
  }
  get pendingActivityAtFutureTime(): boolean {
    return this.timed.nextTime() >= 0;
  }
  get pendingActivity(): boolean {
    return this.pendingActivityAtCurrentTime || this.pendingActivityAtFutureTime;
  }
  /** Zero if something is to happen now; the end of time if nothing ever is. */
  get timeToPendingActivity(): Time {
    if (this.pendingActivityAtCurrentTime) return ZERO_TIME;
    const next = this.timed.nextTime();
    return next < 0 ? MAX_TIME.minus(this.timeStamp) : new Time(next - this.now);
  }

  // Control.

  /**
   * Elaborates on the first call, then simulates for `duration` (one delta cycle for zero), or until nothing is left to
   * happen. Throws a `ReportError` if the model reports an error.
   */
  start(duration?: Time, policy?: StarvationPolicy): void {
    setCurrentContext(this);
    const toTime = (policy ?? (duration === undefined ? "exit on starvation" : "run to time")) === "run to time";
    const span = duration ?? new Time(MAX_TIME.value - this.now);
    const entryTime = this.now;
    const entryDelta = this.deltaCount;
    const exitTime = toTime ? this.now + span.value : 0;
    if (!this.startedOnce) this.initialDelta = entryDelta === 0 && exitTime === 0;
    this.startedOnce = true;
    if (this.error !== undefined || this.stopped) {
      const type = this.stopped ? message.SIMULATION_START_AFTER_STOP : message.SIMULATION_START_AFTER_ERROR;
      this.reports.report(Severity.Error, type);
      return;
    }
    if (this.status !== "SC_PAUSED" && this.status !== "SC_ELABORATION") {
      this.reports.report(Severity.Error, message.SIMULATION_START_UNEXPECTED);
      return;
    }
    if (this.updateCount > 0 || this.deltaEvents > 0) this.initialDelta = true;
    this.simulate(span.value);
    const running = !this.isStopped();
    if (toTime && !this.paused && running && this.now < exitTime) this.stepTo(exitTime);
    if (!this.initialDelta && entryDelta === this.deltaCount && this.now === entryTime && running) {
      this.reports.report(Severity.Warning, message.NO_START_ACTIVITY);
    }
    this.initialDelta = false;
  }

  /** Ends the simulation: after this delta cycle, or at once, as `stopMode` says. It cannot be started again. */
  stop(): void {
    if (this.stopped) {
      this.reports.once(Severity.Warning, message.SIMULATION_STOP_CALLED_TWICE);
      return;
    }
    if (this.stopMode === "immediate") this.clearRunnable();
    this.stopped = true;
    if (!this.inControl) this.finish();
  }

  /** Comes back from `start` at the end of this delta cycle; `start` goes on. */
  pause(): void {
    this.paused = true;
  }

  setStopMode(mode: StopMode): void {
    if (this.isRunning) this.reports.report(Severity.Error, message.STOP_MODE_AFTER_START);
    else this.stopMode = mode;
  }

  private finish(): void {
    this.reports.report(Severity.Info, message.SIMULATION_STOPPED, "Simulation stopped by user.");
    if (this.startOfSimulationCalled) {
      this.stage = "SC_END_OF_SIMULATION";
      this.isRunning = false;
      this.elaboration.end();
      this.inControl = false;
    }
    this.stage = "SC_STOPPED";
  }

  // The scheduler.

  private initialize(): void {
    this.inControl = true;
    if (!this.elaborated && !this.stopped) {
      this.elaboration.elaborate((stage) => (this.stage = stage));
      if (this.isStopped()) this.finish();
    }
    if (!this.isRunning && !this.isStopped()) {
      this.stage = "SC_START_OF_SIMULATION";
      this.elaboration.start();
      this.startOfSimulationCalled = true;
      if (this.isStopped()) this.finish();
      else this.makeRunnable();
    }
    this.inControl = false;
  }
  /** A call, because a callback or process may have changed it meanwhile. */
  private isStopped(): boolean {
    return this.stopped;
  }

  private isPaused(): boolean {
    return this.paused;
  }

  private makeRunnable(): void {
    this.stage = "SC_RUNNING";
    this.isRunning = true;
    this.clearRunnable();
    this.phase = "update";
    this.performUpdates();
    this.phase = "notify";
    for (const isMethod of [true, false]) {
      for (const process of this.elaboration.processes) {
        if (process.isMethod !== isMethod) continue;
        if ((process.state & State.Disabled) !== 0 || process.skipInitialize) {
          if (process.staticEvents.length === 0) {
            this.reports.report(Severity.Warning, message.DISABLE_WILL_ORPHAN_PROCESS, process.name);
          }
        } else if ((process.state & State.Suspended) !== 0) process.state |= State.Ready;
        else if (!process.queued) (isMethod ? this.methods : this.threads).pushFront(process);
      }
    }
    this.notifyDeltas();
  }

  private simulate(span: number): void {
    this.initialize();
    if (this.error !== undefined || this.stopped) return;
    if (span > MAX_TIME.value - this.now) {
      this.reports.report(Severity.Error, message.SIMULATION_TIME_OVERFLOW);
      return;
    }
    this.inControl = true;
    this.paused = false;
    try {
      const until = this.now + span;
      let at = this.now;
      this.crunch(span === 0);
      while (span > 0 && !this.isStopped() && !this.isPaused()) {
        at = this.advance(until);
        if (at < 0 || at >= until) break;
        this.crunch(false);
      }
      if (this.isStopped()) {
        this.finish();
        return;
      }
    } finally {
      this.inControl = false;
    }
    this.phase = "evaluate";
  }

  /** Steps time to the next notifications that make a process runnable. -1: none up to `until`. */
  private advance(until: number): number {
    for (;;) {
      const at = this.timed.nextTime();
      if (at < 0 || at > until) return -1;
      if (at > this.now) this.stepTo(at);
      do {
        this.timed.extract()?.trigger();
      } while (this.timed.dueAt(at));
      if (!this.methods.isEmpty() || !this.threads.isEmpty()) return at;
    }
  }

  private stepTo(at: number): void {
    for (let i = this.tracers.length - 1; i >= 0; i--) this.tracers[i]!.cycle(false);
    this.now = at;
    this.changeStamp++;
  }

  /** Delta cycles until nothing is runnable, or one of them. */
  private crunch(once: boolean): void {
    const { methods, threads } = this;
    while (true) {
      this.phase = "evaluate";
      let empty = true;
      do {
        methods.turn();
        for (let process = methods.pop(); process !== null; process = methods.pop()) {
          empty = false;
          this.execute(process);
        }
        threads.turn();
        for (let process = threads.pop(); process !== null; process = threads.pop()) {
          empty = false;
          this.execute(process);
        }
        if (this.stopped && this.stopMode === "immediate") {
          this.running = null;
          return;
        }
      } while (!methods.isEmpty() || !threads.isEmpty());
      this.running = null;

      this.phase = "update";
      if (!empty) this.changeStamp++;
      if (this.updateCount > 0) this.performUpdates();
      this.phase = "notify";
      for (let i = this.tracers.length - 1; i >= 0; i--) this.tracers[i]!.cycle(true);
      if (this.stopped) return;

      if (this.deltaEvents > 0) this.notifyDeltas();
      if (!empty) this.deltaCount++;
      if ((methods.isEmpty() && threads.isEmpty()) || this.paused || once) return;
    }
  }

  private execute(process: Process): void {
    this.running = process;
    try {
      if (process.isMethod) runMethod(process);
      else runThread(process);
    } catch (error) {
      this.fail(error);
    }
  }

  /** An error that no process caught ends the simulation. */
  private fail(error: unknown): never {
    this.error ??= asReportError(error, (text) => {
      this.reports.report(Severity.Error, message.UNCAUGHT_EXCEPTION, text);
      throw error;
    });
    if (error instanceof Error && error !== this.error) this.error.cause ??= error;
    this.running = null;
    throw this.error;
  }

  private performUpdates(): void {
    const channels = this.updates;
    const count = this.updateCount;
    this.updates = this.updating;
    this.updating = channels;
    this.updateCount = 0;
    for (let i = count - 1; i >= 0; i--) {
      const channel = channels[i]!;
      channel.updateRequested = false;
      channel.update();
    }
  }

  private notifyDeltas(): void {
    const { deltas } = this;
    for (let i = this.deltaEvents - 1; i >= 0; i--) deltas[i]!.trigger();
    this.deltaEvents = 0;
  }

  private clearRunnable(): void {
    this.methods.clear();
    this.threads.clear();
  }

  // What the vocabulary asks (see Context).

  addDelta(event: Event): void {
    event.deltaIndex = this.deltaEvents;
    this.deltas[this.deltaEvents++] = event;
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
    this.updates[this.updateCount++] = channel;
  }
  schedule(process: Process): void {
    (process.isMethod ? this.methods : this.threads).push(process);
  }
  scheduleNext(process: Process): void {
    (process.isMethod ? this.methods : this.threads).runNext(process);
  }
  unschedule(process: Process): void {
    (process.isMethod ? this.methods : this.threads).remove(process);
  }

  /** Kill, reset and throw take effect at once: the other process runs inside the call of the one that controls it. */
  preempt(process: Process): void {
    if (process.queued) this.unschedule(process);
    const caller = this.running;
    if (caller === process) {
      if (!process.isMethod) throwHere(process);
      return;
    }
    this.running = process;
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
      this.running = caller;
      if (holds) caller.queued = false;
    }
    if (caller === null) return;
    if (!caller.isMethod) throwHere(caller);
    else if (!caller.unwinding && caller.throwStatus === Throw.Kill) caller.unwind(false);
  }

  createProcess(
    kind: ProcessKind,
    parent: Parent,
    name: string,
    body: ProcessBody,
    dynamic: boolean,
    settle?: (process: Process) => void,
  ): Process {
    const process = new Process(parent, kind, name, body, dynamic);
    settle?.(process);
    if (!this.isRunning) this.elaboration.processes.unshift(process);
    else if (!process.skipInitialize) this.schedule(process);
    else if (process.staticEvents.length === 0) {
      this.reports.report(Severity.Warning, message.DISABLE_WILL_ORPHAN_PROCESS, process.name);
    }
    return process;
  }

  insertPort(port: Port<unknown>): void {
    this.elaboration.insertPort(port);
  }
  insertExport(port: Export<unknown>): void {
    this.elaboration.exports.push(port);
  }
  insertChannel(channel: PrimitiveChannel): void {
    this.elaboration.insertChannel(channel);
  }
  insertModule(module: Module): void {
    this.elaboration.modules.push(module);
  }
  deferReset(resolve: () => void): void {
    this.elaboration.resets.unshift(resolve);
  }
}
