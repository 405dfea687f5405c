/**
 * CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED on an accelerator: the operator becomes the driver's `ConvLayer`, and what
 * the accelerator refuses is left to the next implementation in the plan's order, with the reason.
 *
 * TFLite's reference kernel scales the sums of FULLY_CONNECTED in double precision, which no fixed point reproduces to the bit.
 * So the accelerator is asked for the sums, and they are scaled here: one multiplication for each output.
 */
import type { Accelerator, CompiledLayer, LayerCost, LayerResult } from "../../driver/accelerator.js";
import type { StartedRun } from "../../driver/device.js";
import { productShape, type ConvLayer } from "../../driver/layer.js";
import { TandemError } from "../../hw/errors.js";
import { inputTensor, outputTensor, type Graph, type Operator, type OperatorOf } from "../graph/graph.js";
import type { TensorArray } from "../graph/tensor.js";
import * as fast from "../kernels/fast/index.js";
import { OtherBytes, type AheadKernel, type Implementation, type Kernel } from "../kernels/implementation.js";
import { typeRange } from "../kernels/parameters/common.js";
import { convLayer, depthwiseLayer, type GroupedConvLayer } from "../kernels/parameters/conv.js";
import { fullyConnectedLayer, scaleSum, type FullyConnectedLayer } from "../kernels/parameters/fully-connected.js";

/** Name of the implementations, in plans and on the command line. */
export const ACCELERATOR = "accelerator";

/** All operators that accelerators know. */
export const acceleratorImplementations = (accelerator: Accelerator): Implementation[] => [
  acceleratorConv2d(accelerator),
  acceleratorDepthwise(accelerator),
  acceleratorFullyConnected(accelerator),
];

export function acceleratorConv2d(accelerator: Accelerator): Implementation {
  const layerOf = (graph: Graph, operator: Operator): GroupedConvLayer =>
    convLayer(graph, operator as unknown as OperatorOf<"CONV_2D">);
  return offloaded(accelerator, "CONV_2D", layerOf, (layer) =>
    layer.groups === 1 ? accelerator.refuses(layer) : `${layer.groups} groups`,
  );
}

export function acceleratorDepthwise(accelerator: Accelerator): Implementation {
  return offloaded(accelerator, "DEPTHWISE_CONV_2D", (graph, operator) => ({
    ...depthwiseLayer(graph, operator as unknown as OperatorOf<"DEPTHWISE_CONV_2D">),
    depthwise: true,
  }));
}

/** An operator whose output the accelerator gives as it is. */
function offloaded<Layer extends ConvLayer>(
  accelerator: Accelerator,
  operator: "CONV_2D" | "DEPTHWISE_CONV_2D",
  layerOf: (graph: Graph, operator: Operator) => Layer,
  refuses: (layer: Layer) => string | null = (layer) => accelerator.refuses(layer),
): Implementation {
  return {
    name: ACCELERATOR,
    operator,
    dtypes: ["uint8", "int8"],
    refuses: (graph, node) => refuses(layerOf(graph, node)),
    prepare: (graph, node) =>
      kernelOf(graph, node, accelerator, accelerator.compile(layerOf(graph, node)), (result, output) => {
        // It may stand there already.
        if (result.buffer !== output.buffer || result.byteOffset !== output.byteOffset) output.set(result);
      }),
  };
}

export function acceleratorFullyConnected(accelerator: Accelerator): Implementation {
  const layerOf = (graph: Graph, operator: Operator): FullyConnectedLayer =>
    fullyConnectedLayer(graph, operator as unknown as OperatorOf<"FULLY_CONNECTED">);
  return {
    name: ACCELERATOR,
    operator: "FULLY_CONNECTED",
    dtypes: ["uint8", "int8"],
    refuses: (graph, node) => accelerator.refuses(sumsLayer(graph, node, layerOf(graph, node))),
    prepare(graph, node) {
      const layer = layerOf(graph, node);
      const compiled = accelerator.compile(sumsLayer(graph, node, layer));
      return kernelOf(
        graph,
        node,
        accelerator,
        compiled,
        (result, output) => {
          const sums = new DataView(result.buffer, result.byteOffset);
          for (let i = 0; i < output.length; i++)
            output[i] = scaleSum(layer, i % layer.outChannels, sums.getInt32(4 * i, true));
        },
        4,
      );
    },
  };
}

