/** What each layer of a run asks of the board: work of its processor by kind, or a run of its accelerator. */
import type { CpuWork } from "../../sim/platform/cpu.js";
import type { LayerWork } from "../../sim/platform/network.js";
import { macs } from "../graph/costs.js";
import { inputTensor, inputTensors, outputTensor, type Graph, type Operator } from "../graph/graph.js";
import { byteLength, elements, type Tensor } from "../graph/tensor.js";
import type { LayerRun } from "../runtime/executor.js";

/** The processor's work for an operator, as a NEON library would do it. */
export function cpuWork(graph: Graph, operator: Operator): CpuWork[] {
  const output = outputTensor(graph, operator);
  const bytes = inputTensors(graph, operator).reduce((sum, tensor) => sum + byteLength(tensor), 0) + byteLength(output);
  const work = (kind: CpuWork["kind"], amount: number): CpuWork[] => [{ kind, amount, bytes }];
  const outputs = elements(output.shape);
  switch (operator.type) {
    case "CONV_2D":
      return work("conv", macs(graph, operator));
    case "DEPTHWISE_CONV_2D":
      return work("depthwise", macs(graph, operator));
    case "FULLY_CONNECTED":
      return work("fullyConnected", macs(graph, operator));
    case "AVERAGE_POOL_2D":
    case "MAX_POOL_2D":
      return work("pool", outputs * operator.attributes.filterHeight * operator.attributes.filterWidth);
    case "MEAN":
      return work("pool", elements(inputTensor(graph, operator, 0)!.shape));
    case "ADD":
      return work("add", outputs);
    case "SOFTMAX":
      return work("softmax", outputs);
    case "QUANTIZE":
    case "DEQUANTIZE":
      return work("rescale", outputs);
    case "CONCATENATION":
      return work(sameScales(graph, operator, output) ? "copy" : "rescale", outputs);
    case "RESHAPE":
    case "PAD":
      return work("copy", byteLength(output));
  }
}

/** True if a concatenation only moves bytes. */
function sameScales(graph: Graph, operator: Operator, output: Tensor): boolean {
  const scale = (tensor: Tensor): string => JSON.stringify(tensor.quantisation ?? null);
  return inputTensors(graph, operator).every((tensor) => tensor.data !== undefined || scale(tensor) === scale(output));
}

/** All layers of a run, in order. */
export function layerWorks(graph: Graph, runs: readonly LayerRun[]): LayerWork[] {
  const producer = new Map(runs.map(({ layer }) => [layer.operator.outputs[0]!, layer.operator.index]));
  return runs.map(({ layer: { operator }, cost }): LayerWork => {
    const data = inputTensors(graph, operator).filter((tensor) => tensor.data === undefined);
    const inputs = data.map(({ index }) => producer.get(index) ?? -1);
    const index = operator.index;
    if (!cost) return { index, inputs, cpu: cpuWork(graph, operator) };
    const { clocks, bytesIn, bytesOut, detail } = cost;
    return {
      index,
      inputs,
      accelerator: {
        clocks,
        progress: detail?.inputProgress,
        bytesIn,
        bytesOut,
        packedBytes: detail?.packedBytes ?? 0,
        unpackedBytes: detail?.unpackedBytes ?? 0,
        inputBytes: data.reduce((sum, tensor) => sum + byteLength(tensor), 0),
        outputBytes: byteLength(outputTensor(graph, operator)),
      },
    };
  });
}
