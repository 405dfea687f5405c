/**
 * Runs a plan: layer by layer, in order, waiting for those that run elsewhere. Or ahead of them: since a simulated layer takes much
 * longer than the CPU's kernel, and depends on the layers before it by their bytes alone, the CPU computes the bytes and goes on, and
 * several layers are simulated at once. What a simulation gives must be those bytes; if it is not, everything runs again in order.
 */
import type { LayerCost } from "../../driver/accelerator.js";
import { TandemError } from "../../hw/errors.js";
import type { TensorArray } from "../graph/tensor.js";
import { OtherBytes } from "../kernels/implementation.js";
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
  const { jobs = 1 } = options;
  if (jobs <= 1) return inOrder(plan, inputs, options);
  const begin = performance.now();
  try {
    return await ahead(plan, inputs, jobs, options);
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

const setInputs = ({ graph, arrays }: Plan, inputs: readonly Uint8Array[]): void =>
  graph.inputs.forEach((index, i) => {
    asBytes(arrays[index]!).set(inputs[i]!);
  });

const outputsOf = ({ graph, arrays }: Plan): Uint8Array[] =>
  graph.outputs.map((index) => asBytes(arrays[index]!).slice());

async function inOrder(plan: Plan, inputs: readonly Uint8Array[], { onLayer }: RunOptions): Promise<RunResult> {
  setInputs(plan, inputs);
  const begin = performance.now();
  const layers: LayerRun[] = [];
  for (const layer of plan.layers) {
    const start = performance.now();
    const cost = await layer.kernel(layer.inputs, layer.output);
    const run = { layer, cost, wallMs: performance.now() - start };
    layers.push(run);
    onLayer?.(run, asBytes(layer.output));
  }
  return { outputs: outputsOf(plan), layers, wallMs: performance.now() - begin };
}

/** So many layers for each that runs wait with their inputs, lest the inputs of a whole network stand in memory. */
const WAITING = 3;

/** Let messages go out and come in. */
const eventLoop = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });

async function ahead(
  plan: Plan,
  inputs: readonly Uint8Array[],
  jobs: number,
  { onLayer }: RunOptions,
): Promise<RunResult> {
  setInputs(plan, inputs);
  const begin = performance.now();
  const layers: LayerRun[] = [];
  const underWay: Promise<{ run: LayerRun; output: Uint8Array }>[] = [];
  const finishOldest = async (): Promise<void> => {
    const { run, output } = await underWay.shift()!;
    layers.push(run);
    onLayer?.(run, output);
  };
  for (const layer of plan.layers) {
    const start = performance.now();
    const { kernel } = layer;
    const pending = kernel.ahead ? kernel.ahead(layer.inputs, layer.output) : kernel(layer.inputs, layer.output);
    // Where there is no kernel on the CPU, nothing can go ahead of it.
    if (pending && !kernel.ahead) await pending;
    const ranIn = performance.now() - start;
    const output = onLayer ? asBytes(layer.output).slice() : new Uint8Array(0);
    const done = (cost?: LayerCost): { run: LayerRun; output: Uint8Array } => ({
      run: { layer, cost, wallMs: cost?.wallMs ?? ranIn },
      output,
    });
    const finished = pending ? pending.then(done) : Promise.resolve(done());
    // It is waited for in its turn; until then its failure is nobody's.
    finished.catch(() => undefined);
    underWay.push(finished);
    if (pending) await eventLoop();
    if (underWay.length > jobs * WAITING) await finishOldest();
  }
  const outputs = outputsOf(plan);
  while (underWay.length > 0) await finishOldest();
  return { outputs, layers, wallMs: performance.now() - begin };
}

function asBytes(array: TensorArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
