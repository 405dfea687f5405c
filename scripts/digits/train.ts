/** Trains the digits' network: cross entropy, Adam (Kingma and Ba, arXiv 1412.6980), a new picture every time. */
import { backward, build, crossEntropy, forward, largest, type Layer } from "./network.js";
import { random } from "./random.js";
import { sample } from "./render.js";

/** Seeds of the pictures. A test picture is never a training picture: the sets differ in the seed of every picture. */
export const seeds = { network: 1, training: 11, calibration: 12, test: 13 } as const;

export interface TrainingOptions {
  readonly steps: number;
  readonly batch: number;
  readonly rate: number;
  /** Called now and then with the mean loss since the last call. */
  readonly report?: (step: number, loss: number) => void;
}

/** A picture as the network takes it: [0, 1]. */
export function asInput(pixels: Uint8Array): Float32Array {
  return Float32Array.from(pixels, (pixel) => pixel / 255);
}

export function train({ steps, batch, rate, report }: TrainingOptions): Layer[] {
  const network = build(random(seeds.network));
  const parameters = network.flatMap((layer) => [
    adam(layer.weights, layer.weightGradient),
    adam(layer.bias, layer.biasGradient),
  ]);
  const gradient = new Float32Array(10);
  let loss = 0;
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < batch; i++) {
      const { digit, pixels } = sample(seeds.training, step * batch + i);
      loss += crossEntropy(forward(network, asInput(pixels)), digit, gradient);
      for (let k = 0; k < 10; k++) gradient[k]! /= batch;
      backward(network, gradient);
    }
    // Half a cosine from the full rate to none, after a short warm-up.
    const now = rate * Math.min(1, (step + 1) / 100) * 0.5 * (1 + Math.cos((Math.PI * step) / steps));
    for (const update of parameters) update(now, step + 1);
    if ((step + 1) % 250 === 0) {
      report?.(step + 1, loss / (250 * batch));
      loss = 0;
    }
  }
  return network;
}

/** One Adam update of `values`, which clears their gradient. */
function adam(values: Float32Array, gradient: Float32Array): (rate: number, step: number) => void {
  const mean = new Float32Array(values.length);
  const square = new Float32Array(values.length);
  return (rate, step) => {
    const meanScale = 1 / (1 - 0.9 ** step);
    const squareScale = 1 / (1 - 0.999 ** step);
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i]!;
      mean[i] = 0.9 * mean[i]! + 0.1 * g;
      square[i] = 0.999 * square[i]! + 0.001 * g * g;
      values[i]! -= (rate * mean[i]! * meanScale) / (Math.sqrt(square[i]! * squareScale) + 1e-8);
    }
    gradient.fill(0);
  };
}

/** Share of `count` pictures of a set that the floating point network reads right. */
export function accuracy(network: readonly Layer[], seed: number, count: number): number {
  let right = 0;
  for (let i = 0; i < count; i++) {
    const { digit, pixels } = sample(seed, i);
    if (largest(forward(network, asInput(pixels))) === digit) right++;
  }
  return right / count;
}
