/** MEAN (`reference/reduce.h`, `QuantizedMeanOrSum`): int32 sums, then one multiplier that holds 1 / count. */
import { inputTensor, outputTensor } from "../../graph/graph.js";
import { elements, viewAs } from "../../graph/tensor.js";
import { clamp, multiplyByQuantisedMultiplier } from "../arithmetic.js";
import { cpu } from "../implementation.js";
import { scaleOf, typeRange } from "../parameters/common.js";
import { meanMultiplier } from "../parameters/elementwise.js";

export const mean = cpu({
  name: "reference",
  operator: "MEAN",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const [input, axesTensor, output] = [
      inputTensor(graph, operator, 0)!,
      inputTensor(graph, operator, 1)!,
      outputTensor(graph, operator),
    ];
    const rank = input.shape.length;
    const axes = [...viewAs(axesTensor.data!, axesTensor.dtype)].map((axis) => (Number(axis) + rank) % rank);
    const count = elements(input.shape.filter((_, i) => axes.includes(i)));
    const strides = outputStrides(input.shape, axes);
    const { multiplier, shift } = meanMultiplier(graph, operator, count);
    const [inputZero, outputZero] = [scaleOf(input).zeroPoint, scaleOf(output).zeroPoint];
    const { min, max } = typeRange(output.dtype as "uint8" | "int8");

    return ([from], to) => {
      const sums = new Int32Array(to.length);
      for (let i = 0; i < from!.length; i++) {
        let [rest, target] = [i, 0];
        for (let d = rank - 1; d >= 0; d--) {
          target += (rest % input.shape[d]!) * strides[d]!;
          rest = Math.floor(rest / input.shape[d]!);
        }
        sums[target]! += from![i]!;
      }
      sums.forEach((sum, i) => {
        const scaled = multiplyByQuantisedMultiplier((sum - inputZero * count) | 0, multiplier, shift);
        to[i] = clamp(scaled + outputZero, min, max);
      });
    };
  },
});

/** Step in the output for each dimension of the input; 0 along the axes that are reduced. */
function outputStrides(shape: readonly number[], axes: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(0);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (axes.includes(d)) continue;
    strides[d] = step;
    step *= shape[d]!;
  }
  return strides;
}
