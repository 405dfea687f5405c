/** AVERAGE_POOL_2D and MAX_POOL_2D with all channels of a pixel together. */
import { inputTensor, outputTensor, type Graph, type OperatorOf } from "../../graph/graph.js";
import { slide } from "../../graph/window.js";
import { clamp } from "../arithmetic.js";
import { cpu, type Bytes, type Implementation } from "../implementation.js";
import { activationRange } from "../parameters/common.js";

type Pool = "AVERAGE_POOL_2D" | "MAX_POOL_2D";

interface Reduce {
  readonly start: number;
  /** Takes the channels of one more pixel into `state`. */
  take(state: Int32Array, input: Bytes, from: number): void;
  /** The result of one channel from its state and the number of pixels taken. */
  result(state: number, count: number): number;
}

const average: Reduce = {
  start: 0,
  take(state, input, from) {
    for (let c = 0; c < state.length; c++) state[c]! += input[from + c]!;
  },
  result(sum, count) {
    const half = count >> 1;
    return Math.trunc((sum > 0 ? sum + half : sum - half) / count);
  },
};

const maximum: Reduce = {
  start: -128,
  take(state, input, from) {
    for (let c = 0; c < state.length; c++) {
      const value = input[from + c]!;
      if (value > state[c]!) state[c] = value;
    }
  },
  result: (largest) => largest,
};

function pool(operator: Pool, reduce: Reduce): Implementation {
  return cpu({
    name: "fast",
    operator,
    dtypes: ["uint8", "int8"],
    prepare: (graph, node) => prepare(graph, node, reduce),
  });
}

function prepare(graph: Graph, node: OperatorOf<Pool>, reduce: Reduce): (inputs: readonly Bytes[], out: Bytes) => void {
  const { padding, strideHeight, strideWidth, filterHeight, filterWidth, activation } = node.attributes;
  const [batch, height, width, channels] = inputTensor(graph, node, 0)!.shape as [number, number, number, number];
  const rows = slide(height, filterHeight, strideHeight, 1, padding);
  const columns = slide(width, filterWidth, strideWidth, 1, padding);
  const { min, max } = activationRange(activation, outputTensor(graph, node));
  const state = new Int32Array(channels);

  return ([input], output) => {
    let to = 0;
    for (let b = 0; b < batch; b++) {
      for (let y = 0; y < rows.out; y++) {
        const top = y * strideHeight - rows.before;
        const [firstRow, endRow] = [Math.max(0, top), Math.min(height, top + filterHeight)];
        for (let x = 0; x < columns.out; x++, to += channels) {
          const left = x * strideWidth - columns.before;
          const [firstColumn, endColumn] = [Math.max(0, left), Math.min(width, left + filterWidth)];
          state.fill(reduce.start);
          for (let iy = firstRow; iy < endRow; iy++) {
            for (let ix = firstColumn; ix < endColumn; ix++) {
              reduce.take(state, input!, ((b * height + iy) * width + ix) * channels);
            }
          }
          const count = (endRow - firstRow) * (endColumn - firstColumn);
          for (let c = 0; c < channels; c++) output[to + c] = clamp(reduce.result(state[c]!, count), min, max);
        }
      }
    }
  };
}

export const averagePool2d = pool("AVERAGE_POOL_2D", average);
export const maxPool2d = pool("MAX_POOL_2D", maximum);
