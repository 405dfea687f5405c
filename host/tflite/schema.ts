/**
 * Facts of the TFLite file format (schema version 3, identifier `TFL3`) as data that both the reader and the writer use:
 * field slots of the tables, codes of operators, types and enumerations. Names are those of TensorFlow's
 * `lite/schema/schema.fbs`, so that a field can be looked up there.
 *
 * A flatbuffers table is a list of numbered slots. `slot` is that number (0, 1, 2, ...); the offset in the vtable is
 * `4 + 2 * slot`. A scalar that equals its default is not stored.
 */

export const FILE_IDENTIFIER = "TFL3";
export const SCHEMA_VERSION = 3;

export type ScalarType = "bool" | "int8" | "uint8" | "int32" | "uint32" | "int64" | "uint64" | "float32";

/** Bytes of a scalar, which is also its alignment. */
export const SCALAR_BYTES: Readonly<Record<ScalarType, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float32: 4,
};

/** A scalar stored in the table itself; `preset` is its value where the slot is absent. */
export interface ScalarField {
  readonly kind: "scalar";
  readonly slot: number;
  readonly type: ScalarType;
  readonly preset: number;
}
/** Offset to a vector of scalars. */
export interface ScalarsField {
  readonly kind: "scalars";
  readonly slot: number;
  readonly type: ScalarType;
}
/** Offset to a table, to a vector of tables, or to a UTF-8 string. */
export interface OffsetField {
  readonly kind: "table" | "tables" | "string";
  readonly slot: number;
}
export type Field = ScalarField | ScalarsField | OffsetField;

const scalar = (slot: number, type: ScalarType, preset = 0): ScalarField => ({ kind: "scalar", slot, type, preset });
const scalars = (slot: number, type: ScalarType): ScalarsField => ({ kind: "scalars", slot, type });
const offset = <K extends OffsetField["kind"]>(slot: number, kind: K): OffsetField & { kind: K } => ({ kind, slot });

/** The tables around the operators. Slots that neither the reader nor the writer needs are left out. */
export const Model = {
  version: scalar(0, "uint32"),
  operator_codes: offset(1, "tables"),
  subgraphs: offset(2, "tables"),
  description: offset(3, "string"),
  buffers: offset(4, "tables"),
} as const;

export const SubGraph = {
  tensors: offset(0, "tables"),
  inputs: scalars(1, "int32"),
  outputs: scalars(2, "int32"),
  operators: offset(3, "tables"),
  name: offset(4, "string"),
} as const;

/** `data` is aligned to 16 bytes. `offset` and `size` (files over 2 GB) place the data outside the flatbuffer. */
export const Buffer = {
  data: scalars(0, "uint8"),
  offset: scalar(1, "uint64"),
  size: scalar(2, "uint64"),
} as const;
export const BUFFER_ALIGNMENT = 16;

/** Codes below 127 are in both code fields; from 127 on `deprecated_builtin_code` holds 127. The larger one counts. */
export const OperatorCode = {
  deprecated_builtin_code: scalar(0, "int8"),
  custom_code: offset(1, "string"),
  version: scalar(2, "int32", 1),
  builtin_code: scalar(3, "int32"),
} as const;
export const PLACEHOLDER_FOR_GREATER_OP_CODES = 127;

/** An absent optional input is -1 in `inputs`. */
export const Operator = {
  opcode_index: scalar(0, "uint32"),
  inputs: scalars(1, "int32"),
  outputs: scalars(2, "int32"),
  builtin_options_type: scalar(3, "uint8"),
  builtin_options: offset(4, "table"),
  custom_options: scalars(5, "uint8"),
} as const;

/** `buffer` 0 means no data: a tensor that an operator writes. */
export const Tensor = {
  shape: scalars(0, "int32"),
  type: scalar(1, "int8"),
  buffer: scalar(2, "uint32"),
  name: offset(3, "string"),
  quantization: offset(4, "table"),
  is_variable: scalar(5, "bool"),
  sparsity: offset(6, "table"),
  shape_signature: scalars(7, "int32"),
} as const;

/** Real value = scale * (stored value - zero_point). With more than one scale they run along `quantized_dimension`. */
export const QuantizationParameters = {
  min: scalars(0, "float32"),
  max: scalars(1, "float32"),
  scale: scalars(2, "float32"),
  zero_point: scalars(3, "int64"),
  details_type: scalar(4, "uint8"),
  details: offset(5, "table"),
  quantized_dimension: scalar(6, "int32"),
} as const;

