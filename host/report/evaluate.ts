/**
 * Networks on the board in every way that SECDA's evaluation has them: the processor alone and with each design, on one and on two
 * threads. Only the accelerator's layers are simulated, and layers of one geometry once: the clocks of a design do not
 * depend on the data. Nothing here is an answer of a network; `tandem verify` checks those.
 */
import type { LayerCost } from "../../driver/accelerator.js";
import type { Threads } from "../../sim/platform/cpu.js";
import type { Platform } from "../../sim/platform/platform.js";
import { ACCELERATOR } from "../backends/accelerator.js";
import { inputTensors, outputTensor, type Graph } from "../graph/graph.js";
import type { LayerRun } from "../runtime/executor.js";
import { makePlan, type PlannedLayer } from "../runtime/plan.js";
import type { Target } from "../targets.js";
import { makeProfile, type Profile } from "./profile.js";

export interface Evaluation {
  readonly model: string;
  /** Null: the processor alone. */
  readonly design: string | null;
  readonly threads: Threads;
  readonly latencyMs: number;
  /** Of it, convolutions (depthwise ones too), and everything else. */
  readonly convMs: number;
  readonly otherMs: number;
  readonly energyMilliJ: number;
  /** Of the accelerator: clocks, and MACs / (peak x clocks) over its layers. */
  readonly clocks: number;
  readonly utilisation: number | null;
  /** Wall time in which its accelerator's layers were simulated, layers of one geometry once; and latency over it. */
  readonly simulationMs: number;
  readonly realTimeFactor: number | null;
}

interface Simulated {
  /** Costs by geometry. */
  readonly costs: ReadonlyMap<string, LayerCost>;
  /** Wall time of all of them. */
  readonly ms: number;
}

/** The layers of an accelerator, one of each geometry; all at once, as far as the target has room. */
async function simulate(
  graph: Graph,
  layers: readonly PlannedLayer[],
  onLayer?: EvaluateOptions["onLayer"],
): Promise<Simulated> {
  if (layers.length === 0) return { costs: new Map(), ms: 0 };
  const start = performance.now();
  const different = new Map(layers.map((layer) => [geometry(graph, layer), layer]));
  const costs = await Promise.all(
    [...different].map(async ([key, layer]) => {
      const cost = (await layer.kernel(layer.inputs, layer.output))!;
      onLayer?.(layer);
      return [key, cost] as const;
    }),
  );
  return { costs: new Map(costs), ms: performance.now() - start };
}

function geometry(graph: Graph, { operator }: PlannedLayer): string {
  const tensors = [...inputTensors(graph, operator), outputTensor(graph, operator)];
  return JSON.stringify([operator.type, operator.attributes, tensors.map(({ shape, dtype }) => [shape, dtype])]);
}

export interface EvaluateOptions {
  readonly platform: Platform;
  readonly onLayer?: (layer: PlannedLayer) => void;
}

/** One network on one target, for one and two threads. */
export async function evaluateNetwork(
  graph: Graph,
  target: Target,
  { platform, onLayer }: EvaluateOptions,
): Promise<Evaluation[]> {
  const { implementations, prefer } = target;
  const plan = makePlan(graph, { implementations, prefer });
  const offloaded = plan.layers.filter(({ implementation }) => implementation.name === ACCELERATOR);
  const { costs, ms } = await simulate(graph, offloaded, onLayer);
  const runs = plan.layers.map((layer): LayerRun => ({
    layer,
    cost: offloaded.includes(layer) ? costs.get(geometry(graph, layer))! : undefined,
    wallMs: 0,
  }));
  return ([1, 2] as const).map((threads) => {
    const profile = makeProfile({ graph, runs, target, platform, threads })!;
    return summary(graph, runs, target, profile, ms);
  });
}

function summary(
  graph: Graph,
  runs: readonly LayerRun[],
  target: Target,
  profile: Profile,
  simulationMs: number,
): Evaluation {
  const conv = profile.layers.reduce((sum, { startMs, endMs }, i) => {
    return /CONV_2D/.test(runs[i]!.layer.operator.type) ? sum + endMs - startMs : sum;
  }, 0);
  const offloaded = runs.filter(({ cost }) => cost);
  const clocks = offloaded.reduce((sum, { cost }) => sum + cost!.clocks, 0);
  const macs = offloaded.reduce((sum, { layer }) => sum + layer.macs, 0);
  const peak = profile.peakMacsPerClock;
  return {
    model: graph.source,
    design: target.offload?.design ?? null,
    threads: profile.threads,
    latencyMs: profile.latencyMs,
    convMs: conv,
    otherMs: profile.latencyMs - conv,
    energyMilliJ: profile.energyJ * 1e3,
    clocks,
    utilisation: peak !== null && clocks > 0 ? macs / clocks / peak : null,
    simulationMs,
    realTimeFactor: simulationMs > 0 ? profile.latencyMs / simulationMs : null,
  };
}
