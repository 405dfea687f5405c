/**
 * A plan for layers that run in another order than the network's: every tensor in memory of its own, which the arena's order of life does not
 * govern, and who waits for whom. Made once per plan. Beside it what each layer took before, by which the work is shared out.
 */
import type { TensorArray } from "../graph/tensor.js";
import type { Plan, PlannedLayer } from "./plan.js";

/** A layer, as it is the same in all runs. */
export interface Step {
  readonly index: number;
  readonly layer: PlannedLayer;
  readonly inputs: readonly TensorArray[];
  readonly output: TensorArray;
  /** The layers that make its inputs, and those that take its output. */
  readonly producers: readonly Step[];
  readonly consumers: readonly Step[];
  /** Time that it takes: to be simulated, and on the CPU. */
  readonly simulation: Estimate;
  readonly cpu: Estimate;
}

/** Milliseconds: a guess, then the least that was seen. */
export class Estimate {
  ms: number;
  #unlike: number;
  #seen = false;

  /** The first `unlike` times are not like those that follow. */
  constructor(guess: number, unlike = 0) {
    this.ms = guess;
    this.#unlike = unlike;
  }

  saw(ms: number): void {
    if (this.#unlike-- > 0) return;
    this.ms = this.#seen ? Math.min(this.ms, ms) : ms;
    this.#seen = true;
  }
}

/**
 * How much slower than at its best the machine is just now: what layers took lately over the least that they ever took. All estimates are of its best;
 * so is the time since a layer was begun when it is divided by this. With other work on the machine a layer would else seem to be nearly done that is not.
 */
export class Pace {
  #took = 0;
  #least = 0;

  get factor(): number {
    return this.#least > 0 ? Math.max(1, this.#took / this.#least) : 1;
  }

  saw(ms: number, least: number): void {
    this.#took = FORGET * this.#took + ms;
    this.#least = FORGET * this.#least + least;
  }
}

/** Of what was seen before, with each layer. */
const FORGET = 0.8;

export interface Steps {
  readonly steps: readonly Step[];
  readonly arrays: readonly (TensorArray | undefined)[];
}

/** Of the fast engine and of the CPU's kernels on one core, roughly, per millisecond. */
const SIMULATED = { macs: 1e7, outputs: 1e5 };
const COMPUTED = { macs: 3.5e7, outputs: 1e6 };

const known = new WeakMap<Plan, Steps>();

export function stepsOf(plan: Plan): Steps {
  const found = known.get(plan);
  if (found) return found;
  const { graph, layers } = plan;
  const own = new Set([...graph.inputs, ...graph.operators.flatMap(({ outputs }) => outputs)]);
  const arrays = plan.arrays.map((array, tensor) => (array && own.has(tensor) ? fresh(array) : array));
  const makers = new Map<number, Step & { readonly consumers: Step[] }>();
  const steps = layers.map((layer, index) => {
    const { operator, macs, output } = layer;
    const guess = (rate: typeof SIMULATED): number => macs / rate.macs + output.length / rate.outputs;
    const producers = [...new Set(operator.inputs.flatMap((tensor) => makers.get(tensor) ?? []))];
    const step = {
      index,
      layer,
      inputs: operator.inputs.map((tensor) => arrays[tensor]!),
      output: arrays[operator.outputs[0]!]!,
      producers,
      consumers: [],
      simulation: new Estimate(guess(SIMULATED)),
      // The first time weights are packed, too.
      cpu: new Estimate(guess(COMPUTED), 1),
    };
    for (const producer of producers) producer.consumers.push(step);
    for (const tensor of operator.outputs) makers.set(tensor, step);
    return step;
  });
  const made = { steps, arrays };
  known.set(plan, made);
  return made;
}

/** Memory that nobody has touched takes no time until somebody does. */
function fresh(array: TensorArray): TensorArray {
  const { constructor } = Object.getPrototypeOf(array) as { constructor: new (length: number) => TensorArray };
  return new constructor(array.length);
}

/** Milliseconds of a layer in the simulation, 0 of one that is the CPU's. */
export const simulationOf = ({ layer, simulation }: Step): number => (layer.kernel.ahead ? simulation.ms : 0);
