/**
 * Work for a simulator that has none yet: a small convolution, again and again, so that V8 has made good code of the simulator's JavaScript
 * by the time that a network comes. A worker has the time while the driver reads the network and packs its weights. What it gives is dropped.
 */
import type { Design } from "../design.js";
import type { ConvLayer } from "../layer.js";
import type { FastSimulator } from "./fast-simulator.js";

/** Runs after which nothing gets faster. */
const ENOUGH = 200;

/** Until `wanted`. A design that does not take the layer is left as it is. */
export async function warmUp<Config>(
  design: Design<Config>,
  simulator: FastSimulator,
  config: Config,
  wanted: () => boolean,
): Promise<void> {
  const layer = sample();
  if (design.refuses(layer, config) !== null) return;
  const { program, inputs } = design.compile(layer, config);
  const handle = await simulator.load(program);
  const { inHeight, inWidth, inChannels } = layer;
  const given = inputs(new Uint8Array(inHeight * inWidth * inChannels));
  for (let run = 0; run < ENOUGH && !wanted(); run++) {
    await simulator.run(handle, given);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await simulator.unload(handle);
}

/** 3 x 3, with a border: as deep as the first layers of a network, and long enough for some bursts on every stream. */
function sample(): ConvLayer {
  const [size, channels, kernel] = [10, 32, 3];
  return {
    name: "warm-up",
    dtype: "int8",
    batch: 1,
    inHeight: size,
    inWidth: size,
    inChannels: channels,
    outHeight: size,
    outWidth: size,
    outChannels: channels,
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideHeight: 1,
    strideWidth: 1,
    dilationHeight: 1,
    dilationWidth: 1,
    padTop: 1,
    padLeft: 1,
    weights: Int8Array.from({ length: channels * channels * kernel * kernel }, (_, i) => i * 13),
    bias: new Int32Array(channels),
    inputZero: 0,
    weightZero: 0,
    outputZero: 0,
    multipliers: new Int32Array(channels).fill(2 ** 30),
    shifts: new Int32Array(channels).fill(-9),
    clampMin: -128,
    clampMax: 127,
  };
}
