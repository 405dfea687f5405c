/**
 * A device that is a simulation in this process: one design on the reference kernel, with ideal DMA at its streams. Every run
 * starts from reset; it ends at quiescence, and then everything that the program asks for must have been moved.
 */
import { TandemError } from "../../hw/errors.js";
import type { Channel } from "../../hw/index.js";
import { sink, source, type RandomStalls } from "../../sim/environment.js";
import { estimatedClocks } from "../../sim/kernel/counters.js";
import { Kernel } from "../../sim/kernel/kernel.js";
import { DmaTiming } from "../../sim/platform/dma.js";
import type { BoardValues } from "../../sim/platform/platform.js";
import { TimelineSampler } from "../../sim/profile/timeline.js";
import { levelOf, type ClockedLevel, type Design, type Level } from "../design.js";
import type { Device, DeviceDescription, ParameterValue, ProgramHandle, RunProgress, RunResult } from "../device.js";
import { checkProgram, type Program, type StreamPort } from "../program.js";
import { streamPorts, type Beat } from "../stream.js";
import { pacedStreams, ReceiveChannel, SendChannel } from "./dma.js";

export interface SimulatorOptions {
  /** Level of the model; `rtl` or `cycle`, whichever is the most exact that the design has, by default. */
  readonly level?: Level;
  /** Neighbours that hold tokens back at random, to test a design's patience. */
  readonly stalls?: RandomStalls;
  /** The board whose memory and DMA stand behind the streams; ideal ones (a beat per clock and stream) by default. */
  readonly board?: BoardValues;
  /** Record who was busy and what channels held over time, for reports; it costs simulation time. */
  readonly timeline?: boolean;
  /** Called with the kernel once it is built, to attach a trace. */
  readonly onKernel?: (kernel: Kernel) => void;
  /** Clocks without a single beat on any stream after which a run is given up; 2 million by default. */
  readonly patience?: number;
}

/** @throws TandemError if the design as configured does not have the level, or not as one that runs clock by clock. */
export function clockedLevel<Config>(design: Design<Config>, config: Config, wanted?: Level): ClockedLevel {
  const closest = levelOf(design, config);
  const level = wanted ?? closest;
  if (!design.levels.includes(level) || (level === "rtl" && closest !== "rtl"))
    throw new TandemError(`Design ${design.name} has no level ${level}`, {
      hint: design.levels.includes(level)
        ? `With these parameters the closest to hardware is ${closest}.`
        : `It has ${design.levels.join(", ")}.`,
    });
  if (level === "functional" || level === "transaction")
    throw new TandemError(`The level ${level} of ${design.name} has no clocks to simulate`, {
      hint: "Simulate the level cycle or rtl.",
    });
  return level;
}

/** Memory that a program may ask for: what the board has. */
const MEMORY = 512 * 2 ** 20;
const PROGRESS_CLOCKS = 2048;
const PATIENCE = 2_000_000;
/** Processes named in the report of a run that stopped. */
const NAMED = 12;

export class Simulator implements Device {
  readonly #description: DeviceDescription;
  readonly #kernel: Kernel;
  readonly #streams: readonly StreamPort[];
  readonly #options: SimulatorOptions;
  readonly #programs = new Map<ProgramHandle, Program>();
  readonly #sampler: TimelineSampler | undefined;
  #lastHandle = 0;
  #fresh = true;
  #closed = false;

  /** `parameters` override the design's defaults. */
  static of<Config>(
    design: Design<Config>,
    parameters: Readonly<Record<string, ParameterValue>> = {},
    options: SimulatorOptions = {},
  ): Simulator {
    const config = design.configure(parameters);
    const level = clockedLevel(design, config, options.level);
    const kernel = new Kernel(design.build(config, level));
    const streams = streamPorts(kernel.design);
    return new Simulator(
      { design: design.name, parameters: design.describe(config), engine: "kernel", level, streams },
      kernel,
      options,
    );
  }

  constructor(description: DeviceDescription, kernel: Kernel, options: SimulatorOptions = {}) {
    this.#description = description;
    this.#kernel = kernel;
    this.#streams = description.streams;
    this.#options = options;
    options.onKernel?.(kernel);
    if (options.timeline) this.#sampler = new TimelineSampler(kernel);
  }

  describe(): Promise<DeviceDescription> {
    return this.#attempt(() => this.#description);
  }

