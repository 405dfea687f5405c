/** What TFLite's `Prepare` computes for ADD, SOFTMAX, MEAN and the requantising QUANTIZE. */
import { inputTensor, outputTensor, type Graph, type Node, type OperatorOf } from "../../graph/graph.js";
import type { QuantisedMultiplier } from "../arithmetic.js";
import { activationRange, multiplierFor, scaleOf, type Range } from "./common.js";

/** Bits by which ADD shifts its inputs left, so that rescaling them loses nothing. */
export const ADD_LEFT_SHIFT = 20;

export interface AddParameters {
  readonly zeros: readonly [number, number];
  readonly inputs: readonly [QuantisedMultiplier, QuantisedMultiplier];
  readonly output: QuantisedMultiplier;
  readonly outputZero: number;
  readonly range: Range;
}

export function addParameters(graph: Graph, operator: OperatorOf<"ADD">): AddParameters {
  const [a, b] = [scaleOf(inputTensor(graph, operator, 0)!), scaleOf(inputTensor(graph, operator, 1)!)];
  const output = outputTensor(graph, operator);
  const twiceLargest = 2 * Math.max(a.scale, b.scale);
  return {
    zeros: [a.zeroPoint, b.zeroPoint],
    inputs: [
      multiplierFor(graph, operator, a.scale / twiceLargest),
      multiplierFor(graph, operator, b.scale / twiceLargest),
    ],
    output: multiplierFor(graph, operator, twiceLargest / (2 ** ADD_LEFT_SHIFT * scaleOf(output).scale)),
    outputZero: scaleOf(output).zeroPoint,
    range: activationRange(operator.attributes.activation, output),
  };
}

/** Integer bits of the fixed point difference that goes into the exponential. */
const SCALED_DIFFERENCE_BITS = 5;

export interface SoftmaxParameters {
  readonly multiplier: number;
  readonly leftShift: number;
  /** Differences from the largest input below this one count as zero. */
  readonly smallestDifference: number;
  readonly depth: number;
}

export function softmaxParameters(graph: Graph, operator: OperatorOf<"SOFTMAX">): SoftmaxParameters {
  const input = inputTensor(graph, operator, 0)!;
  const fractionBits = 31 - SCALED_DIFFERENCE_BITS;
  const real = operator.attributes.beta * scaleOf(input).scale * 2 ** fractionBits;
  // TFLite caps the multiplier at 2^31 - 1; a left shift of 31 could not be carried out, so that it is refused here.
  const { multiplier, shift } = multiplierFor(graph, operator, real, 1);
  return {
    multiplier,
    leftShift: shift,
    smallestDifference: -Math.floor(((2 ** SCALED_DIFFERENCE_BITS - 1) * 2 ** fractionBits) / 2 ** shift),
    depth: input.shape.at(-1)!,
  };
}

/** Scale of a mean of `count` values: TFLite folds 1 / count into the multiplier, with as many bits as fit. */
export function meanMultiplier(graph: Graph, operator: Node, count: number): QuantisedMultiplier {
  const [input, output] = [inputTensor(graph, operator, 0)!, outputTensor(graph, operator)];
  const { multiplier, shift } = multiplierFor(graph, operator, scaleOf(input).scale / scaleOf(output).scale);
  const extra = Math.min(31 - Math.clz32(count), 31 + shift);
  // At most 2^63: beyond a double, so in BigInt.
  return { multiplier: Number((BigInt(multiplier) << BigInt(extra)) / BigInt(count)), shift: shift - extra };
}

/** Multiplier from the scale of the input to that of the output. */
export function rescale(graph: Graph, operator: Node): QuantisedMultiplier {
  const [input, output] = [inputTensor(graph, operator, 0)!, outputTensor(graph, operator)];
  return multiplierFor(graph, operator, scaleOf(input).scale / scaleOf(output).scale);
}
