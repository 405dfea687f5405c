/** MEAN over neighbouring axes, a run of the kept inner ones at a time. */
import { inputTensor, outputTensor, type Graph, type OperatorOf } from "../../graph/graph.js";
import { elements, viewAs } from "../../graph/tensor.js";
import type { QuantisedMultiplier } from "../arithmetic.js";
import { bytesOf, cpu } from "../implementation.js";
import { scaleOf, typeRange } from "../parameters/common.js";
import { meanMultiplier } from "../parameters/elementwise.js";
import { openMean } from "./mean-simd.js";
import { equalChannels, LANES, requantisesInSimd, TABLE_BYTES, writeTables } from "./requantise-simd.js";

export const mean = cpu({
  name: "fast",
  operator: "MEAN",
  dtypes: ["uint8", "int8"],
  refuses(graph, operator) {
    const axes = reducedAxes(graph, operator);
    if (axes.length === 0 || axes.at(-1)! - axes[0]! !== axes.length - 1) return "axes apart from each other";
    return requantisesInSimd(equalChannels(parametersOf(graph, operator))) ? null : "a shift of more than 31 bits";
  },
  prepare(graph, operator) {
    const [input, output] = [inputTensor(graph, operator, 0)!, outputTensor(graph, operator)];
    const { count, inner, multiplier, shift } = parametersOf(graph, operator);
    const [inputZero, outputZero] = [scaleOf(input).zeroPoint, scaleOf(output).zeroPoint];
    const { min, max } = typeRange(output.dtype as "uint8" | "int8");
    const tables = new Uint8Array(LANES * TABLE_BYTES);
    writeTables(tables, equalChannels({ multiplier, shift }), LANES);

    return ([from], to) => {
      if (to.length === 0) return;
      const { functions, room } = openMean();
      const [source, target] = [tables.length, tables.length + from!.length + LANES];
      const bytes = room(target + to.length + LANES);
      bytes.set(tables);
      bytes.set(bytesOf(from!), source);
      const run = functions[input.dtype as "int8" | "uint8"];
      for (let at = 0; at < to.length; at += inner)
        run(source + at * count, target + at, count, inner, -inputZero * count, 0, outputZero, min, max);
      bytesOf(to).set(bytes.subarray(target, target + to.length));
    };
  },
});

/** `count` runs of `inner` elements are added up, and the sum is multiplied. */
function parametersOf(
  graph: Graph,
  operator: OperatorOf<"MEAN">,
): QuantisedMultiplier & { count: number; inner: number } {
  const { shape } = inputTensor(graph, operator, 0)!;
  const axes = reducedAxes(graph, operator);
  const count = elements(shape.slice(axes[0], axes.at(-1)! + 1));
  const inner = elements(shape.slice(axes.at(-1)! + 1));
  return { count, inner, ...meanMultiplier(graph, operator, count) };
}

/** In order, each once, counted from the front. */
function reducedAxes(graph: Graph, operator: OperatorOf<"MEAN">): number[] {
  const [input, axes] = [inputTensor(graph, operator, 0)!, inputTensor(graph, operator, 1)!];
  const rank = input.shape.length;
  const given = [...viewAs(axes.data!, axes.dtype)].map((axis) => (Number(axis) + rank) % rank);
  return [...new Set(given)].sort((a, b) => a - b);
}
