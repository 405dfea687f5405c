/**
 * Post-training quantisation in TFLite's convention (its "8-bit quantization specification"; Jacob et al., arXiv 1712.05877): int8
 * activations with a zero point per tensor, int8 weights symmetric in [-127, 127], per output channel for convolutions and per tensor for
 * the fully connected layer, int32 biases of scale input x weight, ReLU fused into the output's range, softmax in 1/256.
 */
import type { Graph, Operator } from "../../host/graph/graph.js";
import type { Quantisation, Tensor } from "../../host/graph/tensor.js";
import { forward, type Layer } from "./network.js";
import { side } from "./render.js";

interface Range {
  readonly min: number;
  readonly max: number;
}

/** Smallest and largest output of each layer over the pictures, 0 always among them. */
export function calibrate(network: readonly Layer[], inputs: readonly Float32Array[]): Range[] {
  const ranges = network.map(() => ({ min: 0, max: 0 }));
  for (const input of inputs) {
    forward(network, input);
    network.forEach(({ output }, i) => {
      for (const value of output) {
        if (value < ranges[i]!.min) ranges[i]!.min = value;
        if (value > ranges[i]!.max) ranges[i]!.max = value;
      }
    });
  }
  return ranges;
}

/** Scale and zero point by which int8 covers the range, with 0 exact. */
export function activation({ min, max }: Range): Quantisation {
  const scale = Math.fround(Math.max(max - min, 1e-6) / 255);
  return { scales: [scale], zeroPoints: [Math.min(127, Math.max(-128, Math.round(-128 - min / scale)))], axis: 0 };
}

/** Weights rounded to int8, with one scale per output channel or one for all. */
export function weights(
  { weights: real, depth, spec }: Layer,
  perChannel: boolean,
): { data: Int8Array; scales: number[] } {
  const rows = Array.from({ length: spec.channels }, (_, o) => real.subarray(o * depth, (o + 1) * depth));
  const most = rows.map((row) => row.reduce((top, value) => Math.max(top, Math.abs(value)), 1e-6));
  const scales = perChannel ? most.map((top) => Math.fround(top / 127)) : [Math.fround(Math.max(...most) / 127)];
  const data = Int8Array.from(real, (value, i) => {
    const scale = scales[perChannel ? Math.floor(i / depth) : 0]!;
    return Math.min(127, Math.max(-127, Math.round(value / scale)));
  });
  return { data, scales };
}

const bytesOf = (array: Int8Array | Int32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice();

/** The int8 network as a graph: the layers, a reshape before the fully connected one, and a softmax. */
export function quantise(network: readonly Layer[], ranges: readonly Range[]): Graph {
  const tensors: Tensor[] = [];
  const operators: Operator[] = [];
  const add = (tensor: Omit<Tensor, "index">): number => tensors.push({ index: tensors.length, ...tensor }) - 1;
  const result = (name: string, shape: number[], quantisation: Quantisation): number =>
    add({ name, shape, dtype: "int8", quantisation, data: undefined });

  const pixels: Quantisation = { scales: [Math.fround(1 / 255)], zeroPoints: [-128], axis: 0 };
  let current = result("image", [1, side, side, 1], pixels);

  network.forEach((layer, i) => {
    const { spec, depth, inSide, outSide, inChannels } = layer;
    const { name, kernel, channels } = spec;
    const connected = spec.padding === "VALID" && kernel === inSide;
    if (connected) {
      const shape = add({
        name: "flat/shape",
        shape: [2],
        dtype: "int32",
        quantisation: undefined,
        data: bytesOf(Int32Array.of(1, depth)),
      });
      const flat = result("flat", [1, depth], tensors[current]!.quantisation!);
      operators.push({
        index: operators.length,
        type: "RESHAPE",
        inputs: [current, shape],
        outputs: [flat],
        attributes: {},
      });
      current = flat;
    }
    const { data, scales } = weights(layer, !connected);
    const zeroPoints = scales.map(() => 0);
    const weightTensor = add({
      name: `${name}/weights`,
      shape: connected ? [channels, depth] : [channels, kernel, kernel, inChannels],
      dtype: "int8",
      quantisation: { scales, zeroPoints, axis: 0 },
      data: bytesOf(data),
    });
    const biasScales = scales.map((scale) => Math.fround(scale * tensors[current]!.quantisation!.scales[0]!));
    const bias = add({
      name: `${name}/bias`,
      shape: [channels],
      dtype: "int32",
      quantisation: { scales: biasScales, zeroPoints, axis: 0 },
      data: bytesOf(Int32Array.from(layer.bias, (value, o) => Math.round(value / (biasScales[o] ?? biasScales[0]!)))),
    });
    const output = result(name, connected ? [1, channels] : [1, outSide, outSide, channels], activation(ranges[i]!));
    const wiring = { index: operators.length, inputs: [current, weightTensor, bias], outputs: [output] };
    const fused = spec.relu ? "RELU" : "NONE";
    operators.push(
      connected
        ? { ...wiring, type: "FULLY_CONNECTED", attributes: { activation: fused, keepDims: false } }
        : {
            ...wiring,
            type: "CONV_2D",
            attributes: {
              padding: spec.padding,
              strideHeight: spec.stride,
              strideWidth: spec.stride,
              dilationHeight: 1,
              dilationWidth: 1,
              activation: fused,
            },
          },
    );
    current = output;
  });

  const output = result("probabilities", [1, 10], { scales: [1 / 256], zeroPoints: [-128], axis: 0 });
  operators.push({
    index: operators.length,
    type: "SOFTMAX",
    inputs: [current],
    outputs: [output],
    attributes: { beta: 1 },
  });
  return { source: "digits", tensors, operators, inputs: [0], outputs: [output] };
}
