/** The board's DMA at the ports of both engines: the same beats in the same clocks, the same questions to memory, the same traces. */
import { expect } from "chai";
import { systolic } from "../../../designs/systolic/index.js";
import { vmac } from "../../../designs/vmac/index.js";
import type { Design } from "../../../driver/design.js";
import type { ParameterValue, RunResult } from "../../../driver/device.js";
import { FastSimulator } from "../../../driver/transport/fast-simulator.js";
import { Simulator } from "../../../driver/transport/simulator.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { elaborate } from "../../../hw/index.js";
import { mulberry32 } from "../../../sim/environment.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { withMutation } from "../../../sim/fast/rules.js";
import { DmaTiming, type PacedStream } from "../../../sim/platform/dma.js";
import { boardValues } from "../../../sim/platform/platform.js";
import { randomLayer } from "../../designs/layers.js";
import { Chained, randomChained, tokens } from "./chained.js";
import { InStep, randomOptions } from "./in-step.js";
import { randomNetwork, type Case } from "./network.js";
import { Random } from "./random.js";
import { outside } from "./outside.js";
import { expectEqual, inFast, inKernel, randomBoard, streamsOf, type Around, type Outcome } from "./paced.js";
import { comparable } from "./comparable.js";
import { setting } from "./steps.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["NETWORKS"] ?? 60);
const inStep = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 16);
const SETTINGS = 4;
const layers = process.env["SEED"] ? 1 : Number(process.env["LAYERS"] ?? 4);

const CAPACITY = 60;

const MUTANTS = 60;

function aroundNetwork(seed: number, made: Case): Around {
  const random = new Random(seed ^ 0xb0a4d);
  const { inputs, until } = outside(seed, made);
  return {
    inputs,
    capacity: CAPACITY,
    streams: streamsOf(made, (port) => inputs[port]?.length ?? CAPACITY, random),
    board: randomBoard(random, true),
    until: 3 * (until ?? 600),
  };
}

function checkNetwork(seed: number, polls: boolean): number {
  const made = randomNetwork(seed, { polls });
  const around = aroundNetwork(seed, made);
  let expected: Outcome;
  try {
    expected = inKernel(made.top, around);
  } catch {
    return 0; // An error of the network itself; networks.spec.ts has those.
  }
  const got = inFast(new FastEngine(randomNetwork(seed, { polls }).ir), around, seed % 3 === 0);
  expectEqual(got, expected, `SEED=${seed}, polls ${polls}`);
  return got.transfers.length;
}

/** A design whose loader takes its tokens in rounds with their source; returns the rounds done. */
async function checkInStep(seed: number): Promise<number> {
  const random = new Random(seed * 77 + 5);
  const options = randomOptions(random);
  const { ir } = await readDesign(elaborate(new InStep(options)));
  const engine = new FastEngine(ir);
  let rounds = 0;
  for (let i = 0; i < SETTINGS; i++) {
    const { jobs, beats } = setting(random, options);
    const inputs: Around["inputs"] = { jobs, beats };
    const capacity = 400;
    const around: Around = {
      inputs,
      capacity,
      streams: streamsOf({ ir }, (port) => inputs[port]?.length ?? capacity, random),
      board: randomBoard(random, true),
      until: random.chance(0.7) ? 40 + random.below(1000) : 5000,
    };
    const expected = inKernel(new InStep(options), around);
    expectEqual(inFast(engine, around, random.chance(0.4)), expected, `SEED=${seed}, setting ${i}`);
    rounds += engine.rounds;
    engine.reset();
  }
  return rounds;
}

/** A design with chains of processes up to its outputs. */
async function checkChained(seed: number): Promise<void> {
  const random = new Random(seed * 41 + 3);
  const options = randomChained(random);
  const { ir } = await readDesign(elaborate(new Chained(options)));
  const engine = new FastEngine(ir);
  for (let i = 0; i < SETTINGS; i++) {
    const inputs: Around["inputs"] = { ...tokens(random) };
    const capacity = 400;
    const around: Around = {
      inputs,
      capacity,
      streams: streamsOf({ ir }, (port) => inputs[port]?.length ?? capacity, random),
      board: randomBoard(random, true),
      until: random.chance(0.7) ? 40 + random.below(1000) : 5000,
    };
    const expected = inKernel(new Chained(options), around);
    expectEqual(inFast(engine, around, random.chance(0.4)), expected, `SEED=${seed}, setting ${i}`);
    engine.reset();
  }
}

const designs: { readonly design: Design; readonly configs: readonly Record<string, ParameterValue>[] }[] = [
  {
    design: systolic,
    configs: [
      {},
      { rows: 8, cols: 8 },
      { rows: 12, cols: 20, inputBytes: 8192, weightBytes: 4096 },
      { productsPerDsp: 1, lanes: 4, streamBytes: 4, streams: 4, weightStreams: 1 },
      { inputBytes: 8192, weightBytes: 4096, doubleBuffering: false, resultTiles: 1, overlapTiles: false },
    ],
  },
  { design: vmac, configs: [{}, { units: 2 }] },
];

