/** Checks of the operators that multiply by weights: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED. */
import { slide } from "../window.js";
import { elements, type Tensor } from "../tensor.js";
import type { Check, Site } from "./common.js";

type Weighted = "CONV_2D" | "DEPTHWISE_CONV_2D" | "FULLY_CONNECTED";

/** Input, weights and output of one 8-bit type; weights symmetric for int8; bias int32. */
function operands(site: Site<Weighted>, channels: number, axis: number): void {
  const [input, weights, bias] = [site.input(0), site.constant(1), site.optional(2)];
  site.dtype(input, "uint8", "int8");
  site.dtype(weights, input.dtype);
  site.dtype(site.output, input.dtype);
  site.quantised(input);
  site.quantised(site.output);
  const quantisation = weights.quantisation ?? site.fail(`has weights "${weights.name}" without quantisation`);
  const perChannel = quantisation.scales.length > 1;
  if (perChannel && (input.dtype === "uint8" || quantisation.axis !== axis)) {
    site.fail(
      `has weights "${weights.name}" with scales along dimension ${quantisation.axis}; expected ${axis}, int8 only`,
    );
  }
  if (input.dtype === "int8" && quantisation.zeroPoints.some((zero) => zero !== 0)) {
    site.fail(`has int8 weights "${weights.name}" with a zero point that is not 0`);
  }
  if (bias) {
    site.constant(2);
    site.dtype(bias, "int32");
    site.shape(bias, [channels]);
  }
}

function outputShape(
  site: Site<"CONV_2D" | "DEPTHWISE_CONV_2D">,
  input: Tensor,
  weights: Tensor,
  channels: number,
): void {
  const { padding, strideHeight, strideWidth, dilationHeight, dilationWidth } = site.attributes;
  const [batch, height, width] = input.shape as [number, number, number, number];
  const [, kernelHeight, kernelWidth] = weights.shape as [number, number, number, number];
  const rows = slide(height, kernelHeight, strideHeight, dilationHeight, padding).out;
  const columns = slide(width, kernelWidth, strideWidth, dilationWidth, padding).out;
  site.shape(site.output, [batch, rows, columns, channels]);
}

export const conv2d: Check<"CONV_2D"> = (site) => {
  site.arity(2, 3);
  const [input, weights] = [site.input(0), site.constant(1)];
  site.rank(input, 4);
  site.rank(weights, 4);
  const [channels, , , depth] = weights.shape as [number, number, number, number];
  const groups = input.shape[3]! / depth;
  if (!Number.isInteger(groups) || channels % groups !== 0) {
    site.fail(`has ${input.shape[3]!} input channels, ${channels} filters of depth ${depth}; expected whole groups`);
  }
  outputShape(site, input, weights, channels);
  operands(site, channels, 0);
};

export const depthwiseConv2d: Check<"DEPTHWISE_CONV_2D"> = (site) => {
  site.arity(2, 3);
  const [input, weights] = [site.input(0), site.constant(1)];
  site.rank(input, 4);
  site.rank(weights, 4);
  const [one, , , channels] = weights.shape as [number, number, number, number];
  if (one !== 1 || channels % input.shape[3]! !== 0) {
    site.fail(`has weights of shape [${weights.shape.join(", ")}] for ${input.shape[3]!} input channels`);
  }
  outputShape(site, input, weights, channels);
  operands(site, channels, 3);
};

export const fullyConnected: Check<"FULLY_CONNECTED"> = (site) => {
  site.arity(2, 3);
  const [input, weights] = [site.input(0), site.constant(1)];
  site.rank(weights, 2);
  const [channels, depth] = weights.shape as [number, number];
  const batch = elements(input.shape) / depth;
  if (!Number.isInteger(batch)) {
    site.fail(
      `has an input of shape [${input.shape.join(", ")}] for weights of depth ${depth}; expected a multiple of it`,
    );
  }
  const { keepDims } = site.attributes;
  if (keepDims && input.shape.at(-1) !== depth) site.fail(`keeps dimensions, but its input does not end in ${depth}`);
  site.shape(site.output, keepDims ? [...input.shape.slice(0, -1), channels] : [batch, channels]);
  operands(site, channels, 0);
};
