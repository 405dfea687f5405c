/** FULLY_CONNECTED with the zero point of the weights taken out of the inner loop. */
import { cpu } from "../implementation.js";
import { fullyConnectedLayer, scaleSum } from "../parameters/fully-connected.js";

export const fullyConnected = cpu({
  name: "fast",
  operator: "FULLY_CONNECTED",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const layer = fullyConnectedLayer(graph, operator);
    const { batch, inChannels, outChannels, weights, bias, inputZero, weightZero } = layer;
    const row = new Int16Array(inChannels);
    return ([input], output) => {
      for (let b = 0; b < batch; b++) {
        let rowSum = 0;
        for (let i = 0; i < inChannels; i++) rowSum += row[i] = input![b * inChannels + i]! - inputZero;
        for (let c = 0; c < outChannels; c++) {
          const sum = (bias[c]! - weightZero * rowSum + dot(row, weights, c * inChannels)) | 0;
          output[b * outChannels + c] = scaleSum(layer, c, sum);
        }
      }
    };
  },
});

function dot(row: Int16Array, weights: Int8Array | Uint8Array, from: number): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum = (sum + row[i]! * weights[from + i]!) | 0;
  return sum;
}
