/**
 * Runs a plan: layer by layer, in order, waiting for those that run elsewhere. Or ahead of them: since a simulated layer takes much
 * longer than the CPU's kernel, and depends on the layers before it by their bytes alone, the CPU computes the bytes and goes on, and
 * several layers are simulated at once. What a simulation gives must be those bytes; if it is not, everything runs again in order.
 */
import type { LayerCost } from "../../driver/accelerator.js";
import type { StartedRun } from "../../driver/device.js";
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

/** A layer whose output is known; what it cost perhaps not yet. */
interface UnderWay {
  readonly layer: PlannedLayer;
  readonly started: StartedRun<LayerCost> | undefined;
  readonly finished: Promise<{ readonly run: LayerRun; readonly output: Uint8Array }>;
}

/** So many layers for each that runs wait with their inputs, lest the inputs of a whole network stand in memory. */
const WAITING = 3;

/**
 * Where layers run in workers alone, the CPU goes ahead of all of them. Where this thread simulates as well (`here`), it goes ahead as far as is
 * needed to keep the other threads busy, simulates the rest in order, which gives the bytes without another computation of them, and
 * helps with what the others have not begun.
 */
async function ahead(
  plan: Plan,
  inputs: readonly Uint8Array[],
  jobs: number,
  { onLayer }: RunOptions,
): Promise<RunResult> {
  setInputs(plan, inputs);
  const begin = performance.now();
  const layers: LayerRun[] = [];
  const underWay: UnderWay[] = [];
  const finishOldest = async (): Promise<void> => {
    const { run, output } = await underWay.shift()!.finished;
    layers.push(run);
    if (run.cost) workOf.set(run.layer, run.wallMs);
    onLayer?.(run, output);
  };
  const here = plan.layers.some(({ kernel }) => kernel.here);
  // Work that is left in layers after this one, as far as they can be simulated.
  let left = plan.layers.reduce((sum, layer) => sum + expectedWork(layer), 0);
  for (const layer of plan.layers) {
    const start = performance.now();
    const { kernel } = layer;
    left -= expectedWork(layer);
    const offered = underWay.reduce(
      (sum, each) => sum + (each.started?.finished() === false ? expectedWork(each.layer) : 0),
      0,
    );
    let started: StartedRun<LayerCost> | undefined;
    let cost: LayerCost | undefined;
    // The others have enough to do until this thread has done the rest alone.
    if (!kernel.ahead || (here && offered / (jobs - 1) >= left)) cost = await kernel(layer.inputs, layer.output);
    else started = await kernel.ahead(layer.inputs, layer.output);
    const ranIn = performance.now() - start;
    const output = onLayer ? asBytes(layer.output).slice() : new Uint8Array(0);
    const done = (known?: LayerCost): Awaited<UnderWay["finished"]> => ({
      run: { layer, cost: known, wallMs: known?.wallMs ?? ranIn },
      output,
    });
    const finished = started ? started.result.then(done) : Promise.resolve(done(cost));
    // It is waited for in its turn; until then its failure is nobody's.
    finished.catch(() => undefined);
    underWay.push({ layer, started, finished });
    if (!here && underWay.length > jobs * WAITING) await finishOldest();
  }
  const outputs = outputsOf(plan);
  // From the end, for the others begin at the front.
  for (const { started } of [...underWay].reverse()) started?.help();
  while (underWay.length > 0) await finishOldest();
  return { outputs, layers, wallMs: performance.now() - begin };
}

/** Milliseconds that a layer took to simulate when it last ran. */
const workOf = new WeakMap<PlannedLayer, number>();

/** Work of simulating a layer, to share it out before it is known. */
function expectedWork(layer: PlannedLayer): number {
  if (!layer.kernel.ahead) return 0;
  return workOf.get(layer) ?? layer.macs / MACS_PER_MS + layer.output.length / OUTPUTS_PER_MS;
}

/** Of the fast engine on one core, roughly. */
const MACS_PER_MS = 1e7;
const OUTPUTS_PER_MS = 1e5;

function asBytes(array: TensorArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
