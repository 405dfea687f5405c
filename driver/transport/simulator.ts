/**
 * A device that is a simulation in this process: one design on the reference kernel, with ideal DMA at its streams. Every run
 * starts from reset; it ends at quiescence, and then everything that the program asks for must have been moved.
 */
import type { Channel } from "../../hw/index.js";
import { sink, source, type RandomStalls } from "../../sim/environment.js";
import { estimatedClocks } from "../../sim/kernel/counters.js";
import { Kernel } from "../../sim/kernel/kernel.js";
import { DmaTiming } from "../../sim/platform/dma.js";
import type { BoardValues } from "../../sim/platform/platform.js";
import { TimelineSampler } from "../../sim/profile/timeline.js";
import { clockedLevel, type Design, type Level } from "../design.js";
import type { DeviceDescription, ParameterValue, RunProgress, RunResult } from "../device.js";
import type { Program, StreamPort } from "../program.js";
import { streamPorts, type Beat } from "../stream.js";
import { pacedStreams, ReceiveChannel, SendChannel } from "./dma.js";
import { LocalSimulation, memoryOf, outputsOf, stopped, Watch } from "./local.js";

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

const PROGRESS_CLOCKS = 2048;

export class Simulator extends LocalSimulation {
  readonly #kernel: Kernel;
  readonly #streams: readonly StreamPort[];
  readonly #options: SimulatorOptions;
  readonly #sampler: TimelineSampler | undefined;
  #fresh = true;

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
    super(description);
    this.#kernel = kernel;
    this.#streams = description.streams;
    this.#options = options;
    options.onKernel?.(kernel);
    if (options.timeline) this.#sampler = new TimelineSampler(kernel);
  }

  protected override simulate(
    program: Program,
    inputs: Readonly<Record<string, Uint8Array>>,
    progress: RunProgress,
  ): RunResult {
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
    return {
      outputs: outputsOf(program, memory),
      clocks: counters.clocks,
      exact: estimatedClocks(counters) === 0,
      counters,
      ...(timing && { transfers: { all: timing.transfers } }),
      ...(this.#sampler && { timeline: this.#sampler.finish(counters.clocks) }),
    };
  }

  #toQuiescence(
    program: Program,
    channels: readonly { done: boolean; position: string }[],
    progress: RunProgress,
  ): void {
    const kernel = this.#kernel;
    const watch = new Watch(program, this.#options.patience);
    const outer = [...Object.values(kernel.design.inputs), ...Object.values(kernel.design.outputs)];
    const moved = (): number => outer.reduce((sum, { pushed, popped }) => sum + pushed + popped, 0);
    for (;;) {
      const horizon = kernel.now + PROGRESS_CLOCKS;
      kernel.run({ until: horizon });
      if (kernel.now < horizon) return;
      progress.onClocks?.(kernel.now);
      watch.look(kernel.now, moved(), () => positions(channels));
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
    throw stopped(program, now, parts.join(""), stalled);
  }
}

/** `; unfinished transfers: output: beat 3 of 16 of step 7`, or nothing. */
function positions(channels: readonly { done: boolean; position: string }[]): string {
  const open = channels.filter(({ done }) => !done).map(({ position }) => position);
  return open.length > 0 ? `; unfinished transfers: ${open.join(", ")}` : "";
}
