/**
 * What a run did over time, in a bounded number of equal bins: for each process the clocks that it was busy and stalled,
 * for each channel the tokens that it held. The sums over the bins are the kernel's counters.
 */
import type { Kernel, Observer, Running } from "../kernel/kernel.js";
import { CauseFinder, type ProcessCauses, type RunStreams } from "./causes.js";

export interface Timeline {
  /** Why the computing processes stood still. */
  readonly causes: readonly ProcessCauses[];
  /** Clocks looked at for the causes, where not all were: then the split of stalls by cause is estimated, its sum exact. */
  readonly samples?: number;
  /** Wall time that the recording took beside the run itself, where that is known. */
  readonly recordingMs?: number;
  /** Clocks in a bin; the last bin may be shorter. */
  readonly binClocks: number;
  readonly bins: number;
  /** Clocks busy in each bin. */
  readonly processes: readonly {
    readonly path: string;
    readonly busy: readonly number[];
    readonly stalls: readonly {
      readonly channel: string;
      readonly on: "pop" | "push";
      readonly clocks: readonly number[];
    }[];
  }[];
  /** Mean tokens held in each bin. */
  readonly channels: readonly { readonly path: string; readonly depth: number; readonly held: readonly number[] }[];
}

/** Most bins; when a run outgrows them, neighbours are added together. */
export const MOST_BINS = 64;
const FIRST_BIN = 64;

/** Clocks of a bin of the timeline of a run of `clocks` clocks. */
export function binClocksOf(clocks: number): number {
  let bin = FIRST_BIN;
  while (clocks > bin * MOST_BINS) bin *= 2;
  return bin;
}

/** A quantity per bin, grown by intervals in which it is constant. */
class Series {
  sums: number[] = [];

  add(from: number, to: number, rate: number, binClocks: number): void {
    for (let at = from; at < to;) {
      const bin = Math.floor(at / binClocks);
      const end = Math.min(to, (bin + 1) * binClocks);
      while (this.sums.length <= bin) this.sums.push(0);
      this.sums[bin]! += (end - at) * rate;
      at = end;
    }
  }

  merge(): void {
    this.sums = Array.from({ length: Math.ceil(this.sums.length / 2) }, (_, i) => {
      return this.sums[2 * i]! + (this.sums[2 * i + 1] ?? 0);
    });
  }

  padded(bins: number): number[] {
    return Array.from({ length: bins }, (_, i) => this.sums[i] ?? 0);
  }
}

/** What a process does at the end of a clock: an operation that it waits for, `busy`, or nothing any more. */
type State = Running["blocked"] | "busy" | "ended";

interface Tracked {
  readonly busy: Series;
  readonly stalls: Map<Exclude<Running["blocked"], undefined>, Series>;
  state: State;
  since: number;
}

export class TimelineSampler implements Observer {
  readonly #kernel: Kernel;
  readonly #causes: CauseFinder;
  #binClocks = FIRST_BIN;
  #processes: Tracked[] = [];
  #channels: { series: Series; held: number; since: number }[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#causes = new CauseFinder(kernel);
    kernel.observe(this);
  }

  /** Before each run. */
  begin(streams: RunStreams): void {
    this.#causes.begin(streams);
    const { processes, channels } = this.#kernel.design;
    this.#binClocks = FIRST_BIN;
    this.#processes = processes.map(() => ({ busy: new Series(), stalls: new Map(), state: "busy", since: 0 }));
    this.#channels = channels.map(() => ({ series: new Series(), held: 0, since: 0 }));
  }

  end(clock: number, running: readonly Running[]): void {
    while (clock >= this.#binClocks * MOST_BINS) this.#coarsen();
    this.#processes.forEach((tracked, i) => {
      const { blocked, ended } = running[i]!;
      const state: State = blocked ?? (ended ? "ended" : "busy");
      if (state === tracked.state) return;
      this.#close(tracked, clock);
      tracked.state = state;
    });
    this.#kernel.design.channels.forEach(({ occupancy }, i) => {
      const tracked = this.#channels[i]!;
      if (occupancy === tracked.held) return;
      tracked.series.add(tracked.since, clock, tracked.held, this.#binClocks);
      tracked.held = occupancy;
      tracked.since = clock;
    });
  }

  /** The timeline of a run of `clocks` clocks. */
  finish(clocks: number): Timeline {
    while (clocks > this.#binClocks * MOST_BINS) this.#coarsen();
    const { processes, channels } = this.#kernel.design;
    const binClocks = this.#binClocks;
    const bins = Math.ceil(clocks / binClocks);
    const binLength = (bin: number): number => Math.min(binClocks, clocks - bin * binClocks);
    return {
      causes: this.#causes.finish(clocks),
      binClocks,
      bins,
      processes: this.#processes.map((tracked, i) => {
        this.#close(tracked, clocks);
        return {
          path: processes[i]!.path,
          busy: tracked.busy.padded(bins),
          stalls: [...tracked.stalls].map(([{ channel, kind }, series]) => ({
            channel: channel.path,
            on: kind,
            clocks: series.padded(bins),
          })),
        };
      }),
      channels: this.#channels.map(({ series, held, since }, i) => {
        series.add(since, clocks, held, binClocks);
        const { path, depth } = channels[i]!;
        return { path, depth, held: series.padded(bins).map((sum, bin) => sum / binLength(bin)) };
      }),
    };
  }

  #close(tracked: Tracked, clock: number): void {
    const { state, since } = tracked;
    tracked.since = clock;
    if (state === "ended" || state === undefined || clock <= since) return;
    if (state === "busy") {
      tracked.busy.add(since, clock, 1, this.#binClocks);
      return;
    }
    let series = tracked.stalls.get(state);
    if (!series) tracked.stalls.set(state, (series = new Series()));
    series.add(since, clock, 1, this.#binClocks);
  }

  #coarsen(): void {
    this.#binClocks *= 2;
    for (const { busy, stalls } of this.#processes) for (const series of [busy, ...stalls.values()]) series.merge();
    for (const { series } of this.#channels) series.merge();
  }
}
