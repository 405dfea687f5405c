/**
 * A network on the board: what the processor and the accelerator do for each layer, and when. The processor takes the layers in the
 * order of the network. For a layer on the accelerator it packs the next part of the input while the accelerator works on
 * the last one; when all is packed it goes on to the next layer, whose work begins as soon as its inputs are there: in
 * parallel branches the processor packs, or computes, beside the accelerator. What reads a layer's output waits for it,
 * so a chain of layers does not overlap. The accelerator runs one layer at a time, in order.
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
  /**
   * Nanoseconds since the network began: the window in which the network waited for this layer, from the end of the layers
   * before it to its own. What it did before, beside them, stands in their windows; all windows together are the whole time.
   */
  readonly start: number;
  readonly end: number;
  /** Time in which the processor worked, by kind; polling for the accelerator's end is not work. */
  readonly cpu: Readonly<Partial<Record<ActivityKind, number>>>;
  /** Time of the window in which the accelerator worked on it. */
  readonly accelerator: number;
  /** Time of the window in which the accelerator did not: what the processor adds. */
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
    layers: spans(layers, activities, intervals),
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
  /** What the processor has to have done before it goes on to the next layer. */
  #issued: number[] = [];
  /** By layer, what its output waits for. */
  readonly #done = new Map<number, readonly number[]>();
  /** The accelerator's last activity. */
  #accelerated: number[] = [];

  constructor(board: BoardValues, threads: Threads, layers: readonly LayerWork[]) {
    this.#board = board;
    this.#threads = threads;
    for (const layer of layers) {
      this.#onAccelerator.set(layer.index, layer.accelerator !== undefined);
      for (const input of layer.inputs) this.#readers.set(input, [...(this.#readers.get(input) ?? []), layer]);
    }
  }

  add(layer: LayerWork): void {
    const inputs = layer.inputs.flatMap((input) => this.#done.get(input) ?? []);
    const after = [...new Set([...this.#issued, ...inputs])];
    this.#issued = [this.#cpu(layer, "dispatch", this.#board["cpu.operator"] * 1000, 0, after, 1)];
    for (const work of layer.cpu ?? []) {
      const ns = cpuTime(this.#board, work, this.#threads);
      this.#issued = [this.#cpu(layer, work.kind, ns, work.bytes, this.#issued)];
    }
    this.#done.set(layer.index, layer.accelerator ? this.#offload(layer, layer.accelerator) : this.#issued);
  }

  /** Returns what the output waits for. */
  #offload(layer: LayerWork, work: AcceleratorWork): number[] {
    const board = this.#board;
    const parts = PROGRESS_PARTS;
    const nsPerClock = 1000 / board["pl.clock"];
    const progress = work.progress ?? Array.from({ length: parts }, (_, i) => ((i + 1) * work.clocks) / parts);
    // What the processor wrote must reach memory before the accelerator reads it there.
    const fromCpu = work.packedBytes > 0 || layer.inputs.some((input) => this.#onAccelerator.get(input) !== true);
    const dirty = (work.packedBytes > 0 ? work.packedBytes : work.inputBytes) / parts;
    let packed = this.#issued;
    let previous = this.#accelerated;
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
    this.#issued = packed;
    this.#accelerated = previous;
    const readers = this.#readers.get(layer.index) ?? [];
    const toCpu = readers.length === 0 || readers.some((r) => !r.accelerator || r.accelerator.packedBytes > 0);
    if (toCpu || work.unpackedBytes > 0)
      previous = [this.#cpu(layer, "cache", cacheTime(board, "invalidate", work.outputBytes), 0, previous, 1)];
    if (work.unpackedBytes > 0) {
      const bytes = work.unpackedBytes;
      const ns = cpuTime(board, { kind: "copy", amount: bytes, bytes }, this.#threads);
      previous = [this.#cpu(layer, "unpack", ns, 2 * bytes, previous)];
    }
    return previous;
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

function spans(
  layers: readonly LayerWork[],
  activities: readonly Activity[],
  intervals: readonly Interval[],
): LayerSpan[] {
  const own = new Map<number, Interval[]>();
  for (const interval of intervals) {
    const { layer } = activities[interval.activity]!;
    const list = own.get(layer);
    if (list) list.push(interval);
    else own.set(layer, [interval]);
  }
  let before = 0;
  return layers.map(({ index }) => {
    const list = own.get(index) ?? [];
    const start = before;
    const end = list.reduce((latest, each) => Math.max(latest, each.end), start);
    before = end;
    const cpu: Partial<Record<ActivityKind, number>> = {};
    let accelerator = 0;
    for (const { activity, start: from, end: to } of list) {
      const { resource, kind } = activities[activity]!;
      if (resource === "accelerator") accelerator += Math.max(0, to - Math.max(from, start));
      else cpu[kind as ActivityKind] = (cpu[kind as ActivityKind] ?? 0) + to - from;
    }
    return { index, start, end, cpu, accelerator, exposedCpu: end - start - accelerator };
  });
}
