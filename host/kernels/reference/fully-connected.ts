/** FULLY_CONNECTED as TFLite's reference kernel computes it (`reference/integer_ops/fully_connected.h`). */
import { cpu, type Bytes } from "../implementation.js";
import { fullyConnectedLayer, scaleSum, type FullyConnectedLayer } from "../parameters/fully-connected.js";

export const fullyConnected = cpu({
  name: "reference",
  operator: "FULLY_CONNECTED",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const layer = fullyConnectedLayer(graph, operator);
    return ([input], output) => {
      for (let b = 0; b < layer.batch; b++) {
        for (let c = 0; c < layer.outChannels; c++) {
          output[b * layer.outChannels + c] = scaleSum(layer, c, accumulate(layer, input!, b, c));
        }
      }
    };
  },
});

function accumulate(layer: FullyConnectedLayer, input: Bytes, b: number, c: number): number {
  const { inChannels, weights, inputZero, weightZero, bias } = layer;
  let sum = bias[c]!;
  for (let i = 0; i < inChannels; i++) {
    sum = (sum + (input[b * inChannels + i]! - inputZero) * (weights[c * inChannels + i]! - weightZero)) | 0;
  }
  return sum;
}
