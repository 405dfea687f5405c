/** DEPTHWISE_CONV_2D with all channels of a pixel together, in WebAssembly; for one output channel per input channel. */
import { inputTensor, outputTensor } from "../../graph/graph.js";
import { cpu } from "../implementation.js";
import { depthwiseLayer } from "../parameters/conv.js";
import { depthwiseSimd, fitsSimd } from "./depthwise-simd.js";

export const depthwiseConv2d = cpu({
  name: "fast",
  operator: "DEPTHWISE_CONV_2D",
  dtypes: ["uint8", "int8"],
  refuses(graph, operator) {
    const multiplier = outputTensor(graph, operator).shape[3]! / inputTensor(graph, operator, 0)!.shape[3]!;
    if (multiplier !== 1) return `depth multiplier ${multiplier}`;
    return fitsSimd(depthwiseLayer(graph, operator)) ? null : "a multiplier or a shift out of range";
  },
  prepare(graph, operator) {
    const run = depthwiseSimd(depthwiseLayer(graph, operator));
    return ([input], output) => run(input!, output);
  },
});
