/**
 * A device that is a simulation on the fast engine (docs/engines.md): like the simulator on the kernel (simulator.ts), equal
 * to it clock for clock, but whole transfers are copied to and from the engine's memory at once.
 */
import { elaborate, TandemError } from "../../hw/index.js";
import type { Elaborated } from "../../hw/index.js";
import { stallsOf, type RandomStalls } from "../../sim/environment.js";
import type { EngineImage } from "../../sim/fast/image.js";
import type { record } from "../../sim/fast/recorder.js";
import { ImageEngine, UnknownFailure, type Room, type TokenBuffer } from "../../sim/fast/image-engine.js";
import type { BoardValues } from "../../sim/platform/platform.js";
import { counterNames, estimatesOf } from "../../sim/kernel/packed-counters.js";
import { clockedLevel, type Design, type Level } from "../design.js";
import type { DeviceDescription, ParameterValue, ProgramHandle, RunProgress, RunResult } from "../device.js";
import type { Program, StreamPort, Transfer } from "../program.js";
import { streamPorts } from "../stream.js";
import type { EngineCode } from "./engine-code.js";
import type { RunNames } from "./shared-run.js";
import { LocalSimulation, memoryOf, outputsOf, stopped, Watch } from "./local.js";
import { programWork, type ProgramWork, type Sent } from "./program-work.js";

export interface FastOptions {
  /** Level of the model; `rtl` or `cycle`, whichever is the most exact that the design has, by default. */
  readonly level?: Level;
  /** Neighbours that hold tokens back at random, to test a design's patience. */
  readonly stalls?: RandomStalls;
  /** The board whose memory and DMA stand behind the streams; ideal ones (a beat per clock and stream) by default. */
  readonly board?: BoardValues;
  /** Record who was busy and what channels held over time, for reports; the run is simulated once more for it. */
  readonly timeline?: boolean;
  /** Folder of compiled designs, or false to keep none (sim/fast/cache.ts); the user's cache folder by default. */
  readonly cache?: string | false;
  /** Clocks without a single beat on any stream after which a run is given up; 2 million by default. */
  readonly patience?: number;
  /** Compile all of it to good machine code at once (machine-code.ts): for whole networks. */
  readonly warm?: boolean;
  /** What another simulator of the same design, parameters and level has been compiled to. */
  readonly code?: EngineCode;
}

/** Clocks between reports of progress. */
const PROGRESS_CLOCKS = 500_000;

export class FastSimulator extends LocalSimulation {
  readonly readsAtOnce = true;
  /** Compiles the design anew. */
  readonly #compile: () => Promise<EngineImage>;
  readonly #design: Elaborated;
  readonly #code: EngineCode;
  /** Once there is machine code. */
  #engine: ImageEngine | undefined;
  readonly #ready: Promise<void>;
  readonly #options: FastOptions;
  /** Where it is asked for. */
  readonly #record: typeof record | undefined;
  readonly #work = new WeakMap<Program, ProgramWork>();
  #fresh = true;

  /** Elaborates, reads and compiles the design; `parameters` override its defaults. */
  static async of<Config>(
    design: Design<Config>,
    parameters: Readonly<Record<string, ParameterValue>> = {},
    options: FastOptions = {},
  ): Promise<FastSimulator> {
    const config = design.configure(parameters);
    const level = clockedLevel(design, config, options.level);
    const elaborated = elaborate(design.build(config, level));
    const streams = streamPorts(elaborated);
    const described = design.describe(config);
    const identity = { design: design.name, parameters: { ...described, level } };
    const engineCode = (): Promise<typeof import("./engine-code.js")> => import("./engine-code.js");
    const compile = async (): Promise<EngineImage> =>
      (await engineCode()).compileDesign(elaborated, identity, options.cache);
    const code = options.code ?? (await (await engineCode()).engineCode(elaborated, identity, options));
    return new FastSimulator(
      { design: design.name, parameters: described, engine: "fast", level, streams },
      elaborated,
      code,
      compile,
      options,
      options.timeline ? (await import("../../sim/fast/recorder.js")).record : undefined,
    );
  }

