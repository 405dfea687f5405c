/**
 * A simulator in this thread and others like it in workers, which share the work: a run that is offered is taken by whoever is free first,
 * this thread included once it has nothing else to do. Inputs, outputs and counters lie in shared memory (shared-run.ts). A run is from
 * reset, so it does not matter where it happens, or after what.
 */
import type { Worker } from "node:worker_threads";
import { TandemError } from "../../hw/errors.js";
import type { Design } from "../design.js";
import type {
  Device,
  DeviceDescription,
  FillInputs,
  ProgramHandle,
  RunProgress,
  RunResult,
  StartedRun,
} from "../device.js";
import type { Program } from "../program.js";
import { importModule } from "../typescript/import.js";
import { cacheFolder } from "../../sim/fast/cache.js";
import type { EngineImage } from "../../sim/fast/image.js";
import { FastSimulator } from "./fast-simulator.js";
import { checkInputs } from "./local.js";
import { compileWell } from "./kernel-code.js";
import { hire } from "./members.js";
import { errorFrom, type ErrorReply } from "./messages.js";
import { DeviceEnded } from "./restarting.js";
import { inSharedMemory, runState, SharedRun, sharedParts, type RunNames, type SharedParts } from "./shared-run.js";
import { settleV8 } from "./v8-settings.js";
import type { WorkerDesign } from "./worker.js";

/** What a member simulates: the first message to it. */
export interface MemberStart {
  readonly source: WorkerDesign;
  readonly image: EngineImage;
  /** Folder of compiled designs, should the design have to be compiled anew. */
  readonly cache: string | false;
  /** Its number, from 1. */
  readonly thread: number;
}

export type ToMember =
  /** What others wait for. */
  | { readonly type: "code"; readonly module: WebAssembly.Module }
  | { readonly type: "load"; readonly handle: ProgramHandle; readonly program: Program }
  | { readonly type: "unload"; readonly handle: ProgramHandle }
  /** Room for runs of a program. */
  | { readonly type: "room"; readonly run: number; readonly handle: ProgramHandle; readonly parts: SharedParts }
  /** A run is offered. */
  | { readonly type: "run"; readonly run: number };

/** The member has done a run that it took. */
export interface FromMember {
  readonly run: number;
  readonly failed?: ErrorReply;
  /** What shared memory has no room for. */
  readonly timeline?: RunResult["timeline"];
}

interface Held {
  readonly program: Program;
  /** In this thread's simulator, once it is loaded there. */
  here: ProgramHandle;
  readonly free: Offered[];
}

interface Offered {
  readonly number: number;
  readonly shared: SharedRun;
  readonly held: Held;
  /** It is done; the outputs may be used again when this returns. */
  end: (result: RunResult) => void;
  reject: (error: unknown) => void;
}

const owned = (result: RunResult): RunResult => ({
  ...result,
  outputs: Object.fromEntries(Object.entries(result.outputs).map(([name, bytes]) => [name, new Uint8Array(bytes)])),
});

const HERE = 0;
const NAME = "the simulator";

export class SimulatorTeam implements Device {
  readonly readsAtOnce = true;
  readonly #here: FastSimulator;
  readonly #names: RunNames;
  readonly #members = new Map<number, Worker>();
  readonly #programs = new Map<ProgramHandle, Held>();
  readonly #runs: Offered[] = [];
  /** Where it cannot be, it is compiled as usual. */
  readonly #kernels = compileWell().catch(() => undefined);
  #last = 0;
  #closed = false;

  /** `threads` simulate, this one among them. The workers start while the caller goes on. Rejects with the design's own error where its parameters are bad. */
  static async open(
    { module, export: name, parameters, options }: WorkerDesign,
    threads: number,
  ): Promise<SimulatorTeam> {
    const design = (await importModule(module))[name] as Design;
    settleV8();
    const here = await FastSimulator.of(design, parameters, { ...options, warm: true });
    return new SimulatorTeam(
      here,
      { module, export: name, ...(parameters && { parameters }), ...(options && { options }) },
      threads - 1,
    );
  }

  private constructor(here: FastSimulator, source: WorkerDesign, workers: number) {
    this.#here = here;
    this.#names = here.names;
    const { image, module } = here.code;
    const cache = cacheFolder(undefined) ?? false;
    for (let thread = 1; thread <= workers; thread++) this.#hire({ source, image, cache, thread });
    // Without it nothing can be loaded, which says why.
    Promise.resolve(module).then(
      (ready) => this.#tell({ type: "code", module: ready }),
      () => undefined,
    );
  }

