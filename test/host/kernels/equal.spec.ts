import { expect } from "chai";
import fc from "fast-check";
import type { Activation, Graph, OperatorType } from "../../../host/graph/graph.js";
import { slide } from "../../../host/graph/window.js";
import { CPU_IMPLEMENTATIONS } from "../../../host/kernels/registry.js";
import { execute } from "../../../host/runtime/executor.js";
import { makePlan } from "../../../host/runtime/plan.js";
import { single, type TensorSpec } from "../support/graphs.js";

const numRuns = 60;
const dtypes = fc.constantFrom("int8" as const, "uint8" as const);
const activations = fc.constantFrom<Activation>("NONE", "RELU", "RELU_N1_TO_1", "RELU6");
const padding = fc.constantFrom("SAME" as const, "VALID" as const);
const size = (max: number, min = 1) => fc.integer({ min, max });
const scale = fc.double({ min: 0.001, max: 0.3, noNaN: true }).map(Math.fround);

type Dtype = "int8" | "uint8";
const zeroFor = (dtype: Dtype, zero: number): number => (dtype === "uint8" ? zero & 255 : (zero << 24) >> 24);

/** Reproducible bytes: every value of the type turns up. */
function noise(count: number, seed: number): Uint8Array {
  let state = seed | 1;
  return Uint8Array.from({ length: count }, () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return state >>> 24;
  });
}

const typed = (dtype: Dtype, bytes: Uint8Array): Int8Array | Uint8Array =>
  dtype === "int8" ? new Int8Array(bytes.buffer) : bytes;

/** Runs the one operator of a graph with one implementation; it must be the one that was asked for. */
async function run(graph: Graph, name: string, inputs: readonly Uint8Array[]): Promise<string> {
  const plan = makePlan(graph, { implementations: CPU_IMPLEMENTATIONS, prefer: [name] });
  const { outputs } = await execute(plan, inputs);
  return Buffer.from(outputs[0]!).toString("hex");
}

async function expectEqual(graph: Graph, seed: number): Promise<void> {
  const inputs = graph.inputs.map((index, i) => {
    const { shape } = graph.tensors[index]!;
    return noise(
      shape.reduce((product, n) => product * n, 1),
      seed + i,
    );
  });
  expect(await run(graph, "fast", inputs)).to.equal(await run(graph, "reference", inputs));
}

/** A convolution's operands for any geometry. */
const convolution = fc.record({
  dtype: dtypes,
  batch: size(2),
  height: size(9),
  width: size(9),
  // Whole blocks of lanes, and more than one, now and then.
  channels: fc.oneof({ weight: 2, arbitrary: size(7) }, fc.constantFrom(8, 16, 19, 24)),
  filters: size(9),
  groups: fc.constantFrom(1, 1, 1, 2, 3),
  kernelHeight: size(4),
  kernelWidth: size(4),
  strideHeight: size(3),
  strideWidth: size(3),
  dilationHeight: size(2),
  dilationWidth: size(2),
  padding,
  activation: activations,
  inputScale: scale,
  weightScale: scale,
  outputScale: scale,
  zero: size(255, 0),
  withBias: fc.boolean(),
  perChannel: fc.boolean(),
  seed: fc.integer(),
});
type Convolution = typeof convolution extends fc.Arbitrary<infer T> ? T : never;

function convolutionGraph(c: Convolution, type: "CONV_2D" | "DEPTHWISE_CONV_2D"): Graph | null {
  const rows = slide(c.height, c.kernelHeight, c.strideHeight, c.dilationHeight, c.padding).out;
  const columns = slide(c.width, c.kernelWidth, c.strideWidth, c.dilationWidth, c.padding).out;
  if (rows < 1 || columns < 1) return null;
  const depthwise = type === "DEPTHWISE_CONV_2D";
  const inputs = depthwise ? c.channels : c.channels * c.groups;
  const outputs = depthwise ? c.channels : c.filters * c.groups;
  const shape = depthwise
    ? [1, c.kernelHeight, c.kernelWidth, outputs]
    : [outputs, c.kernelHeight, c.kernelWidth, c.channels];
  const perChannel = c.perChannel && c.dtype === "int8" && outputs > 1;
  const weights: TensorSpec = {
    shape,
    dtype: c.dtype,
    scales: perChannel
      ? Array.from({ length: outputs }, (_, i) => Math.fround(c.weightScale / (i + 1)))
      : [c.weightScale],
    zeroPoint: c.dtype === "int8" ? 0 : zeroFor(c.dtype, c.seed),
    axis: depthwise ? 3 : 0,
    data: typed(
      c.dtype,
      noise(
        shape.reduce((product, n) => product * n, 1),
        c.seed ^ 77,
      ),
    ),
  };
  const bias: TensorSpec = {
    shape: [outputs],
    dtype: "int32",
    data: Int32Array.from(noise(outputs, c.seed ^ 5), (value) => (value - 128) * 40),
  };
  return single(
    type,
    c,
    [
      {
        shape: [c.batch, c.height, c.width, inputs],
        dtype: c.dtype,
        scales: [c.inputScale],
        zeroPoint: zeroFor(c.dtype, c.zero),
      },
      weights,
      ...(c.withBias ? [bias] : []),
    ],
    {
      shape: [c.batch, rows, columns, outputs],
      dtype: c.dtype,
      scales: [c.outputScale],
      zeroPoint: zeroFor(c.dtype, c.zero * 3),
    },
  );
}

