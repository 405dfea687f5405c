/** CONCATENATION and PAD by whole runs of bytes. */
import { inputTensor, inputTensors, outputTensor } from "../../graph/graph.js";
import { elements, viewAs } from "../../graph/tensor.js";
import { bytesOf, cpu, type Bytes } from "../implementation.js";
import { scaleOf } from "../parameters/common.js";
import { openElementwise } from "./elementwise-code.js";

export const concatenation = cpu({
  name: "fast",
  operator: "CONCATENATION",
  dtypes: ["uint8", "int8"],
  refuses(graph, operator) {
    const target = scaleOf(outputTensor(graph, operator));
    const same = inputTensors(graph, operator).every((tensor) => {
      const { scale, zeroPoint } = scaleOf(tensor);
      return tensor.dtype === "int8" || (scale === target.scale && zeroPoint === target.zeroPoint);
    });
    return same ? null : "inputs of different scales";
  },
  prepare(graph, operator) {
    const { shape } = outputTensor(graph, operator);
    const axis = (operator.attributes.axis + shape.length) % shape.length;
    const outer = elements(shape.slice(0, axis));
    return (inputs, output) => {
      const { functions, room } = openElementwise();
      // The output first, then one input after the other in the same place.
      const bytes = room(output.length + Math.max(...inputs.map(({ length }) => length)));
      let first = 0;
      for (const input of inputs) {
        bytes.set(bytesOf(input), output.length);
        const run = input.length / outer;
        if (run > 0) functions.spread(output.length, first, outer, run, output.length / outer);
        first += run;
      }
      bytesOf(output).set(bytes.subarray(0, output.length));
    };
  },
});

export const pad = cpu({
  name: "fast",
  operator: "PAD",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const [input, paddings, output] = [
      inputTensor(graph, operator, 0)!,
      inputTensor(graph, operator, 1)!,
      outputTensor(graph, operator),
    ];
    const before = [...viewAs(paddings.data!, paddings.dtype)].filter((_, i) => i % 2 === 0).map(Number);
    const { zeroPoint } = scaleOf(output);
    return ([from], to) => {
      to.fill(zeroPoint);
      copy(from!, input.shape, 0, to, output.shape, 0, before, 0);
    };
  },
});

/** Copies dimension `d` and those inside it; where none of those is padded, it is a run of bytes. */
function copy(
  from: Bytes,
  fromShape: readonly number[],
  source: number,
  to: Bytes,
  toShape: readonly number[],
  target: number,
  before: readonly number[],
  d: number,
): void {
  const size = fromShape[d] ?? 1;
  const [fromStep, toStep] = [elements(fromShape.slice(d + 1)), elements(toShape.slice(d + 1))];
  if (fromStep === toStep) {
    to.set(from.subarray(source, source + size * fromStep), target + (before[d] ?? 0) * toStep);
    return;
  }
  for (let i = 0; i < size; i++) {
    copy(from, fromShape, source + i * fromStep, to, toShape, target + (before[d]! + i) * toStep, before, d + 1);
  }
}
