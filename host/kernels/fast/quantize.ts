/** QUANTIZE between 8-bit types, and DEQUANTIZE, by tables of 256 results; QUANTIZE of floating-point numbers with SIMD. */
import { inputTensor, outputTensor, type Graph, type OperatorOf } from "../../graph/graph.js";
import { clamp, multiplyByQuantisedMultiplier } from "../arithmetic.js";
import { bytesOf, cpu, type Bytes } from "../implementation.js";
import { scaleOf, typeRange } from "../parameters/common.js";
import { rescale } from "../parameters/elementwise.js";
import { openElementwise } from "./elementwise-code.js";
import { openQuantise, QUANTISED } from "./quantize-simd.js";
import { byteTable } from "./table.js";

export const quantize = cpu({
  name: "fast",
  operator: "QUANTIZE",
  dtypes: ["float32", "uint8", "int8"],
  prepare(graph, operator) {
    const [input, output] = [inputTensor(graph, operator, 0)!, outputTensor(graph, operator)];
    if (input.dtype === "float32") return fromNumbers(graph, operator);
    const { multiplier, shift } = rescale(graph, operator);
    const { min, max } = typeRange(output.dtype as "uint8" | "int8");
    const [inputZero, outputZero] = [scaleOf(input).zeroPoint, scaleOf(output).zeroPoint];
    const table = Uint8Array.from(
      byteTable(Int32Array, input.dtype, (value) =>
        clamp(multiplyByQuantisedMultiplier(value - inputZero, multiplier, shift) + outputZero, min, max),
      ),
    );
    return ([from], to) => {
      const { functions, room } = openElementwise();
      const bytes = room(table.length + to.length);
      bytes.set(table);
      bytes.set(bytesOf(from!), table.length);
      if (to.length > 0) functions.lookup(table.length, table.length, to.length, 0);
      bytesOf(to).set(bytes.subarray(table.length, table.length + to.length));
    };
  },
});

function fromNumbers(
  graph: Graph,
  operator: OperatorOf<"QUANTIZE">,
): (inputs: readonly Bytes[], output: Bytes) => void {
  const output = outputTensor(graph, operator);
  const dtype = output.dtype as "uint8" | "int8";
  const { scale, zeroPoint } = scaleOf(output);
  const { min, max } = typeRange(dtype);
  const [scaleBits] = new Int32Array(Float32Array.of(scale).buffer);
  return ([from], to) => {
    if (to.length === 0) return;
    const { functions, room } = openQuantise();
    const start = 4 * (to.length + QUANTISED);
    const bytes = room(start + to.length + QUANTISED);
    bytes.set(new Uint8Array(from!.buffer, from!.byteOffset, from!.byteLength));
    functions[dtype](0, start, to.length, scaleBits!, zeroPoint, min, max);
    bytesOf(to).set(bytes.subarray(start, start + to.length));
  };
}

export const dequantize = cpu({
  name: "fast",
  operator: "DEQUANTIZE",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const input = inputTensor(graph, operator, 0)!;
    const { scale, zeroPoint } = scaleOf(input);
    const table = byteTable(Float32Array, input.dtype, (value) => scale * (value - zeroPoint));
    return ([from], to) => {
      for (let i = 0; i < to.length; i++) to[i] = table[from![i]! & 255]!;
    };
  },
});
