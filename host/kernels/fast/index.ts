/** The fast implementations, in TypeScript and WebAssembly; equal to the reference ones to the bit (test/host/kernels). */
export { add } from "./add.js";
export { conv2d } from "./conv2d.js";
export { depthwiseConv2d } from "./depthwise-conv2d.js";
export { fullyConnected } from "./fully-connected.js";
export { mean } from "./mean.js";
export { concatenation, pad } from "./movement.js";
export { averagePool2d, maxPool2d } from "./pool2d.js";
export { dequantize, quantize } from "./quantize.js";
export { softmax } from "./softmax.js";
