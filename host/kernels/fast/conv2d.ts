/** CONV_2D as a matrix product in WebAssembly with SIMD: same result as `reference`, many times as fast. */
import { cpu } from "../implementation.js";
import { convLayer } from "../parameters/conv.js";
import { conv2dSimd } from "./conv2d-simd.js";
import { conv2dWinograd, suitsWinograd } from "./conv2d-winograd.js";
import { requantisesInSimd } from "./requantise-simd.js";

export const conv2d = cpu({
  name: "fast",
  operator: "CONV_2D",
  dtypes: ["uint8", "int8"],
  refuses: (graph, operator) =>
    requantisesInSimd(convLayer(graph, operator)) ? null : "a multiplier or a shift out of range",
  prepare(graph, operator) {
    const layer = convLayer(graph, operator);
    const run = suitsWinograd(layer) ? conv2dWinograd(layer) : conv2dSimd(layer);
    return ([input], output) => run(input!, output);
  },
});
