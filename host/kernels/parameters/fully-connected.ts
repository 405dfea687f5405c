/**
 * Parameters of FULLY_CONNECTED. Unlike convolutions, its current reference kernel (TFLite 2.21,
 * `reference/integer_ops/fully_connected.h`) scales the sums in double precision and rounds once, ties away from zero:
 * `round(sum * (inputScale * weightScale / outputScale))`. Fixed point with double rounding differs from that in ties.
 */
import { inputTensor, outputTensor, type Graph, type OperatorOf } from "../../graph/graph.js";
import { elements, viewAs } from "../../graph/tensor.js";
import { roundHalfAway } from "../arithmetic.js";
import { activationRange, multiplierFor, scaleOf, type Range } from "./common.js";

export interface FullyConnectedLayer {
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** `[outChannels][inChannels]`, as stored. */
  readonly weights: Int8Array | Uint8Array;
  /** `[outChannels]`. */
  readonly bias: Int32Array;
  readonly inputZero: number;
  readonly weightZero: number;
  readonly outputZero: number;
  /** `[outChannels]` real multipliers of the sums. */
  readonly scales: Float64Array;
  readonly range: Range;
}

export function fullyConnectedLayer(graph: Graph, operator: OperatorOf<"FULLY_CONNECTED">): FullyConnectedLayer {
  const [input, weights, bias] = [
    inputTensor(graph, operator, 0)!,
    inputTensor(graph, operator, 1)!,
    inputTensor(graph, operator, 2),
  ];
  const output = outputTensor(graph, operator);
  const [outChannels, inChannels] = weights.shape as [number, number];
  const { scales, zeroPoints } = weights.quantisation!;
  return {
    batch: elements(input.shape) / inChannels,
    inChannels,
    outChannels,
    weights: viewAs(weights.data!, weights.dtype) as Int8Array | Uint8Array,
    bias: bias ? (viewAs(bias.data!, "int32") as Int32Array) : new Int32Array(outChannels),
    inputZero: scaleOf(input).zeroPoint,
    weightZero: zeroPoints[0]!,
    outputZero: scaleOf(output).zeroPoint,
    scales: Float64Array.from({ length: outChannels }, (_, c) => {
      const real = (scaleOf(input).scale * (scales[c] ?? scales[0]!)) / scaleOf(output).scale;
      // TFLite's Prepare turns it into fixed point all the same, and fails where that fails.
      multiplierFor(graph, operator, real);
      return real;
    }),
    range: activationRange(operator.attributes.activation, output),
  };
}

/** From the sum of one output, bias included, to its stored value. */
export function scaleSum(layer: FullyConnectedLayer, channel: number, sum: number): number {
  const { scales, outputZero, range } = layer;
  const value = roundHalfAway(sum * scales[channel]!) + outputZero;
  return value < range.min ? range.min : value > range.max ? range.max : value;
}
