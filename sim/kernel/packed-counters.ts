/**
 * Counters of a run as a row of numbers, so that they cross from thread to thread in shared memory: no copy of hundreds of objects and names
 * per layer. What has names is told once for a design.
 */
import type { Elaborated } from "../../hw/elaborate.js";
import type { Counters, ProcessCounters } from "./counters.js";

/** The paths of what is counted, in the design's order. */
export interface CounterNames {
  readonly processes: readonly string[];
  readonly channels: readonly string[];
  readonly memories: readonly string[];
  readonly grids: readonly string[];
}

export function counterNames({ processes, channels, memories, grids }: Elaborated): CounterNames {
  const paths = (parts: readonly { readonly path: string }[]): string[] => parts.map(({ path }) => path);
  return {
    processes: paths(processes),
    channels: paths(channels),
    memories: paths(memories),
    grids: paths(grids),
  };
}

/** Numbers that the counters of a design take at most: a channel stalls its two ends, no more. */
export const countersLength = ({ processes, channels, memories, grids }: CounterNames): number =>
  1 + processes.length * 4 + channels.length * (2 * 2 + 4) + memories.length * 2 + grids.length * 2;

/** `counters` are of the design that has these `names`. */
export function packCounters(counters: Counters, names: CounterNames, into: Float64Array): void {
  let at = 0;
  const put = (value: number): void => {
    into[at++] = value;
  };
  const numbers = numbersOf(names);
  put(counters.clocks);
  for (const { busy, idle, estimated, stalls } of counters.processes) {
    put(busy);
    put(idle);
    put(estimated);
    put(stalls.length);
    for (const { channel, on, clocks } of stalls) {
      put(2 * numbers.get(channel)! + (on === "pop" ? 0 : 1));
      put(clocks);
    }
  }
  for (const { pushed, popped, meanOccupancy, maxOccupancy } of counters.channels) {
    put(pushed);
    put(popped);
    put(meanOccupancy);
    put(maxOccupancy);
  }
  for (const { reads, writes } of counters.memories) {
    put(reads);
    put(writes);
  }
  for (const { waves, cellSteps } of counters.grids) {
    put(waves);
    put(cellSteps);
  }
}

export function unpackCounters(names: CounterNames, from: Float64Array): Counters {
  let at = 0;
  const take = (): number => from[at++]!;
  return {
    clocks: take(),
    processes: names.processes.map((path): ProcessCounters => {
      const [busy, idle, estimated, count] = [take(), take(), take(), take()];
      const stalls = Array.from({ length: count }, () => {
        const code = take();
        return {
          channel: names.channels[code >> 1]!,
          on: (code & 1) === 0 ? ("pop" as const) : ("push" as const),
          clocks: take(),
        };
      });
      return { path, busy, stalls, idle, estimated };
    }),
    channels: names.channels.map((path) => ({
      path,
      pushed: take(),
      popped: take(),
      meanOccupancy: take(),
      maxOccupancy: take(),
    })),
    memories: names.memories.map((path) => ({ path, reads: take(), writes: take() })),
    grids: names.grids.map((path) => ({ path, waves: take(), cellSteps: take() })),
  };
}

/** Channels by path. Names stay the same object from run to run. */
const known = new WeakMap<CounterNames, ReadonlyMap<string, number>>();
function numbersOf(names: CounterNames): ReadonlyMap<string, number> {
  let numbers = known.get(names);
  if (!numbers) known.set(names, (numbers = new Map(names.channels.map((path, i) => [path, i]))));
  return numbers;
}
