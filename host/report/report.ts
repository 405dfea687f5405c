/** The report of a run: the object that `--json` writes (docs/report.schema.json) and that the tables are made from. */
import { createHash } from "node:crypto";
import type { Graph } from "../graph/graph.js";
import { ACCELERATOR } from "../backends/accelerator.js";
import type { RunResult } from "../runtime/executor.js";
import type { Target } from "../targets.js";
import type { Profile } from "./profile.js";

export interface LayerReport {
  readonly index: number;
  /** Name of the output tensor. */
  readonly name: string;
  readonly operator: string;
  /** `cpu`, or the design's name. */
  readonly on: string;
  /** Which implementation ran it: `fast`, `reference`, `accelerator`. */
  readonly implementation: string;
  /** Why it did not run where it was wanted most. */
  readonly reason?: string;
  /** Of the output. */
  readonly shape: readonly number[];
  readonly macs: number;
  readonly clocks?: number;
  readonly macPerClock?: number;
  readonly bytesIn?: number;
  readonly bytesOut?: number;
  readonly stalls?: Readonly<Record<string, number>>;
  readonly wallMs: number;
}

export interface Report {
  /** Version of Tandem. */
  readonly tandem: string;
  /** The model's file name. */
  readonly model: string;
  /** Null on the CPU. */
  readonly design: string | null;
  readonly config: Readonly<Record<string, number | boolean | string>>;
  readonly engine: string;
  readonly level: string | null;
  readonly output: readonly { readonly shape: readonly number[]; readonly dtype: string; readonly sha256: string }[];
  /** Sum over the layers on the accelerator. `exact` is false as soon as one clock is an estimate. */
  readonly clocks: { readonly total: number; readonly exact: boolean; readonly estimates: number };
  readonly macs: number;
  readonly offloadedMacs: number;
  readonly layers: readonly LayerReport[];
  readonly wallMs: number;
  /**
   * On a board: its predicted latency over the wall time in which the network was simulated here, CPU layers included; above
   * 1 the simulation is faster than the board. What the fast engine takes to record it for `--report` is left out. `jobs` layers were
   * simulated at once.
   */
  readonly realTime?: {
    readonly boardMs: number;
    readonly wallMs: number;
    readonly factor: number;
    readonly jobs: number;
  };
  /** On a board: times, bounds and energy; absent where memory and DMA were ideal. */
  readonly profile?: Profile;
}

export function makeReport(
  version: string,
  graph: Graph,
  target: Target,
  result: RunResult,
  profile: Profile | null = null,
): Report {
  const layers = result.layers.map(({ layer, cost, wallMs }): LayerReport => {
    const offloaded = layer.implementation.name === ACCELERATOR;
    return {
      index: layer.operator.index,
      name: layer.name,
      operator: layer.operator.type,
      on: offloaded ? (target.offload?.design ?? ACCELERATOR) : "cpu",
      implementation: layer.implementation.name,
      ...(layer.reason === undefined ? {} : { reason: layer.reason }),
      shape: graph.tensors[layer.operator.outputs[0]!]!.shape,
      macs: layer.macs,
      ...(cost && {
        clocks: cost.clocks,
        macPerClock: cost.clocks > 0 ? layer.macs / cost.clocks : 0,
        bytesIn: cost.bytesIn,
        bytesOut: cost.bytesOut,
        stalls: cost.stalls,
      }),
      wallMs,
    };
  });
  const costs = result.layers.flatMap(({ cost }) => cost ?? []);
  const recording = costs.reduce((total, { detail }) => total + (detail?.timeline?.recordingMs ?? 0), 0);
  // Recordings of layers that are simulated at once are made at once too.
  const simulated = result.wallMs - recording / (target.jobs ?? 1);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    tandem: version,
    model: graph.source,
    design: target.offload?.design ?? null,
    config: target.offload?.config ?? {},
    engine: target.engine,
    level: target.level,
    output: graph.outputs.map((index, i) => ({
      shape: graph.tensors[index]!.shape,
      dtype: graph.tensors[index]!.dtype,
      sha256: createHash("sha256").update(result.outputs[i]!).digest("hex"),
    })),
    clocks: {
      total: sum(costs.map(({ clocks }) => clocks)),
      exact: costs.every(({ exact }) => exact),
      estimates: sum(costs.map(({ estimates }) => estimates)),
    },
    macs: sum(layers.map(({ macs }) => macs)),
    offloadedMacs: sum(layers.filter(({ on }) => on !== "cpu").map(({ macs }) => macs)),
    layers,
    wallMs: result.wallMs,
    ...(profile &&
      target.offload && {
        realTime: {
          boardMs: profile.latencyMs,
          wallMs: simulated,
          factor: profile.latencyMs / simulated,
          jobs: target.jobs ?? 1,
        },
      }),
    ...(profile && { profile }),
  };
}
