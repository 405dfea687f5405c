/**
 * A run of a program in memory that several threads share: its inputs, its outputs, what was counted, and who does it. The driver fills
 * in the inputs and offers the run; whichever thread is free takes it, by one atomic exchange. A message says that it is there and one
 * that it is done, and neither carries data. On a board the same would be buffers for DMA, allocated once per program.
 */
import { countersOf, packedLength, packedOf, type CounterNames } from "../../sim/kernel/packed-counters.js";
import { packedTraces, trace, tracesIn } from "../../sim/platform/packed-traces.js";
import type { RunResult } from "../device.js";
import type { Program, StreamPort } from "../program.js";

/** Names of what results are about: the same for all runs of a design. */
export interface RunNames {
  readonly streams: readonly StreamPort[];
  readonly counters: CounterNames;
}

/** All of it shared memory; it crosses to other threads as it is. */
export interface SharedParts {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly report: Float64Array<SharedArrayBuffer>;
  readonly inputs: Readonly<Record<string, Uint8Array<SharedArrayBuffer>>>;
  readonly outputs: Readonly<Record<string, Uint8Array<SharedArrayBuffer>>>;
}

/** Words of `control`. */
const [STATE, OWNER, CONTROL_WORDS] = [0, 1, 2];
export const runState = { free: 0, offered: 1, taken: 2, done: 3, failed: 4 } as const;

/** Numbers in the report before the counters. */
const [CLOCKS, EXACT, WALL_MS, TRANSFERS, URGENCY, BEGAN, HEAD] = [0, 1, 2, 3, 4, 5, 6];

/** Milliseconds, on a clock that all threads share. */
const now = (): number => performance.timeOrigin + performance.now();

const shared = (bytes: number): Uint8Array<SharedArrayBuffer> => new Uint8Array(new SharedArrayBuffer(bytes));

/** A copy that all threads can read. */
export function inSharedMemory(bytes: Uint8Array): Uint8Array {
  const copy = shared(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Room for a run of `program`. */
export function sharedParts({ buffers, steps }: Program, { counters }: RunNames): SharedParts {
  const of = (wanted: "input" | "output"): Record<string, Uint8Array<SharedArrayBuffer>> =>
    Object.fromEntries(buffers.filter(({ role }) => role === wanted).map(({ name, bytes }) => [name, shared(bytes)]));
  const transfers = steps.reduce((sum, { kind }) => sum + (kind === "write" ? 0 : 1), 0);
  const numbers = HEAD + packedLength(counters) + transfers * trace.numbers;
  return {
    control: new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS)),
    report: new Float64Array(new SharedArrayBuffer(8 * numbers)),
    inputs: of("input"),
    outputs: of("output"),
  };
}

/** The system's pages, or some part of them. */
const PAGE = 4096;

/**
 * Touch the buffers of a run, for a thread that has nothing else to do: a system gives memory when it is first written to, which takes as long as a copy of it. The
 * driver may be filling them in just now, so nothing is changed, by an operation that no store can come between: a zero becomes zero. Sums and the like
 * are read first, which is one more fault for each page.
 */
export function touch({ inputs, outputs }: SharedParts): void {
  for (const bytes of [...Object.values(inputs), ...Object.values(outputs)])
    for (let at = 0; at < bytes.length; at += PAGE) Atomics.compareExchange(bytes, at, 0, 0);
}

export class SharedRun {
  readonly parts: SharedParts;
  readonly #names: RunNames;

  constructor(parts: SharedParts, names: RunNames) {
    this.parts = parts;
    this.#names = names;
  }

  get state(): number {
    return Atomics.load(this.parts.control, STATE);
  }
  set state(state: number) {
    Atomics.store(this.parts.control, STATE, state);
  }

  /** The thread that took it last. */
  get owner(): number {
    return Atomics.load(this.parts.control, OWNER);
  }

  /** True for one thread of those that ask, if it is offered; it belongs to that one. */
  take(thread: number): boolean {
    const { control } = this.parts;
    if (Atomics.compareExchange(control, STATE, runState.offered, runState.taken) !== runState.offered) return false;
    Atomics.store(control, OWNER, thread);
    this.parts.report[BEGAN] = now();
    return true;
  }

  /** Milliseconds since it was taken; undefined while it is only offered. */
  get age(): number | undefined {
    return this.state === runState.offered ? undefined : now() - this.parts.report[BEGAN]!;
  }

  get urgency(): number {
    return this.parts.report[URGENCY]!;
  }
  set urgency(urgency: number) {
    this.parts.report[URGENCY] = urgency;
  }

  /** Everything of a result of the fast engine but the timeline. */
  write({ outputs, clocks, exact, counters, transfers, wallMs }: RunResult): void {
    const { report, outputs: places } = this.parts;
    for (const [name, bytes] of Object.entries(outputs)) places[name]!.set(bytes);
    report[CLOCKS] = clocks;
    report[EXACT] = exact ? 1 : 0;
    report[WALL_MS] = wallMs ?? 0;
    const traces = transfers && packedTraces(transfers)!;
    report[TRANSFERS] = traces?.length ?? -1;
    const { counters: names } = this.#names;
    report.set(packedOf(counters!)!, HEAD);
    if (traces) report.set(traces, HEAD + packedLength(names));
  }

  /** Its outputs are the shared memory, until it is for the next run. */
  read(): RunResult {
    const { report, outputs } = this.parts;
    const { streams, counters: names } = this.#names;
    const transfers = report[TRANSFERS]!;
    const start = HEAD + packedLength(names);
    return {
      outputs,
      clocks: report[CLOCKS]!,
      exact: report[EXACT] === 1,
      counters: countersOf(names, report.slice(HEAD, start)),
      ...(transfers >= 0 && { transfers: tracesIn(streams, report.slice(start, start + transfers)) }),
      wallMs: report[WALL_MS]!,
    };
  }
}
