/**
 * Chooses an implementation for every layer, by name and in order of preference, and prepares it: weights packed, arena
 * laid out. A plan is made once and run many times (`host/runtime/executor.ts`).
 */
import { TandemError } from "../../hw/errors.js";
import { macs } from "../graph/costs.js";
import { describeOperator, outputTensor, type Graph, type Operator } from "../graph/graph.js";
import { viewAs, type TensorArray } from "../graph/tensor.js";
import type { Implementation, Kernel } from "../kernels/implementation.js";
import { planArena, type ArenaPlan } from "./arena.js";

export interface PlanOptions {
  readonly implementations: readonly Implementation[];
  /** Names of implementations, the most wanted first: `["fast", "reference"]`. */
  readonly prefer: readonly string[];
  /** Names for single layers, by operator index, or for all layers of an operator type; they come before `prefer`. */
  readonly layers?: Readonly<Record<string, string>>;
}

export interface PlannedLayer {
  readonly operator: Operator;
  /** Name of the layer's output tensor. */
  readonly name: string;
  readonly implementation: Implementation;
  /** Why the most wanted implementation does not run it; undefined if it does. */
  readonly reason: string | undefined;
  readonly macs: number;
  readonly inputs: readonly TensorArray[];
  readonly output: TensorArray;
  readonly kernel: Kernel;
}

export interface Plan {
  readonly graph: Graph;
  readonly arena: ArenaPlan;
  readonly layers: readonly PlannedLayer[];
  /** Views of all tensors: constants in the model's bytes, the rest in the arena. */
  readonly arrays: readonly (TensorArray | undefined)[];
}

/** @throws TandemError if a layer has no implementation, or its scales cannot be represented. */
export function makePlan(graph: Graph, options: PlanOptions): Plan {
  const arena = planArena(graph);
  const block = new ArrayBuffer(arena.bytes);
  const arrays = graph.tensors.map((tensor) => {
    if (tensor.data) return viewAs(tensor.data, tensor.dtype);
    const placement = arena.placements.get(tensor.index);
    if (placement === undefined) return undefined;
    // The placement is rounded up to the alignment; the view is not.
    const whole = viewAs(new Uint8Array(block, placement.offset, placement.bytes), tensor.dtype);
    return whole.subarray(
      0,
      tensor.shape.reduce((product, size) => product * size, 1),
    );
  });
  const layers = graph.operators.map((operator) => {
    const { implementation, reason } = choose(graph, operator, options);
    return {
      operator,
      name: outputTensor(graph, operator).name,
      implementation,
      reason,
      macs: macs(graph, operator),
      inputs: operator.inputs.map((index) => arrays[index]!),
      output: arrays[operator.outputs[0]!]!,
      kernel: implementation.prepare(graph, operator),
    };
  });
  return { graph, arena, layers, arrays };
}

function choose(graph: Graph, operator: Operator, options: PlanOptions) {
  const { implementations, prefer, layers = {} } = options;
  const wanted = layers[operator.index] ?? layers[operator.type];
  let reason: string | undefined;
  for (const name of wanted === undefined ? prefer : [wanted, ...prefer]) {
    const named = implementations.filter((each) => each.name === name);
    const candidates = named.filter((each) => each.operator === operator.type);
    for (const implementation of candidates) {
      const refusal = implementation.refuses(graph, operator);
      if (refusal === null) return { implementation, reason };
      reason ??= refusal;
    }
    if (candidates.length === 0) reason ??= absent(name, named, operator);
  }
  throw new TandemError(`${graph.source}: nothing runs ${describeOperator(operator)}: ${reason ?? "no name given"}`, {
    hint: `Let it fall back to one of ${[...new Set(implementations.map((each) => each.name))].join(", ")}.`,
  });
}

/** Why a name has nothing for an operator: nothing at all, or other operators only. */
function absent(name: string, named: readonly Implementation[], operator: Operator): string {
  const types = [...new Set(named.map((each) => each.operator))];
  return types.length > 0 && types.length < 3 ? `${name} runs ${types.join(", ")} only` : `no ${name} ${operator.type}`;
}

/** The bytes of an array, in the machine's order, which is little-endian. */
export const asBytes = (array: TensorArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Put a network's inputs where `arrays` has them. */
export const setInputs = (graph: Graph, arrays: Plan["arrays"], inputs: readonly Uint8Array[]): void =>
  graph.inputs.forEach((index, i) => {
    asBytes(arrays[index]!).set(inputs[i]!);
  });

/** Copies of a network's outputs. */
export const outputsOf = (graph: Graph, arrays: Plan["arrays"]): Uint8Array[] =>
  graph.outputs.map((index) => asBytes(arrays[index]!).slice());
