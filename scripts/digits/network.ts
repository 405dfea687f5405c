/**
 * The digits' network in floating point, forward and backward: convolutions with ReLU as products of an im2col matrix, in NHWC and with
 * TFLite's SAME padding, so that the trained weights go into the model file as they lie.
 */
import { type Random } from "./random.js";
import { side } from "./render.js";

export interface LayerSpec {
  readonly name: string;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: "SAME" | "VALID";
  readonly channels: number;
  readonly relu: boolean;
}

/** Four convolutions, one of them 1 x 1, and a fully connected layer, which is a convolution as large as its input. */
export const layers: readonly LayerSpec[] = [
  { name: "conv1", kernel: 3, stride: 2, padding: "SAME", channels: 16, relu: true },
  { name: "conv2", kernel: 3, stride: 2, padding: "SAME", channels: 32, relu: true },
  { name: "conv3", kernel: 1, stride: 1, padding: "SAME", channels: 32, relu: true },
  { name: "conv4", kernel: 3, stride: 2, padding: "SAME", channels: 32, relu: true },
  { name: "logits", kernel: 4, stride: 1, padding: "VALID", channels: 10, relu: false },
];

/** One layer with its weights, its activations for one picture, and its gradients summed over a batch. */
export interface Layer {
  readonly spec: LayerSpec;
  readonly inSide: number;
  readonly inChannels: number;
  readonly outSide: number;
  readonly padding: number;
  /** Values under one kernel: `kernel * kernel * inChannels`. */
  readonly depth: number;
  /** `[channels][kernel][kernel][inChannels]`. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly weightGradient: Float32Array;
  readonly biasGradient: Float32Array;
  /** `[outSide * outSide][depth]`. */
  readonly columns: Float32Array;
  /** `[outSide][outSide][channels]`, after ReLU. */
  readonly output: Float32Array;
  readonly outputGradient: Float32Array;
  readonly columnsGradient: Float32Array;
}

/** Fresh layers, weights by He et al. (arXiv 1502.01852), biases 0. */
export function build(source: Random): Layer[] {
  let inSide = side;
  let inChannels = 1;
  return layers.map((spec) => {
    const { kernel, stride, channels } = spec;
    const outSide = spec.padding === "SAME" ? Math.ceil(inSide / stride) : Math.floor((inSide - kernel) / stride) + 1;
    const depth = kernel * kernel * inChannels;
    const points = outSide * outSide;
    const layer: Layer = {
      spec,
      inSide,
      inChannels,
      outSide,
      // SAME puts the odd row of padding at the bottom, the odd column at the right.
      padding: spec.padding === "SAME" ? Math.max(0, (outSide - 1) * stride + kernel - inSide) >> 1 : 0,
      depth,
      weights: Float32Array.from({ length: channels * depth }, () => source.normal() * Math.sqrt(2 / depth)),
      bias: new Float32Array(channels),
      weightGradient: new Float32Array(channels * depth),
      biasGradient: new Float32Array(channels),
      columns: new Float32Array(points * depth),
      output: new Float32Array(points * channels),
      outputGradient: new Float32Array(points * channels),
      columnsGradient: new Float32Array(points * depth),
    };
    inSide = outSide;
    inChannels = channels;
    return layer;
  });
}

/** Runs one picture, `[28][28]` in [0, 1]; returns the ten logits (a view of the last layer's output). */
export function forward(network: readonly Layer[], input: Float32Array): Float32Array {
  let values = input;
  for (const layer of network) {
    gather(layer, values);
    product(layer);
    values = layer.output;
  }
  return values;
}

/** Adds the gradients of one picture, whose `forward` has just run, for a gradient of the logits. */
export function backward(network: readonly Layer[], gradient: Float32Array): void {
  network.at(-1)!.outputGradient.set(gradient);
  for (let i = network.length - 1; i >= 0; i--) {
    const below = network[i - 1];
    productBackward(network[i]!, below !== undefined);
    if (below !== undefined) scatter(network[i]!, below.outputGradient);
  }
}

