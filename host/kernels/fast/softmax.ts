/** SOFTMAX with a table of the 256 possible exponentials. */
import { cpu } from "../implementation.js";
import { softmaxParameters } from "../parameters/elementwise.js";
import { exponential, softmaxRow } from "../reference/softmax.js";

export const softmax = cpu({
  name: "fast",
  operator: "SOFTMAX",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const parameters = softmaxParameters(graph, operator);
    const table = Int32Array.from({ length: 256 }, (_, i) => exponential(parameters, -i));
    const { depth } = parameters;
    return ([input], output) => {
      for (let start = 0; start < output.length; start += depth) {
        const end = start + depth;
        softmaxRow(input!.subarray(start, end), output.subarray(start, end), (difference) => table[-difference]!);
      }
    };
  },
});
