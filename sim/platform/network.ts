/**
 * A network on the board: what the processor and the accelerator do for each layer, and when. Layers run one after the other,
 * as the runtime runs them; within a layer on the accelerator the processor packs the next part of the input while
 * the accelerator works on the last one.
 */
import { cacheTime, cpuTime, type CpuWork, type Threads } from "./cpu.js";
import { PROGRESS_PARTS } from "./dma.js";
import type { BoardValues } from "./platform.js";
import { schedule, type Activity, type Interval } from "./schedule.js";

/** The accelerator's part of a layer. */
export interface AcceleratorWork {
  /** Clocks of the run at the board's memory and DMA, set-up of the transfers included. */
  readonly clocks: number;
  /** Clocks by which each eighth of the input had been taken; equal parts where that is not known. */
  readonly progress?: readonly number[] | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bytes that the processor writes to make the input, 0 if the tensor is sent as it is; and to move the output. */
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
}

export interface LayerWork {
  readonly index: number;
  /** Layers whose outputs it reads; -1 for the network's input. */
  readonly inputs: readonly number[];
  /** Exactly one of the two. */
  readonly cpu?: readonly CpuWork[];
  readonly accelerator?: AcceleratorWork;
}

export type ActivityKind = "dispatch" | "pack" | "cache" | "accelerator" | "unpack" | CpuWork["kind"];

export interface LayerSpan {
  readonly index: number;
  /** Nanoseconds since the network began. */
  readonly start: number;
  readonly end: number;
  /** Time in which the processor worked, by kind; polling for the accelerator's end is not work. */
  readonly cpu: Readonly<Partial<Record<ActivityKind, number>>>;
  readonly accelerator: number;
  /** Time of the layer in which only the processor worked: what it adds to the accelerator's. */
  readonly exposedCpu: number;
}

export interface NetworkSchedule {
  readonly threads: Threads;
  /** Nanoseconds. */
  readonly total: number;
  readonly layers: readonly LayerSpan[];
  readonly activities: readonly Activity[];
  readonly intervals: readonly Interval[];
}

export function scheduleNetwork(layers: readonly LayerWork[], board: BoardValues, threads: Threads): NetworkSchedule {
  const builder = new Builder(board, threads, layers);
  for (const layer of layers) builder.add(layer);
  const { activities } = builder;
  const memory = 1 / ((board["ddr.read"] + board["ddr.write"]) / 2);
  const intervals = schedule(activities, { cores: threads, memory });
  return {
    threads,
    total: intervals.reduce((most, { end }) => Math.max(most, end), 0),
    layers: layers.map(({ index }) => span(index, activities, intervals)),
    activities,
    intervals,
  };
}

class Builder {
  readonly activities: Activity[] = [];
  readonly #board: BoardValues;
  readonly #threads: Threads;
  readonly #onAccelerator = new Map<number, boolean>();
  readonly #readers = new Map<number, LayerWork[]>();
  #last: number[] = [];

  constructor(board: BoardValues, threads: Threads, layers: readonly LayerWork[]) {
    this.#board = board;
    this.#threads = threads;
    for (const layer of layers) {
      this.#onAccelerator.set(layer.index, layer.accelerator !== undefined);
      for (const input of layer.inputs) this.#readers.set(input, [...(this.#readers.get(input) ?? []), layer]);
    }
  }