/** Softmax and its cross entropy: writes the gradient of the logits, returns the loss. */
export function crossEntropy(logits: Float32Array, digit: number, gradient: Float32Array): number {
  const top = Math.max(...logits);
  let sum = 0;
  for (let i = 0; i < 10; i++) sum += Math.exp(logits[i]! - top);
  for (let i = 0; i < 10; i++) gradient[i] = Math.exp(logits[i]! - top) / sum - (i === digit ? 1 : 0);
  return Math.log(sum) + top - logits[digit]!;
}

/** Index of the largest value; the first one of equals. */
export function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Visits every run of channels under every kernel position: offsets in the columns and in the input, or -1 for padding. */
function eachTap(layer: Layer, visit: (column: number, input: number) => void): void {
  const { inSide, inChannels, outSide, padding } = layer;
  const { kernel, stride } = layer.spec;
  let column = 0;
  for (let y = 0; y < outSide; y++) {
    for (let x = 0; x < outSide; x++) {
      for (let ky = 0; ky < kernel; ky++) {
        const row = y * stride - padding + ky;
        for (let kx = 0; kx < kernel; kx++) {
          const at = x * stride - padding + kx;
          const outside = row < 0 || row >= inSide || at < 0 || at >= inSide;
          visit(column, outside ? -1 : (row * inSide + at) * inChannels);
          column += inChannels;
        }
      }
    }
  }
}

/** im2col. Padding stays at the 0 that the columns were made with. */
function gather(layer: Layer, input: Float32Array): void {
  const { columns, inChannels } = layer;
  eachTap(layer, (column, from) => {
    if (from >= 0) for (let c = 0; c < inChannels; c++) columns[column + c] = input[from + c]!;
  });
}

/** The transpose of `gather`: sums the columns' gradients into the input's. */
function scatter(layer: Layer, gradient: Float32Array): void {
  const { columnsGradient, inChannels } = layer;
  gradient.fill(0);
  eachTap(layer, (column, to) => {
    if (to >= 0) for (let c = 0; c < inChannels; c++) gradient[to + c]! += columnsGradient[column + c]!;
  });
}

/** Two channels at a time: their sums are independent, so the processor overlaps them. All layers have an even number. */
function product({ spec, columns, weights, bias, output, depth }: Layer): void {
  const { channels, relu } = spec;
  for (let p = 0; p * channels < output.length; p++) {
    const column = p * depth;
    for (let o = 0; o < channels; o += 2) {
      const row = o * depth;
      let first = bias[o]!;
      let second = bias[o + 1]!;
      for (let k = 0; k < depth; k++) {
        const x = columns[column + k]!;
        first += x * weights[row + k]!;
        second += x * weights[row + depth + k]!;
      }
      output[p * channels + o] = relu && first < 0 ? 0 : first;
      output[p * channels + o + 1] = relu && second < 0 ? 0 : second;
    }
  }
}

function productBackward(layer: Layer, needsInput: boolean): void {
  const { spec, columns, weights, output, outputGradient, depth, weightGradient, biasGradient, columnsGradient } =
    layer;
  const { channels, relu } = spec;
  columnsGradient.fill(0);
  for (let p = 0; p * channels < output.length; p++) {
    const column = p * depth;
    for (let o = 0; o < channels; o += 2) {
      const at = p * channels + o;
      const first = relu && output[at] === 0 ? 0 : outputGradient[at]!;
      const second = relu && output[at + 1] === 0 ? 0 : outputGradient[at + 1]!;
      if (first === 0 && second === 0) continue;
      biasGradient[o]! += first;
      biasGradient[o + 1]! += second;
      const row = o * depth;
      const next = row + depth;
      for (let k = 0; k < depth; k++) {
        const x = columns[column + k]!;
        weightGradient[row + k]! += first * x;
        weightGradient[next + k]! += second * x;
      }
      if (!needsInput) continue;
      for (let k = 0; k < depth; k++)
        columnsGradient[column + k]! += first * weights[row + k]! + second * weights[next + k]!;
    }
  }
}
