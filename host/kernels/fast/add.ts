/** ADD of equal shapes with a table of 256 scaled values for each input. */
import { inputTensors } from "../../graph/graph.js";
import { sameShape } from "../../graph/tensor.js";
import { multiplyByQuantisedMultiplier } from "../arithmetic.js";
import { cpu } from "../implementation.js";
import { addParameters } from "../parameters/elementwise.js";
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
    const { outputZero, range } = parameters;
    const { multiplier, shift } = parameters.output;
    const [first] = inputTensors(graph, operator);
    const a = byteTable(Int32Array, first!.dtype, (value) => scaleInput(parameters, 0, value));
    const b = byteTable(Int32Array, first!.dtype, (value) => scaleInput(parameters, 1, value));
    return ([left, right], output) => {
      for (let i = 0; i < output.length; i++) {
        const sum = (a[left![i]! & 255]! + b[right![i]! & 255]!) | 0;
        const value = multiplyByQuantisedMultiplier(sum, multiplier, shift) + outputZero;
        output[i] = value < range.min ? range.min : value > range.max ? range.max : value;
      }
    };
  },
});
