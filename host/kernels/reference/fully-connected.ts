/** FULLY_CONNECTED (`reference/integer_ops/fully_connected.h`, `reference/fully_connected.h`): a 1 x 1 convolution. */
import { cpu } from "../implementation.js";
import { fullyConnectedLayer } from "../parameters/conv.js";
import { convolve } from "./conv2d.js";

export const fullyConnected = cpu({
  name: "reference",
  operator: "FULLY_CONNECTED",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const layer = fullyConnectedLayer(graph, operator);
    return ([input], output) => convolve(layer, input!, output);
  },
});
