/** QUANTIZE between 8-bit types, and DEQUANTIZE, by tables of 256 results. */
import { inputTensor, outputTensor } from "../../graph/graph.js";
import { clamp, multiplyByQuantisedMultiplier } from "../arithmetic.js";
import { bytesOf, cpu } from "../implementation.js";
import { scaleOf, typeRange } from "../parameters/common.js";
import { rescale } from "../parameters/elementwise.js";
import { openElementwise } from "./elementwise-code.js";
import { byteTable } from "./table.js";

export const quantize = cpu({
  name: "fast",
  operator: "QUANTIZE",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const [input, output] = [inputTensor(graph, operator, 0)!, outputTensor(graph, operator)];
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
