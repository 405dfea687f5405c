/** The graph's attributes to builtin options tables: the way back of `options.ts`. */
import type { Attributes, OperatorType } from "../graph/graph.js";
import { ActivationFunctionType, BuiltinOptions, Padding } from "./schema.js";
import type { TableBuilder, TableOffset } from "./table-builder.js";

/** Shapes of the operator's inputs and of its output, from which some options follow. */
export interface Shapes {
  readonly inputs: readonly (readonly number[])[];
  readonly output: readonly number[];
}

type Writer<T extends OperatorType> = (builder: TableBuilder, attributes: Attributes[T], shapes: Shapes) => TableOffset;

const { Conv2DOptions, DepthwiseConv2DOptions, Pool2DOptions, FullyConnectedOptions } = BuiltinOptions;

const window = ({
  padding,
  strideHeight,
  strideWidth,
  activation,
}: Attributes["CONV_2D"] | Attributes["MAX_POOL_2D"]) => ({
  padding: Padding[padding],
  stride_h: strideHeight,
  stride_w: strideWidth,
  fused_activation_function: ActivationFunctionType[activation],
});

const dilation = ({ dilationHeight, dilationWidth }: Attributes["CONV_2D"]) => ({
  dilation_h_factor: dilationHeight,
  dilation_w_factor: dilationWidth,
});

function pool(builder: TableBuilder, attributes: Attributes["MAX_POOL_2D"]): TableOffset {
  return builder.table(Pool2DOptions.fields, {
    ...window(attributes),
    filter_height: attributes.filterHeight,
    filter_width: attributes.filterWidth,
  });
}

/** How the options of each operator are written. */
export const OPTION_WRITERS: { readonly [T in OperatorType]: Writer<T> } = {
  ADD: (builder, { activation }) =>
    builder.table(BuiltinOptions.AddOptions.fields, { fused_activation_function: ActivationFunctionType[activation] }),
  AVERAGE_POOL_2D: pool,
  CONCATENATION: (builder, { axis, activation }) =>
    builder.table(BuiltinOptions.ConcatenationOptions.fields, {
      axis,
      fused_activation_function: ActivationFunctionType[activation],
    }),
  CONV_2D: (builder, attributes) =>
    builder.table(Conv2DOptions.fields, { ...window(attributes), ...dilation(attributes) }),
  DEPTHWISE_CONV_2D: (builder, attributes, { inputs, output }) =>
    builder.table(DepthwiseConv2DOptions.fields, {
      ...window(attributes),
      ...dilation(attributes),
      depth_multiplier: output[3]! / inputs[0]![3]!,
    }),
  DEQUANTIZE: (builder) => builder.table(BuiltinOptions.DequantizeOptions.fields, {}),
  FULLY_CONNECTED: (builder, { activation, keepDims }) =>
    builder.table(FullyConnectedOptions.fields, {
      fused_activation_function: ActivationFunctionType[activation],
      keep_num_dims: keepDims ? 1 : 0,
    }),
  MAX_POOL_2D: pool,
  MEAN: (builder, { keepDims }) => builder.table(BuiltinOptions.ReducerOptions.fields, { keep_dims: keepDims ? 1 : 0 }),
  PAD: (builder) => builder.table(BuiltinOptions.PadOptions.fields, {}),
  QUANTIZE: (builder) => builder.table(BuiltinOptions.QuantizeOptions.fields, {}),
  RESHAPE: (builder, _, { output }) => builder.table(BuiltinOptions.ReshapeOptions.fields, { new_shape: output }),
  SOFTMAX: (builder, { beta }) => builder.table(BuiltinOptions.SoftmaxOptions.fields, { beta }),
};