  add(layer: LayerWork): void {
    this.#last = [this.#cpu(layer, "dispatch", this.#board["cpu.operator"] * 1000, 0, this.#last, 1)];
    for (const work of layer.cpu ?? []) {
      const ns = cpuTime(this.#board, work, this.#threads);
      this.#last = [this.#cpu(layer, work.kind, ns, work.bytes, this.#last)];
    }
    if (layer.accelerator) this.#offload(layer, layer.accelerator);
  }

  #offload(layer: LayerWork, work: AcceleratorWork): void {
    const board = this.#board;
    const parts = PROGRESS_PARTS;
    const nsPerClock = 1000 / board["pl.clock"];
    const progress = work.progress ?? Array.from({ length: parts }, (_, i) => ((i + 1) * work.clocks) / parts);
    // What the processor wrote must reach memory before the accelerator reads it there.
    const fromCpu = work.packedBytes > 0 || layer.inputs.some((input) => this.#onAccelerator.get(input) !== true);
    const dirty = (work.packedBytes > 0 ? work.packedBytes : work.inputBytes) / parts;
    const start = this.#last;
    let packed = start;
    let previous: number[] = [];
    for (let part = 0; part < parts; part++) {
      if (work.packedBytes > 0) {
        const bytes = work.packedBytes / parts;
        const ns = cpuTime(board, { kind: "im2col", amount: bytes, bytes }, this.#threads);
        packed = [this.#cpu(layer, "pack", ns, 2 * bytes, packed)];
      }
      if (fromCpu && (part === 0 || work.packedBytes > 0)) {
        const bytes = work.packedBytes > 0 ? dirty : dirty * parts;
        packed = [this.#cpu(layer, "cache", cacheTime(board, "clean", bytes), 0, packed, 1)];
      }
      const clocks = progress[part]! - (progress[part - 1] ?? 0);
      previous = [
        this.#push({
          resource: "accelerator",
          cores: 0,
          kind: "accelerator",
          layer: layer.index,
          ns: Math.max(0, clocks) * nsPerClock,
          // In proportion to time: the run already has its own streams' share of the memory.
          bytes: ((work.bytesIn + work.bytesOut) * Math.max(0, clocks)) / work.clocks,
          after: [...packed, ...previous],
        }),
      ];
    }
    const tail = work.clocks - progress[parts - 1]!;
    if (tail > 0)
      previous = [
        this.#push({
          resource: "accelerator",
          cores: 0,
          kind: "accelerator",
          layer: layer.index,
          ns: tail * nsPerClock,
          bytes: 0,
          after: previous,
        }),
      ];
    const readers = this.#readers.get(layer.index) ?? [];
    const toCpu = readers.length === 0 || readers.some((r) => !r.accelerator || r.accelerator.packedBytes > 0);
    if (toCpu || work.unpackedBytes > 0)
      previous = [this.#cpu(layer, "cache", cacheTime(board, "invalidate", work.outputBytes), 0, previous, 1)];
    if (work.unpackedBytes > 0) {
      const bytes = work.unpackedBytes;
      const ns = cpuTime(board, { kind: "copy", amount: bytes, bytes }, this.#threads);
      previous = [this.#cpu(layer, "unpack", ns, 2 * bytes, previous)];
    }
    this.#last = [...packed, ...previous];
  }

  #cpu(
    layer: LayerWork,
    kind: ActivityKind,
    ns: number,
    bytes: number,
    after: readonly number[],
    cores: number = this.#threads,
  ): number {
    return this.#push({ resource: "cpu", cores, kind, layer: layer.index, ns, bytes, after });
  }

  #push(activity: Activity): number {
    return this.activities.push(activity) - 1;
  }
}

function span(index: number, activities: readonly Activity[], intervals: readonly Interval[]): LayerSpan {
  const own = intervals.filter(({ activity }) => activities[activity]!.layer === index);
  const of = (resource: Activity["resource"]): Interval[] =>
    own.filter(({ activity }) => activities[activity]!.resource === resource);
  const length = (list: readonly Interval[]): number => list.reduce((sum, { start, end }) => sum + end - start, 0);
  const cpu: Partial<Record<ActivityKind, number>> = {};
  for (const { activity, start, end } of of("cpu")) {
    const kind = activities[activity]!.kind as ActivityKind;
    cpu[kind] = (cpu[kind] ?? 0) + end - start;
  }
  const start = Math.min(...own.map((each) => each.start));
  const end = Math.max(...own.map((each) => each.end));
  const accelerator = length(of("accelerator"));
  return { index, start, end, cpu, accelerator, exposedCpu: end - start - accelerator };
}
