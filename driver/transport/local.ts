/**
 * What the simulations in this process have in common: the programs that they hold, errors as rejections, and the messages of a
 * run that does not end as its program says. How a program runs is the subclass's.
 */
import { TandemError } from "../../hw/errors.js";
import type { Device, DeviceDescription, ProgramHandle, RunProgress, RunResult } from "../device.js";
import { checkProgram, type Program, type Transfer } from "../program.js";

/** Memory that a program may ask for: what the board has. */
const MEMORY = 512 * 2 ** 20;
/** Clocks without a single beat on any stream after which a run is given up. */
export const PATIENCE = 2_000_000;
/** Processes named in the report of a run that stopped. */
const NAMED = 12;

export abstract class LocalSimulation implements Device {
  protected readonly description: DeviceDescription;
  readonly #programs = new Map<ProgramHandle, Program>();
  #lastHandle = 0;
  #closed = false;

  constructor(description: DeviceDescription) {
    this.description = description;
  }

  protected abstract simulate(
    program: Program,
    inputs: Readonly<Record<string, Uint8Array>>,
    progress: RunProgress,
  ): RunResult | Promise<RunResult>;

  describe(): Promise<DeviceDescription> {
    return this.#attempt(() => this.description);
  }

  load(program: Program): Promise<ProgramHandle> {
    return this.#attempt(() => {
      this.check(program);
      this.#programs.set(++this.#lastHandle, program);
      return this.#lastHandle;
    });
  }

  /** @throws TandemError if it cannot be loaded. */
  check(program: Program): void {
    checkProgram(program, this.description.streams);
    const bytes = program.buffers.reduce((sum, buffer) => sum + buffer.bytes, 0);
    if (bytes > MEMORY)
      throw new TandemError(`Program ${program.name} has buffers of ${bytes} bytes; there are ${MEMORY} at most`);
    if (program.steps.some(({ kind }) => kind === "write"))
      throw new TandemError(`Program ${program.name} writes registers, but ${this.description.design} has none`);
  }

  unload(handle: ProgramHandle): Promise<void> {
    return this.#attempt(() => {
      this.programOf(handle);
      this.#programs.delete(handle);
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#programs.clear();
    return Promise.resolve();
  }

  run(
    handle: ProgramHandle,
    inputs: Readonly<Record<string, Uint8Array>>,
    progress: RunProgress = {},
  ): Promise<RunResult> {
    return this.#attempt(() => this.simulate(this.programOf(handle), inputs, progress));
  }

  /** All errors are rejections, though most of it happens at once. */
  #attempt<T>(action: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      if (this.#closed) throw new TandemError("The simulator was closed");
      resolve(action());
    });
  }

  protected programOf(handle: ProgramHandle): Program {
    const program = this.#programs.get(handle);
    if (!program) throw new TandemError(`The simulator holds no program ${handle}`);
    return program;
  }
}

/** The buffers of a program as memory: constants and inputs as given, the rest zero, but for `outputs` that are there, which may be anything. */
export function memoryOf(
  program: Program,
  inputs: Readonly<Record<string, Uint8Array>>,
  outputs: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array[] {
  checkInputs(program, inputs);
  checkOutputs(program, outputs);
  return program.buffers.map(({ name, role, bytes, data }) => {
    if (role === "constant") return data!;
    if (role === "input") return inputs[name]!;
    return (role === "output" ? outputs[name] : undefined) ?? new Uint8Array(bytes);
  });
}

/** @throws TandemError where memory that is given for outputs is not that of output buffers. */
function checkOutputs(program: Program, outputs: Readonly<Record<string, Uint8Array>>): void {
  for (const [name, { length }] of Object.entries(outputs)) {
    const buffer = program.buffers.find((each) => each.role === "output" && each.name === name);
    if (!buffer) throw new TandemError(`Program ${program.name} has no output buffer "${name}"`);
    if (buffer.bytes !== length)
      throw new TandemError(
        `Program ${program.name}: output buffer "${name}" takes ${buffer.bytes} bytes, but got memory of ${length}`,
      );
  }
}

/** @throws TandemError where they are not the program's input buffers. */
export function checkInputs(program: Program, inputs: Readonly<Record<string, Uint8Array>>): void {
  for (const name of Object.keys(inputs))
    if (!program.buffers.some((buffer) => buffer.role === "input" && buffer.name === name))
      throw new TandemError(`Program ${program.name} has no input buffer "${name}"`);
  for (const { name, role, bytes } of program.buffers)
    if (role === "input" && inputs[name]?.length !== bytes)
      throw new TandemError(
        `Program ${program.name}: input buffer "${name}" takes ${bytes} bytes, but got ${inputs[name]?.length ?? "none"}`,
      );
}

/** The contents of the buffers of role `output`, by name. */
export function outputsOf(program: Program, memory: readonly Uint8Array[]): Record<string, Uint8Array> {
  const outputs: Record<string, Uint8Array> = {};
  program.buffers.forEach(({ name, role }, i) => {
    if (role === "output") outputs[name] = memory[i]!;
  });
  return outputs;
}

/** Transfers of a stream, in order, with their places in the program. */
export function transfersOf(program: Program, stream: string): readonly PlacedTransfer[] {
  let streams = placed.get(program);
  if (!streams) {
    streams = new Map();
    for (const [step, transfer] of program.steps.entries()) {
      if (transfer.kind === "write") continue;
      const own = streams.get(transfer.stream);
      if (own) own.push({ step, transfer });
      else streams.set(transfer.stream, [{ step, transfer }]);
    }
    placed.set(program, streams);
  }
  return streams.get(stream) ?? [];
}

interface PlacedTransfer {
  readonly step: number;
  readonly transfer: Transfer;
}

/** Programs run many times, and have thousands of steps. */
const placed = new WeakMap<Program, Map<string, PlacedTransfer[]>>();

/** Watches a run that goes on in pieces: `beats` have moved by clock `now`. @throws TandemError if none do for too long. */
export class Watch {
  readonly #program: string;
  readonly #patience: number;
  #beats = -1;
  #since = 0;

  constructor(program: Program, patience: number = PATIENCE) {
    this.#program = program.name;
    this.#patience = patience;
  }

  /** `positions` says where the streams stand, for the message. */
  look(now: number, beats: number, positions: () => string = () => ""): void {
    if (beats !== this.#beats) this.#since = now;
    this.#beats = beats;
    if (now - this.#since <= this.#patience) return;
    throw new TandemError(
      `Program ${this.#program}: no beat has moved on any stream for ${now - this.#since} clocks, yet the design runs on` +
        ` (clock ${now})${positions()}`,
      { hint: "Look for a process that polls without end, or for a loop that does not advance." },
    );
  }
}

interface Stall {
  readonly process: string;
  readonly on: string;
  readonly channel: string;
  readonly since: number;
}

/** A run that stopped before its program was done; `parts` say what is unfinished. */
export function stopped(program: Program, now: number, parts: string, stalled: readonly Stall[]): TandemError {
  const list = stalled.map(({ process, on, channel, since }) => `${process} on ${on} of ${channel} since ${since}`);
  const more = list.length > NAMED ? `, and ${list.length - NAMED} more` : "";
  return new TandemError(`Program ${program.name}: nothing moves any more after clock ${now}${parts}`, {
    hint: list.length > 0 ? `Stalled: ${list.slice(0, NAMED).join("; ")}${more}.` : "No process is stalled.",
  });
}
