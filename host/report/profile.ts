/**
 * The profile of a run on a board: for each layer when it ran, where its time went, what bounds it and what the best
 * possible change would bring, and its energy. Part of `report.json`; the page, the table and `tandem compare` are made
 * from it. Clocks of the design are exact unless it holds estimates; times and energies are estimated from the constants.
 */
import { addEnergies, energyOf, totalEnergy, type Energy } from "../../sim/platform/energy.js";
import type { Counters } from "../../sim/kernel/counters.js";
import { scheduleNetwork, type LayerSpan, type NetworkSchedule } from "../../sim/platform/network.js";
import type { BoardValues, Platform } from "../../sim/platform/platform.js";
import type { Certainty } from "../../sim/platform/constant.js";
import type { Threads } from "../../sim/platform/cpu.js";
import type { Graph } from "../graph/graph.js";
import type { LayerRun } from "../runtime/executor.js";
import type { Target } from "../targets.js";
import { boundsOf, clocksByPart, leastOf, parts, type Bounds, type Least, type Part } from "./bounds.js";
import { layerWorks } from "./work.js";

export interface LayerProfile {
  readonly index: number;
  /** Milliseconds since the network began. */
  readonly startMs: number;
  readonly endMs: number;
  /** Milliseconds by part; they add up to the layer's time. */
  readonly timeMs: Readonly<Partial<Record<Part, number>>>;
  /** The part that takes most of the layer's time. */
  readonly bound: Part;
  /** For each part, how many milliseconds the layer would save if that part cost nothing. */
  readonly savesMs: Readonly<Partial<Record<Part, number>>>;
  /** Least clocks by resource; only on an accelerator. */
  readonly bounds?: Bounds;
  /** The bound of the layer on this hardware and memory, what gives it, and the clocks lost against it. */
  readonly least?: Least & { readonly lost: number };
  /** Work of the processor by kind, milliseconds. */
  readonly cpuMs: Readonly<Partial<Record<string, number>>>;
  /** Joules by component. */
  readonly energy: Energy;
}

export interface Profile {
  readonly platform: string;
  readonly threads: Threads;
  readonly plClockMHz: number;
  /** What the latency, and so the energy, may be called. */
  readonly certainty: Certainty;
  readonly latencyMs: number;
  readonly energyJ: number;
  readonly energy: Energy;
  readonly peakMacsPerClock: number | null;
  /** Bytes per clock that memory gives for reading. */
  readonly memoryBytesPerClock: number;
  readonly layers: readonly LayerProfile[];
  /** Of the schedule: what ran where and when, milliseconds. */
  readonly tracks: readonly {
    readonly track: string;
    readonly kind: string;
    readonly layer: number;
    readonly startMs: number;
    readonly endMs: number;
  }[];
}

export interface ProfileInput {
  readonly graph: Graph;
  readonly runs: readonly LayerRun[];
  readonly target: Target;
  readonly platform: Platform;
  readonly threads: Threads;
}

