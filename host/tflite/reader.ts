/**
 * Reads a `.tflite` file into the graph. Every offset, length and index is checked (see `flatbuffer.ts`), and what the
 * runtime does not support is refused here by name. The first subgraph is the model, as in TFLite.
 */
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { TandemError } from "../../hw/errors.js";
import { checkGraph } from "../graph/check.js";
import type { Graph, Operator, OperatorType } from "../graph/graph.js";
import {
  byteLength,
  DTYPE_BYTES,
  MAX_RANK,
  shapeProblem,
  type DType,
  type Quantisation,
  type Tensor,
} from "../graph/tensor.js";
import { Flatbuffer, type Table } from "./flatbuffer.js";
import { builtinOperatorName } from "./operator-names.js";
import { OPTION_READERS } from "./options.js";
import * as schema from "./schema.js";

const MAX_FILE_BYTES = 1 << 30;
const MAX_TENSORS = 1 << 14;
const MAX_OPERATORS = 1 << 14;
/** Inputs of one operator: CONCATENATION is the widest. */
const MAX_ARITY = 1024;

const DTYPES: Readonly<Record<number, DType>> = {
  [schema.TensorType.FLOAT32]: "float32",
  [schema.TensorType.INT32]: "int32",
  [schema.TensorType.INT64]: "int64",
  [schema.TensorType.UINT8]: "uint8",
  [schema.TensorType.INT8]: "int8",
};

/**
 * Loads a model from a file.
 * @throws TandemError if the file cannot be read, is damaged, or holds something that Tandem does not run.
 */
