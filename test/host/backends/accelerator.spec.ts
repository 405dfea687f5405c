import { createHash } from "node:crypto";
import { expect } from "chai";
import type { Accelerator } from "../../../driver/accelerator.js";
import { type ConvLayer, layerMacs } from "../../../driver/layer.js";
import { acceleratorConv2d } from "../../../host/backends/accelerator.js";
import { convolve } from "../../../host/kernels/reference/conv2d.js";
import { CPU_IMPLEMENTATIONS } from "../../../host/kernels/registry.js";
import { execute } from "../../../host/runtime/executor.js";
import { makePlan } from "../../../host/runtime/plan.js";
import { readTfliteFile } from "../../../host/tflite/reader.js";
import { single } from "../support/graphs.js";
import { modelPath, needsShared, readGolden } from "../support/shared.js";

/** An accelerator at the functional level: the layer's arithmetic, and one clock per 256 products. */
function functional(refuses: (layer: ConvLayer) => string | null): Accelerator {
  return {
    name: "functional",
    peakMacsPerClock: 256,
    refuses,
    compile: (layer) => ({ layer }),
    run: ({ layer }, input) => {
      const output = new Uint8Array(layer.batch * layer.outHeight * layer.outWidth * layer.outChannels);
      const typed = (bytes: Uint8Array) =>
        layer.dtype === "int8" ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
      convolve({ ...layer, groups: 1 }, typed(input), typed(output));
      return Promise.resolve({
        output,
        clocks: Math.ceil(layerMacs(layer) / 256),
        exact: true,
        estimates: 0,
        bytesIn: input.length + layer.weights.length,
        bytesOut: output.length,
        stalls: {},
      });
    },
    close: () => Promise.resolve(),
  };
}

describe("Convolutions on an accelerator", () => {
  for (const name of ["resnet8_cifar10_int8", "mobilenet_v1_0.25_128_uint8"]) {
    it(`${name}: the layers that it takes run there, the others on the CPU with the reason; same bytes`, async function () {
      needsShared(this);
      const { golden, inputs } = readGolden(name);
      const graph = readTfliteFile(modelPath(name));
      const accelerator = functional((layer) => (layer.strideHeight > 1 ? `stride ${layer.strideHeight}` : null));
      const plan = makePlan(graph, {
        implementations: [acceleratorConv2d(accelerator), ...CPU_IMPLEMENTATIONS],
        prefer: ["accelerator", "fast", "reference"],
      });
      const hashes: string[] = [];
      const result = await execute(plan, inputs, {
        onLayer: (_, output) => hashes.push(createHash("sha256").update(output).digest("hex")),
      });
      expect(hashes).to.deep.equal(golden.operators.map(({ sha256 }) => sha256));

      const ran = (on: string) => result.layers.filter(({ layer }) => layer.implementation.name === on);
      for (const { layer, cost } of ran("accelerator")) {
        expect(layer.reason).to.equal(undefined);
        expect(cost!.clocks).to.equal(Math.ceil(layer.macs / 256));
      }
      expect(ran("accelerator")).to.have.length.above(4);
      const reasons = new Set(ran("fast").map(({ layer }) => `${layer.operator.type}: ${layer.reason!}`));
      expect(reasons).to.include("CONV_2D: stride 2");
      expect(reasons).to.include("SOFTMAX: accelerator runs CONV_2D only");
    });
  }

  it("leave convolutions in groups to the CPU", () => {
    const quantised = { dtype: "int8" as const, scales: [0.5] };
    const graph = single(
      "CONV_2D",
      { padding: "SAME", strideHeight: 1, strideWidth: 1, dilationHeight: 1, dilationWidth: 1, activation: "NONE" },
      [
        { shape: [1, 4, 4, 4], ...quantised },
        { shape: [4, 1, 1, 2], ...quantised, data: new Int8Array(8) },
      ],
      { shape: [1, 4, 4, 4], ...quantised },
    );
    const plan = makePlan(graph, {
      implementations: [acceleratorConv2d(functional(() => null)), ...CPU_IMPLEMENTATIONS],
      prefer: ["accelerator", "fast"],
    });
    expect(plan.layers[0]!.implementation.name).to.equal("fast");
    expect(plan.layers[0]!.reason).to.equal("2 groups");
  });
});
