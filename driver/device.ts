/**
 * The far end of a transport: something that holds one configured design and runs programs on it. A simulation in this
 * process, in a worker, behind a socket, or a board. One coarse call per program, never one per clock.
 */
import type { Counters } from "../sim/kernel/counters.js";
import type { Traces } from "../sim/platform/packed-traces.js";
import type { Timeline } from "../sim/profile/timeline.js";
import type { Program, StreamPort } from "./program.js";

/** Who is at the far end. */
export interface DeviceDescription {
  /** Name of the design, and every parameter of its configuration. */
  readonly design: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** What runs it: `kernel`, `fast`, `rtl`, `board`. */
  readonly engine: string;
  /** Level of the design: `cycle`, `rtl`, ... */
  readonly level: string;
  readonly streams: readonly StreamPort[];
}

export type ParameterValue = number | boolean | string;

/** A program that a device holds, with its constants. */
export type ProgramHandle = number;

export interface RunResult {
  /** Contents of the program's buffers of role `output`, by name. */
  readonly outputs: Readonly<Record<string, Uint8Array>>;
  /** Clocks of the design from reset to quiescence (simulation), or as measured by the board. */
  readonly clocks: number;
  /** True if no clock of it is an estimate. */
  readonly exact: boolean;
  /** What the engine counted; a board has none. */
  readonly counters?: Counters;
  /** What each transfer did, where the device models a board's DMA. */
  readonly transfers?: Traces;
  /** Who was busy when, where the device was asked to record it. */
  readonly timeline?: Timeline;
  /** Milliseconds that the device was busy with it, where several runs are under way at once. */
  readonly wallMs?: number;
}

export interface RunProgress {
  /** Called now and then with the clocks passed since the run began. */
  readonly onClocks?: (clocks: number) => void;
  /**
   * Memory for buffers of role `output`, by name, each as long as its buffer: a device in this process may put what they contain there, and give it as the
   * result's, in place of memory of its own. Anything may stand there behind a run that fails.
   */
  readonly outputs?: Readonly<Record<string, Uint8Array>>;
}

/** A run that another thread may do while this one goes on. */
export interface StartedRun<Result = RunResult> {
  readonly result: Promise<Result>;
  /** True once it is done, also while this thread has had no time for messages. */
  finished(): boolean;
  /** Do it here and now if nobody has begun it; false if somebody has. Its result comes as it would have. */
  help(): boolean;
  /** Milliseconds since somebody has begun it; undefined while nobody has. */
  age(): number | undefined;
  /** Of the runs that nobody has begun, other threads take the most urgent; 0 unless said otherwise. */
  urge(urgency: number): void;
}

export type FillInputs = (room: Readonly<Record<string, Uint8Array>>) => Readonly<Record<string, Uint8Array>>;

export interface Device {
  describe(): Promise<DeviceDescription>;
  /** Checks the program (a `TandemError` if the design cannot run it) and keeps it. */
  load(program: Program): Promise<ProgramHandle>;
  /** One run from reset; `inputs` has the bytes of each buffer of role `input`, by name. */
  run(handle: ProgramHandle, inputs: Readonly<Record<string, Uint8Array>>, progress?: RunProgress): Promise<RunResult>;
  /** It has read its inputs when `run` returns: their memory may be used for those of another run. */
  readonly readsAtOnce?: boolean;
  /**
   * Places for the inputs of a run, by name of their buffers, from which the device reads without a copy: for `run` with that program, which must be the next thing
   * that the device is asked for, and only for that run. It may have none for some of them.
   */
  room?(handle: ProgramHandle): Readonly<Record<string, Uint8Array>>;
  /**
   * Offer a run to the device's other threads. `fill` is called at once, with a place for each input buffer, and gives the inputs: those places,
   * filled, or bytes to copy there. `take` is called when it is done, and gives the result; the outputs are in memory of the device until it returns, and copied if
   * there is no `take`. A device that has this does what `run` asks for in this thread. Throws if it holds no such program.
   */
  start?<Result = RunResult>(
    handle: ProgramHandle,
    fill: FillInputs,
    take?: (result: RunResult) => Result,
  ): StartedRun<Result>;
  /** Forget a program. */
  unload(handle: ProgramHandle): Promise<void>;
  close(): Promise<void>;
}
