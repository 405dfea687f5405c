/**
 * CONV_2D on an accelerator: the operator becomes the driver's `ConvLayer`, and what the accelerator refuses is left to
 * the next implementation in the plan's order, with the reason. FULLY_CONNECTED stays on the CPU: TFLite's reference
 * kernel scales its sums in double precision, which the accelerators' fixed point does not reproduce to the bit.
 */
import type { Accelerator } from "../../driver/accelerator.js";
import { TandemError } from "../../hw/errors.js";
import type { Graph, Operator, OperatorOf } from "../graph/graph.js";
import type { TensorArray } from "../graph/tensor.js";
import type { Implementation } from "../kernels/implementation.js";
import { convLayer, type GroupedConvLayer } from "../kernels/parameters/conv.js";

/** Name of the implementation, in plans and on the command line. */
export const ACCELERATOR = "accelerator";

export function acceleratorConv2d(accelerator: Accelerator): Implementation {
  return {
    name: ACCELERATOR,
    operator: "CONV_2D",
    dtypes: ["uint8", "int8"],
    refuses(graph, operator) {
      const layer = layerOf(graph, operator);
      return layer.groups === 1 ? accelerator.refuses(layer) : `${layer.groups} groups`;
    },
    prepare(graph, operator) {
      const compiled = accelerator.compile(layerOf(graph, operator));
      return async ([input], output) => {
        // A copy: sending a view to a worker would send the whole arena.
        const result = await accelerator.run(compiled, bytesOf(input!).slice());
        const target = bytesOf(output);
        if (result.output.length !== target.length) {
          throw new TandemError(
            `${accelerator.name}: gave ${result.output.length} bytes for layer "${compiled.layer.name}"; expected ${target.length}`,
          );
        }
        target.set(result.output);
        return result;
      };
    },
  };
}

function layerOf(graph: Graph, operator: Operator): GroupedConvLayer {
  return convLayer(graph, operator as unknown as OperatorOf<"CONV_2D">);
}

function bytesOf(array: TensorArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
