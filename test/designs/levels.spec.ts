/** One suite for all levels of all designs: the same layers, the same bytes; what each level says of time; what is hardware. */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import type { Accelerator } from "../../driver/accelerator.js";
import type { Design, Level } from "../../driver/design.js";
import { FunctionalAccelerator } from "../../driver/functional.js";
import type { ConvLayer } from "../../driver/layer.js";
import { Offload } from "../../driver/offload.js";
import { FastSimulator } from "../../driver/transport/fast-simulator.js";
import { readVerilog } from "../../driver/transport/rtl-simulator.js";
import { Simulator } from "../../driver/transport/simulator.js";
import { TransactionSimulator } from "../../driver/transport/transaction-simulator.js";
import { elaborate, TandemError } from "../../hw/index.js";
import { allDesigns } from "../../host/registry.js";
import { randomLayer, type LayerShape } from "./layers.js";

/** The definition of the layer's arithmetic in BigInt: nothing of it is shared with any level. */
function definition(layer: ConvLayer, input: Uint8Array): number[] {
  const { batch, outHeight, outWidth, outChannels } = layer;
  const out: number[] = [];
  for (let image = 0; image < batch; image++)
    for (let y = 0; y < outHeight; y++)
      for (let x = 0; x < outWidth; x++)
        for (let c = 0; c < outChannels; c++) {
          const acc = accumulate(layer, input, image, y, x, c);
          if (layer.sums) for (let b = 0; b < 4; b++) out.push((acc >> (8 * b)) & 0xff);
          else out.push(requantised(layer, acc, c) & 0xff);
        }
  return out;
}

function accumulate(layer: ConvLayer, input: Uint8Array, image: number, y: number, x: number, c: number): number {
  const { inHeight, inWidth, inChannels, outChannels, kernelHeight, kernelWidth } = layer;
  let acc = BigInt(layer.bias[c]!);
  for (let ky = 0; ky < kernelHeight; ky++)
    for (let kx = 0; kx < kernelWidth; kx++) {
      const iy = y * layer.strideHeight - layer.padTop + ky * layer.dilationHeight;
      const ix = x * layer.strideWidth - layer.padLeft + kx * layer.dilationWidth;
      if (iy < 0 || iy >= inHeight || ix < 0 || ix >= inWidth) continue;
      for (let i = 0; i < inChannels; i++) {
        if (layer.depthwise && i !== Math.floor(c / (outChannels / inChannels))) continue;
        const byte = input[((image * inHeight + iy) * inWidth + ix) * inChannels + i]!;
        const value = layer.dtype === "int8" ? (byte << 24) >> 24 : byte;
        const place = ky * kernelWidth + kx;
        const weight =
          layer.weights[
            layer.depthwise ? place * outChannels + c : (c * kernelHeight * kernelWidth + place) * inChannels + i
          ]!;
        acc += BigInt((value - layer.inputZero) * (weight - layer.weightZero));
      }
    }
  return Number(BigInt.asIntN(32, acc));
}

function requantised(layer: ConvLayer, acc: number, c: number): number {
  const shift = layer.shifts[c]!;
  const scaled = BigInt.asIntN(32, BigInt(acc) << BigInt(Math.max(shift, 0)));
  const product = scaled * BigInt(shift < -31 ? 0 : layer.multipliers[c]!);
  // Division of BigInt rounds towards zero.
  let high = (product + (product >= 0n ? 1n << 30n : 1n - (1n << 30n))) / (1n << 31n);
  const right = BigInt(shift < 0 && shift >= -31 ? -shift : 0);
  if (right > 0n) {
    const half = 1n << (right - 1n);
    high = high >= 0n ? (high + half) >> right : -((-high + half) >> right);
  }
  return Math.min(Math.max(Number(high) + layer.outputZero, layer.clampMin), layer.clampMax);
}

/** A level behind the driver's one interface. */
async function open(design: Design, level: Level, set: Record<string, number>): Promise<Accelerator> {
  const config = design.configure(set);
  if (level === "functional") return new FunctionalAccelerator(design, config);
  const device =
    level === "transaction"
      ? TransactionSimulator.of(design, set)
      : await FastSimulator.of(design, set, { level, cache: false });
  expect((await device.describe()).level).to.equal(level);
  return new Offload(design, config, device);
}

const shapes: fc.Arbitrary<LayerShape> = fc
  .record({
    dtype: fc.constantFrom("int8" as const, "uint8" as const),
    height: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 9 }),
    inChannels: fc.integer({ min: 1, max: 30 }),
    outChannels: fc.integer({ min: 1, max: 40 }),
    kernel: fc.constantFrom(1, 1, 3),
    stride: fc.constantFrom(1, 2),
    pad: fc.constantFrom(0, 1),
    shifts: fc.constantFrom<[number, number]>([-12, -5], [-34, -20], [0, 3]),
    kind: fc.constantFrom({}, {}, { depthwise: true }, { sums: true }),
  })
  .map(({ kind, ...shape }) => ({ ...shape, ...kind }))
  .filter(({ height, width, kernel, pad }) => Math.min(height, width) + 2 * pad >= kernel);

