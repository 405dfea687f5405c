/**
 * Runs a plan: layer by layer, in order, waiting for those that run elsewhere; or several at once (ahead.ts), where the CPU computes
 * the bytes of some layers before they are simulated. What a simulation gives must be those bytes; if it is not, everything runs again in order.
 */
import type { LayerCost } from "../../driver/accelerator.js";
import { TandemError } from "../../hw/errors.js";
import { OtherBytes } from "../kernels/implementation.js";
import { runAhead } from "./ahead.js";
import { asBytes, outputsOf, setInputs, type Plan, type PlannedLayer } from "./plan.js";

export interface LayerRun {
  readonly layer: PlannedLayer;
  /** What it cost on the accelerator; undefined if it ran on the CPU. */
  readonly cost: LayerCost | undefined;
  readonly wallMs: number;
}

export interface RunResult {
  /** Bytes of the graph's outputs, in their order, little-endian. */
  readonly outputs: readonly Uint8Array[];
  readonly layers: readonly LayerRun[];
  /** From the inputs to the outputs: programs are loaded and designs compiled before. */
  readonly wallMs: number;
  /** A layer that gave other bytes than the CPU's kernel, so that all layers ran in order. */
  readonly differs?: string;
}

export interface RunOptions {
  /**
   * Called after each layer, in their order. `output` is valid during the call only: the arena is reused. From the first layer on
   * again if layers that ran ahead have to run in order.
   */
  readonly onLayer?: (run: LayerRun, output: Uint8Array) => void;
  /** Layers that may run elsewhere at once; 1 unless said otherwise. */
  readonly jobs?: number;
}

/**
 * `inputs` are the bytes of the graph's inputs, in their order, little-endian.
 * @throws TandemError if their number or sizes are not the model's.
 */
export async function execute(plan: Plan, inputs: readonly Uint8Array[], options: RunOptions = {}): Promise<RunResult> {
  checkInputs(plan, inputs);
  for (const { kernel } of plan.layers) await kernel.ready?.();
  const { jobs = 1 } = options;
  if (jobs <= 1) return inOrder(plan, inputs, options);
  const begin = performance.now();
  try {
    return await runAhead(plan, inputs, jobs, options);
  } catch (error) {
    if (!(error instanceof OtherBytes)) throw error;
    const result = await inOrder(plan, inputs, options);
    return { ...result, differs: error.message, wallMs: performance.now() - begin };
  }
}

function checkInputs({ graph, arrays }: Plan, inputs: readonly Uint8Array[]): void {
  if (inputs.length !== graph.inputs.length)
    throw new TandemError(`${graph.source}: ${inputs.length} inputs given; expected ${graph.inputs.length}`);
  graph.inputs.forEach((index, i) => {
    const [expected, given] = [asBytes(arrays[index]!).length, inputs[i]!.length];
    if (given === expected) return;
    const shape = graph.tensors[index]!.shape.join(", ");
    throw new TandemError(`${graph.source}: input ${i} has ${given} bytes; expected ${expected} for shape [${shape}]`);
  });
}

async function inOrder(plan: Plan, inputs: readonly Uint8Array[], { onLayer }: RunOptions): Promise<RunResult> {
  setInputs(plan.graph, plan.arrays, inputs);
  const begin = performance.now();
  const layers: LayerRun[] = [];
  for (const layer of plan.layers) {
    const start = performance.now();
    const cost = await layer.kernel(layer.inputs, layer.output);
    const run = { layer, cost, wallMs: performance.now() - start };
    layers.push(run);
    onLayer?.(run, asBytes(layer.output));
  }
  return { outputs: outputsOf(plan.graph, plan.arrays), layers, wallMs: performance.now() - begin };
}
