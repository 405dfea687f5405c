/** What every benchmark shares: rows, medians over runs, and how they are printed. Benchmarks measure; tests assert. */

export interface Row {
  readonly name: string;
  /** Median of our runs. */
  readonly ours: number;
  /** Median of the peer's runs, on this machine now; null where no peer can run here. */
  readonly peer: number | null;
  /** `ours / peer`. */
  readonly ratio: number | null;
  readonly unit: string;
  /** How many runs the medians are of. */
  readonly runs: number;
  /** (most - least) / median of our runs. */
  readonly spread: number;
  /** Who the peer is, or why there is none; what else one has to know. */
  readonly note: string;
}

export interface BenchOptions {
  /** Runs for each figure. */
  readonly runs: number;
  /** A line for the user while it works. */
  readonly say: (line: string) => void;
}

export interface Benchmark {
  readonly title: string;
  run(options: BenchOptions): AsyncIterable<Row>;
}

/**
 * Processor time of this process since `start = process.cpuUsage()`, all threads: the compiler's and the collector's too. On
 * a machine that others use as well it says more than wall time.
 */
export function cpuSeconds(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

export interface Figure {
  readonly median: number;
  readonly spread: number;
  readonly runs: number;
}

/** The figure of `runs` runs of `once`, after `warmUp` that do not count. */
export async function measure(
  { runs }: BenchOptions,
  once: () => number | Promise<number>,
  warmUp = 0,
): Promise<Figure> {
  for (let i = 0; i < warmUp; i++) await once();
  const values: number[] = [];
  for (let i = 0; i < runs; i++) values.push(await once());
  return figure(values);
}

export function figure(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, spread: median === 0 ? 0 : (sorted.at(-1)! - sorted[0]!) / median, runs: sorted.length };
}

export function row(name: string, unit: string, ours: Figure, peer: Figure | null, note: string): Row {
  return {
    name,
    ours: ours.median,
    peer: peer?.median ?? null,
    ratio: peer ? ours.median / peer.median : null,
    unit,
    runs: ours.runs,
    spread: ours.spread,
    note,
  };
}