export function readTfliteFile(path: string): Graph {
  let data: Uint8Array;
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES) throw new TandemError(`${path}: ${size} bytes, expected at most ${MAX_FILE_BYTES}`);
    data = readFileSync(path);
  } catch (error) {
    if (error instanceof TandemError) throw error;
    throw new TandemError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`, {
      hint: "Check the path of the model.",
      cause: error,
    });
  }
  return readTflite(data, basename(path));
}

/** Loads a model from bytes; `file` names it in messages. The graph's constants are views of `data`. */
export function readTflite(data: Uint8Array, file: string): Graph {
  const model = new Flatbuffer(data, file, schema.FILE_IDENTIFIER).root();
  const version = model.scalar(schema.Model.version);
  if (version !== schema.SCHEMA_VERSION) model.fail(`has schema version ${version}; expected ${schema.SCHEMA_VERSION}`);

  const codes = model.tables(schema.Model.operator_codes, "operator code", MAX_OPERATORS).map(operatorCode);
  const buffers = model.tables(schema.Model.buffers, "buffer", MAX_TENSORS).map(bufferData);
  const subgraphs = model.tables(schema.Model.subgraphs, "subgraph", MAX_OPERATORS);
  const main = subgraphs[0] ?? model.fail("has no subgraph");

  const operatorTables = main.tables(schema.SubGraph.operators, "operator", MAX_OPERATORS);
  const types = operatorTypes(operatorTables, codes, file);
  const graph: Graph = {
    source: file,
    tensors: main
      .tables(schema.SubGraph.tensors, "tensor", MAX_TENSORS)
      .map((table, index) => readTensor(table, index, buffers)),
    operators: operatorTables.map((table, index) => readOperator(table, index, types[index]!)),
    inputs: main.scalars(schema.SubGraph.inputs, MAX_ARITY) ?? [],
    outputs: main.scalars(schema.SubGraph.outputs, MAX_ARITY) ?? [],
  };
  checkGraph(graph);
  return graph;
}

function operatorCode(table: Table): { name: string } {
  // The field for codes below 127 came first; whichever is larger is the code.
  const code = Math.max(
    table.scalar(schema.OperatorCode.deprecated_builtin_code),
    table.scalar(schema.OperatorCode.builtin_code),
  );
  const name = builtinOperatorName(code);
  return { name: name === "CUSTOM" ? `CUSTOM "${table.string(schema.OperatorCode.custom_code)}"` : name };
}

function bufferData(table: Table): Uint8Array | undefined {
  if (table.scalar(schema.Buffer.offset) > 1 || table.scalar(schema.Buffer.size) > 1) {
    table.fail("keeps its data behind the flatbuffer (a model of over 2 GB), which is not supported");
  }
  const bytes = table.bytes(schema.Buffer.data);
  return bytes?.length === 0 ? undefined : bytes;
}

/** The operator of each table by name; one error names all that are not supported. */
function operatorTypes(tables: readonly Table[], codes: readonly { name: string }[], file: string): OperatorType[] {
  const names = tables.map((table) => {
    const index = table.scalar(schema.Operator.opcode_index);
    return codes[index]?.name ?? table.fail(`has operator code ${index} of ${codes.length}`);
  });
  const unsupported = [...new Set(names.filter((name) => !Object.hasOwn(OPTION_READERS, name)))];
  if (unsupported.length > 0) {
    throw new TandemError(`${file}: needs operators that Tandem does not run: ${unsupported.slice(0, 8).join(", ")}`, {
      hint: `Supported are ${Object.keys(OPTION_READERS).join(", ")}.`,
    });
  }
  return names as OperatorType[];
}

function readOperator(table: Table, index: number, type: OperatorType): Operator {
  const expected = schema.BuiltinOptions[schema.OPERATOR_OPTIONS[type]].code;
  const found = table.scalar(schema.Operator.builtin_options_type);
  const options = table.table(schema.Operator.builtin_options, `options of operator ${index} (${type})`);
  if (options && found !== expected)
    table.fail(`is ${type}, but its options are of type ${found}; expected ${expected}`);
  return {
    index,
    type,
    inputs: table.scalars(schema.Operator.inputs, MAX_ARITY) ?? [],
    outputs: table.scalars(schema.Operator.outputs, MAX_ARITY) ?? [],
    attributes: OPTION_READERS[type](options, table),
  } as Operator;
}

function readTensor(table: Table, index: number, buffers: readonly (Uint8Array | undefined)[]): Tensor {
  const name = table.string(schema.Tensor.name);
  const type = table.scalar(schema.Tensor.type);
  const dtype = DTYPES[type];
  if (dtype === undefined) {
    const found = Object.entries(schema.TensorType).find(([, code]) => code === type)?.[0] ?? `code ${type}`;
    table.fail(`"${name}" has elements of type ${found}; supported are ${Object.keys(DTYPE_BYTES).join(", ")}`);
  }
  if (table.scalar(schema.Tensor.is_variable) !== 0) table.fail(`"${name}" is a variable, which is not supported`);
  if (table.has(schema.Tensor.sparsity)) table.fail(`"${name}" is sparse, which is not supported`);

  const shape = table.scalars(schema.Tensor.shape, MAX_RANK) ?? [];
  const problem = shapeProblem(shape);
  if (problem) table.fail(`"${name}" ${problem}`);
  const buffer = table.scalar(schema.Tensor.buffer);
  if (buffer >= buffers.length) table.fail(`"${name}" has buffer ${buffer} of ${buffers.length}`);
  const data = buffers[buffer];
  const bytes = byteLength({ shape, dtype });
  if (data && data.length !== bytes) {
    table.fail(
      `"${name}" of shape [${shape.join(", ")}] and type ${dtype} has ${data.length} bytes; expected ${bytes}`,
    );
  }
  return { index, name, shape, dtype, data, quantisation: readQuantisation(table, shape, dtype, name) };
}

function readQuantisation(
  tensor: Table,
  shape: readonly number[],
  dtype: DType,
  name: string,
): Quantisation | undefined {
  const table = tensor.table(schema.Tensor.quantization, `quantization of ${tensor.what} "${name}"`);
  const limit = Math.max(1, ...shape);
  const scales = table?.scalars(schema.QuantizationParameters.scale, limit) ?? [];
  if (table === undefined || scales.length === 0 || dtype === "float32" || dtype === "int64") return undefined;
  if (table.scalar(schema.QuantizationParameters.details_type) !== 0) table.fail("is of a custom kind");

  const zeroPoints = table.scalars(schema.QuantizationParameters.zero_point, limit) ?? [];
  if (zeroPoints.length !== scales.length) {
    table.fail(`has ${scales.length} scales and ${zeroPoints.length} zero points`);
  }
  for (const scale of scales) {
    // Dead channels of real models have a scale of zero or a denormal one: their multiplier is zero.
    if (!(scale >= 0 && scale < 1e30)) table.fail(`has scale ${scale}; expected a number of at least 0`);
  }
  const [low, high] = dtype === "uint8" ? [0, 255] : dtype === "int8" ? [-128, 127] : [0, 0];
  for (const zero of zeroPoints) {
    if (zero < low || zero > high) table.fail(`has zero point ${zero}; expected ${low} to ${high} for ${dtype}`);
  }
  const axis = table.scalar(schema.QuantizationParameters.quantized_dimension);
  if (scales.length > 1 && shape[axis] !== scales.length) {
    table.fail(`has ${scales.length} scales along dimension ${axis} of shape [${shape.join(", ")}]`);
  }
  return { scales, zeroPoints, axis };
}
