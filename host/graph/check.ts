/**
 * Checks a whole graph before anything is planned or run: indices, order (every tensor is an input, a constant, or
 * written once before it is read), and each operator's shapes and types against its attributes.
 */
import { TandemError } from "../../hw/errors.js";
import { Site, type Check } from "./checks/common.js";
import * as elementwise from "./checks/elementwise.js";
import * as matrix from "./checks/matrix.js";
import * as movement from "./checks/movement.js";
import { describeOperator, type Graph, type OperatorType } from "./graph.js";

const CHECKS: { readonly [T in OperatorType]: Check<T> } = {
  ADD: elementwise.add,
  AVERAGE_POOL_2D: elementwise.pool2d,
  CONCATENATION: movement.concatenation,
  CONV_2D: matrix.conv2d,
  DEPTHWISE_CONV_2D: matrix.depthwiseConv2d,
  DEQUANTIZE: elementwise.dequantize,
  FULLY_CONNECTED: matrix.fullyConnected,
  MAX_POOL_2D: elementwise.pool2d,
  MEAN: elementwise.mean,
  PAD: movement.pad,
  QUANTIZE: elementwise.quantize,
  RESHAPE: movement.reshape,
  SOFTMAX: elementwise.softmax,
};

/** Operators that graphs may hold. */
export const OPERATOR_TYPES = Object.keys(CHECKS) as OperatorType[];

/** @throws TandemError naming the model, the operator and what contradicts what. */
export function checkGraph(graph: Graph): void {
  checkOrder(graph);
  for (const operator of graph.operators) {
    const check = CHECKS[operator.type] as Check<OperatorType>;
    check(new Site(graph, operator));
  }
}

function checkOrder(graph: Graph): void {
  const fail = (problem: string): never => {
    throw new TandemError(`${graph.source}: ${problem}`, { hint: "The model is damaged; fetch or convert it again." });
  };
  const known = (index: number) => Number.isInteger(index) && index >= 0 && index < graph.tensors.length;
  if (graph.inputs.length === 0 || graph.outputs.length === 0) fail("the graph has no input or no output");

  const written = new Set<number>();
  for (const index of graph.inputs) {
    if (!known(index)) fail(`graph input ${index} is not one of ${graph.tensors.length} tensors`);
    if (graph.tensors[index]!.data) fail(`graph input ${index} is a constant`);
    if (written.has(index)) fail(`graph input ${index} is listed twice`);
    written.add(index);
  }
  for (const operator of graph.operators) {
    const where = describeOperator(operator);
    for (const index of operator.inputs) {
      if (index === -1) continue;
      if (!known(index)) fail(`${where} reads tensor ${index} of ${graph.tensors.length}`);
      if (!graph.tensors[index]!.data && !written.has(index))
        fail(`${where} reads tensor ${index} before it is written`);
    }
    for (const index of operator.outputs) {
      if (!known(index)) fail(`${where} writes tensor ${index} of ${graph.tensors.length}`);
      if (graph.tensors[index]!.data || written.has(index)) fail(`${where} writes tensor ${index} a second time`);
      written.add(index);
    }
  }
  for (const index of graph.outputs) {
    if (!known(index) || !written.has(index)) fail(`graph output ${index} is written by no operator`);
  }
}
