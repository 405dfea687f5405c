import { expect } from "chai";
import { systolic } from "../../../designs/systolic/index.js";
import type { ParameterValue, RunResult } from "../../../driver/device.js";
import { elaborate } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { compile } from "../../../sim/fast/compile.js";
import { imageOf } from "../../../sim/fast/image.js";
import { withMutation, type TimeRules } from "../../../sim/fast/rules.js";
import { FastSimulator } from "../../../driver/transport/fast-simulator.js";
import { Simulator } from "../../../driver/transport/simulator.js";
import { stallTable } from "../../../sim/kernel/counters.js";
import { mulberry32 } from "../../../sim/environment.js";
import { randomLayer, type LayerShape } from "../../designs/layers.js";

/** Everything that both engines count, without the order in which stalls came up. */
const comparable = ({ clocks, exact, counters }: RunResult): unknown => ({
  clocks,
  exact,
  stalls: stallTable(counters!),
  processes: counters!.processes.map(({ path, busy, idle, estimated }) => ({ path, busy, idle, estimated })),
  channels: counters!.channels,
  memories: counters!.memories,
  grids: counters!.grids,
});

const configs: Record<string, ParameterValue>[] = [
  {},
  { rows: 8, cols: 8 },
  { rows: 12, cols: 20 },
  { rows: 1, cols: 1 },
  { rows: 3, cols: 5 },
  { productsPerDsp: 1, lanes: 4, streamBytes: 4, streams: 4, weightStreams: 1 },
  { inputBytes: 8192, weightBytes: 4096, doubleBuffering: false, resultTiles: 1, overlapTiles: false },
];

const first = Number(process.env["SEED"] ?? 1);
const layers = Number(process.env["LAYERS"] ?? 3);

describe("The fast engine on the systolic design", () => {
  for (const [what, stalls] of [
    ["at full pace", undefined],
    ["with neighbours that hold tokens back now and then", { seed: first, chance: 0.01, most: 30 }],
  ] as const)
    it(`equals the kernel for layers that are deep enough for long leaps, ${what} (seed ${first})`, async function () {
      this.timeout(180_000);
      for (const [i, config] of [{}, { rows: 8, cols: 12, weightBytes: 4096 }].entries()) {
        const shape: LayerShape = {
          dtype: "int8",
          height: 3,
          width: 7,
          inChannels: 96 + 5 * i,
          outChannels: 40,
          kernel: 3,
          pad: 1,
        };
        const { layer, input } = randomLayer(shape, first + i);
        const compiled = systolic.compile(layer, systolic.configure(config));
        const options = stalls ? { stalls } : {};
        const kernel = Simulator.of(systolic, config, options);
        const fast = await FastSimulator.of(systolic, config, options);
        const inputs = compiled.inputs(input);
        const expected = await kernel.run(await kernel.load(compiled.program), inputs);
        const got = await fast.run(await fast.load(compiled.program), inputs);
        expect(got.outputs, JSON.stringify(config)).to.deep.equal(expected.outputs);
        expect(comparable(got), JSON.stringify(config)).to.deep.equal(comparable(expected));
      }
    });

  it("shows nothing of what stands where anything may stand after reset: words that are not written", async () => {
    const config = { rows: 8, cols: 12, weightBytes: 4096 };
    const { layer, input } = randomLayer(
      { height: 3, width: 7, inChannels: 24, outChannels: 20, kernel: 3, pad: 1 },
      first,
    );
    const { program, inputs } = systolic.compile(layer, systolic.configure(config));
    const plain = await FastSimulator.of(systolic, config);
    const { image, module } = plain.code;
    expect(image.fills.filter(([, , byte]) => byte < 0)).to.have.length.above(5);
    for (const other of [0x55, 0xff]) {
      const fills = image.fills.map(([start, end, byte]) => [start, end, byte < 0 ? other : byte] as const);
      const odd = await FastSimulator.of(systolic, config, { code: { image: { ...image, fills }, module } });
      const results = [];
      for (const device of [plain, odd]) {
        const handle = await device.load(program);
        // The first run of all is that of a fresh memory.
        await device.run(handle, inputs(input));
        results.push(await device.run(handle, inputs(input)));
      }
      const [expected, got] = results as [RunResult, RunResult];
      expect(got.outputs).to.deep.equal(expected.outputs);
      expect(comparable(got)).to.deep.equal(comparable(expected));
    }
  });

  it("takes no words for those that stood in their place earlier in the tile", async function () {
    this.timeout(60_000);
    // The weight buffer is shorter than a tile, so that its words are loaded anew while others of the tile wait to be added.
    const config = { rows: 8, cols: 12, weightBytes: 4096 };
    const shape: LayerShape = {
      dtype: "int8",
      height: 3,
      width: 4,
      inChannels: 101,
      outChannels: 40,
      kernel: 3,
      pad: 1,
    };
    const { layer, input } = randomLayer(shape, first);
    const compiled = systolic.compile(layer, systolic.configure(config));
    const { ir } = await readDesign(elaborate(systolic.build(systolic.configure(config))));
    const outputs = async (rules: Partial<TimeRules>): Promise<unknown> => {
      const image = withMutation("round", rules, () => imageOf(compile(ir)));
      const code = { image, module: new WebAssembly.Module(image.wasm) };
      const fast = await FastSimulator.of(systolic, config, { code });
      return (await fast.run(await fast.load(compiled.program), compiled.inputs(input))).outputs;
    };
    const kernel = Simulator.of(systolic, config, {});
    const expected = await kernel.run(await kernel.load(compiled.program), compiled.inputs(input));
    expect(await outputs({})).to.deep.equal(expected.outputs);
    expect(await outputs({ openStale: 1 }), "if they are added after they have changed").to.not.deep.equal(
      expected.outputs,
    );
  });

  for (const config of configs)
    it(`equals the kernel for ${layers} random layers, ${JSON.stringify(config)} (seed ${first})`, async function () {
      this.timeout(180_000);
      for (let seed = first; seed < first + layers; seed++) {
        const next = mulberry32(seed * 77 + 5);
        const below = (n: number): number => Math.floor(next() * n);
        const small = config["rows"] === 1;
        const shape: LayerShape = {
          dtype: next() < 0.5 ? "int8" : "uint8",
          height: 1 + below(small ? 3 : 7),
          width: 1 + below(small ? 3 : 7),
          inChannels: 1 + below(small ? 9 : 40),
          outChannels: 1 + below(small ? 5 : 60),
          kernel: 1 + 2 * below(2),
          pad: 1,
        };
        const stalls = seed % 3 === 0 ? {} : { stalls: { seed, chance: 0.3, most: 9 } };
        const { layer, input } = randomLayer(shape, seed);
        const compiled = systolic.compile(layer, systolic.configure(config));
        const kernel = Simulator.of(systolic, config, stalls);
        const fast = await FastSimulator.of(systolic, config, stalls);
        const inputs = compiled.inputs(input);
        const expected = await kernel.run(await kernel.load(compiled.program), inputs);
        const handle = await fast.load(compiled.program);
        const got = await fast.run(handle, inputs);
        expect(comparable(got), `seed ${seed}`).to.deep.equal(comparable(expected));
        expect(got.outputs, `seed ${seed}`).to.deep.equal(expected.outputs);
        expect(comparable(await fast.run(handle, inputs)), `seed ${seed}, again`).to.deep.equal(comparable(expected));
      }
    });
});