  load(program: Program): Promise<ProgramHandle> {
    return this.#attempt(() => {
      checkProgram(program, this.#streams);
      const bytes = program.buffers.reduce((sum, buffer) => sum + buffer.bytes, 0);
      if (bytes > MEMORY)
        throw new TandemError(`Program ${program.name} has buffers of ${bytes} bytes; there are ${MEMORY} at most`);
      if (program.steps.some(({ kind }) => kind === "write"))
        throw new TandemError(`Program ${program.name} writes registers, but ${this.#description.design} has none`);
      this.#programs.set(++this.#lastHandle, program);
      return this.#lastHandle;
    });
  }

  unload(handle: ProgramHandle): Promise<void> {
    return this.#attempt(() => {
      this.#program(handle);
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
    return this.#attempt(() => this.#run(this.#program(handle), inputs, progress));
  }

  /** All errors are rejections, though everything here happens at once. */
  #attempt<T>(action: () => T): Promise<T> {
    return new Promise((resolve) => {
      if (this.#closed) throw new TandemError("The simulator was closed");
      resolve(action());
    });
  }

  #program(handle: ProgramHandle): Program {
    const program = this.#programs.get(handle);
    if (!program) throw new TandemError(`The simulator holds no program ${handle}`);
    return program;
  }

  #run(program: Program, inputs: Readonly<Record<string, Uint8Array>>, progress: RunProgress): RunResult {
    const kernel = this.#kernel;
    const memory = memoryOf(program, inputs);
    if (!this.#fresh) kernel.reset();
    this.#fresh = false;
    const { stalls, board } = this.#options;
    const paced = pacedStreams(program, this.#streams);
    const timing = board && new DmaTiming(paced, board);
    const sends: SendChannel[] = [];
    const receives: ReceiveChannel[] = [];
    for (const port of this.#streams)
      if (port.direction === "in") {
        const channel = new SendChannel(program, port, memory);
        sends.push(channel);
        source(kernel, port.name, () => channel.next(), { stalls, pace: timing?.pace(port.name) });
      } else {
        const channel = new ReceiveChannel(program, port, memory);
        receives.push(channel);
        const pace = timing?.pace(port.name);
        if (!channel.done) sink(kernel, port.name, (beat) => channel.take(beat as Beat), { stalls, pace });
      }
    this.#sampler?.begin({ streams: paced, pace: timing && ((stream) => timing.pace(stream)) });
    this.#toQuiescence(program, [...sends, ...receives], progress);
    this.#checkEnd(program, sends, receives);
    const { counters } = kernel;
    const outputs: Record<string, Uint8Array> = {};
    program.buffers.forEach(({ name, role }, i) => {
      if (role === "output") outputs[name] = memory[i]!;
    });
    return {
      outputs,
      clocks: counters.clocks,
      exact: estimatedClocks(counters) === 0,
      counters,
      ...(timing && { transfers: timing.transfers }),
      ...(this.#sampler && { timeline: this.#sampler.finish(counters.clocks) }),
    };
  }

  #toQuiescence(
    program: Program,
    channels: readonly { done: boolean; position: string }[],
    progress: RunProgress,
  ): void {
    const kernel = this.#kernel;
    const patience = this.#options.patience ?? PATIENCE;
    const outer = [...Object.values(kernel.design.inputs), ...Object.values(kernel.design.outputs)];
    const moved = (): number => outer.reduce((sum, { pushed, popped }) => sum + pushed + popped, 0);
    let beats = -1;
    let since = 0;
    for (;;) {
      const horizon = kernel.now + PROGRESS_CLOCKS;
      kernel.run({ until: horizon });
      if (kernel.now < horizon) return;
      progress.onClocks?.(kernel.now);
      const now = moved();
      if (now !== beats) since = kernel.now;
      beats = now;
      if (kernel.now - since > patience)
        throw new TandemError(
          `Program ${program.name}: no beat has moved on any stream for ${kernel.now - since} clocks, yet the design runs on` +
            ` (clock ${kernel.now})${positions(channels)}`,
          { hint: "Look for a process that polls without end, or for a loop that does not advance." },
        );
    }
  }

  #checkEnd(program: Program, sends: readonly SendChannel[], receives: readonly ReceiveChannel[]): void {
    const { now, stalled, design } = this.#kernel;
    const untaken = Object.entries(design.inputs).filter(([, { occupancy }]) => occupancy > 0);
    const surplus = Object.entries(design.outputs).filter(([, { occupancy }]) => occupancy > 0);
    const open = [...sends, ...receives].some(({ done }) => !done);
    if (!open && untaken.length === 0 && surplus.length === 0) return;
    const tokens = (list: [string, Channel][]): string =>
      list.map(([name, { occupancy }]) => `${occupancy} on ${name}`).join(", ");
    const parts = [
      positions([...sends, ...receives]),
      untaken.length > 0 && !open ? `; beats that the design never took: ${tokens(untaken)}` : "",
      surplus.length > 0 ? `; beats that nobody asked for: ${tokens(surplus)}` : "",
    ];
    const list = stalled.map(({ process, on, channel, since }) => `${process} on ${on} of ${channel} since ${since}`);
    const more = list.length > NAMED ? `, and ${list.length - NAMED} more` : "";
    throw new TandemError(`Program ${program.name}: nothing moves any more after clock ${now}${parts.join("")}`, {
      hint: list.length > 0 ? `Stalled: ${list.slice(0, NAMED).join("; ")}${more}.` : "No process is stalled.",
    });
  }
}

/** `; unfinished transfers: output: beat 3 of 16 of step 7`, or nothing. */
function positions(channels: readonly { done: boolean; position: string }[]): string {
  const open = channels.filter(({ done }) => !done).map(({ position }) => position);
  return open.length > 0 ? `; unfinished transfers: ${open.join(", ")}` : "";
}

/** The buffers of a program as memory: constants and inputs as given, the rest zero. */
export function memoryOf(program: Program, inputs: Readonly<Record<string, Uint8Array>>): Uint8Array[] {
  for (const name of Object.keys(inputs))
    if (!program.buffers.some((buffer) => buffer.role === "input" && buffer.name === name))
      throw new TandemError(`Program ${program.name} has no input buffer "${name}"`);
  return program.buffers.map(({ name, role, bytes, data }) => {
    if (role === "constant") return data!;
    if (role !== "input") return new Uint8Array(bytes);
    const given = inputs[name];
    if (given?.length !== bytes)
      throw new TandemError(
        `Program ${program.name}: input buffer "${name}" takes ${bytes} bytes, but got ${given?.length ?? "none"}`,
      );
    return given;
  });
}
