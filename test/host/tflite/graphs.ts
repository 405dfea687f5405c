/** Random graphs for property tests of the writer: chains of every supported operator, valid by construction. */
import fc from "fast-check";
import type { Activation, Graph, Operator, Padding } from "../../../host/graph/graph.js";
import type { DType, Quantisation, Tensor } from "../../../host/graph/tensor.js";

const activations: readonly Activation[] = ["NONE", "RELU", "RELU_N1_TO_1", "RELU6"];
const kinds = [
  "conv",
  "depthwise",
  "average",
  "max",
  "add",
  "concatenate",
  "softmax",
  "pad",
  "mean",
  "dense",
  "reshape",
  "requantise",
] as const;

/** Random choices of one step of a chain. */
interface Step {
  readonly kind: (typeof kinds)[number];
  readonly kernel: number;
  readonly stride: number;
  readonly channels: number;
  readonly padding: Padding;
  readonly activation: Activation;
  readonly bias: boolean;
  readonly flag: boolean;
  readonly scale: number;
  readonly zero: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...kinds),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  channels: fc.integer({ min: 1, max: 5 }),
  padding: fc.constantFrom<Padding>("SAME", "VALID"),
  activation: fc.constantFrom(...activations),
  bias: fc.boolean(),
  flag: fc.boolean(),
  scale: fc.float({ min: Math.fround(1e-4), max: 4, noNaN: true }),
  zero: fc.integer({ min: -128, max: 127 }),
});

/** An int8 chain of up to six operators on a picture, ending in DEQUANTIZE now and then. */
export const graphs: fc.Arbitrary<Graph> = fc
  .record({
    height: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 9 }),
    channels: fc.integer({ min: 1, max: 4 }),
    steps: fc.array(step, { maxLength: 6 }),
    float: fc.boolean(),
    source: fc.string({ maxLength: 8 }),
  })
  .map(({ height, width, channels, steps, float, source }) => {
    const chain = new Chain([1, height, width, channels], source);
    for (const item of steps) chain.add(item);
    return chain.finish(float);
  });

class Chain {
  private readonly tensors: Tensor[] = [];
  private readonly operators: Operator[] = [];
  private current: Tensor;
  private readonly source: string;

  constructor(shape: number[], source: string) {
    this.source = source;
    this.current = this.tensor("int8", shape, { scales: [Math.fround(0.1)], zeroPoints: [3], axis: 0 });
  }

  finish(float: boolean): Graph {
    if (float || this.operators.length === 0) {
      const output = this.tensor("float32", this.current.shape, undefined);
      this.operator("DEQUANTIZE", [this.current], output, {});
    }
    const { tensors, operators, source } = this;
    return { source, tensors, operators, inputs: [0], outputs: [this.current.index] };
  }

  add(item: Step): void {
    const { shape } = this.current;
    const own: Quantisation = { scales: [item.scale], zeroPoints: [item.zero], axis: 0 };
    const picture = shape.length === 4;
    switch (item.kind) {
      case "conv":
      case "depthwise":
        if (picture) this.convolution(item, own);
        break;
      case "average":
      case "max":
        if (picture) this.pool(item);
        break;
      case "add":
        this.operator("ADD", [this.current, this.current], this.tensor("int8", shape, own), {
          activation: item.activation,
        });
        break;
      case "concatenate": {
        const output = this.tensor("int8", [...shape.slice(0, -1), shape.at(-1)! * 2], this.current.quantisation);
        const axis = item.flag ? -1 : shape.length - 1;
        this.operator("CONCATENATION", [this.current, this.current], output, { axis, activation: "NONE" });
        break;
      }
      case "softmax":
        this.operator(
          "SOFTMAX",
          [this.current],
          this.tensor("int8", shape, { scales: [1 / 256], zeroPoints: [-128], axis: 0 }),
          {
            beta: item.stride,
          },
        );
        break;
      case "pad":
        if (picture) this.pad(item);
        break;
      case "mean":
        if (picture) {
          const axes = this.constant("int32", [2], Int32Array.of(1, 2));
          const output = item.flag ? [shape[0]!, 1, 1, shape[3]!] : [shape[0]!, shape[3]!];
          this.operator("MEAN", [this.current, axes], this.tensor("int8", output, own), { keepDims: item.flag });
        }
        break;
      case "dense":
        this.dense(item, own);
        break;
      case "reshape": {
        const flat = [1, shape.reduce((product, n) => product * n, 1)];
        const target = this.constant("int32", [2], Int32Array.from(flat));
        this.operator("RESHAPE", [this.current, target], this.tensor("int8", flat, this.current.quantisation), {});
        break;
      }
      case "requantise":
        this.operator("QUANTIZE", [this.current], this.tensor("int8", shape, own), {});
        break;
    }
  }

