/** AVERAGE_POOL_2D and MAX_POOL_2D (`reference/pooling.h`, `reference/integer_ops/pooling.h`). */
import { inputTensor, outputTensor, type Graph, type OperatorOf } from "../../graph/graph.js";
import { slide } from "../../graph/window.js";
import { clamp } from "../arithmetic.js";
import { cpu, type Bytes, type Implementation } from "../implementation.js";
import { activationRange } from "../parameters/common.js";

type Pool = "AVERAGE_POOL_2D" | "MAX_POOL_2D";

/** `get(i)` for i below `count` are the values of one channel under the filter, padding left out. */
type Reduce = (get: (i: number) => number, count: number) => number;

/** Mean of the pixels that are there, ties away from zero. */
const average: Reduce = (get, count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += get(i);
  const half = Math.floor(count / 2);
  return Math.trunc((sum > 0 ? sum + half : sum - half) / count);
};

const maximum: Reduce = (get, count) => {
  let largest = -128;
  for (let i = 0; i < count; i++) largest = Math.max(largest, get(i));
  return largest;
};

function pool(operator: Pool, reduce: Reduce): Implementation {
  return cpu({
    name: "reference",
    operator,
    dtypes: ["uint8", "int8"],
    prepare: (graph, node) => prepare(graph, node, reduce),
  });
}

function prepare(graph: Graph, node: OperatorOf<Pool>, reduce: Reduce): (inputs: readonly Bytes[], out: Bytes) => void {
  const { attributes } = node;
  const [batch, height, width, channels] = inputTensor(graph, node, 0)!.shape as [number, number, number, number];
  const rows = slide(height, attributes.filterHeight, attributes.strideHeight, 1, attributes.padding);
  const columns = slide(width, attributes.filterWidth, attributes.strideWidth, 1, attributes.padding);
  const range = activationRange(attributes.activation, outputTensor(graph, node));

  return ([input], output) => {
    let index = 0;
    for (let b = 0; b < batch; b++) {
      for (let y = 0; y < rows.out; y++) {
        const top = Math.max(0, y * attributes.strideHeight - rows.before);
        const bottom = Math.min(height, y * attributes.strideHeight - rows.before + attributes.filterHeight);
        for (let x = 0; x < columns.out; x++) {
          const left = Math.max(0, x * attributes.strideWidth - columns.before);
          const right = Math.min(width, x * attributes.strideWidth - columns.before + attributes.filterWidth);
          const across = right - left;
          for (let c = 0; c < channels; c++) {
            const get = (i: number) => {
              const iy = top + Math.floor(i / across);
              const ix = left + (i % across);
              return input![((b * height + iy) * width + ix) * channels + c]!;
            };
            output[index++] = clamp(reduce(get, (bottom - top) * across), range.min, range.max);
          }
        }
      }
    }
  };
}

export const averagePool2d = pool("AVERAGE_POOL_2D", average);
export const maxPool2d = pool("MAX_POOL_2D", maximum);
