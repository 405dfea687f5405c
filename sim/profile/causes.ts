/**
 * Why the arithmetic stood still: in every clock in which a computing process is stalled, the chain of who waits for whom is
 * followed to its root: a stream at the edge of the design, or a process that is busy. The clocks by root, with those in
 * which the process computed, add up to the run.
 */
import type { Channel, Elaborated } from "../../hw/index.js";
import type { ProcessNode } from "../../hw/process.js";
import type { Kernel, Observer, Running } from "../kernel/kernel.js";
import type { PacedStream, Pace } from "../platform/dma.js";

/**
 * `busy`: the process computed. `stream`: the root is an outer stream that has more to give or take; `setup`: its DMA
 * channel has not been started yet. `process`: the root is a busy process. `end`: all input had been taken.
 */
export interface Cause {
  readonly root: "busy" | "stream" | "setup" | "process" | "end";
  /** Stream or path of the process; empty for `busy` and `end`. */
  readonly name: string;
  readonly clocks: number;
}

export interface ProcessCauses {
  readonly process: string;
  readonly causes: readonly Cause[];
}

/** Streams of a run, and when a board's DMA lets them move. */
export interface RunStreams {
  readonly streams: readonly PacedStream[];
  readonly pace?: ((stream: string) => Pace) | undefined;
}

interface Watched {
  readonly index: number;
  readonly node: ProcessNode;
  readonly clocks: Map<string, number>;
  /** Root since clock `since`. */
  key: string;
  since: number;
}

export class CauseFinder implements Observer {
  readonly #kernel: Kernel;
  readonly #indexOf: ReadonlyMap<ProcessNode, number>;
  readonly #channels: ReadonlyMap<object, Channel>;
  #watched: Watched[] = [];
  #beats = new Map<string, number>();
  #pace: RunStreams["pace"];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#indexOf = new Map(kernel.design.processes.map((node, index) => [node, index]));
    this.#channels = new Map(kernel.design.channels.map((channel) => [channel, channel]));
    kernel.observe(this);
  }

  /** Before each run. */
  begin({ streams, pace }: RunStreams): void {
    this.#pace = pace;
    this.#beats = new Map(streams.map((s) => [s.name, s.transfers.reduce((sum, { beats }) => sum + beats, 0)]));
    this.#watched = computing(this.#kernel.design).map((node) => ({
      index: this.#indexOf.get(node)!,
      node,
      clocks: new Map<string, number>(),
      key: "busy:",
      since: 0,
    }));
  }

  end(clock: number, running: readonly Running[]): void {
    for (const watched of this.#watched) {
      const { blocked, ended } = running[watched.index]!;
      const key = blocked ? this.#root(blocked, running, clock) : ended ? "end:" : "busy:";
      if (key !== watched.key) this.#close(watched, clock, key);
    }
  }

  finish(clocks: number): ProcessCauses[] {
    return this.#watched.map((watched) => {
      this.#close(watched, clocks, watched.key);
      return {
        process: watched.node.path,
        causes: [...watched.clocks].map(([key, count]) => {
          const colon = key.indexOf(":");
          return { root: key.slice(0, colon) as Cause["root"], name: key.slice(colon + 1), clocks: count };
        }),
      };
    });
  }

  #close(watched: Watched, clock: number, key: string): void {
    const length = clock - watched.since;
    if (length > 0) watched.clocks.set(watched.key, (watched.clocks.get(watched.key) ?? 0) + length);
    watched.key = key;
    watched.since = clock;
  }

  /** Follow the chain; every process is visited once at most. */
  #root(start: NonNullable<Running["blocked"]>, running: readonly Running[], clock: number): string {
    let blocked = start;
    for (let steps = 0; steps <= running.length; steps++) {
      const channel = this.#channels.get(blocked.channel)!;
      const other = blocked.kind === "pop" ? channel.producer : channel.consumer;
      const index = other && this.#indexOf.get(other);
      if (index === undefined) return this.#edge(channel, clock);
      const next = running[index]!;
      if (!next.blocked) return next.ended ? "end:" : `process:${next.node.path}`;
      blocked = next.blocked;
    }
    return "end:";
  }

  /** At the edge of the design, or at a grid, which is no process. */
  #edge(channel: Channel, clock: number): string {
    const { inputs, outputs } = this.#kernel.design;
    const incoming = Object.keys(inputs).find((name) => inputs[name] === channel);
    const outgoing = Object.keys(outputs).find((name) => outputs[name] === channel);
    const stream = incoming ?? outgoing;
    if (stream === undefined) {
      // Nobody has used that side yet: early in a run what everybody waits for is the first beat of a stream.
      const silent = Object.keys(inputs).find((name) => (this.#beats.get(name) ?? 0) > 0 && inputs[name]!.pushed === 0);
      return silent === undefined ? `process:${channel.path}` : `setup:${silent}`;
    }
    if (incoming !== undefined && channel.pushed >= (this.#beats.get(stream) ?? 0)) return "end:";
    return this.#pace?.(stream).setup(clock) === true ? `setup:${stream}` : `stream:${stream}`;
  }
}

/** Processes that do the arithmetic: those beside a grid of cells, else those whose names say so. */
export function computing({ processes, grids, modules: all }: Elaborated): ProcessNode[] {
  const modules = new Set(all.filter((module) => grids.some((grid) => module.grids.includes(grid))));
  const beside = processes.filter(({ module }) => modules.has(module));
  if (beside.length > 0) return beside;
  // The name of the design itself says nothing of its processes, and post-processors multiply as well.
  const own = (path: string): string => path.slice(path.indexOf(".") + 1);
  return processes.filter(({ path }) => /mac|mul|gemm|dot|compute/i.test(own(path)) && !/post/i.test(path));
}