describe("The fast engine at the pace of a board's DMA", () => {
  for (const polls of [false, true])
    it(`equals the kernel on ${count} random networks ${polls ? "with" : "without"} polls and signals (seed ${first})`, () => {
      let transfers = 0;
      for (let seed = first; seed < first + count; seed++) transfers += checkNetwork(seed, polls);
      if (count > 10) expect(transfers, "transfers in all").to.be.greaterThan(count);
    });

  it("is caught where it takes a port to be silent for longer than it is", () => {
    let caught = 0;
    for (let seed = 1; seed <= MUTANTS && caught === 0; seed++) {
      const made = randomNetwork(seed, { polls: false });
      const around = aroundNetwork(seed, made);
      const show = (engine: FastEngine): string => {
        try {
          return JSON.stringify(inFast(engine, around, false));
        } catch (error) {
          return String(error);
        }
      };
      const mutant = withMutation("round", { silence: 16 }, () => new FastEngine(made.ir));
      if (show(mutant) !== show(new FastEngine(made.ir))) caught = seed;
    }
    expect(caught, `caught by a network up to ${MUTANTS}`).to.be.above(0);
  });

  it(`equals the kernel on ${inStep} random designs with rounds (seed ${first})`, async function () {
    this.timeout(20_000 + inStep * 3000);
    let rounds = 0;
    for (let seed = first; seed < first + inStep; seed++) rounds += await checkInStep(seed);
    if (inStep > 10) expect(rounds, "rounds").to.be.above(inStep * SETTINGS * 10);
  });

  it(`equals the kernel on ${inStep} random designs with chains (seed ${first})`, async function () {
    this.timeout(20_000 + inStep * 3000);
    for (let seed = first; seed < first + inStep; seed++) await checkChained(seed);
  });

  for (const { design, configs } of designs)
    it(`equals the kernel on ${layers} random layers of ${design.name} (seed ${first})`, async function () {
      this.timeout(120_000);
      for (let seed = first; seed < first + layers; seed++) {
        const random = new Random(seed * 31 + 7);
        const config: Record<string, ParameterValue> = random.pick(configs);
        const board = seed % 2 === 0 ? boardValues() : randomBoard(random, false);
        const stalls = random.chance(0.3) ? { stalls: { seed, chance: 0.2, most: 9 } } : {};
        const shape = {
          dtype: random.pick(["int8", "uint8"] as const),
          height: 1 + random.below(9),
          width: 1 + random.below(9),
          inChannels: 1 + random.below(70),
          outChannels: 1 + random.below(90),
          kernel: random.pick([1, 3]),
          pad: 1,
        };
        const { layer, input } = randomLayer(shape, seed);
        if (design.refuses(layer, design.configure(config)) !== null) continue;
        const compiled = design.compile(layer, design.configure(config));
        const inputs = compiled.inputs(input);
        const run = async (device: Simulator | FastSimulator): Promise<RunResult[]> => {
          const handle = await device.load(compiled.program);
          return [await device.run(handle, inputs), await device.run(handle, inputs)];
        };
        const [expected] = await run(Simulator.of(design, config, { board, ...stalls }));
        for (const got of await run(await FastSimulator.of(design, config, { board, ...stalls }))) {
          const title = `SEED=${seed} ${JSON.stringify({ config, shape })}`;
          expect(got.transfers, title).to.deep.equal(expected!.transfers);
          expect(comparable(got.counters!), title).to.deep.equal(comparable(expected!.counters!));
          expect(got.outputs, title).to.deep.equal(expected!.outputs);
        }
      }
    });

  it("gives answers that do not depend on which stream is looked at first within a clock", () => {
    const next = mulberry32(first);
    const streams: PacedStream[] = [0, 1, 2].map((i) => ({
      name: `s${i}`,
      direction: i === 2 ? "out" : "in",
      bytes: 8,
      transfers: [{ step: i, beats: 200 }],
    }));
    const run = (order: () => number[]): unknown => {
      const timing = new DmaTiming(streams, boardValues());
      const left = [200, 200, 200];
      for (let now = 0; left.some((beats) => beats > 0); now++)
        for (const i of order()) {
          if (left[i] === 0 || timing.pace(`s${i}`).next(now) > now) continue;
          timing.pace(`s${i}`).moved(now);
          left[i]!--;
        }
      return timing.transfers;
    };
    const straight = run(() => [0, 1, 2]);
    for (let i = 0; i < 5; i++) expect(run(() => [0, 1, 2].sort(() => next() - 0.5))).to.deep.equal(straight);
  });
});
