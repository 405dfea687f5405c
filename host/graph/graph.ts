/**
 * The graph that the runtime executes: tensors, and operators in execution order. Operators and attributes carry TFLite's
 * names and meaning; layout is NHWC. Models of every format become this.
 */
import type { Tensor } from "./tensor.js";

export type Padding = "SAME" | "VALID";
export type Activation = "NONE" | "RELU" | "RELU_N1_TO_1" | "RELU6";

type NoAttributes = Readonly<Record<string, never>>;

/** Attributes of each operator; what is an input tensor in TFLite (axes, paddings) stays an input. */
export interface Attributes {
  CONV_2D: {
    padding: Padding;
    strideHeight: number;
    strideWidth: number;
    dilationHeight: number;
    dilationWidth: number;
    activation: Activation;
  };
  DEPTHWISE_CONV_2D: Attributes["CONV_2D"];
  FULLY_CONNECTED: { activation: Activation; keepDims: boolean };
  AVERAGE_POOL_2D: {
    padding: Padding;
    strideHeight: number;
    strideWidth: number;
    filterHeight: number;
    filterWidth: number;
    activation: Activation;
  };
  MAX_POOL_2D: Attributes["AVERAGE_POOL_2D"];
  ADD: { activation: Activation };
  CONCATENATION: { axis: number; activation: Activation };
  SOFTMAX: { beta: number };
  RESHAPE: NoAttributes;
  PAD: NoAttributes;
  MEAN: { keepDims: boolean };
  QUANTIZE: NoAttributes;
  DEQUANTIZE: NoAttributes;
}

export type OperatorType = keyof Attributes;

/** What all operators have. `inputs` holds tensor indices, -1 for an optional one that is absent. */
export interface Node {
  readonly index: number;
  readonly type: OperatorType;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** An operator of one type. */
export interface OperatorOf<T extends OperatorType> extends Node {
  readonly type: T;
  readonly attributes: Readonly<Attributes[T]>;
}
export type Operator = { [T in OperatorType]: OperatorOf<T> }[OperatorType];

export interface Graph {
  /** Where it came from, for messages: the file's name. */
  readonly source: string;
  readonly tensors: readonly Tensor[];
  readonly operators: readonly Operator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** The tensor at position `i` of an operator's inputs, or undefined where it is absent. */
export function inputTensor(graph: Graph, operator: Node, i: number): Tensor | undefined {
  return graph.tensors[operator.inputs[i] ?? -1];
}

/** Inputs 0 to `n - 1`, all present. The checks of a loaded graph have established that. */
export function inputTensors(graph: Graph, operator: Node): Tensor[] {
  return operator.inputs.flatMap((index) => graph.tensors[index] ?? []);
}

/** The first output; every supported operator has exactly one. */
export function outputTensor(graph: Graph, operator: Node): Tensor {
  return graph.tensors[operator.outputs[0]!]!;
}

/** How an operator is called in tables and messages. */
export function describeOperator(operator: { index: number; type: string }): string {
  return `operator ${operator.index} (${operator.type})`;
}
