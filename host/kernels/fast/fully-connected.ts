/** FULLY_CONNECTED with the zero point of the weights taken out of the inner loop. */
import { cpu } from "../implementation.js";
import { openElementwise } from "./elementwise-code.js";
import { fullyConnectedLayer, scaleSum } from "../parameters/fully-connected.js";

export const fullyConnected = cpu({
  name: "fast",
  operator: "FULLY_CONNECTED",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const layer = fullyConnectedLayer(graph, operator);
    const { batch, inChannels, outChannels, weights, bias, inputZero, weightZero } = layer;
    const row = new Int16Array(inChannels);
    // In memory: the row with zeros behind it, the sums of all channels, the weights.
    const rowBytes = Math.ceil(inChannels / 8) * 16;
    const start = rowBytes + 4 * outChannels;
    return ([input], output) => {
      const { functions, room } = openElementwise();
      const bytes = room(start + weights.length + 8);
      bytes.fill(0, 2 * inChannels, rowBytes);
      bytes.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.length), start);
      const dots = weights instanceof Int8Array ? functions.dotsSigned : functions.dotsUnsigned;
      const sums = new Int32Array(bytes.buffer, rowBytes, outChannels);
      for (let b = 0; b < batch; b++) {
        let rowSum = 0;
        for (let i = 0; i < inChannels; i++) rowSum += row[i] = input![b * inChannels + i]! - inputZero;
        bytes.set(new Uint8Array(row.buffer), 0);
        dots(0, start, rowBytes, outChannels, inChannels);
        for (let c = 0; c < outChannels; c++)
          output[b * outChannels + c] = scaleSum(layer, c, (bias[c]! - weightZero * rowSum + sums[c]!) | 0);
      }
    };
  },
});