/** Codes of tensor types, by TFLite's names. */
export const TensorType = {
  FLOAT32: 0,
  FLOAT16: 1,
  INT32: 2,
  UINT8: 3,
  INT64: 4,
  STRING: 5,
  BOOL: 6,
  INT16: 7,
  COMPLEX64: 8,
  INT8: 9,
  FLOAT64: 10,
  COMPLEX128: 11,
  UINT64: 12,
  RESOURCE: 13,
  VARIANT: 14,
  UINT32: 15,
  UINT16: 16,
  INT4: 17,
} as const;

export const Padding = { SAME: 0, VALID: 1 } as const;

export const ActivationFunctionType = { NONE: 0, RELU: 1, RELU_N1_TO_1: 2, RELU6: 3, TANH: 4, SIGN_BIT: 5 } as const;

export const FullyConnectedOptionsWeightsFormat = { DEFAULT: 0, SHUFFLED4x16INT8: 1 } as const;

/** Options tables of the union `BuiltinOptions`: its code in `builtin_options_type`, and its fields. */
export const BuiltinOptions = {
  Conv2DOptions: {
    code: 1,
    fields: {
      padding: scalar(0, "int8"),
      stride_w: scalar(1, "int32"),
      stride_h: scalar(2, "int32"),
      fused_activation_function: scalar(3, "int8"),
      dilation_w_factor: scalar(4, "int32", 1),
      dilation_h_factor: scalar(5, "int32", 1),
    },
  },
  DepthwiseConv2DOptions: {
    code: 2,
    fields: {
      padding: scalar(0, "int8"),
      stride_w: scalar(1, "int32"),
      stride_h: scalar(2, "int32"),
      depth_multiplier: scalar(3, "int32"),
      fused_activation_function: scalar(4, "int8"),
      dilation_w_factor: scalar(5, "int32", 1),
      dilation_h_factor: scalar(6, "int32", 1),
    },
  },
  Pool2DOptions: {
    code: 5,
    fields: {
      padding: scalar(0, "int8"),
      stride_w: scalar(1, "int32"),
      stride_h: scalar(2, "int32"),
      filter_width: scalar(3, "int32"),
      filter_height: scalar(4, "int32"),
      fused_activation_function: scalar(5, "int8"),
    },
  },
  FullyConnectedOptions: {
    code: 8,
    fields: {
      fused_activation_function: scalar(0, "int8"),
      weights_format: scalar(1, "int8"),
      keep_num_dims: scalar(2, "bool"),
      asymmetric_quantize_inputs: scalar(3, "bool"),
    },
  },
  SoftmaxOptions: { code: 9, fields: { beta: scalar(0, "float32") } },
  ConcatenationOptions: {
    code: 10,
    fields: { axis: scalar(0, "int32"), fused_activation_function: scalar(1, "int8") },
  },
  AddOptions: {
    code: 11,
    fields: { fused_activation_function: scalar(0, "int8"), pot_scale_int16: scalar(1, "bool", 1) },
  },
  ReshapeOptions: { code: 17, fields: { new_shape: scalars(0, "int32") } },
  PadOptions: { code: 22, fields: {} },
  ReducerOptions: { code: 27, fields: { keep_dims: scalar(0, "bool") } },
  DequantizeOptions: { code: 38, fields: {} },
  QuantizeOptions: { code: 89, fields: {} },
} as const satisfies Record<string, { code: number; fields: Record<string, Field> }>;

/** Builtin operators by name, with their codes. */
export const BuiltinOperator = {
  ADD: 0,
  AVERAGE_POOL_2D: 1,
  CONCATENATION: 2,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEQUANTIZE: 6,
  FULLY_CONNECTED: 9,
  MAX_POOL_2D: 17,
  RESHAPE: 22,
  SOFTMAX: 25,
  PAD: 34,
  MEAN: 40,
  QUANTIZE: 114,
} as const;

/** The options table that belongs to each builtin operator. */
export const OPERATOR_OPTIONS = {
  ADD: "AddOptions",
  AVERAGE_POOL_2D: "Pool2DOptions",
  CONCATENATION: "ConcatenationOptions",
  CONV_2D: "Conv2DOptions",
  DEPTHWISE_CONV_2D: "DepthwiseConv2DOptions",
  DEQUANTIZE: "DequantizeOptions",
  FULLY_CONNECTED: "FullyConnectedOptions",
  MAX_POOL_2D: "Pool2DOptions",
  RESHAPE: "ReshapeOptions",
  SOFTMAX: "SoftmaxOptions",
  PAD: "PadOptions",
  MEAN: "ReducerOptions",
  QUANTIZE: "QuantizeOptions",
} as const satisfies Record<keyof typeof BuiltinOperator, keyof typeof BuiltinOptions>;
