/**
 * Networks on the board in every way that SECDA's evaluation has them: the processor alone and with each design, on one and on two
 * threads. On the fast engine each network runs as a whole, twice: the first run in a process and one that finds everything warm. Elsewhere only
 * the accelerator's layers are simulated, once, and layers of one geometry once: the clocks of a design do not depend on the data. Nothing
 * here is an answer of a network; `tandem verify` checks those.
 */
import type { LayerCost } from "../../driver/accelerator.js";
import type { Threads } from "../../sim/platform/cpu.js";
import type { Platform } from "../../sim/platform/platform.js";
import { ACCELERATOR } from "../backends/accelerator.js";
import { inputTensors, outputTensor, type Graph } from "../graph/graph.js";
import { byteLength } from "../graph/tensor.js";
import { execute, type LayerRun, type RunResult } from "../runtime/executor.js";
import { makePlan, type Plan, type PlannedLayer } from "../runtime/plan.js";
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
  /** Layers that were simulated at once. */
  readonly jobs: number;
  /** Wall time in which it was simulated for the first time. */
  readonly simulationMs: number;
  /** And again, CPU layers included; null where only layers of different geometry were simulated, once. */
  readonly againMs: number | null;
  /** Latency over the latter, or over the former where it is null. */
  readonly realTimeFactor: number | null;
}

interface Simulated {
  readonly runs: readonly LayerRun[];
  readonly firstMs: number;
  readonly againMs: number | null;
}

/** The network as it is, on an input of zeros. */
async function simulateWhole(graph: Graph, plan: Plan, { jobs, onLayer }: WholeOptions): Promise<Simulated> {
  const inputs = graph.inputs.map((index) => new Uint8Array(byteLength(graph.tensors[index]!)));
  const run = (): Promise<RunResult> => execute(plan, inputs, { jobs, onLayer: ({ layer }) => onLayer?.(layer) });
  const first = await run();
  const again = await run();
  return { runs: again.layers, firstMs: first.wallMs, againMs: again.wallMs };
}

interface WholeOptions {
  readonly jobs: number;
  readonly onLayer: EvaluateOptions["onLayer"];
}

/** The layers of an accelerator, one of each geometry; all at once, as far as the target has room. */
async function simulateDifferent(graph: Graph, plan: Plan, onLayer: EvaluateOptions["onLayer"]): Promise<Simulated> {
  const start = performance.now();
  const offloaded = plan.layers.filter(({ implementation }) => implementation.name === ACCELERATOR);
  const different = new Map(offloaded.map((layer) => [geometry(graph, layer), layer]));
  const simulated = await Promise.all(
    [...different].map(async ([key, layer]) => {
      const cost = (await layer.kernel(layer.inputs, layer.output))!;
      onLayer?.(layer);
      return [key, cost] as const;
    }),
  );
  const costs = new Map<string, LayerCost>(simulated);
  const runs = plan.layers.map((layer): LayerRun => ({
    layer,
    cost: offloaded.includes(layer) ? costs.get(geometry(graph, layer))! : undefined,
    wallMs: 0,
  }));
  return { runs, firstMs: offloaded.length > 0 ? performance.now() - start : 0, againMs: null };
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
  const simulated =
    target.engine === "fast"
      ? await simulateWhole(graph, plan, { jobs: target.jobs ?? 1, onLayer })
      : await simulateDifferent(graph, plan, onLayer);
  return ([1, 2] as const).map((threads) => {
    const profile = makeProfile({ graph, runs: simulated.runs, target, platform, threads })!;
    return summary(graph, target, profile, simulated);
  });
}

function summary(graph: Graph, target: Target, profile: Profile, { runs, firstMs, againMs }: Simulated): Evaluation {
  const wallMs = againMs ?? firstMs;
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
    jobs: target.jobs ?? 1,
    simulationMs: firstMs,
    againMs,
    realTimeFactor: wallMs > 0 ? profile.latencyMs / wallMs : null,
  };
}