/** The kernel of a layer that is compiled; `finish` makes its output of the accelerator's, `size` bytes for each of its own. */
function kernelOf(
  graph: Graph,
  node: Operator,
  accelerator: Accelerator,
  compiled: CompiledLayer,
  finish: (result: Uint8Array, output: Uint8Array) => void,
  size = 1,
): Kernel {
  const take = (result: LayerResult, output: Uint8Array): LayerCost => {
    checkLength(accelerator, compiled.layer, result.output, size * output.length);
    finish(result.output, output);
    return result;
  };
  const { start } = accelerator;
  const kernel = Object.assign(
    async ([input]: readonly TensorArray[], output: TensorArray): Promise<LayerCost> =>
      take(await accelerator.run(compiled, bytesOf(input!), bytesOf(output)), bytesOf(output)),
    { ready: () => accelerator.ready?.(compiled) ?? Promise.resolve() },
  );
  const onCpu = Object.values(fast).find(({ operator }) => operator === node.type);
  if (onCpu?.refuses(graph, node) !== null) return kernel;
  // Made ready while there is no network to wait for it, where it may go ahead in this thread.
  let onThisCpu: Kernel | undefined = start && onCpu.prepare(graph, node);
  // There is one run of a layer at a time.
  let found = new Uint8Array(0);
  const ahead: AheadKernel = {
    here: start !== undefined,
    offer([given], output, known) {
      const input = bytesOf(given!);
      const arrived = (result: LayerResult): LayerCost => {
        const bytes = bytesOf(output);
        if (!known()) return take(result, bytes);
        if (found.length === 0) found = new Uint8Array(bytes.length);
        const cost = take(result, found);
        if (Buffer.compare(found, bytes) !== 0) throw new OtherBytes(compiled.layer.name);
        return cost;
      };
      return start?.(compiled, input, arrived) ?? elsewhere(accelerator.run(compiled, input).then(arrived));
    },
    compute(inputs, output) {
      onThisCpu ??= onCpu.prepare(graph, node);
      void onThisCpu(inputs, output);
    },
  };
  return Object.assign(kernel, { ahead });
}

/** A run that this thread cannot help with. */
function elsewhere<Result>(result: Promise<Result>): Promise<StartedRun<Result>> {
  let known = false;
  const settled = (): void => void (known = true);
  result.then(settled, settled);
  const started = { result, finished: () => known, help: () => false, age: () => 0, urge: () => undefined };
  return Promise.resolve(started);
}

/** A fully connected layer as a 1 x 1 convolution over a row of `batch` pixels, up to its sums. */
function sumsLayer(graph: Graph, operator: Operator, layer: FullyConnectedLayer): ConvLayer {
  const dtype = inputTensor(graph, operator, 0)!.dtype as "int8" | "uint8";
  const { batch, inChannels, outChannels, weights, bias, inputZero, weightZero, outputZero } = layer;
  const { min, max } = typeRange(dtype);
  return {
    name: outputTensor(graph, operator).name,
    dtype,
    ...productShape(batch, outChannels, inChannels),
    weights,
    bias,
    inputZero,
    weightZero,
    outputZero,
    multipliers: new Int32Array(outChannels),
    shifts: new Int32Array(outChannels),
    clampMin: min,
    clampMax: max,
    sums: true,
  };
}

function checkLength(accelerator: Accelerator, layer: ConvLayer, output: Uint8Array, expected: number): void {
  if (output.length === expected) return;
  throw new TandemError(
    `${accelerator.name}: gave ${output.length} bytes for layer "${layer.name}"; expected ${expected}`,
  );
}

function bytesOf(array: TensorArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
