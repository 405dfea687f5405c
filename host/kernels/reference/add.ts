/** ADD (`reference/add.h`, `reference/integer_ops/add.h`): both inputs to a common scale, 20 bits up; sum; to the output's. */
import { inputTensors, outputTensor } from "../../graph/graph.js";
import { clamp, multiplyByQuantisedMultiplier } from "../arithmetic.js";
import { cpu } from "../implementation.js";
import { ADD_LEFT_SHIFT, addParameters, type AddParameters } from "../parameters/elementwise.js";

export const add = cpu({
  name: "reference",
  operator: "ADD",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const parameters = addParameters(graph, operator);
    const { shape } = outputTensor(graph, operator);
    const [aIndex, bIndex] = inputTensors(graph, operator).map((tensor) => broadcast(tensor.shape, shape));
    return ([a, b], output) => {
      for (let i = 0; i < output.length; i++) output[i] = addOne(parameters, a![aIndex!(i)]!, b![bIndex!(i)]!);
    };
  },
});

/** An input value, relative to its zero point, 20 bits up and in the common scale. */
export function scaleInput({ zeros, inputs }: AddParameters, which: 0 | 1, value: number): number {
  const { multiplier, shift } = inputs[which];
  return multiplyByQuantisedMultiplier((value - zeros[which]) << ADD_LEFT_SHIFT, multiplier, shift);
}

function addOne(parameters: AddParameters, a: number, b: number): number {
  const { output, outputZero, range } = parameters;
  const sum = (scaleInput(parameters, 0, a) + scaleInput(parameters, 1, b)) | 0;
  return clamp(multiplyByQuantisedMultiplier(sum, output.multiplier, output.shift) + outputZero, range.min, range.max);
}

/** From an index into the output to the index of the element of an input that is repeated along its dimensions of 1. */
function broadcast(from: readonly number[], to: readonly number[]): (index: number) => number {
  const strides = to.map((_, i) => {
    const dimension = i - (to.length - from.length);
    const repeated = dimension < 0 || from[dimension] === 1;
    return repeated ? 0 : from.slice(dimension + 1).reduce((product, size) => product * size, 1);
  });
  return (index) => {
    let position = 0;
    for (let i = to.length - 1; i >= 0; i--) {
      position += (index % to[i]!) * strides[i]!;
      index = Math.floor(index / to[i]!);
    }
    return position;
  };
}
