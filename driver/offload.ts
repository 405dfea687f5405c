/** The accelerator that the host sees, made of a design and a device that runs it. */
import { TandemError } from "../hw/errors.js";
import { estimatedClocks, stallTable } from "../sim/kernel/counters.js";
import type { TransferTrace } from "../sim/platform/dma.js";
import type { Accelerator, CompiledLayer, LayerDetail, LayerResult } from "./accelerator.js";
import type { CompiledProgram, Design } from "./design.js";
import type { Device, ProgramHandle, RunResult, StartedRun } from "./device.js";
import type { ConvLayer } from "./layer.js";
import { programTraffic, type Program } from "./program.js";

class OffloadedLayer implements CompiledLayer {
  readonly layer: ConvLayer;
  readonly compiled: CompiledProgram;
  /** Sent to the device when it is first needed. */
  handle: Promise<ProgramHandle> | undefined;

  constructor(layer: ConvLayer, compiled: CompiledProgram) {
    this.layer = layer;
    this.compiled = compiled;
  }
}

export interface OffloadOptions {
  /** Called now and then while a layer runs, with the clocks passed since it began. */
  readonly onClocks?: (clocks: number) => void;
}

export class Offload<Config> implements Accelerator {
  readonly name: string;
  readonly peakMacsPerClock: number;
  readonly #design: Design<Config>;
  readonly #config: Config;
  readonly #device: Device;
  readonly #options: OffloadOptions;
  #scratch = new Uint8Array(0);
  /** Where the device has it. */
  readonly start?: NonNullable<Accelerator["start"]>;

  /** `device` runs `design` as configured by `config`; it belongs to the accelerator from now on. */
  constructor(design: Design<Config>, config: Config, device: Device, options: OffloadOptions = {}) {
    this.#design = design;
    this.#config = config;
    this.#device = device;
    this.#options = options;
    if (device.start) this.start = (compiled, input, take) => this.#startLayer(compiled, input, take);
    const parameters = Object.entries(design.describe(config)).map(([name, value]) => `${name}=${String(value)}`);
    this.name = [design.name, ...parameters].join(" ");
    this.peakMacsPerClock = design.peakMacsPerClock(config);
  }

  refuses(layer: ConvLayer): string | null {
    return this.#design.refuses(layer, this.#config);
  }