  /** For a simulator of this design in another thread. */
  get code(): EngineCode {
    const { errors: _errors, ...image } = this.#code.image;
    return { image, module: this.#code.module };
  }

  /** The paths of what is counted, and the streams. */
  get names(): RunNames {
    return { streams: this.description.streams, counters: counterNames(this.#design) };
  }

  private constructor(
    description: DeviceDescription,
    design: Elaborated,
    code: EngineCode,
    compile: () => Promise<EngineImage>,
    options: FastOptions,
    recorder: typeof record | undefined,
  ) {
    super(description);
    this.#design = design;
    this.#code = code;
    this.#compile = compile;
    this.#options = options;
    this.#record = recorder;
    this.#ready = this.#instantiate();
    // Whoever loads a program hears of it.
    this.#ready.catch(() => undefined);
  }

  async #instantiate(): Promise<void> {
    const { image, module } = this.#code;
    this.#engine = new ImageEngine(this.#design, image, await module);
  }

  /** Ready to run, at once when it is asked to, when the promise resolves. */
  override async load(program: Program): Promise<ProgramHandle> {
    await this.#ready;
    return super.load(program);
  }

  /** Memory for runs of a program that is loaded, before there is one: for a thread that has nothing else to do. */
  reserve(handle: ProgramHandle): void {
    const { streams, sent, paced } = this.#workOf(this.programOf(handle));
    const { board } = this.#options;
    const rooms = streams.map(({ port, beats }): [string, Room] => {
      const out = port.direction === "out";
      return [port.name, { held: out ? beats : 0, moved: out || board ? beats : 0 }];
    });
    this.#engine!.reserve(Object.fromEntries(rooms), sent.bytes, paced, board);
  }

  room(handle: ProgramHandle): Record<string, Uint8Array> {
    const program = this.programOf(handle);
    const { sent } = this.#workOf(program);
    const engine = this.#engine!;
    const at = engine.atReset(sent.bytes);
    const { memory } = engine;
    const places: Record<string, Uint8Array> = {};
    for (const [buffer, from] of sent.buffers) {
      const { name, role, bytes } = program.buffers[buffer]!;
      if (role === "input") places[name] = memory.subarray(at + from, at + from + bytes);
    }
    return places;
  }

  protected override async simulate(
    program: Program,
    inputs: Readonly<Record<string, Uint8Array>>,
    progress: RunProgress,
  ): Promise<RunResult> {
    const memory = memoryOf(program, inputs, progress.outputs);
    const placed = this.#placed(program, memory);
    try {
      return this.#run(program, memory, placed, progress);
    } catch (error) {
      if (!(error instanceof UnknownFailure)) throw error;
      // The image from the cache has no texts of errors: the same run on a fresh one has. The caller may use the memory of its inputs meanwhile.
      const before = this.#engine!.memory;
      const kept = memory.map((bytes, i) => {
        const at = placed.get(i);
        if (at !== undefined) return before.slice(at, at + program.buffers[i]!.bytes);
        return program.buffers[i]!.role === "input" ? bytes.slice() : bytes;
      });
      this.#engine = new ImageEngine(this.#design, await this.#compile());
      this.#fresh = true;
      return this.#run(program, kept, new Map(), progress);
    }
  }

  /** Where inputs stand that are in the engine's memory already (`room`), by number of their buffers. */
  #placed(program: Program, memory: readonly Uint8Array[]): Map<number, number> {
    const placed = new Map<number, number>();
    const { sent } = this.#workOf(program);
    const engine = this.#engine!;
    const own: ArrayBufferLike = engine.memory.buffer;
    memory.forEach(({ buffer, byteOffset }, i) => {
      if (buffer !== own) return;
      const { name, role } = program.buffers[i]!;
      if (role !== "input" || engine.atReset(0) + (sent.buffers.get(i) ?? -1) !== byteOffset)
        throw new TandemError(
          `Program ${program.name}: buffer "${name}" is in the simulator's memory for another run`,
          {
            hint: "Ask for room for the inputs of each run, right before it.",
          },
        );
      placed.set(i, byteOffset);
    });
    return placed;
  }

  /** `placed`: buffers of `memory` that stand in the engine's already. */
  #run(
    program: Program,
    memory: readonly Uint8Array[],
    placed: ReadonlyMap<number, number>,
    progress: RunProgress,
  ): RunResult {
    const engine = this.#engine!;
    this.#prepare(program, memory, placed);
    this.#toQuiescence(program, progress);
    // What no transfer fills in is zero. Not before the run, as it may be the memory of inputs that were read.
    for (const buffer of this.#workOf(program).partly) memory[buffer]!.fill(0);
    this.#checkEnd(program, memory);
    const { counters, transfers } = engine;
    const { clocks } = counters;
    const exact = estimatesOf(counters) === 0;
    const result = { outputs: outputsOf(program, memory), clocks, exact, counters, ...(transfers && { transfers }) };
    if (!this.#record) return result;
    const start = performance.now();
    this.#prepare(program, memory, placed);
    const timeline = this.#record(engine, clocks, this.#workOf(program).paced);
    return { ...result, timeline: { ...timeline, recordingMs: performance.now() - start } };
  }

  /** From reset, with the program's beats at the ports. */
  #prepare(program: Program, memory: readonly Uint8Array[], placed: ReadonlyMap<number, number>): void {
    const engine = this.#engine!;
    if (!this.#fresh) engine.reset();
    this.#fresh = false;
    const { streams, paced, sent } = this.#workOf(program);
    const at = engine.take(sent.bytes);
    put(engine.memory.subarray(at), sent, program, memory, placed);
    for (const { port, beats, pieces } of streams) {
      const gaps = this.#gaps(port, beats);
      if (port.direction === "out") engine.output(port.name, beats, gaps);
      else
        engine.source(
          port.name,
          pieces.map(({ tokens, data, last }) => ({ tokens, starts: [at + data, at + last] })),
          gaps,
        );
    }
    const { board } = this.#options;
    if (board) engine.pace(paced, board);
  }

  /** What is the same in all runs of a program. */
  #workOf(program: Program): ProgramWork {
    const known = this.#work.get(program);
    if (known) return known;
    const work = programWork(program, this.description.streams);
    this.#work.set(program, work);
    return work;
  }

  #toQuiescence(program: Program, progress: RunProgress): void {
    const engine = this.#engine!;
    const watch = new Watch(program, this.#options.patience);
    for (let until = PROGRESS_CLOCKS; ; until += PROGRESS_CLOCKS) {
      const clocks = engine.run({ until });
      if (engine.quiescent) return;
      progress.onClocks?.(clocks);
      const moved = this.description.streams.map(({ name, direction }) =>
        direction === "in" ? engine.sent(name) : engine.received(name).count,
      );
      watch.look(
        clocks,
        moved.reduce((sum, beats) => sum + beats, 0),
      );
    }
  }

  #gaps(port: StreamPort, beats: number): readonly number[] | undefined {
    const { stalls } = this.#options;
    if (!stalls) return undefined;
    const hold = stallsOf(stalls, port.name);
    return Array.from({ length: beats }, hold);
  }

