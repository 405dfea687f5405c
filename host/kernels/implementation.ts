/**
 * An implementation of one operator. An operator may have several; which one runs a layer is the plan's choice
 * (`host/runtime/plan.ts`). Work that does not depend on the input (packing weights, multipliers) happens in `prepare`.
 */
import type { LayerCost } from "../../driver/accelerator.js";
import type { StartedRun } from "../../driver/device.js";
import type { Graph, Operator, OperatorOf, OperatorType } from "../graph/graph.js";
import type { DType, TensorArray } from "../graph/tensor.js";

/**
 * Computes one layer. `inputs` are in the operator's order, absent optional ones undefined. A kernel on the CPU returns
 * nothing; one that runs elsewhere returns a promise of what the layer cost there.
 */
export interface Kernel {
  (inputs: readonly TensorArray[], output: TensorArray): Promise<LayerCost> | undefined;
  /** Present where the layer can be simulated while others go on: by other threads, or by a device of its own. */
  readonly ahead?: AheadKernel;
  /** Resolves when what it has begun to load elsewhere is there. */
  readonly ready?: () => Promise<void>;
}

export interface AheadKernel {
  /** The kernel itself runs in this thread, and others take what is offered. */
  readonly here: boolean;
  /**
   * Offer the layer to whoever simulates; `inputs` are read before the promise resolves. When it is done, its bytes go to `output`; if `known()`
   * says that these are there already, it rejects with `OtherBytes` where they differ.
   */
  offer(inputs: readonly TensorArray[], output: TensorArray, known: () => boolean): Promise<StartedRun<LayerCost>>;
  /** The bytes by themselves, on the CPU, many times as fast. */
  compute(inputs: readonly TensorArray[], output: TensorArray): void;
}

/** A layer gave other bytes than the CPU has computed ahead of it. */
export class OtherBytes extends Error {}

export interface Implementation {
  /** As the user selects it: `reference`, `fast`, ... */
  readonly name: string;
  readonly operator: OperatorType;
  /** Types of the operator's first input that it takes. */
  readonly dtypes: readonly DType[];
  /** Null if it can run this operator of a checked graph, else the reason why not, as a clause for the layer table. */
  refuses(graph: Graph, operator: Operator): string | null;
  prepare(graph: Graph, operator: Operator): Kernel;
}

/** Elements of a tensor with 8 bits. */
export type Bytes = Uint8Array | Int8Array;

/** Whatever their sign. */
export const bytesOf = ({ buffer, byteOffset, length }: Bytes): Uint8Array =>
  new Uint8Array(buffer, byteOffset, length);

interface CpuOptions<T extends OperatorType> {
  name: string;
  operator: T;
  dtypes: readonly DType[];
  refuses?(graph: Graph, operator: OperatorOf<T>): string | null;
  /** Inputs and outputs of quantised operators are 8 bits wide; the few that are not cast them back. */
  prepare(graph: Graph, operator: OperatorOf<T>): (inputs: readonly Bytes[], output: Bytes) => void;
}

/** An implementation that runs in this thread. */
export function cpu<T extends OperatorType>(options: CpuOptions<T>): Implementation {
  const { name, operator: type, dtypes, refuses, prepare } = options;
  return {
    name,
    operator: type,
    dtypes,
    refuses(graph, operator) {
      const dtype = graph.tensors[operator.inputs[0]!]!.dtype;
      if (!dtypes.includes(dtype)) return `no ${name} ${type} for ${dtype}`;
      return refuses?.(graph, operator as unknown as OperatorOf<T>) ?? null;
    },
    prepare(graph, operator) {
      const run = prepare(graph, operator as unknown as OperatorOf<T>);
      return (inputs, output) => {
        run(inputs as readonly Bytes[], output as Bytes);
        return undefined;
      };
    },
  };
}
