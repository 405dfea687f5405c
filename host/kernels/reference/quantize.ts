/** QUANTIZE (`reference/quantize.h`, `reference/requantize.h`) and DEQUANTIZE (`reference/dequantize.h`). */
import { inputTensor, outputTensor } from "../../graph/graph.js";
import { clamp, multiplyByQuantisedMultiplier, roundHalfAway } from "../arithmetic.js";
import { cpu } from "../implementation.js";
import { scaleOf, typeRange } from "../parameters/common.js";
import { rescale } from "../parameters/elementwise.js";

export const quantize = cpu({
  name: "reference",
  operator: "QUANTIZE",
  dtypes: ["float32", "uint8", "int8"],
  prepare(graph, operator) {
    const [input, output] = [inputTensor(graph, operator, 0)!, outputTensor(graph, operator)];
    const { scale, zeroPoint } = scaleOf(output);
    const { min, max } = typeRange(output.dtype as "uint8" | "int8");
    if (input.dtype === "float32") {
      return ([from], to) => {
        // The quotient is a float32, as in TFLite. NaN has no integer; it becomes the zero point.
        for (let i = 0; i < to.length; i++) {
          to[i] = clamp((roundHalfAway(Math.fround(from![i]! / scale)) || 0) + zeroPoint, min, max);
        }
      };
    }
    const { multiplier, shift } = rescale(graph, operator);
    const inputZero = scaleOf(input).zeroPoint;
    return ([from], to) => {
      for (let i = 0; i < to.length; i++) {
        const scaled = multiplyByQuantisedMultiplier(from![i]! - inputZero, multiplier, shift);
        to[i] = clamp(scaled + zeroPoint, min, max);
      }
    };
  },
});

export const dequantize = cpu({
  name: "reference",
  operator: "DEQUANTIZE",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const { scale, zeroPoint } = scaleOf(inputTensor(graph, operator, 0)!);
    return ([from], to) => {
      // A product of doubles, rounded to float32 by the store.
      for (let i = 0; i < to.length; i++) to[i] = scale * (from![i]! - zeroPoint);
    };
  },
});