  private convolution(item: Step, own: Quantisation): void {
    const { shape } = this.current;
    const window = this.slide(item);
    if (window === null) return;
    const depthwise = item.kind === "depthwise";
    const channels = depthwise ? shape[3]! * item.channels : item.channels;
    const weightShape = [depthwise ? 1 : channels, item.kernel, item.kernel, depthwise ? channels : shape[3]!];
    const count = weightShape.reduce((product, n) => product * n, 1);
    const scales = Array.from({ length: channels }, (_, i) => Math.fround(item.scale / (i + 2)));
    const weights = this.constant(
      "int8",
      weightShape,
      Int8Array.from({ length: count }, (_, i) => (i * 7 + item.zero) % 127),
      {
        scales,
        zeroPoints: scales.map(() => 0),
        axis: depthwise ? 3 : 0,
      },
    );
    this.operator(
      depthwise ? "DEPTHWISE_CONV_2D" : "CONV_2D",
      [this.current, weights, this.bias(item, channels, weights)],
      this.tensor("int8", [shape[0]!, ...window, channels], own),
      { ...this.window(item), dilationHeight: 1, dilationWidth: 1 },
    );
  }

  private pool(item: Step): void {
    const { shape, quantisation } = this.current;
    const window = this.slide(item);
    if (window === null) return;
    this.operator(
      item.kind === "max" ? "MAX_POOL_2D" : "AVERAGE_POOL_2D",
      [this.current],
      this.tensor("int8", [shape[0]!, ...window, shape[3]!], quantisation),
      { ...this.window(item), filterHeight: item.kernel, filterWidth: item.kernel },
    );
  }

  private pad(item: Step): void {
    const { shape, quantisation } = this.current;
    const amounts = [0, 0, item.stride, 0, 1, item.kernel, 0, 0];
    const paddings = this.constant("int32", [4, 2], Int32Array.from(amounts));
    const padded = shape.map((n, i) => n + amounts[2 * i]! + amounts[2 * i + 1]!);
    this.operator("PAD", [this.current, paddings], this.tensor("int8", padded, quantisation), {});
  }

  private dense(item: Step, own: Quantisation): void {
    const depth = this.current.shape.reduce((product, n) => product * n, 1);
    const weights = this.constant(
      "int8",
      [item.channels, depth],
      new Int8Array(item.channels * depth).fill(item.zero || 1),
      {
        scales: [item.scale],
        zeroPoints: [0],
        axis: 0,
      },
    );
    this.operator(
      "FULLY_CONNECTED",
      [this.current, weights, this.bias(item, item.channels, weights)],
      this.tensor("int8", [1, item.channels], own),
      { activation: item.activation, keepDims: false },
    );
  }

  /** Height and width after a window, or null where it does not fit. */
  private slide({ kernel, stride, padding }: Step): [number, number] | null {
    const out = (n: number): number =>
      padding === "SAME" ? Math.ceil(n / stride) : Math.floor((n - kernel) / stride) + 1;
    const [, height = 0, width = 0] = this.current.shape;
    return out(height) < 1 || out(width) < 1 ? null : [out(height), out(width)];
  }

  private window({ padding, stride, activation }: Step) {
    return { padding, strideHeight: stride, strideWidth: stride, activation };
  }

  /** With the scale that TFLite asks of a bias: the input's times the weights'. */
  private bias({ bias }: Step, channels: number, weights: Tensor): Tensor | undefined {
    if (!bias) return undefined;
    const { scales, zeroPoints } = weights.quantisation!;
    const inputScale = this.current.quantisation!.scales[0]!;
    return this.constant(
      "int32",
      [channels],
      Int32Array.from({ length: channels }, (_, i) => 1000 * i - 1500),
      {
        scales: scales.map((scale) => Math.fround(scale * inputScale)),
        zeroPoints,
        axis: 0,
      },
    );
  }

  private constant(dtype: DType, shape: number[], values: Int8Array | Int32Array, quantisation?: Quantisation): Tensor {
    return this.tensor(dtype, shape, quantisation, new Uint8Array(values.buffer));
  }

  private tensor(
    dtype: DType,
    shape: readonly number[],
    quantisation: Quantisation | undefined,
    data?: Uint8Array,
  ): Tensor {
    const index = this.tensors.length;
    const tensor: Tensor = { index, name: `tensor/${index}`, shape, dtype, quantisation, data };
    this.tensors.push(tensor);
    return tensor;
  }

  private operator(
    type: Operator["type"],
    inputs: readonly (Tensor | undefined)[],
    output: Tensor,
    attributes: object,
  ): void {
    const index = this.operators.length;
    this.operators.push({
      index,
      type,
      // TFLite leaves the absent bias of a convolution off, and that of a fully connected layer is -1.
      inputs: inputs
        .filter((tensor) => tensor !== undefined || type === "FULLY_CONNECTED")
        .map((tensor) => tensor?.index ?? -1),
      outputs: [output.index],
      attributes,
    } as Operator);
    this.current = output;
  }
}