/** Null on the ideal platform, which has no time of its own. */
export function makeProfile({ graph, runs, target, platform, threads }: ProfileInput): Profile | null {
  const { board } = platform;
  if (!board) return null;
  const plan = scheduleNetwork(layerWorks(graph, runs), board, threads);
  const peak = target.offload?.peakMacsPerClock ?? null;
  const productsPerDsp = Number(target.offload?.config["productsPerDsp"] ?? 1);
  const layers = runs.map((run, i): LayerProfile => {
    const span = plan.layers[i]!;
    const detail = run.cost?.detail;
    const nsPerClock = 1000 / board["pl.clock"];
    const byPart = detail && clocksByPart(detail);
    const fallback: Partial<Record<Part, number>> = run.cost ? { compute: run.cost.clocks } : {};
    const clocks = byPart ?? fallback;
    const timeMs = Object.fromEntries(
      parts.flatMap((part) => {
        const ns =
          part === "cpu" ? span.exposedCpu : ((clocks[part] ?? 0) / (run.cost?.clocks ?? 1)) * span.accelerator;
        return ns > 0 ? [[part, ns * 1e-6]] : [];
      }),
    ) as Partial<Record<Part, number>>;
    const compute = byPart?.compute ?? run.cost?.clocks ?? 0;
    const bounds =
      detail && peak !== null ? boundsOf(detail, { macs: run.layer.macs, peak, compute }, board) : undefined;
    return {
      index: span.index,
      startMs: span.start * 1e-6,
      endMs: span.end * 1e-6,
      timeMs,
      bound: largest(timeMs),
      savesMs: savings(timeMs, bounds, nsPerClock),
      ...(bounds && { bounds, least: lostOf(leastOf(bounds, detail!.streams), run.cost!.clocks) }),
      cpuMs: Object.fromEntries(Object.entries(span.cpu).map(([kind, ns]) => [kind, ns * 1e-6])),
      energy: layerEnergy(run, span, plan, { board, peak, productsPerDsp }),
    };
  });
  const energy = addEnergies(layers.map((layer) => layer.energy));
  return {
    platform: platform.name,
    threads,
    plClockMHz: board["pl.clock"],
    certainty: "estimated",
    latencyMs: plan.total * 1e-6,
    energyJ: totalEnergy(energy),
    energy,
    peakMacsPerClock: peak,
    memoryBytesPerClock: 1000 / board["ddr.read"] / board["pl.clock"],
    layers,
    tracks: plan.intervals.flatMap(({ activity, start, end }) => {
      const { resource, kind, layer } = plan.activities[activity]!;
      return end > start ? [{ track: resource, kind, layer, startMs: start * 1e-6, endMs: end * 1e-6 }] : [];
    }),
  };
}

const lostOf = (least: Least, clocks: number): NonNullable<LayerProfile["least"]> => ({
  ...least,
  lost: clocks - least.clocks,
});

function largest(timeMs: Partial<Record<Part, number>>): Part {
  return parts.reduce<Part>((best, part) => ((timeMs[part] ?? 0) > (timeMs[best] ?? 0) ? part : best), "cpu");
}

/**
 * A part that only made the arithmetic wait would save what it took. Arithmetic itself can at best go down to the greatest
 * bound of the others.
 */
function savings(
  timeMs: Partial<Record<Part, number>>,
  bounds: Bounds | undefined,
  nsPerClock: number,
): Partial<Record<Part, number>> {
  const saves = { ...timeMs };
  if (bounds && saves.compute !== undefined) {
    const others = Math.max(bounds.input, bounds.weights, bounds.output, bounds.postProcessing, bounds.memory);
    saves.compute = Math.max(0, saves.compute - others * nsPerClock * 1e-6);
  }
  return saves;
}

/** Steps of the cells of an array; where there is none, `products`. */
const multiplications = (counters: Counters | undefined, products: number): number =>
  counters && counters.grids.length > 0
    ? counters.grids.reduce((sum, { cellSteps }) => sum + cellSteps, 0)
    : Math.ceil(products);

function layerEnergy(
  { layer, cost }: LayerRun,
  span: LayerSpan,
  plan: NetworkSchedule,
  { board, peak, productsPerDsp }: { board: BoardValues; peak: number | null; productsPerDsp: number },
): Energy {
  const own = plan.activities.filter((activity) => activity.layer === span.index);
  const coreNs = plan.intervals.reduce((sum, { activity, start, end }) => {
    const { layer: index, resource, cores } = plan.activities[activity]!;
    return index === span.index && resource === "cpu" ? sum + (end - start) * cores : sum;
  }, 0);
  const counters = cost?.detail?.counters;
  const luts = (peak ?? 0) * board["pl.lutPerMac"];
  const busy = counters?.processes.map((process) => process.busy) ?? [];
  return energyOf(
    {
      ns: span.end - span.start,
      // While the accelerator works and the processor does not, one core polls.
      coreNs: coreNs + Math.max(0, span.accelerator - coreNs),
      bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
      ...(peak !== null && {
        pl: {
          luts,
          dspOps: cost ? multiplications(counters, layer.macs / productsPerDsp) : 0,
          memoryAccesses: counters?.memories.reduce((sum, { reads, writes }) => sum + reads + writes, 0) ?? 0,
          busyClocks: busy.length > 0 ? busy.reduce((sum, clocks) => sum + clocks, 0) / busy.length : 0,
        },
      }),
    },
    board,
  );
}
