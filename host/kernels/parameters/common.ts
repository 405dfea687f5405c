/** What TFLite's `Prepare` functions compute from the scales in a model, shared by all operators. */
import { TandemError } from "../../../hw/errors.js";
import { describeOperator, type Activation, type Graph, type Node } from "../../graph/graph.js";
import type { Tensor } from "../../graph/tensor.js";
import { quantiseMultiplier, roundHalfAway, type QuantisedMultiplier } from "../arithmetic.js";

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Scale and zero point of a tensor of a checked graph that is quantised as a whole. */
export function scaleOf(tensor: Tensor): { scale: number; zeroPoint: number } {
  return { scale: tensor.quantisation!.scales[0]!, zeroPoint: tensor.quantisation!.zeroPoints[0]! };
}

export function typeRange(dtype: "uint8" | "int8"): Range {
  return dtype === "uint8" ? { min: 0, max: 255 } : { min: -128, max: 127 };
}

/** TFLite's `CalculateActivationRangeQuantized`: the fused activation as a range of stored values. */
export function activationRange(activation: Activation, output: Tensor): Range {
  const { min, max } = typeRange(output.dtype as "uint8" | "int8");
  const { scale, zeroPoint } = scaleOf(output);
  // A float32 division, as there.
  const stored = (real: number) => zeroPoint + roundHalfAway(Math.fround(real / scale));
  switch (activation) {
    case "NONE":
      return { min, max };
    case "RELU":
      return { min: Math.max(min, stored(0)), max };
    case "RELU6":
      return { min: Math.max(min, stored(0)), max: Math.min(max, stored(6)) };
    case "RELU_N1_TO_1":
      return { min: Math.max(min, stored(-1)), max: Math.min(max, stored(1)) };
  }
}

/**
 * `real` as multiplier and shift.
 * @throws TandemError naming the operator if `real` is not in `least` to 2^30, where TFLite's kernels fail too.
 */
export function multiplierFor(graph: Graph, operator: Node, real: number, least = 0): QuantisedMultiplier {
  if (!(real >= least && real < 2 ** 30)) {
    const what = `${graph.source}: ${describeOperator(operator)}`;
    throw new TandemError(`${what} has scales that give a multiplier of ${real}; expected ${least} to 2^30`, {
      hint: "The model's quantisation is damaged; convert it again.",
    });
  }
  return quantiseMultiplier(real);
}
