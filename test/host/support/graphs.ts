/** Graphs of one operator, for tests of kernels. */
import { checkGraph } from "../../../host/graph/check.js";
import type { Attributes, Graph, Operator, OperatorType } from "../../../host/graph/graph.js";
import type { DType, Tensor } from "../../../host/graph/tensor.js";

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly scales?: readonly number[];
  readonly zeroPoint?: number;
  readonly axis?: number;
  readonly data?: Int8Array | Uint8Array | Int32Array;
}

/** A checked graph of one operator: its inputs, then its output; those without data are the graph's inputs. */
export function single<T extends OperatorType>(
  type: T,
  attributes: Attributes[T],
  inputs: readonly TensorSpec[],
  output: TensorSpec,
): Graph {
  const tensors = [...inputs, output].map((spec, index) => tensor(spec, index));
  const operator = {
    index: 0,
    type,
    inputs: inputs.map((_, i) => i),
    outputs: [inputs.length],
    attributes,
  } as unknown as Operator;
  const graph: Graph = {
    source: "test",
    tensors,
    operators: [operator],
    inputs: tensors.filter((each, i) => i < inputs.length && each.data === undefined).map(({ index }) => index),
    outputs: [inputs.length],
  };
  checkGraph(graph);
  return graph;
}

function tensor(spec: TensorSpec, index: number): Tensor {
  const { shape, dtype, scales, zeroPoint = 0, axis = 0, data } = spec;
  return {
    index,
    name: `t${index}`,
    shape,
    dtype,
    quantisation: scales && { scales, zeroPoints: scales.map(() => zeroPoint), axis },
    data: data && new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}
