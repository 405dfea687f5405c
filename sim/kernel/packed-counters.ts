/**
 * Counters of a run as a row of numbers, so that they cross from thread to thread in shared memory: no copy of hundreds of objects and names
 * for each layer of a network. What has names is told once for a design, and objects are made when somebody looks at them.
 */
import type { Elaborated } from "../../hw/elaborate.js";
import { estimatedClocks, type Counters, type ProcessCounters } from "./counters.js";

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

/**
 * In order: clocks; how many of them are estimates, over all processes; per process busy, idle, estimated, the number of its stalls, and of each of those twice the channel's number (plus one for
 * a push) and its clocks; per channel pushed, popped, mean and greatest occupancy; per memory reads and writes; per grid waves and steps.
 */
export type PackedCounters = Float64Array;

/** Numbers that the counters of a design take at most: a channel stalls its two ends, no more. */
export const packedLength = ({ processes, channels, memories, grids }: CounterNames): number =>
  2 + processes.length * 4 + channels.length * (2 * 2 + 4) + memories.length * 2 + grids.length * 2;

/** The counters that are packed; their parts are made when they are first asked for. */
export function countersOf(names: CounterNames, packed: PackedCounters): Counters {
  let known: Omit<Counters, "clocks"> | undefined;
  const parts = (): Omit<Counters, "clocks"> => (known ??= unpack(names, packed));
  const counters = {
    clocks: packed[0]!,
    get processes() {
      return parts().processes;
    },
    get channels() {
      return parts().channels;
    },
    get memories() {
      return parts().memories;
    },
    get grids() {
      return parts().grids;
    },
  };
  packedForms.set(counters, packed);
  return counters;
}

const packedForms = new WeakMap<Counters, PackedCounters>();

/** Clocks that came from estimates, without a look at each process where the counters are packed. */
export const estimatesOf = (counters: Counters): number => packedOf(counters)?.[1] ?? estimatedClocks(counters);

/** What `countersOf` made them of; undefined for others. */
export const packedOf = (counters: Counters): PackedCounters | undefined => packedForms.get(counters);

function unpack(names: CounterNames, packed: PackedCounters): Omit<Counters, "clocks"> {
  let at = 2;
  const take = (): number => packed[at++]!;
  return {
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
