import { expect } from "chai";
import { TandemError } from "../../../hw/errors.js";
import { readTflite } from "../../../host/tflite/reader.js";
import * as schema from "../../../host/tflite/schema.js";
import { TableBuilder, type TableOffset, type Values } from "../../../host/tflite/table-builder.js";

type Parts = Partial<{
  version: number;
  codes: Values<typeof schema.OperatorCode>[];
  tensors: Values<typeof schema.Tensor>[];
  operators: Values<typeof schema.Operator>[];
  buffers: Values<typeof schema.Buffer>[];
  inputs: number[];
  outputs: number[];
  /** Operators as they are laid down, for files that share tables. */
  laid: (builder: TableBuilder) => TableOffset[];
}>;

/** A file of one RESHAPE from [4] to [2, 2], or whatever the parts say instead. */
function file(parts: Parts): Uint8Array {
  const builder = new TableBuilder();
  const quantization = (): TableOffset =>
    builder.table(schema.QuantizationParameters, { scale: [0.5], zero_point: [0] });
  const tensors = parts.tensors ?? [
    { shape: [4], type: schema.TensorType.INT8, quantization: quantization(), name: "a" },
    { shape: [2, 2], type: schema.TensorType.INT8, quantization: quantization(), name: "b" },
  ];
  const operators = parts.operators ?? [{ inputs: [0], outputs: [1] }];
  const model = builder.table(schema.Model, {
    version: parts.version ?? schema.SCHEMA_VERSION,
    operator_codes: (parts.codes ?? [{ deprecated_builtin_code: 22, builtin_code: 22 }]).map((code) =>
      builder.table(schema.OperatorCode, code),
    ),
    buffers: (parts.buffers ?? [{}]).map((buffer) => builder.table(schema.Buffer, buffer)),
    subgraphs: [
      builder.table(schema.SubGraph, {
        tensors: tensors.map((tensor) => builder.table(schema.Tensor, tensor)),
        inputs: parts.inputs ?? [0],
        outputs: parts.outputs ?? [1],
        operators: parts.laid?.(builder) ?? operators.map((operator) => builder.table(schema.Operator, operator)),
      }),
    ],
  });
  return builder.finish(model, schema.FILE_IDENTIFIER);
}

const INT8 = schema.TensorType.INT8;

describe("A model that is whole but not for Tandem", () => {
  it("is read if it is one after all", () => {
    expect(readTflite(file({}), "good.tflite").operators).to.have.length(1);
  });

  const cases: [string, Parts, RegExp][] = [
    [
      "needs other operators: all of them are named, with what is supported",
      {
        codes: [
          { deprecated_builtin_code: 16, builtin_code: 16 },
          { deprecated_builtin_code: 127, builtin_code: 150 },
        ],
        operators: [{ opcode_index: 0 }, { opcode_index: 1 }, { opcode_index: 0 }],
      },
      /^bad\.tflite: needs operators that Tandem does not run: LSTM, GELU$/,
    ],
    [
      "needs a custom operator, whose name cannot reach the terminal as it is",
      { codes: [{ deprecated_builtin_code: 32, builtin_code: 32, custom_code: "Evil\x1b[2J" }] },
      /CUSTOM "Evil\?\[2J"/,
    ],
    ["is newer than its reader", { codes: [{ deprecated_builtin_code: 127, builtin_code: 900 }] }, /run: code 900/],
    ["has another schema version", { version: 4 }, /root table has schema version 4; expected 3/],
    [
      "names an operator code that is not there",
      { operators: [{ opcode_index: 7 }] },
      /operator 0 has operator code 7 of 1/,
    ],
    [
      "has half floats",
      { tensors: [{ shape: [4], type: 1 }] },
      /tensor 0 "" has elements of type FLOAT16; supported are float32/,
    ],
    ["has elements of an unknown type", { tensors: [{ shape: [4], type: 99 }] }, /elements of type code 99/],
    [
      "has variables",
      { tensors: [{ shape: [4], type: INT8, is_variable: 1 }] },
      /is a variable, which is not supported/,
    ],
    [
      "has a dimension of zero",
      { tensors: [{ shape: [4, 0], type: INT8 }] },
      /has shape \[4, 0\]; every dimension must be/,
    ],
    [
      "has a tensor of more than can be",
      { tensors: [{ shape: [65536, 65536], type: INT8 }] },
      /of more than 268435456 elements/,
    ],
    [
      "has nine dimensions",
      { tensors: [{ shape: [1, 1, 1, 1, 1, 1, 1, 1, 1], type: INT8 }] },
      /vector of 9 elements where 8 is the most/,
    ],
    ["names a buffer that is not there", { tensors: [{ shape: [4], type: INT8, buffer: 3 }] }, /has buffer 3 of 1/],
    [
      "has less data than its shape says",
      { tensors: [{ shape: [4], type: INT8, buffer: 1 }], buffers: [{}, { data: new Uint8Array(3) }] },
      /has 3 bytes; expected 4/,
    ],
    ["keeps data behind the flatbuffer", { buffers: [{ offset: 4096, size: 16 }] }, /behind the flatbuffer/],
    [
      "reads what was never written",
      { operators: [{ inputs: [1], outputs: [0] }] },
      /reads tensor 1 before it is written/,
    ],
    ["writes its own input", { operators: [{ inputs: [0], outputs: [0] }] }, /writes tensor 0 a second time/],
    ["reads a tensor that is not there", { operators: [{ inputs: [9], outputs: [1] }] }, /reads tensor 9 of 2/],
    ["has no operators for its output", { operators: [] }, /graph output 1 is written by no operator/],
    ["has no input", { inputs: [] }, /no input or no output/],
    ["writes nothing", { operators: [{ inputs: [0], outputs: [] }], outputs: [0] }, /has 0 outputs; expected 1/],
    [
      "has the options of another operator",
      {
        laid: (builder) => [
          builder.table(schema.Operator, {
            inputs: [0],
            outputs: [1],
            builtin_options_type: 9,
            builtin_options: builder.table(schema.BuiltinOptions.SoftmaxOptions.fields, { beta: 1 }),
          }),
        ],
      },
      /is RESHAPE, but its options are of type 9; expected 17/,
    ],
  ];
  for (const [what, parts, message] of cases) {
    it(what, () => {
      expect(() => readTflite(file(parts), "bad.tflite")).to.throw(TandemError, message);
    });
  }

  it("describes more than it holds, by sharing one table ten thousand times", () => {
    const bytes = file({
      laid: (builder) => {
        const shared = builder.table(schema.Operator, { inputs: new Array<number>(1000).fill(0), outputs: [1] });
        return new Array<TableOffset>(10_000).fill(shared);
      },
    });
    expect(bytes.length).to.be.below(60_000);
    expect(() => readTflite(bytes, "bad.tflite")).to.throw(TandemError, /repeats more data than the file can hold/);
  });
});
