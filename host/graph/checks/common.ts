/** What the checks of single operators share: how they see an operator, and how they refuse it. */
import { TandemError } from "../../../hw/errors.js";
import { describeOperator, type Attributes, type Graph, type Operator, type OperatorType } from "../graph.js";
import { sameShape, type DType, type Tensor } from "../tensor.js";

/** An operator with its tensors resolved; `inputs[i]` is undefined where an optional input is absent. */
export class Site<T extends OperatorType = OperatorType> {
  readonly attributes: Readonly<Attributes[T]>;
  private readonly where: string;
  private readonly inputs: readonly (Tensor | undefined)[];
  private readonly result: Tensor;

  constructor(graph: Graph, operator: Operator) {
    this.where = `${graph.source}: ${describeOperator(operator)}`;
    this.attributes = operator.attributes as Readonly<Attributes[T]>;
    this.inputs = operator.inputs.map((index) => graph.tensors[index]);
    if (operator.outputs.length !== 1) this.fail(`has ${operator.outputs.length} outputs; expected 1`);
    this.result = graph.tensors[operator.outputs[0]!]!;
  }

  fail(problem: string): never {
    throw new TandemError(`${this.where} ${problem}`, {
      hint: "The model contradicts itself, or needs what Tandem does not support (docs/operators.md).",
    });
  }

  get output(): Tensor {
    return this.result;
  }

  /** Number of inputs, absent optional ones included. @throws TandemError if it is not in the range. */
  arity(least: number, most = least): void {
    const found = this.inputs.length;
    const expected = least === most ? String(least) : `${least} to ${most}`;
    if (found < least || found > most) this.fail(`has ${found} inputs; expected ${expected}`);
  }

  /** All inputs of an operator that takes any number of them. */
  all(): Tensor[] {
    return this.inputs.map((_, i) => this.input(i));
  }

  input(i: number): Tensor {
    return this.inputs[i] ?? this.fail(`lacks its input ${i}`);
  }

  optional(i: number): Tensor | undefined {
    return this.inputs[i];
  }

  /** An input whose data is in the model. */
  constant(i: number): Tensor & { data: Uint8Array } {
    const tensor = this.input(i);
    if (tensor.data === undefined) this.fail(`needs a constant as input ${i}, "${tensor.name}" is computed`);
    return tensor as Tensor & { data: Uint8Array };
  }

  rank(tensor: Tensor, expected: number): void {
    if (tensor.shape.length !== expected) {
      this.fail(`has "${tensor.name}" of shape [${tensor.shape.join(", ")}]; expected ${expected} dimensions`);
    }
  }

  shape(tensor: Tensor, expected: readonly number[]): void {
    if (!sameShape(tensor.shape, expected)) {
      this.fail(`has "${tensor.name}" of shape [${tensor.shape.join(", ")}]; expected [${expected.join(", ")}]`);
    }
  }

  dtype(tensor: Tensor, ...expected: DType[]): void {
    if (!expected.includes(tensor.dtype)) {
      this.fail(`has "${tensor.name}" of type ${tensor.dtype}; expected ${expected.join(" or ")}`);
    }
  }

  /** Scale above zero and zero point of a tensor quantised as a whole. */
  quantised(tensor: Tensor): { scale: number; zeroPoint: number } {
    const { scales, zeroPoints } = tensor.quantisation ?? { scales: [], zeroPoints: [] };
    const [scale] = scales;
    if (scales.length !== 1 || !(scale! > 0)) {
      this.fail(
        `has "${tensor.name}" with ${scales.length} scales [${scales.slice(0, 3).join(", ")}]; expected one above 0`,
      );
    }
    return { scale: scale!, zeroPoint: zeroPoints[0]! };
  }

  /** Both tensors stand for the same real values by the same integers. */
  sameQuantisation(a: Tensor, b: Tensor): void {
    this.dtype(b, a.dtype);
    const [p, q] = [this.quantised(a), this.quantised(b)];
    if (p.zeroPoint !== q.zeroPoint || Math.abs(p.scale - q.scale) > 1e-6 * p.scale) {
      this.fail(
        `has "${a.name}" and "${b.name}" quantised differently ` +
          `(scale ${p.scale}, zero point ${p.zeroPoint}; scale ${q.scale}, zero point ${q.zeroPoint}); expected the same`,
      );
    }
  }
}

/** A check of one operator: returns, or throws TandemError. */
export type Check<T extends OperatorType> = (site: Site<T>) => void;

/** The integers of a constant int32 or int64 tensor. */
export function integers(site: Site, i: number): number[] {
  const tensor = site.constant(i);
  site.dtype(tensor, "int32", "int64");
  const { data } = tensor;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return tensor.dtype === "int32"
    ? Array.from({ length: data.byteLength >> 2 }, (_, k) => view.getInt32(4 * k, true))
    : Array.from({ length: data.byteLength >> 3 }, (_, k) => Number(view.getBigInt64(8 * k, true)));
}
