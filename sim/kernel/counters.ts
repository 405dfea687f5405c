/** What the kernel counts by itself; no design counts its own clocks. All figures are clipped at the end of the run. */

export interface ProcessCounters {
  readonly path: string;
  /** Clocks that ended at a `yield`. */
  readonly busy: number;
  /** Clocks that ended at a channel operation which could not happen yet, by channel and side. */
  readonly stalls: readonly { readonly channel: string; readonly on: "pop" | "push"; readonly clocks: number }[];
  /** All other clocks: the process had ended. */
  readonly idle: number;
  /** Clocks out of `busy` that came from `estimate`. */
  readonly estimated: number;
}

export interface ChannelCounters {
  readonly path: string;
  readonly pushed: number;
  readonly popped: number;
  /** Tokens held at the end of a clock. */
  readonly meanOccupancy: number;
  readonly maxOccupancy: number;
}

export interface MemoryCounters {
  readonly path: string;
  readonly reads: number;
  readonly writes: number;
}

export interface GridCounters {
  readonly path: string;
  readonly waves: number;
  readonly cellSteps: number;
}

export interface Counters {
  /** From clock 0 to the last clock in which anything moved, both included. */
  readonly clocks: number;
  readonly processes: readonly ProcessCounters[];
  readonly channels: readonly ChannelCounters[];
  readonly memories: readonly MemoryCounters[];
  readonly grids: readonly GridCounters[];
}

/** Total of the estimates, in clocks; 0 means that every clock of the design is exact. */
export const estimatedClocks = (counters: Counters): number =>
  counters.processes.reduce((sum, process) => sum + process.estimated, 0);

/** Stalled clocks keyed `process: channel (pop|push)`, only those above zero. */
export function stallTable(counters: Counters): Record<string, number> {
  const table: Record<string, number> = {};
  for (const { path, stalls } of counters.processes)
    for (const { channel, on, clocks } of stalls) if (clocks > 0) table[`${path}: ${on} ${channel}`] = clocks;
  return table;
}
