/** SOFTMAX (`reference/softmax.h`): exponentials of the differences from the largest input, over their sum, in fixed point. */
import { clamp, roundingDivideByPot, saturatingRoundingDoublingHighMul as multiplyHigh } from "../arithmetic.js";
import { expOnNegative, reciprocal } from "../fixedpoint.js";
import { cpu, type Bytes } from "../implementation.js";
import { typeRange } from "../parameters/common.js";
import { softmaxParameters, type SoftmaxParameters } from "../parameters/elementwise.js";

/** Integer bits of the sum of exponentials: room for 2^12 of them. */
const SUM_INTEGER_BITS = 12;

export const softmax = cpu({
  name: "reference",
  operator: "SOFTMAX",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const parameters = softmaxParameters(graph, operator);
    return ([input], output) => {
      const { depth } = parameters;
      for (let start = 0; start < output.length; start += depth) {
        const row = (bytes: Bytes) => bytes.subarray(start, start + depth);
        softmaxRow(row(input!), row(output), (difference) => exponential(parameters, difference));
      }
    };
  },
});

/** exp of a difference (0 or less) of stored inputs, with 0 integer bits. */
export function exponential(
  { multiplier, leftShift, smallestDifference }: SoftmaxParameters,
  difference: number,
): number {
  if (difference < smallestDifference) return 0;
  return expOnNegative(multiplyHigh(difference << leftShift, multiplier));
}

/** One row, given the exponential of a difference. */
export function softmaxRow(input: Bytes, output: Bytes, exp: (difference: number) => number): void {
  let largest = input[0]!;
  for (const value of input) largest = Math.max(largest, value);
  let sum = 0;
  // Beyond 2^12 equal inputs TFLite's sum overflows, which C++ leaves undefined; here it saturates.
  for (const value of input)
    sum = Math.min(0x7fffffff, sum + roundingDivideByPot(exp(value - largest), SUM_INTEGER_BITS));

  const { scale, bitsOverUnit } = reciprocal(sum, SUM_INTEGER_BITS);
  const exponent = bitsOverUnit + 31 - 8;
  const { min, max } = typeRange(output instanceof Int8Array ? "int8" : "uint8");
  for (let i = 0; i < input.length; i++) {
    const share = roundingDivideByPot(multiplyHigh(scale, exp(input[i]! - largest)), exponent);
    output[i] = clamp(share + min, min, max);
  }
}
