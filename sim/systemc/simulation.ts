/**
 * The IEEE 1666-2011 scheduler (clause 4.2): evaluate, update, notify; delta cycles; timed notification; start, pause and
 * stop. One `Simulation` is one model; it builds its hierarchy first, then runs it.
 *
 *     const sim = new Simulation();
 *     new Top(sim, "top");
 *     sim.start(ns(100));
 */
import { setCurrentContext, type Parent, type Status } from "../../hw/systemc/context.js";
import type { PrimitiveChannel } from "../../hw/systemc/channel.js";
import type { Module } from "../../hw/systemc/module.js";
import { NameTable } from "../../hw/systemc/names.js";
import type { Export, Port } from "../../hw/systemc/port.js";
import { Process, type ProcessBody } from "../../hw/systemc/process.js";
import { message, Reports, Severity } from "../../hw/systemc/report.js";
import { formatTime, MAX_TIME, Time, ZERO_TIME } from "../../hw/systemc/time.js";
import type { ProcessKind } from "../../hw/systemc/waiter.js";
import { State } from "../../hw/systemc/waiter.js";
import { Elaboration } from "./elaboration.js";
import { Scheduler } from "./scheduler.js";

/** What `start(t)` does when nothing is left to happen before t: go on to t, or stay. */
export type StarvationPolicy = "run to time" | "exit on starvation";
/** What `stop()` does with the delta cycle in which it is called. */
export type StopMode = "finish delta" | "immediate";

export class Simulation extends Scheduler {
  readonly reports: Reports;
  readonly names: NameTable;

  private stage: Status = "SC_ELABORATION";
  private inControl = false;
  private startedOnce = false;
  private initialDelta = true;
  private startOfSimulationCalled = false;
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
    if (this.stopsAtOnce) this.clearRunnable();
    this.stopped = true;
    if (!this.inControl) this.finish();
  }

  /** Comes back from `start` at the end of this delta cycle; `start` goes on. */
  pause(): void {
    this.paused = true;
  }

  setStopMode(mode: StopMode): void {
    if (this.isRunning) this.reports.report(Severity.Error, message.STOP_MODE_AFTER_START);
    else this.stopsAtOnce = mode === "immediate";
  }

  private finish(): void {
    this.reports.report(Severity.Info, message.SIMULATION_STOPPED, "Simulation stopped by user.");
    if (this.startOfSimulationCalled) {
      this.stage = "SC_END_OF_SIMULATION";
      this.isRunning = false;
      this.evaluating = false;
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
    this.performUpdates();
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
    this.evaluating = true;
  }

  get stopMode(): StopMode {
    return this.stopsAtOnce ? "immediate" : "finish delta";
  }

  private clearRunnable(): void {
    this.methods.clear();
    this.threads.clear();
  }

  // What the vocabulary asks (see Context).

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
    else if (!process.skipInitialize) process.queue.push(process);
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