  #hire(start: MemberStart): void {
    const { thread } = start;
    const worker = hire(start);
    this.#members.set(thread, worker);
    worker.on("message", (message: FromMember) => this.#finish(message));
    worker.on("error", ({ message }) => this.#lose(thread, `failed: ${message}`));
    worker.on("exit", (code) => this.#lose(thread, `ended by itself (code ${code})`));
  }

  describe(): Promise<DeviceDescription> {
    return this.#here.describe();
  }

  async load(program: Program): Promise<ProgramHandle> {
    // The others hear of it while this thread goes on with the next program, so that nothing of it is left when a network begins.
    this.#here.check(program);
    const buffers = program.buffers.map((each) => (each.data ? { ...each, data: inSharedMemory(each.data) } : each));
    const common = this.#members.size > 0 ? { ...program, buffers } : program;
    const handle = ++this.#last;
    const held: Held = { program, here: 0, free: [] };
    this.#tell({ type: "load", handle, program: common });
    // The others are to know what is offered before they come to its message: they take the most urgent.
    held.free.push(this.#room(handle, held));
    // Copies from memory that is not shared are faster.
    held.here = await this.#here.load(program);
    this.#here.reserve(held.here);
    // Layers may run as soon as this resolves, and with them what the processor does for them.
    await this.#kernels;
    this.#programs.set(handle, held);
    return handle;
  }

  /** Of a run in this thread. */
  room(handle: ProgramHandle): Readonly<Record<string, Uint8Array>> {
    return this.#here.room(this.#of(handle).here);
  }

  /** In this thread. */
  async run(
    handle: ProgramHandle,
    inputs: Readonly<Record<string, Uint8Array>>,
    progress?: RunProgress,
  ): Promise<RunResult> {
    const { here } = this.#of(handle);
    const start = performance.now();
    const result = await this.#here.run(here, inputs, progress);
    return { ...result, wallMs: performance.now() - start };
  }

  start<Result = RunResult>(
    handle: ProgramHandle,
    fill: FillInputs,
    take: (result: RunResult) => Result = owned as typeof take,
  ): StartedRun<Result> {
    const held = this.#of(handle);
    const offered = held.free.pop() ?? this.#room(handle, held);
    const { shared, number } = offered;
    const room = shared.parts.inputs;
    try {
      const inputs = fill(room);
      checkInputs(held.program, inputs);
      for (const [name, bytes] of Object.entries(inputs)) if (bytes !== room[name]) room[name]!.set(bytes);
    } catch (error) {
      held.free.push(offered);
      throw error;
    }
    const result = new Promise<Result>((resolve, reject) => {
      offered.reject = reject;
      // What goes wrong in taking it is the result's error.
      offered.end = (done) => {
        resolve(new Promise((taken) => taken(take(done))));
      };
    });
    shared.urgency = 0;
    shared.state = runState.offered;
    let known = false;
    const settled = (): void => void (known = true);
    result.then(settled, settled);
    this.#tell({ type: "run", run: number });
    const help = (): boolean => !known && this.#help(offered);
    // Without other threads there is nobody to wait for.
    if (this.#members.size === 0) help();
    return {
      result,
      finished: () => known || shared.state >= runState.done,
      help,
      age: () => (known ? 0 : shared.age),
      urge(urgency) {
        if (!known) shared.urgency = urgency;
      },
    };
  }

  #room(handle: ProgramHandle, held: Held): Offered {
    const parts = sharedParts(held.program, this.#names);
    const nothing = (): void => undefined;
    const number = this.#runs.length;
    const offered = { number, shared: new SharedRun(parts, this.#names), held, end: nothing, reject: nothing };
    this.#runs.push(offered);
    this.#tell({ type: "room", run: number, handle, parts });
    return offered;
  }

  #help({ shared, held, end, reject, number }: Offered): boolean {
    if (!shared.take(HERE)) return false;
    const start = performance.now();
    const ended = (): void => this.#release(number);
    this.#here.run(held.here, shared.parts.inputs).then(
      (result) => {
        end({ ...result, wallMs });
        ended();
      },
      (error: unknown) => {
        ended();
        reject(error);
      },
    );
    // It has run already: what is left is that the promise says so.
    const wallMs = performance.now() - start;
    shared.state = runState.done;
    return true;
  }

  #finish({ run, failed, timeline }: FromMember): void {
    const { shared, end, reject } = this.#runs[run]!;
    if (failed) reject(errorFrom(failed, NAME));
    else end(timeline ? { ...shared.read(), timeline } : shared.read());
    this.#release(run);
  }

  #release(run: number): void {
    const offered = this.#runs[run]!;
    offered.shared.state = runState.free;
    offered.held.free.push(offered);
  }

  /** A worker is no more: what it had begun is lost, and the last one leaves all that is offered to this thread. */
  #lose(thread: number, how: string): void {
    if (!this.#members.delete(thread) || this.#closed) return;
    process.emitWarning(`a worker of ${NAME} ${how}; threads left: ${this.#members.size + 1}`);
    for (const offered of this.#runs) {
      const { shared, reject } = offered;
      if (shared.state === runState.taken && shared.owner === thread) {
        this.#release(offered.number);
        reject(new DeviceEnded(`a worker of ${NAME} ${how}`));
      } else if (this.#members.size === 0) this.#help(offered);
    }
  }

  async unload(handle: ProgramHandle): Promise<void> {
    const { here } = this.#of(handle);
    this.#programs.delete(handle);
    this.#tell({ type: "unload", handle });
    await this.#here.unload(here);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#here.close(), ...[...this.#members.values()].map((worker) => worker.terminate())]);
    for (const { shared, reject } of this.#runs)
      if (shared.state !== runState.free) reject(new TandemError(`${NAME} was closed`));
  }

  #of(handle: ProgramHandle): Held {
    if (this.#closed) throw new TandemError("The simulator was closed");
    const held = this.#programs.get(handle);
    if (!held) throw new TandemError(`The simulator holds no program ${handle}`);
    return held;
  }

  #tell(message: ToMember): void {
    for (const worker of this.#members.values()) worker.postMessage(message);
  }
}
