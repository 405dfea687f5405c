/**
 * `tandem gemm M N K`: one random int8 product through driver and design, checked against the design's functional model.
 * M rows of inputs times N columns of weights, depth K: a 1 x 1 convolution of M pixels.
 */
import { createHash } from "node:crypto";
import type { Argv, ArgumentsCamelCase, CommandModule } from "yargs";
import type { LayerResult } from "../../../driver/accelerator.js";
import { layerMacs, type ConvLayer } from "../../../driver/layer.js";
import { TandemError } from "../../../hw/errors.js";
import { quantiseMultiplier } from "../../kernels/arithmetic.js";
import { acceleratorOf, type Target } from "../../targets.js";
import { version } from "../../version.js";
import { UsageError } from "../errors.js";
import { checkWritable, writeWhole } from "../files.js";
import { openTarget, placeOptions, type PlaceArguments } from "../options.js";
import { Progress } from "../progress.js";
import { count, fixed, percent } from "../table.js";

interface Arguments extends PlaceArguments {
  M: number;
  N: number;
  K: number;
  seed: number;
  json: string | undefined;
}

/** Largest edge of the product. */
const MAX_SIZE = 65_536;

function builder(yargs: Argv): Argv<Arguments> {
  const own = yargs
    .positional("M", { type: "number", demandOption: true, describe: "Rows of inputs" })
    .positional("N", { type: "number", demandOption: true, describe: "Columns of weights: output channels" })
    .positional("K", { type: "number", demandOption: true, describe: "Depth: products in each sum" })
    .option("seed", { type: "number", default: 1, describe: "Of the random operands" })
    .option("json", { type: "string", requiresArg: true, describe: "Write the figures here" });
  return placeOptions(own);
}

export const gemm: CommandModule<object, Arguments> = {
  command: "gemm <M> <N> <K>",
  describe: "Run one random int8 product M x N, depth K, and print its clocks",
  builder,
  handler,
};

async function handler(args: ArgumentsCamelCase<Arguments>): Promise<void> {
  for (const name of ["M", "N", "K"] as const) {
    if (!Number.isInteger(args[name]) || args[name] < 1 || args[name] > MAX_SIZE) {
      throw new UsageError(`${name} = ${args[name]}: expected an integer from 1 to ${MAX_SIZE}`);
    }
  }
  if (args.json !== undefined) checkWritable(args.json);
  const { layer, input } = randomProduct(args.M, args.N, args.K, args.seed);
  const progress = new Progress(args.progress);
  const target = await openTarget(args, { onClocks: (clocks) => progress.clocks(clocks) });
  try {
    const { accelerator, design } = acceleratorOf(target, "gemm");
    const refusal = accelerator.refuses(layer);
    if (refusal !== null) throw new TandemError(`${accelerator.name} does not take ${layer.name}: ${refusal}`);
    progress.begin([{ name: layer.name, work: 1 }]);
    const result = await accelerator.run(accelerator.compile(layer), input);
    progress.close();
    compareOutputs(layer.name, result.output, design.functional(layer, input));
    print(args, target, layer, result);
  } finally {
    progress.close();
    await target.close();
  }
}

/** Operands of all values, and multipliers that spread the outputs over their range. */
function randomProduct(M: number, N: number, K: number, seed: number): { layer: ConvLayer; input: Uint8Array } {
  let state = seed | 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >> 24;
  };
  const input = Uint8Array.from({ length: M * K }, next);
  const weights = Int8Array.from({ length: N * K }, next);
  // A product of two uniform int8 values has a standard deviation of 74^2; that of the outputs is to be about 40.
  const { multiplier, shift } = quantiseMultiplier(40 / (Math.sqrt(K) * 74 * 74));
  const layer: ConvLayer = {
    name: `${M} x ${N} x ${K}`,
    dtype: "int8",
    batch: 1,
    inHeight: 1,
    inWidth: M,
    inChannels: K,
    outHeight: 1,
    outWidth: M,
    outChannels: N,
    kernelHeight: 1,
    kernelWidth: 1,
    strideHeight: 1,
    strideWidth: 1,
    dilationHeight: 1,
    dilationWidth: 1,
    padTop: 0,
    padLeft: 0,
    weights,
    bias: Int32Array.from({ length: N }, () => next() * 16),
    inputZero: next() >> 2,
    weightZero: 0,
    outputZero: next() >> 2,
    multipliers: new Int32Array(N).fill(multiplier),
    shifts: new Int32Array(N).fill(shift),
    clampMin: -128,
    clampMax: 127,
  };
  return { layer, input };
}

/** @throws TandemError if the design's bytes are not its functional model's. */
function compareOutputs(name: string, found: Uint8Array, expected: Uint8Array): void {
  const wrong = expected.reduce((sum, value, i) => sum + (value === found[i] ? 0 : 1), 0);
  if (wrong > 0 || found.length !== expected.length) {
    throw new TandemError(
      `${name}: ${count(wrong)} of ${count(expected.length)} outputs differ from the design's functional model`,
      { hint: "That is a defect of the design." },
    );
  }
}

function print(args: Arguments, target: Target, layer: ConvLayer, result: LayerResult): void {
  const { accelerator, design, config } = acceleratorOf(target, "gemm");
  const macs = layerMacs(layer);
  const macPerClock = macs / result.clocks;
  const share = macPerClock / accelerator.peakMacsPerClock;
  if (args.json !== undefined) {
    const { M, N, K, seed } = args;
    const { output, ...cost } = result;
    const sha256 = createHash("sha256").update(output).digest("hex");
    const figures = { macs, ...cost, macPerClock, shareOfPeak: share, sha256 };
    const where = { design: design.name, config, engine: target.engine, level: target.level };
    writeWhole(args.json, `${JSON.stringify({ tandem: version, ...where, M, N, K, seed, ...figures }, null, 2)}\n`);
  }
  const stalls = Object.entries(result.stalls)
    .filter(([, clocks]) => clocks > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 5)
    .map(([where, clocks]) => `  ${count(clocks).padStart(10)} clocks  ${where}`);
  const exactness = result.exact ? "exact" : `of which ${count(result.estimates)} estimated`;
  const lines = [
    `${accelerator.name} (${target.engine}, ${target.level ?? ""})`,
    `${layer.name}: ${count(result.clocks)} clocks (${exactness}), ${count(macs)} MACs, ` +
      `${fixed(macPerClock, 1)} MAC per clock, ${percent(share)} of the peak of ${count(accelerator.peakMacsPerClock)}`,
    `${count(result.bytesIn)} bytes in, ${count(result.bytesOut)} bytes out; equal to the functional model`,
    ...(stalls.length > 0 ? ["stalled longest:", ...stalls] : []),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
