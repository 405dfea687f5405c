/** Builtin options of TFLite operators, read and checked into the graph's attributes. */
import type { Activation, Attributes, OperatorType, Padding } from "../graph/graph.js";
import type { Table } from "./flatbuffer.js";
import {
  ActivationFunctionType,
  BuiltinOptions,
  FullyConnectedOptionsWeightsFormat,
  type ScalarField,
} from "./schema.js";

/** Largest stride, dilation or filter edge; a bound for files that lie. */
const MAX_EXTENT = 4096;

/** Reads the options table of one operator; undefined stands for a table that the file leaves out. */
type Reader<T extends OperatorType> = (options: Table | undefined, what: Table) => Attributes[T];

/** TANH and SIGN_BIT exist in the schema, but TFLite's own quantised kernels refuse them too. */
const ACTIVATIONS: readonly Activation[] = ["NONE", "RELU", "RELU_N1_TO_1", "RELU6"];

function activation(options: Table | undefined, field: ScalarField): Activation {
  if (options === undefined) return "NONE";
  const code = options.scalar(field);
  const name = ACTIVATIONS.find((candidate) => ActivationFunctionType[candidate] === code);
  return name ?? options.fail(`has fused activation ${code}; supported are ${ACTIVATIONS.join(", ")}`);
}

function padding(options: Table, field: ScalarField): Padding {
  const code = options.scalar(field);
  if (code !== 0 && code !== 1) options.fail(`has padding ${code}; expected 0 (SAME) or 1 (VALID)`);
  return code === 0 ? "SAME" : "VALID";
}

function extent(options: Table, name: string, field: ScalarField): number {
  const value = options.scalar(field);
  if (value < 1 || value > MAX_EXTENT) options.fail(`has ${name} ${value}; expected 1 to ${MAX_EXTENT}`);
  return value;
}

function required(options: Table | undefined, operator: Table): Table {
  return options ?? operator.fail("has no builtin options");
}

type WindowFields = Record<"padding" | "stride_w" | "stride_h" | "fused_activation_function", ScalarField>;

function windowed(options: Table, fields: WindowFields) {
  return {
    padding: padding(options, fields.padding),
    strideHeight: extent(options, "stride_h", fields.stride_h),
    strideWidth: extent(options, "stride_w", fields.stride_w),
    activation: activation(options, fields.fused_activation_function),
  };
}

type DilatedFields = WindowFields & Record<"dilation_w_factor" | "dilation_h_factor", ScalarField>;

function convolution(table: Table | undefined, operator: Table, fields: DilatedFields): Attributes["CONV_2D"] {
  const options = required(table, operator);
  return {
    ...windowed(options, fields),
    dilationHeight: extent(options, "dilation_h_factor", fields.dilation_h_factor),
    dilationWidth: extent(options, "dilation_w_factor", fields.dilation_w_factor),
  };
}

function pool(table: Table | undefined, operator: Table): Attributes["AVERAGE_POOL_2D"] {
  const options = required(table, operator);
  const { fields } = BuiltinOptions.Pool2DOptions;
  return {
    ...windowed(options, fields),
    filterHeight: extent(options, "filter_height", fields.filter_height),
    filterWidth: extent(options, "filter_width", fields.filter_width),
  };
}

function fullyConnected(options: Table | undefined): Attributes["FULLY_CONNECTED"] {
  const { fields } = BuiltinOptions.FullyConnectedOptions;
  if (options && options.scalar(fields.weights_format) !== FullyConnectedOptionsWeightsFormat.DEFAULT) {
    options.fail("has shuffled weights; only the DEFAULT weights_format is supported");
  }
  return {
    activation: activation(options, fields.fused_activation_function),
    keepDims: options !== undefined && options.scalar(fields.keep_num_dims) !== 0,
  };
}

function concatenation(table: Table | undefined, operator: Table): Attributes["CONCATENATION"] {
  const options = required(table, operator);
  const { fields } = BuiltinOptions.ConcatenationOptions;
  return {
    axis: options.scalar(fields.axis),
    activation: activation(options, fields.fused_activation_function),
  };
}

function softmax(table: Table | undefined, operator: Table): Attributes["SOFTMAX"] {
  const options = required(table, operator);
  const beta = options.scalar(BuiltinOptions.SoftmaxOptions.fields.beta);
  if (!(beta > 0 && beta < 1e6)) options.fail(`has beta ${beta}; expected a positive number`);
  return { beta };
}

const none = () => ({});

/** How the options of each operator are read. An operator that is not here is one that Tandem does not run. */
export const OPTION_READERS: { readonly [T in OperatorType]: Reader<T> } = {
  ADD: (options) => ({ activation: activation(options, BuiltinOptions.AddOptions.fields.fused_activation_function) }),
  AVERAGE_POOL_2D: pool,
  CONCATENATION: concatenation,
  CONV_2D: (options, operator) => convolution(options, operator, BuiltinOptions.Conv2DOptions.fields),
  DEPTHWISE_CONV_2D: (options, operator) =>
    convolution(options, operator, BuiltinOptions.DepthwiseConv2DOptions.fields),
  DEQUANTIZE: none,
  FULLY_CONNECTED: fullyConnected,
  MAX_POOL_2D: pool,
  MEAN: (options) => ({ keepDims: (options?.scalar(BuiltinOptions.ReducerOptions.fields.keep_dims) ?? 0) !== 0 }),
  PAD: none,
  QUANTIZE: none,
  RESHAPE: none,
  SOFTMAX: softmax,
};
