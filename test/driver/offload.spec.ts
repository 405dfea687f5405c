import { expect } from "chai";
import { systolic } from "../../designs/systolic/index.js";
import { Offload } from "../../driver/offload.js";
import { FastSimulator } from "../../driver/transport/fast-simulator.js";
import { Simulator } from "../../driver/transport/simulator.js";
import { TandemError } from "../../hw/index.js";
import { randomLayer } from "../designs/layers.js";

const set = { rows: 4, cols: 4 };
const accelerator = (onClocks?: (clocks: number) => void): Offload<ReturnType<typeof systolic.configure>> =>
  new Offload(systolic, systolic.configure(set), Simulator.of(systolic, set), onClocks ? { onClocks } : {});

describe("An accelerator made of a design and a device", () => {
  it("gives the bytes of the functional model, and what they cost", async () => {
    const { layer, input } = randomLayer({ height: 4, width: 4, inChannels: 16, outChannels: 8 }, 3);
    const on = accelerator();
    expect(on.refuses(layer)).to.equal(null);
    const compiled = on.compile(layer);
    const result = await on.run(compiled, input);
    expect([...result.output]).to.deep.equal([...systolic.functional(layer, input)]);
    // Weights with 16 bytes of parameters a channel, the input, and an instruction of 64 bytes.
    expect(result).to.include({ bytesIn: 8 * (16 + 16) + 16 * 16 + 64, bytesOut: 16 * 8, exact: true, estimates: 0 });
    // 4 x 2 tiles of 16 waves at least.
    expect(result.clocks).to.be.within(8 * 16, 400);
    for (const clocks of Object.values(result.stalls)) expect(clocks).to.be.within(1, result.clocks);
    // The program stays on the device: the next run only brings another input.
    const other = input.map((x) => x ^ 0x55);
    expect([...(await on.run(compiled, other)).output]).to.deep.equal([...systolic.functional(layer, other)]);
    await on.close();
  });

  it("puts a layer's output where it is told to, on a device that does so, and gives memory of its own elsewhere", async () => {
    const { layer, input } = randomLayer({ height: 4, width: 4, inChannels: 16, outChannels: 8 }, 3);
    const expected = [...systolic.functional(layer, input)];
    for (const device of [Simulator.of(systolic, set), await FastSimulator.of(systolic, set, { cache: false })]) {
      const on = new Offload(systolic, systolic.configure(set), device);
      const compiled = on.compile(layer);
      const before = await on.run(compiled, input);
      const output = new Uint8Array(expected.length).fill(3);
      const { output: given } = await on.run(compiled, input, output);
      expect(given.buffer === output.buffer).to.equal(device instanceof FastSimulator);
      // Memory that is not as long is left alone.
      const short = new Uint8Array(5);
      for (const each of [before, { output: given }, await on.run(compiled, input, short)])
        expect([...each.output]).to.deep.equal(expected);
      expect([...short]).to.deep.equal([0, 0, 0, 0, 0]);
      await on.close();
    }
  });

  it("tells the clocks as they pass", async () => {
    const { layer, input } = randomLayer({ height: 16, width: 16, inChannels: 32, outChannels: 16 }, 3);
    const seen: number[] = [];
    const on = accelerator((clocks) => seen.push(clocks));
    const { clocks } = await on.run(on.compile(layer), input);
    expect(seen).to.have.length.above(1);
    expect(seen).to.deep.equal([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).to.be.at.most(clocks);
    await on.close();
  });

  it("is known by its design and parameters", () => {
    expect(accelerator().name).to.match(/^systolic rows=4 cols=4 productsPerDsp=2 /);
    expect(accelerator().peakMacsPerClock).to.equal(16);
  });

  it("says why it does not take a layer", () => {
    const { layer } = randomLayer({ height: 1, width: 1, inChannels: 8, outChannels: 9000 }, 1);
    expect(accelerator().refuses(layer)).to.equal("9000 output channels, at most 8192");
    expect(() => accelerator().compile(layer)).to.throw(TandemError, "does not run on systolic: 9000 output channels");
  });

  it("runs only what it has compiled itself", async () => {
    const { layer, input } = randomLayer({ height: 1, width: 1, inChannels: 8, outChannels: 8 }, 1);
    const error = await accelerator()
      .run({ layer }, input)
      .then(
        () => undefined,
        (e: unknown) => e,
      );
    expect(error).to.be.instanceOf(TandemError);
    expect((error as TandemError).message).to.include("was compiled for another accelerator than systolic");
  });
});
