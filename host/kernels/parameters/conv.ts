/**
 * Convolutions and depthwise convolutions as the driver's `ConvLayer`, with what TFLite's
 * `PopulateConvolutionQuantizationParams` computes filled in.
 */
import type { ConvLayer } from "../../../driver/layer.js";
import { inputTensor, outputTensor, type Graph, type OperatorOf } from "../../graph/graph.js";
import { viewAs, type Tensor } from "../../graph/tensor.js";
import { slide } from "../../graph/window.js";
import { activationRange, multiplierFor, scaleOf } from "./common.js";

/**
 * A convolution in `groups` independent parts: group g reads input channels `[g * C / groups, (g + 1) * C / groups)`, and
 * `weights` is `[outChannels][kernelHeight][kernelWidth][inChannels / groups]`. One group is the ordinary convolution.
 */
export interface GroupedConvLayer extends ConvLayer {
  readonly groups: number;
}

/**
 * A depthwise convolution: output channel c reads input channel `floor(c / (outChannels / inChannels))`, and `weights` is
 * `[kernelHeight][kernelWidth][outChannels]`.
 */
export type DepthwiseLayer = ConvLayer;

type Quantities = "dtype" | "weights" | "bias" | "multipliers" | "shifts" | "clampMin" | "clampMax" | "name";
type Zeros = "inputZero" | "weightZero" | "outputZero";
type Geometry = Omit<ConvLayer, Quantities | Zeros>;

/** Everything but the geometry. `channels` is the number of outputs that have a multiplier each. */
function quantities(
  graph: Graph,
  operator: OperatorOf<"CONV_2D" | "DEPTHWISE_CONV_2D">,
  channels: number,
): Pick<ConvLayer, Quantities | Zeros> {
  const [input, weights, bias] = [
    inputTensor(graph, operator, 0)!,
    inputTensor(graph, operator, 1)!,
    inputTensor(graph, operator, 2),
  ];
  const output = outputTensor(graph, operator);
  const range = activationRange(operator.attributes.activation, output);
  const multipliers = new Int32Array(channels);
  const shifts = new Int32Array(channels);
  for (let c = 0; c < channels; c++) {
    const quantised = multiplierFor(graph, operator, realMultiplier(input, weights, output, c));
    multipliers[c] = quantised.multiplier;
    shifts[c] = quantised.shift;
  }
  return {
    name: output.name,
    dtype: input.dtype as "int8" | "uint8",
    weights: viewAs(weights.data!, weights.dtype) as Int8Array | Uint8Array,
    bias: bias ? (viewAs(bias.data!, "int32") as Int32Array) : new Int32Array(channels),
    inputZero: scaleOf(input).zeroPoint,
    weightZero: weights.quantisation!.zeroPoints[0]!,
    outputZero: scaleOf(output).zeroPoint,
    multipliers,
    shifts,
    clampMin: range.min,
    clampMax: range.max,
  };
}

/**
 * The real multiplier of one channel. TFLite multiplies the two scales as doubles on its int8 path, which may be per
 * channel, and as float32 on the uint8 one.
 */
function realMultiplier(input: Tensor, weights: Tensor, output: Tensor, channel: number): number {
  const { scales } = weights.quantisation!;
  const product = scaleOf(input).scale * (scales.length > 1 ? scales[channel]! : scales[0]!);
  return (input.dtype === "uint8" ? Math.fround(product) : product) / scaleOf(output).scale;
}

function geometry(graph: Graph, operator: OperatorOf<"CONV_2D" | "DEPTHWISE_CONV_2D">): Geometry {
  const [batch, inHeight, inWidth, inChannels] = inputTensor(graph, operator, 0)!.shape as [
    number,
    number,
    number,
    number,
  ];
  const [, kernelHeight, kernelWidth] = inputTensor(graph, operator, 1)!.shape as [number, number, number, number];
  const { padding, strideHeight, strideWidth, dilationHeight, dilationWidth } = operator.attributes;
  const rows = slide(inHeight, kernelHeight, strideHeight, dilationHeight, padding);
  const columns = slide(inWidth, kernelWidth, strideWidth, dilationWidth, padding);
  return {
    batch,
    inHeight,
    inWidth,
    inChannels,
    outHeight: rows.out,
    outWidth: columns.out,
    outChannels: outputTensor(graph, operator).shape[3]!,
    kernelHeight,
    kernelWidth,
    strideHeight,
    strideWidth,
    dilationHeight,
    dilationWidth,
    padTop: rows.before,
    padLeft: columns.before,
  };
}

/** A layer is asked for by whoever may run it, and by whoever does; thousands of multipliers are made once. */
const made = new WeakMap<object, { readonly graph: Graph; readonly layer: ConvLayer }>();

function once<Layer extends ConvLayer>(graph: Graph, operator: object, make: () => Layer): Layer {
  const known = made.get(operator);
  if (known?.graph === graph) return known.layer as Layer;
  const layer = make();
  made.set(operator, { graph, layer });
  return layer;
}

export function convLayer(graph: Graph, operator: OperatorOf<"CONV_2D">): GroupedConvLayer {
  return once(graph, operator, () => {
    const shape = geometry(graph, operator);
    const depth = inputTensor(graph, operator, 1)!.shape[3]!;
    return { ...shape, ...quantities(graph, operator, shape.outChannels), groups: shape.inChannels / depth };
  });
}

export function depthwiseLayer(graph: Graph, operator: OperatorOf<"DEPTHWISE_CONV_2D">): DepthwiseLayer {
  return once(graph, operator, () => {
    const shape = geometry(graph, operator);
    return { ...shape, ...quantities(graph, operator, shape.outChannels) };
  });
}
