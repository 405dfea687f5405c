/** ADD of equal shapes by a table of all 65,536 pairs of bytes, made on the first run. */
import { inputTensors, outputTensor } from "../../graph/graph.js";
import { sameShape } from "../../graph/tensor.js";
import { cpu, type Bytes } from "../implementation.js";
import { addParameters, type AddParameters } from "../parameters/elementwise.js";
import { multiplyByQuantisedMultiplier } from "../arithmetic.js";
import { scaleInput } from "../reference/add.js";
import { byteTable } from "./table.js";

export const add = cpu({
  name: "fast",
  operator: "ADD",
  dtypes: ["uint8", "int8"],
  refuses(graph, operator) {
    const [a, b] = inputTensors(graph, operator);
    return sameShape(a!.shape, b!.shape) ? null : "broadcasting";
  },
  prepare(graph, operator) {
    const parameters = addParameters(graph, operator);
    const dtype = outputTensor(graph, operator).dtype as "int8" | "uint8";
    let table: Uint8Array | undefined;
    return ([left, right], output) => {
      table ??= pairs(parameters, dtype);
      const [a, b, out] = [bytesOf(left!), bytesOf(right!), bytesOf(output)];
      for (let i = 0; i < out.length; i++) out[i] = table[(a[i]! << 8) | b[i]!]!;
    };
  },
});

const bytesOf = ({ buffer, byteOffset, length }: Bytes): Uint8Array => new Uint8Array(buffer, byteOffset, length);

/** The output for the bytes a and b at `a << 8 | b`. */
function pairs(parameters: AddParameters, dtype: "int8" | "uint8"): Uint8Array {
  const { output, outputZero, range } = parameters;
  const a = byteTable(Int32Array, dtype, (value) => scaleInput(parameters, 0, value));
  const b = byteTable(Int32Array, dtype, (value) => scaleInput(parameters, 1, value));
  const table = new Uint8Array(1 << 16);
  for (let i = 0; i < table.length; i++) {
    const sum = (a[i >> 8]! + b[i & 255]!) | 0;
    const value = multiplyByQuantisedMultiplier(sum, output.multiplier, output.shift) + outputZero;
    table[i] = Math.min(Math.max(value, range.min), range.max);
  }
  return table;
}
