/** Runs a plan: layer by layer, in order, waiting for those that run elsewhere. */
import type { LayerCost } from "../../driver/accelerator.js";
import { TandemError } from "../../hw/errors.js";
import type { TensorArray } from "../graph/tensor.js";
import type { Plan, PlannedLayer } from "./plan.js";

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
  readonly wallMs: number;
}

export interface RunOptions {
  /** Called after each layer. `output` is valid during the call only: the arena is reused. */
  readonly onLayer?: (run: LayerRun, output: Uint8Array) => void;
}

/**
 * `inputs` are the bytes of the graph's inputs, in their order, little-endian.
 * @throws TandemError if their number or sizes are not the model's.
 */
export async function execute(plan: Plan, inputs: readonly Uint8Array[], options: RunOptions = {}): Promise<RunResult> {
  const { graph, arrays } = plan;
  if (inputs.length !== graph.inputs.length) {
    throw new TandemError(`${graph.source}: ${inputs.length} inputs given; expected ${graph.inputs.length}`);
  }
  graph.inputs.forEach((index, i) => {
    const [target, given] = [asBytes(arrays[index]!), inputs[i]!];
    if (given.length !== target.length) {
      const shape = graph.tensors[index]!.shape.join(", ");
      throw new TandemError(
        `${graph.source}: input ${i} has ${given.length} bytes; expected ${target.length} for shape [${shape}]`,
      );
    }
    target.set(given);
  });

  const begin = performance.now();
  const layers: LayerRun[] = [];
  for (const layer of plan.layers) {
    const start = performance.now();
    const cost = await layer.kernel(layer.inputs, layer.output);
    const run = { layer, cost, wallMs: performance.now() - start };
    layers.push(run);
    options.onLayer?.(run, asBytes(layer.output));
  }
  return {
    outputs: graph.outputs.map((index) => asBytes(arrays[index]!).slice()),
    layers,
    wallMs: performance.now() - begin,
  };
}

function asBytes(array: TensorArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
