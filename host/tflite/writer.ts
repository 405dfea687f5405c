/**
 * Writes a graph as a `.tflite` file: what the reader reads back as the same graph, and TFLite's interpreter runs. One subgraph, one
 * buffer per constant tensor after the empty buffer 0, operator codes in order of first use.
 */
import type { Graph, Operator, OperatorType } from "../graph/graph.js";
import type { DType, Tensor } from "../graph/tensor.js";
import * as schema from "./schema.js";
import { TableBuilder, type TableOffset } from "./table-builder.js";
import { OPTION_WRITERS, type Shapes } from "./writer-options.js";

const TYPES: Readonly<Record<DType, number>> = {
  float32: schema.TensorType.FLOAT32,
  int32: schema.TensorType.INT32,
  int64: schema.TensorType.INT64,
  uint8: schema.TensorType.UINT8,
  int8: schema.TensorType.INT8,
};

/** Versions from which TFLite's operators take int8 (tensorflow/lite/tools/versioning/op_version.cc); others are 1. */
const INT8_VERSIONS: Readonly<Record<OperatorType, number>> = {
  ADD: 2,
  AVERAGE_POOL_2D: 2,
  CONCATENATION: 2,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 3,
  DEQUANTIZE: 2,
  FULLY_CONNECTED: 4,
  MAX_POOL_2D: 2,
  MEAN: 2,
  PAD: 2,
  QUANTIZE: 2,
  RESHAPE: 1,
  SOFTMAX: 2,
};

/**
 * The bytes of the file. `description` is free text that other tools show.
 * The graph has to be one that `checkGraph` accepts; nothing is checked again here.
 */
export function writeTflite(graph: Graph, description = ""): Uint8Array {
  const builder = new TableBuilder();
  const constants = graph.tensors.filter(({ data }) => data !== undefined);
  const buffers = [undefined, ...constants.map(({ data }) => data)].map((data) =>
    builder.table(schema.Buffer, { data }),
  );
  const codes = operatorCodes(graph);
  const subgraph = builder.table(schema.SubGraph, {
    tensors: graph.tensors.map((tensor) => writeTensor(builder, tensor, 1 + constants.indexOf(tensor))),
    inputs: graph.inputs,
    outputs: graph.outputs,
    operators: graph.operators.map((operator) =>
      writeOperator(builder, graph, operator, codes.indexOf(codeOf(graph, operator))),
    ),
    name: "main",
  });
  const model = builder.table(schema.Model, {
    version: schema.SCHEMA_VERSION,
    operator_codes: codes.map((code) => writeCode(builder, code)),
    subgraphs: [subgraph],
    description,
    buffers,
  });
  return builder.finish(model, schema.FILE_IDENTIFIER);
}

/** Operator and version, as one key: `CONV_2D 3`. */
function codeOf(graph: Graph, { type, inputs }: Operator): string {
  const int8 = inputs.some((index) => graph.tensors[index]?.dtype === "int8");
  return `${type} ${int8 ? INT8_VERSIONS[type] : 1}`;
}

function operatorCodes(graph: Graph): string[] {
  return [...new Set(graph.operators.map((operator) => codeOf(graph, operator)))];
}

function writeCode(builder: TableBuilder, code: string): TableOffset {
  const [type, version] = code.split(" ");
  const builtin = schema.BuiltinOperator[type as OperatorType];
  return builder.table(schema.OperatorCode, {
    deprecated_builtin_code: Math.min(builtin, schema.PLACEHOLDER_FOR_GREATER_OP_CODES),
    version: Number(version),
    builtin_code: builtin,
  });
}

function writeOperator(builder: TableBuilder, graph: Graph, operator: Operator, code: number): TableOffset {
  // Each operator type has its own attributes; the pair is right by construction, which the union cannot express.
  type AnyWriter = (builder: TableBuilder, attributes: unknown, shapes: Shapes) => TableOffset;
  const write = OPTION_WRITERS[operator.type] as AnyWriter;
  const shapes = {
    inputs: operator.inputs.map((index) => graph.tensors[index]?.shape ?? []),
    output: graph.tensors[operator.outputs[0]!]!.shape,
  };
  return builder.table(schema.Operator, {
    opcode_index: code,
    inputs: listed(operator),
    outputs: operator.outputs,
    builtin_options_type: schema.BuiltinOptions[schema.OPERATOR_OPTIONS[operator.type]].code,
    builtin_options: write(builder, operator.attributes, shapes),
  });
}

/**
 * TFLite's convolutions know an absent bias only as one left off (DEPTHWISE_CONV_2D; CONV_2D then asks for one of zeros), not as
 * -1, which stands for absent inputs elsewhere.
 */
function listed({ type, inputs }: Operator): readonly number[] {
  const convolution = type === "CONV_2D" || type === "DEPTHWISE_CONV_2D";
  return convolution ? inputs.filter((index) => index !== -1) : inputs;
}

function writeTensor(builder: TableBuilder, tensor: Tensor, buffer: number): TableOffset {
  const { name, shape, dtype, quantisation } = tensor;
  return builder.table(schema.Tensor, {
    shape,
    type: TYPES[dtype],
    buffer,
    name,
    quantization:
      quantisation &&
      builder.table(schema.QuantizationParameters, {
        scale: quantisation.scales,
        zero_point: quantisation.zeroPoints,
        quantized_dimension: quantisation.axis,
      }),
  });
}
