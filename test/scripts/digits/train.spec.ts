import { expect } from "chai";
import fc from "fast-check";
import { readTflite } from "../../../host/tflite/reader.js";
import { writeTflite } from "../../../host/tflite/writer.js";
import { backward, build, crossEntropy, forward } from "../../../scripts/digits/network.js";
import { activation, calibrate, quantise, weights } from "../../../scripts/digits/quantise.js";
import { random } from "../../../scripts/digits/random.js";
import { sample } from "../../../scripts/digits/render.js";
import { asInput, train } from "../../../scripts/digits/train.js";

describe("training of the digits", () => {
  const input = asInput(sample(1, 3).pixels);

  it("has gradients that agree with finite differences, in every layer", () => {
    const network = build(random(4));
    const unused = new Float32Array(10);
    const gradient = new Float32Array(10);
    crossEntropy(forward(network, input), 3, gradient);
    backward(network, gradient);
    const source = random(5);
    for (const layer of network) {
      for (const [values, gradients] of [
        [layer.weights, layer.weightGradient],
        [layer.bias, layer.biasGradient],
      ] as const) {
        // The largest gradient and some others: small ones drown in the rounding of single precision.
        const top = gradients.reduce((best, value, i) => (Math.abs(value) > Math.abs(gradients[best]!) ? i : best), 0);
        for (const i of [top, source.below(values.length), source.below(values.length)]) {
          const kept = values[i]!;
          const losses = [3e-4, -3e-4].map((step) => {
            values[i] = kept + step;
            return crossEntropy(forward(network, input), 3, unused);
          });
          values[i] = kept;
          const slope = (losses[0]! - losses[1]!) / 6e-4;
          expect(gradients[i]).to.be.closeTo(slope, 0.01 + 0.05 * Math.abs(slope), `${layer.spec.name} ${i}`);
        }
      }
    }
  });

  it("does exactly the same the second time", () => {
    const [first, second] = [0, 1].map(() => train({ steps: 30, batch: 4, rate: 0.003 }));
    expect(second!.map((layer) => layer.weights)).to.deep.equal(first!.map((layer) => layer.weights));
  });

  it("gets below the loss of guessing within 4,000 pictures", () => {
    const losses: number[] = [];
    train({ steps: 250, batch: 16, rate: 0.003, report: (_, loss) => losses.push(loss) });
    expect(losses.length).to.equal(1);
    expect(losses[0]).to.be.below(0.95 * Math.log(10));
  });
});

describe("quantisation of the digits", () => {
  it("covers a range with 256 steps and keeps 0 exact", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -100, max: 0, noNaN: true }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (min, max) => {
          const { scales, zeroPoints } = activation({ min, max });
          const [scale, zero] = [scales[0]!, zeroPoints[0]!];
          expect(zero).to.be.within(-128, 127);
          expect(scale * (127 - zero)).to.be.closeTo(max, scale);
          expect(scale * (-128 - zero)).to.be.closeTo(min, scale);
        },
      ),
    );
  });

  it("rounds weights to within half a step of their channel, symmetric", () => {
    for (const layer of build(random(2))) {
      const { data, scales } = weights(layer, true);
      expect(scales.length).to.equal(layer.spec.channels);
      data.forEach((value, i) => {
        const scale = scales[Math.floor(i / layer.depth)]!;
        expect(Math.abs(value)).to.be.at.most(127);
        expect(value * scale).to.be.closeTo(layer.weights[i]!, scale * 0.501);
      });
    }
  });

  it("makes a graph that the reader takes: four convolutions per channel, one of them 1 x 1, and a softmax in 1/256", () => {
    const network = build(random(2));
    const graph = readTflite(
      writeTflite(quantise(network, calibrate(network, [asInput(sample(1, 3).pixels)]))),
      "fresh",
    );
    expect(graph.operators.map(({ type }) => type)).to.deep.equal([
      ...Array<string>(4).fill("CONV_2D"),
      "RESHAPE",
      "FULLY_CONNECTED",
      "SOFTMAX",
    ]);
    for (const { inputs } of graph.operators.slice(0, 4)) {
      const [, weight, bias] = inputs.map((index) => graph.tensors[index]!);
      expect(weight!.quantisation!.scales.length).to.equal(weight!.shape[0]);
      const inputScale = graph.tensors[inputs[0]!]!.quantisation!.scales[0]!;
      expect(bias!.quantisation!.scales).to.deep.equal(
        weight!.quantisation!.scales.map((scale) => Math.fround(scale * inputScale)),
      );
    }
    expect(
      graph.operators.some(({ inputs }) => graph.tensors[inputs[1] ?? -1]?.shape.slice(1, 3).join() === "1,1"),
    ).to.equal(true);
    expect(graph.tensors[graph.outputs[0]!]!.quantisation).to.deep.equal({
      scales: [1 / 256],
      zeroPoints: [-128],
      axis: 0,
    });
  });
});
