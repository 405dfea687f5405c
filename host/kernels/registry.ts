/** All implementations that run on the CPU. A new one is written in its own file and listed here. */
import type { Implementation } from "./implementation.js";
import { add } from "./reference/add.js";
import { conv2d } from "./reference/conv2d.js";
import { depthwiseConv2d } from "./reference/depthwise-conv2d.js";
import { fullyConnected } from "./reference/fully-connected.js";
import { mean } from "./reference/mean.js";
import { concatenation, pad, reshape } from "./reference/movement.js";
import { averagePool2d, maxPool2d } from "./reference/pool2d.js";
import { dequantize, quantize } from "./reference/quantize.js";
import { softmax } from "./reference/softmax.js";

const reference = [
  add,
  averagePool2d,
  concatenation,
  conv2d,
  depthwiseConv2d,
  dequantize,
  fullyConnected,
  maxPool2d,
  mean,
  pad,
  quantize,
  reshape,
  softmax,
];

export const CPU_IMPLEMENTATIONS: readonly Implementation[] = [...reference];