describe("The fast kernels give the bytes of the reference ones", () => {
  for (const type of ["CONV_2D", "DEPTHWISE_CONV_2D"] as const) {
    it(type, async () => {
      await fc.assert(
        fc.asyncProperty(convolution, async (c) => {
          const graph = convolutionGraph(c, type);
          fc.pre(graph !== null);
          await expectEqual(graph, c.seed);
        }),
        { numRuns: 3 * numRuns },
      );
    });
  }

  it("CONV_2D deeper than what is multiplied at a time, with sums as large as they get", async () => {
    // 3000 products of 255 * 255, all of one sign.
    const depth = 3000;
    for (const value of [0, 255]) {
      const graph = single(
        "CONV_2D",
        { padding: "VALID", strideHeight: 1, strideWidth: 1, dilationHeight: 1, dilationWidth: 1, activation: "NONE" },
        [
          { shape: [1, 1, 2, depth], dtype: "uint8", scales: [1], zeroPoint: 0 },
          {
            shape: [3, 1, 1, depth],
            dtype: "uint8",
            scales: [1],
            zeroPoint: 255 - value,
            data: new Uint8Array(3 * depth).fill(value),
          },
        ],
        { shape: [1, 1, 2, 3], dtype: "uint8", scales: [2e6], zeroPoint: 128 },
      );
      const inputs = [new Uint8Array(2 * depth).fill(255)];
      const expected = 128 + Math.round(((value === 0 ? -1 : 1) * depth * 255 * 255) / 2e6);
      expect(await run(graph, "fast", inputs)).to.equal(Buffer.alloc(6, expected).toString("hex"));
      expect(await run(graph, "reference", inputs)).to.equal(Buffer.alloc(6, expected).toString("hex"));
    }
  });

  it("FULLY_CONNECTED", async () => {
    await fc.assert(
      fc.asyncProperty(convolution, async (c) => {
        const [depth, outputs] = [c.channels * c.height, c.filters];
        const graph = single(
          "FULLY_CONNECTED",
          { activation: c.activation, keepDims: false },
          [
            { shape: [c.batch, depth], dtype: c.dtype, scales: [c.inputScale], zeroPoint: zeroFor(c.dtype, c.zero) },
            {
              shape: [outputs, depth],
              dtype: c.dtype,
              scales: [c.weightScale],
              zeroPoint: c.dtype === "int8" ? 0 : c.zero,
              data: typed(c.dtype, noise(outputs * depth, c.seed)),
            },
          ],
          { shape: [c.batch, outputs], dtype: c.dtype, scales: [c.outputScale], zeroPoint: zeroFor(c.dtype, c.seed) },
        );
        await expectEqual(graph, c.seed);
      }),
      { numRuns },
    );
  });

  for (const type of ["AVERAGE_POOL_2D", "MAX_POOL_2D"] as const) {
    it(type, async () => {
      await fc.assert(
        fc.asyncProperty(convolution, async (c) => {
          const { kernelHeight: filterHeight, kernelWidth: filterWidth } = c;
          const rows = slide(c.height, filterHeight, c.strideHeight, 1, c.padding).out;
          const columns = slide(c.width, filterWidth, c.strideWidth, 1, c.padding).out;
          fc.pre(rows >= 1 && columns >= 1);
          const quantisation = { dtype: c.dtype, scales: [c.inputScale], zeroPoint: zeroFor(c.dtype, c.zero) };
          const graph = single(
            type,
            { ...c, filterHeight, filterWidth },
            [{ shape: [c.batch, c.height, c.width, c.channels], ...quantisation }],
            { shape: [c.batch, rows, columns, c.channels], ...quantisation },
          );
          await expectEqual(graph, c.seed);
        }),
        { numRuns },
      );
    });
  }

  /** Operators on one or two tensors of one shape. */
  const elementwise = fc.record({
    dtype: dtypes,
    to: dtypes,
    shape: fc.array(size(6), { minLength: 1, maxLength: 4 }),
    scales: fc.tuple(scale, scale, scale),
    zeros: fc.tuple(size(255, 0), size(255, 0), size(255, 0)),
    axis: size(3, 0),
    activation: activations,
    keepDims: fc.boolean(),
    before: size(3, 0),
    after: size(3, 0),
    seed: fc.integer(),
  });
  type Elementwise = typeof elementwise extends fc.Arbitrary<infer T> ? T : never;

  const spec = (e: Elementwise, which: 0 | 1 | 2, shape = e.shape, dtype: Dtype = e.dtype): TensorSpec => ({
    shape,
    dtype,
    scales: [e.scales[which]],
    zeroPoint: zeroFor(dtype, e.zeros[which]),
  });

  const graphs: Partial<Record<OperatorType, (e: Elementwise) => Graph>> = {
    ADD: (e) => single("ADD", e, [spec(e, 0), spec(e, 1)], spec(e, 2)),
    SOFTMAX: (e) =>
      single("SOFTMAX", { beta: 1 }, [spec(e, 0)], {
        ...spec(e, 1),
        scales: [1 / 256],
        zeroPoint: e.dtype === "int8" ? -128 : 0,
      }),
    MEAN: (e) => {
      const axis = e.axis % e.shape.length;
      const shape = e.keepDims ? e.shape.with(axis, 1) : e.shape.toSpliced(axis, 1);
      const axes: TensorSpec = { shape: [1], dtype: "int32", data: Int32Array.of(axis - e.shape.length) };
      return single("MEAN", e, [spec(e, 0), axes], spec(e, 1, shape));
    },
    QUANTIZE: (e) => single("QUANTIZE", {}, [spec(e, 0)], spec(e, 1, e.shape, e.to)),
    DEQUANTIZE: (e) => single("DEQUANTIZE", {}, [spec(e, 0)], { shape: e.shape, dtype: "float32" }),
    CONCATENATION: (e) => {
      const axis = e.axis % e.shape.length;
      const other = e.shape.with(axis, e.before + 1);
      const whole = e.shape.with(axis, e.shape[axis]! + e.before + 1);
      return single("CONCATENATION", { axis, activation: "NONE" }, [spec(e, 0), spec(e, 0, other)], spec(e, 0, whole));
    },
    PAD: (e) => {
      const paddings = e.shape.flatMap((_, i) => (i % 2 === 0 ? [e.before, e.after] : [e.after, e.before]));
      const sizes: TensorSpec = { shape: [e.shape.length, 2], dtype: "int32", data: Int32Array.from(paddings) };
      const shape = e.shape.map((n) => n + e.before + e.after);
      return single("PAD", {}, [spec(e, 0), sizes], spec(e, 0, shape));
    },
  };

  it("QUANTIZE of floating-point numbers: ties, what lies far away, infinities and NaN", async () => {
    const special = [0, -0, 0.5, -0.5, 1.5, -2.5, 0.49999997, -0.49999997, 2 ** 23 + 1, -(2 ** 31), 3e38, -3e38];
    const numbers = fc.oneof(
      fc.constantFrom(...special, 1e-40, Infinity, -Infinity, NaN),
      fc.float({ min: -300, max: 300, noNaN: true }),
      fc.integer({ min: -300, max: 300 }).map((n) => n + 0.5),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(numbers, { minLength: 1, maxLength: 40 }),
        fc.oneof(fc.constantFrom(1, 0.25), scale),
        dtypes,
        size(255, 0),
        async (values, step, dtype, zero) => {
          const shape = [values.length];
          const graph = single("QUANTIZE", {}, [{ shape, dtype: "float32" }], {
            shape,
            dtype,
            scales: [step],
            zeroPoint: zeroFor(dtype, zero),
          });
          // Ties stay ties where the scale is a power of two.
          const input = new Uint8Array(Float32Array.from(values, (value) => value * step).buffer);
          expect(await run(graph, "fast", [input])).to.equal(await run(graph, "reference", [input]));
        },
      ),
      { numRuns: 5 * numRuns },
    );
  });

  for (const [type, build] of Object.entries(graphs)) {
    it(type, async () => {
      await fc.assert(
        fc.asyncProperty(elementwise, (e) => expectEqual(build(e), e.seed)),
        { numRuns },
      );
    });
  }
});