  /** Everything that the program asks for must have been moved; what has arrived is stored. */
  #checkEnd(program: Program, memory: readonly Uint8Array[]): void {
    const engine = this.#engine!;
    const open: string[] = [];
    for (const { port, transfers, beats } of this.#workOf(program).streams) {
      const done = port.direction === "in" ? engine.sent(port.name) : engine.received(port.name).count;
      if (done < beats) open.push(`${port.name}: beat ${done + 1} of ${beats}`);
      if (port.direction === "out") take(program, engine.received(port.name), port, transfers, memory);
      const channel = (port.direction === "in" ? engine.design.inputs : engine.design.outputs)[port.name]!;
      const left = engine.occupancy(channel);
      if (left > 0) open.push(`${port.name}: ${left} beats that nobody took`);
    }
    if (open.length === 0) return;
    throw stopped(program, engine.clocks, `; unfinished: ${open.join(", ")}`, engine.stalled);
  }
}

/** Bytes of memory as beats: their data as it is, but for what is `placed` already, and TLAST with the last of each transfer. */
function put(
  bytes: Uint8Array,
  { buffers, last }: Sent,
  program: Program,
  memory: readonly Uint8Array[],
  placed: ReadonlyMap<number, number>,
): void {
  for (const [buffer, from] of buffers) {
    const { role, bytes: length } = program.buffers[buffer]!;
    // What is neither given nor constant is zero in front of a run.
    if (role !== "constant" && role !== "input") bytes.fill(0, from, from + length);
    else if (!placed.has(buffer)) bytes.set(memory[buffer]!, from);
  }
  if (last.beats === 0) return;
  bytes.fill(0, last.at, last.at + last.beats - 1);
  bytes[last.at + last.beats - 1] = 1;
}

/** Beats to memory; TLAST must stand where the transfers end. */
function take(
  program: Program,
  { bytes, starts, count }: TokenBuffer,
  port: StreamPort,
  transfers: readonly Transfer[],
  memory: readonly Uint8Array[],
): void {
  const [data, last] = starts as [number, number];
  let beat = 0;
  for (const { buffer, offset, length } of transfers) {
    const beats = Math.min(length / port.bytes, count - beat);
    const from = data + beat * port.bytes;
    memory[buffer]!.set(bytes.subarray(from, from + beats * port.bytes), offset);
    const found = bytes.subarray(last + beat, last + beat + beats).indexOf(1);
    const expected = beats * port.bytes === length ? beats - 1 : -1;
    if (found !== expected) {
      const [wrong, what] = found === -1 ? [expected, "without TLAST, at"] : [found, "with TLAST, before"];
      throw new TandemError(
        `Program ${program.name}: ${port.name}: beat ${beat + wrong + 1} came ${what} the transfer's end`,
        { hint: "The lengths of the program's transfers are not those of the design's." },
      );
    }
    beat += beats;
  }
}
