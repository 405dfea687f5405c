/**
 * What the vocabulary needs from whoever schedules it (`sim/systemc` does): queues to put processes, events and channels
 * in, and the state that user code may ask for. One context is one simulation.
 */
import type { Event } from "./event.js";
import type { ScObject } from "./object.js";
import type { Process, ProcessBody } from "./process.js";
import type { Reports } from "./report.js";
import type { TimeParameters } from "./time.js";
import type { Port, Export } from "./port.js";
import type { PrimitiveChannel } from "./channel.js";
import type { Module } from "./module.js";
import type { NameTable } from "./names.js";
import { TandemError } from "../errors.js";

/** Phases that `status` may show, in the order in which a simulation passes them. */
export type Status =
  | "SC_ELABORATION"
  | "SC_BEFORE_END_OF_ELABORATION"
  | "SC_END_OF_ELABORATION"
  | "SC_START_OF_SIMULATION"
  | "SC_RUNNING"
  | "SC_PAUSED"
  | "SC_STOPPED"
  | "SC_END_OF_SIMULATION";

/** Runnable processes of one kind. */
export interface ProcessQueue {
  /** Puts a process at the end. */
  push(process: Process): void;
  /** Puts a process before all that wait to run. */
  runNext(process: Process): void;
  remove(process: Process): void;
}

export abstract class Context {
  readonly time: TimeParameters = { resolution: 1000, resolutionSpecified: false, fixed: false };
  abstract readonly reports: Reports;
  abstract readonly names: NameTable;

  /** Simulated time in resolution units. */
  now = 0;
  /** Delta cycles completed. */
  deltaCount = 0;
  /** Of these, the ones before time last moved. */
  deltasBefore = 0;
  /** Counts evaluation phases and time steps; equal stamps mean the same delta cycle. */
  changeStamp = 0;
  /** The stamp when a process last waited with a time-out of zero. */
  zeroTimeoutStamp = -2;
  /** The process that is executing, or null. */
  running: Process | null = null;
  /** Its number, or 0: compared more cheaply than the process itself. */
  runningNumber = 0;
  /** True from the first evaluation phase on, until the end of simulation. */
  isRunning = false;
  /** True once elaboration is over. */
  elaborated = false;
  /** True if undefined interactions of process control (suspend with reset, ...) are to be let through. */
  allowProcessControlCorners = false;

  /** True while an evaluation phase runs: the only time for immediate notification. */
  evaluating = false;
  abstract readonly methods: ProcessQueue;
  abstract readonly threads: ProcessQueue;

  abstract addDelta(event: Event): void;
  abstract removeDelta(event: Event): void;
  abstract addTimed(event: Event, at: number): void;
  abstract removeTimed(event: Event): void;
  abstract requestUpdate(channel: PrimitiveChannel): void;
  /** Runs a process at once, inside the call, and comes back. */
  abstract preempt(process: Process): void;

  abstract insertPort(port: Port<unknown>): void;
  abstract insertExport(port: Export<unknown>): void;
  abstract insertChannel(channel: PrimitiveChannel): void;
  abstract insertModule(module: Module): void;
  /** A reset given as a port, to be resolved when ports are bound. */
  abstract deferReset(resolve: () => void): void;
  abstract createProcess(
    kind: Process["processKind"],
    parent: ScObject | Context,
    name: string,
    body: ProcessBody,
    dynamic: boolean,
    /** Called before the process is first scheduled: sensitivity, resets, dontInitialize. */
    settle?: (process: Process) => void,
  ): Process;

  abstract readonly status: Status;
  abstract stop(): void;
  abstract pause(): void;
}

let current: Context | undefined;

/** The simulation that is being built or is running. */
export function currentContext(): Context {
  if (current === undefined) {
    throw new TandemError("no simulation to belong to", {
      hint: "Make one first: const sim = new Simulation() from sim/systemc.",
    });
  }
  return current;
}

export function setCurrentContext(context: Context): void {
  current = context;
}

/** Parent of an object: a module or process, or the simulation itself for the top level. */
export type Parent = ScObject | Context;