const seed = Number(process.env["TANDEM_SEED"] ?? 1);
/** Small enough for buffers to overflow and weights to pass several times. */
const small: Record<string, Record<string, number>> = {
  systolic: { rows: 8, cols: 8, inputBytes: 4096, weightBytes: 2048, outputBytes: 4096 },
  vmac: { inputBytes: 8192, weightBytes: 4096, outputBytes: 8192 },
};

const DESIGNS = await allDesigns();

describe("Levels", function () {
  this.timeout(120_000);
  for (const { design } of DESIGNS)
    describe(`of ${design.name}`, () => {
      for (const level of design.levels)
        it(`${level} gives the defined bytes for random layers (seed ${seed})`, async () => {
          for (const set of [{}, small[design.name]!]) {
            const accelerator = await open(design, level, set);
            await fc.assert(
              fc.asyncProperty(shapes, fc.nat(), async (shape, number) => {
                const { layer, input } = randomLayer(shape, number);
                fc.pre(accelerator.refuses(layer) === null);
                const result = await accelerator.run(accelerator.compile(layer), input);
                expect([...result.output]).to.deep.equal(definition(layer, input));
                expect(result.exact).to.equal(level === "rtl");
                if (level === "cycle") expect(result.estimates).to.be.within(1, result.clocks - 1);
                if (level === "transaction") expect(result.estimates).to.equal(result.clocks);
              }),
              { numRuns: 16, seed },
            );
            await accelerator.close();
          }
        });

      it("cycle and transaction come near the clocks of rtl", async () => {
        const clocks: Record<string, number[]> = {};
        const layers: LayerShape[] = [
          { height: 12, width: 12, inChannels: 64, outChannels: 64 },
          { height: 7, width: 7, inChannels: 200, outChannels: 96 },
          { height: 14, width: 14, inChannels: 24, outChannels: 32, kernel: 3, pad: 1 },
        ];
        for (const level of ["transaction", "cycle", "rtl"] as const) {
          const accelerator = await open(design, level, {});
          clocks[level] = [];
          for (const shape of layers) {
            const { layer, input } = randomLayer(shape, 3);
            clocks[level].push((await accelerator.run(accelerator.compile(layer), input)).clocks);
          }
          await accelerator.close();
        }
        clocks["rtl"]!.forEach((exact, i) => {
          expect(clocks["cycle"]![i]! / exact, `cycle, layer ${i}`).to.be.within(0.98, 1.02);
          expect(clocks["transaction"]![i]! / exact, `transaction, layer ${i}`).to.be.within(0.75, 1.25);
        });
      });

      // The line of the estimate in the model.
      const text = readFileSync("designs/gemm/post-processor-model.ts", "utf8");
      const line = text.slice(0, text.indexOf("this.estimate(")).split("\n").length;

      it("the level rtl becomes Verilog; cycle is refused, with the place of its estimate", async () => {
        const config = design.configure({});
        const { files } = await readVerilog(elaborate(design.build(config, "rtl")));
        expect([...files.keys()]).to.include("PostProcessor_shift.v");
        try {
          await readVerilog(elaborate(design.build(config, "cycle")));
        } catch (error) {
          expect(error).to.be.instanceOf(TandemError);
          expect((error as TandemError).message).to.match(
            new RegExp(`post-processor-model\\.ts:${line}:\\d+: \\w+\\.postProcessor\\.requantise holds an estimate`),
          );
          return;
        }
        expect.fail("an estimate became Verilog");
      });

      it("the kernel and the fast engine agree on the level that mixes models and hardware", async () => {
        const { layer, input } = randomLayer({ height: 6, width: 5, inChannels: 20, outChannels: 30 }, 9);
        const runs = [
          Simulator.of(design, {}, { level: "cycle" }),
          await FastSimulator.of(design, {}, { level: "cycle", cache: false }),
        ];
        const [kernel, fast] = await Promise.all(
          runs.map(async (device) => {
            const accelerator = new Offload(design, design.configure({}), device);
            const { clocks, estimates, stalls, output } = await accelerator.run(accelerator.compile(layer), input);
            return { clocks, estimates, stalls, output: [...output] };
          }),
        );
        expect(fast).to.deep.equal(kernel);
      });

      it("a level without clocks is not simulated clock by clock", () => {
        expect(() => Simulator.of(design, {}, { level: "transaction" })).to.throw(
          TandemError,
          "has no clocks to simulate",
        );
      });
    });
});
