/** AVERAGE_POOL_2D and MAX_POOL_2D with all channels of a pixel together. */
import { inputTensor, outputTensor, type Graph, type OperatorOf } from "../../graph/graph.js";
import { slide } from "../../graph/window.js";
import { clamp } from "../arithmetic.js";
import { bytesOf, cpu, type Bytes, type Implementation } from "../implementation.js";
import { activationRange } from "../parameters/common.js";
import { openMaxPool, POOL_LANES } from "./max-pool-simd.js";

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

type Run = (inputs: readonly Bytes[], out: Bytes) => void;

function pool(operator: Pool, prepare: (graph: Graph, node: OperatorOf<Pool>) => Run): Implementation {
  return cpu({ name: "fast", operator, dtypes: ["uint8", "int8"], prepare });
}

interface Geometry {
  readonly batches: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly rows: ReturnType<typeof slide>;
  readonly columns: ReturnType<typeof slide>;
  /** Calls `visit` for each row of outputs, with the rows of the picture under the kernel; the end is excluded. */
  each(visit: (batch: number, firstRow: number, endRow: number, to: number) => void): void;
}

function geometryOf(graph: Graph, node: OperatorOf<Pool>): Geometry {
  const { padding, strideHeight, strideWidth, filterHeight, filterWidth } = node.attributes;
  const [batches, height, width, channels] = inputTensor(graph, node, 0)!.shape as [number, number, number, number];
  const rows = slide(height, filterHeight, strideHeight, 1, padding);
  const columns = slide(width, filterWidth, strideWidth, 1, padding);
  return {
    batches,
    height,
    width,
    channels,
    rows,
    columns,
    each(visit) {
      let to = 0;
      for (let batch = 0; batch < batches; batch++)
        for (let y = 0; y < rows.out; y++, to += columns.out * channels) {
          const top = y * strideHeight - rows.before;
          visit(batch, Math.max(0, top), Math.min(height, top + filterHeight), to);
        }
    },
  };
}

/** Channel by channel, in JavaScript. */
function reduced(graph: Graph, node: OperatorOf<Pool>, reduce: Reduce): Run {
  const { each, height, width, channels, columns } = geometryOf(graph, node);
  const { strideWidth, filterWidth } = node.attributes;
  const { min, max } = activationRange(node.attributes.activation, outputTensor(graph, node));
  const state = new Int32Array(channels);
  return ([input], output) => {
    each((batch, firstRow, endRow, start) => {
      for (let column = 0, to = start; column < columns.out; column++, to += channels) {
        const left = column * strideWidth - columns.before;
        const [firstColumn, endColumn] = [Math.max(0, left), Math.min(width, left + filterWidth)];
        state.fill(reduce.start);
        for (let y = firstRow; y < endRow; y++)
          for (let x = firstColumn; x < endColumn; x++)
            reduce.take(state, input!, ((batch * height + y) * width + x) * channels);
        const count = (endRow - firstRow) * (endColumn - firstColumn);
        for (let c = 0; c < channels; c++) output[to + c] = clamp(reduce.result(state[c]!, count), min, max);
      }
    });
  };
}

function maximumInSimd(graph: Graph, node: OperatorOf<Pool>): Run {
  const { each, height, width, channels, columns } = geometryOf(graph, node);
  if (channels < POOL_LANES) return reduced(graph, node, maximum);
  const { strideWidth, filterWidth, activation } = node.attributes;
  const target = outputTensor(graph, node);
  const { min, max } = activationRange(activation, target);
  const { out: outs, before } = columns;
  return ([input], output) => {
    if (output.length === 0) return;
    const { functions, room } = openMaxPool();
    const bytes = room(input!.length + output.length + POOL_LANES);
    const start = input!.length;
    bytes.set(bytesOf(input!));
    const run = functions[target.dtype as "int8" | "uint8"];
    each((batch, firstRow, endRow, to) => {
      const from = (batch * height + firstRow) * width * channels;
      run(from, endRow - firstRow, width, channels, start + to, outs, filterWidth, strideWidth, before, min, max);
    });
    bytesOf(output).set(bytes.subarray(start, start + output.length));
  };
}

export const averagePool2d = pool("AVERAGE_POOL_2D", (graph, node) => reduced(graph, node, average));
export const maxPool2d = pool("MAX_POOL_2D", maximumInSimd);
