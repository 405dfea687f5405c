/** Where the time of a whole network goes, and what it would win if one part of that cost nothing: sums over the layers of a profile. */
import { parts, type Part } from "./bounds.js";
import type { LayerProfile, Profile } from "./profile.js";

export interface Share {
  readonly part: Part;
  /** Milliseconds over all layers. */
  readonly ms: number;
  /** Of the latency. */
  readonly share: number;
  /** Milliseconds that the network would save at most if the part cost nothing. */
  readonly savesMs: number;
  /** Of the CPU: the kind of work that takes most of it, in layers where it is not hidden behind the accelerator. */
  readonly mostly?: string;
}

/** Parts that cost something, the largest first; their times add up to the latency. */
export function shares({ layers, latencyMs }: Profile): Share[] {
  return parts
    .map((part): Share => {
      const ms = layers.reduce((sum, { timeMs }) => sum + (timeMs[part] ?? 0), 0);
      const savesMs = layers.reduce((sum, layer) => sum + (layer.savesMs[part] ?? 0), 0);
      const mostly = part === "cpu" ? largestWork(layers) : undefined;
      return { part, ms, share: ms / latencyMs, savesMs, ...(mostly !== undefined && { mostly }) };
    })
    .filter(({ ms }) => ms > 0)
    .sort((a, b) => b.ms - a.ms);
}

/** A layer's exposed time is put down to its kinds of work in proportion. */
function largestWork(layers: readonly LayerProfile[]): string | undefined {
  const sums = new Map<string, number>();
  for (const { cpuMs, timeMs } of layers) {
    const all = Object.values(cpuMs).reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
    if (all > 0)
      for (const [kind, ms] of Object.entries(cpuMs))
        sums.set(kind, (sums.get(kind) ?? 0) + ((ms ?? 0) / all) * (timeMs.cpu ?? 0));
  }
  return [...sums].sort((a, b) => b[1] - a[1])[0]?.[0];
}