  compile(layer: ConvLayer): CompiledLayer {
    const compiled = new OffloadedLayer(layer, this.#design.compile(layer, this.#config));
    // Other threads read it while this one goes on with the next layer. What goes wrong is said when it runs.
    if (this.#device.start) (compiled.handle = this.#device.load(compiled.compiled.program)).catch(() => undefined);
    return compiled;
  }

  async ready(compiled: CompiledLayer): Promise<void> {
    if (compiled instanceof OffloadedLayer) await compiled.handle?.catch(() => undefined);
  }

  async run(compiled: CompiledLayer, input: Uint8Array, output?: Uint8Array): Promise<LayerResult> {
    const { program, handle } = await this.#load(compiled);
    const { onClocks } = this.#options;
    const device = this.#device;
    const room = device.room?.(handle) ?? (device.readsAtOnce ? this.#room(program) : undefined);
    const inputs = program.inputs(input, room);
    const outputs = output && placeOf(program, output);
    const progress = { ...(onClocks && { onClocks }), ...(outputs && { outputs }) };
    return resultOf(program, await device.run(handle, inputs, progress));
  }

  async #startLayer<Result>(
    compiled: CompiledLayer,
    input: Uint8Array,
    take: (result: LayerResult) => Result,
  ): Promise<StartedRun<Result>> {
    const { program, handle } = await this.#load(compiled);
    return this.#device.start!(
      handle,
      (room) => program.inputs(input, room),
      (result) => take(resultOf(program, result)),
    );
  }

  /** Places for the inputs of a run, the same for all runs. */
  #room({ program: { buffers } }: CompiledProgram): Record<string, Uint8Array> {
    const inputs = buffers.filter(({ role }) => role === "input");
    const total = inputs.reduce((sum, { bytes }) => sum + bytes, 0);
    if (this.#scratch.length < total) this.#scratch = new Uint8Array(total);
    let at = 0;
    return Object.fromEntries(inputs.map(({ name, bytes }) => [name, this.#scratch.subarray(at, (at += bytes))]));
  }

  async #load(compiled: CompiledLayer): Promise<{ program: CompiledProgram; handle: ProgramHandle }> {
    if (!(compiled instanceof OffloadedLayer))
      throw new TandemError(`${compiled.layer.name} was compiled for another accelerator than ${this.#design.name}`);
    compiled.handle ??= this.#device.load(compiled.compiled.program);
    return { program: compiled.compiled, handle: await compiled.handle };
  }

  async close(): Promise<void> {
    await this.#device.close();
  }
}

/** The memory of an output tensor as that of a program's output buffer, where they are the same bytes. */
function placeOf(
  { program: { buffers }, unpacks }: CompiledProgram,
  output: Uint8Array,
): Record<string, Uint8Array> | undefined {
  const [buffer, ...others] = buffers.filter(({ role }) => role === "output");
  if (unpacks || !buffer || others.length > 0 || buffer.bytes !== output.length) return undefined;
  return { [buffer.name]: output };
}

/** What is only looked at in reports is made when it is. */
function resultOf(compiled: CompiledProgram, result: RunResult): LayerResult {
  const { counters, clocks, exact, wallMs } = result;
  let stalls: LayerResult["stalls"] | undefined;
  let detail: LayerDetail | undefined;
  return {
    output: compiled.output(result.outputs),
    clocks,
    exact,
    // Without counters a time that is not exact is an estimate as a whole.
    estimates: exact ? 0 : counters ? estimatedClocks(counters) : clocks,
    ...programTraffic(compiled.program),
    get stalls() {
      return (stalls ??= counters ? stallTable(counters) : {});
    },
    get detail() {
      return (detail ??= detailOf(compiled, result));
    },
    ...(wallMs !== undefined && { wallMs }),
  };
}

function detailOf({ program, packs, unpacks, tiling, least }: CompiledProgram, result: RunResult): LayerDetail {
  const { counters, timeline } = result;
  const transfers = result.transfers?.all;
  const bytesOf = (role: "input" | "output"): number =>
    program.buffers.reduce((sum, buffer) => sum + (buffer.role === role ? buffer.bytes : 0), 0);
  const streams = new Map<string, LayerDetail["streams"][number]>();
  for (const step of program.steps) {
    if (step.kind === "write") continue;
    const { stream: name, length } = step;
    const before = streams.get(name) ?? {
      name,
      direction: step.kind === "send" ? "in" : "out",
      bytes: 0,
      transfers: 0,
    };
    streams.set(name, { ...before, bytes: before.bytes + length, transfers: before.transfers + 1 });
  }
  const inputProgress = transfers && progressOf(program, transfers);
  return {
    ...(counters && { counters }),
    ...(transfers && { transfers }),
    ...(timeline && { timeline }),
    ...(inputProgress && { inputProgress }),
    streams: [...streams.values()],
    packedBytes: packs ? bytesOf("input") : 0,
    unpackedBytes: unpacks ? bytesOf("output") : 0,
    tiling,
    ...(least && { least }),
  };
}

/** The clock by which each eighth of the input had gone, over the streams that carry it; undefined if none does. */
function progressOf(program: Program, transfers: readonly TransferTrace[]): number[] | undefined {
  const byStream = new Map<string, TransferTrace[]>();
  for (const trace of transfers) {
    const step = program.steps[trace.step];
    if (step?.kind !== "send" || program.buffers[step.buffer]?.role !== "input") continue;
    byStream.set(trace.stream, [...(byStream.get(trace.stream) ?? []), trace]);
  }
  if (byStream.size === 0) return undefined;
  const each = [...byStream.values()].map((traces) => {
    const marks = traces.flatMap(({ eighths }) => eighths);
    const parts = traces[0]!.eighths.length;
    return Array.from({ length: parts }, (_, i) => marks[Math.ceil(((i + 1) * marks.length) / parts) - 1]! + 1);
  });
  return each[0]!.map((_, i) => Math.max(...each.map((marks) => marks[i]!)));
}
