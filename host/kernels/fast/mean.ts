/** MEAN over neighbouring axes, a run of the kept inner ones at a time. */
import { inputTensor, outputTensor, type Graph, type OperatorOf } from "../../graph/graph.js";
import { elements, viewAs } from "../../graph/tensor.js";
import { clamp, multiplyByQuantisedMultiplier } from "../arithmetic.js";
import { cpu } from "../implementation.js";
import { scaleOf, typeRange } from "../parameters/common.js";
import { meanMultiplier } from "../parameters/elementwise.js";

export const mean = cpu({
  name: "fast",
  operator: "MEAN",
  dtypes: ["uint8", "int8"],
  refuses(graph, operator) {
    const axes = reducedAxes(graph, operator);
    return axes.length > 0 && axes.at(-1)! - axes[0]! === axes.length - 1 ? null : "axes apart from each other";
  },
  prepare(graph, operator) {
    const [input, output] = [inputTensor(graph, operator, 0)!, outputTensor(graph, operator)];
    const axes = reducedAxes(graph, operator);
    const count = elements(input.shape.slice(axes[0], axes.at(-1)! + 1));
    const inner = elements(input.shape.slice(axes.at(-1)! + 1));
    const { multiplier, shift } = meanMultiplier(graph, operator, count);
    const [inputZero, outputZero] = [scaleOf(input).zeroPoint, scaleOf(output).zeroPoint];
    const { min, max } = typeRange(output.dtype as "uint8" | "int8");
    const sums = new Int32Array(inner);

    return ([from], to) => {
      for (let start = 0; start < to.length; start += inner) {
        sums.fill(-inputZero * count);
        for (let i = 0; i < count; i++) {
          const source = start * count + i * inner;
          for (let c = 0; c < inner; c++) sums[c]! += from![source + c]!;
        }
        for (let c = 0; c < inner; c++) {
          to[start + c] = clamp(multiplyByQuantisedMultiplier(sums[c]!, multiplier, shift) + outputZero, min, max);
        }
      }
    };
  },
});

/** In order, each once, counted from the front. */
function reducedAxes(graph: Graph, operator: OperatorOf<"MEAN">): number[] {
  const [input, axes] = [inputTensor(graph, operator, 0)!, inputTensor(graph, operator, 1)!];
  const rank = input.shape.length;
  const given = [...viewAs(axes.data!, axes.dtype)].map((axis) => (Number(axis) + rank) % rank);
  return [...new Set(given)].sort((a, b) => a - b);
}
