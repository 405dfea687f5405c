/** Static costs of operators: multiply-accumulates and parameters. */
import { inputTensor, outputTensor, type Graph, type Node } from "./graph.js";
import { elements } from "./tensor.js";

/** Multiply-accumulates, every tap of every output counted, padding included; 0 for operators without weights. */
export function macs(graph: Graph, operator: Node): number {
  switch (operator.type) {
    case "CONV_2D":
    case "FULLY_CONNECTED": {
      const weights = inputTensor(graph, operator, 1)!.shape;
      return elements(outputTensor(graph, operator).shape) * elements(weights.slice(1));
    }
    case "DEPTHWISE_CONV_2D": {
      const [, height, width] = inputTensor(graph, operator, 1)!.shape as [number, number, number];
      return elements(outputTensor(graph, operator).shape) * height * width;
    }
    default:
      return 0;
  }
}

/** Weights and biases of an operator, in elements. */
export function parameters(graph: Graph, operator: Node): number {
  if (!["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"].includes(operator.type)) return 0;
  return [1, 2].reduce((sum, i) => {
    const tensor = inputTensor(graph, operator, i);
    return sum + (tensor?.data ? elements(tensor.shape) : 0);
  }, 0);
}
