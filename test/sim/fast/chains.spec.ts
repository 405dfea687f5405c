/** Chains of processes that are done in the function of who pushes the first token: equal to the kernel, however they are broken off. */
import { expect } from "chai";
import { elaborate, u16, u8 } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import type { DesignIr } from "../../../hw/ir/ir.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { Chains, type Link } from "../../../sim/fast/followers.js";
import { withMutation } from "../../../sim/fast/rules.js";
import { Chained, randomChained, randomInStep, tokens, type ChainedOptions } from "./chained.js";
import { Packing, type PackingOptions } from "./packing.js";
import { Random } from "./random.js";
import { channelMutants } from "./comparable.js";
import { inFast, inKernel, outcome, type Streams } from "./streams.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 16);
const SETTINGS = 4;
const ENOUGH = 600;

function setting(random: Random, { parts }: ChainedOptions): Streams {
  const { jobs, waves } = tokens(random);
  const chance = random.pick([0, 0.1]);
  const most = random.pick([0, 0, 3, 25]);
  const horizons: (number | undefined)[] = [];
  for (let t = 0; random.chance(0.7) && horizons.length < 8;) horizons.push((t += 1 + random.below(90)));
  const gaps = waves.map(() => (random.chance(chance) ? random.below(30) : 0));
  const slow = Array.from({ length: ENOUGH }, () => (random.chance(0.3) ? random.below(most + 1) : 0));
  const ports = ["told", ...Array.from({ length: parts }, (_, i) => `out${i}`)];
  return {
    inputs: { jobs, waves },
    gaps: { waves: gaps },
    outputs: Object.fromEntries(ports.map((port) => [port, slow])),
    horizons: [...horizons, undefined],
  };
}

async function irOf(options: ChainedOptions): Promise<DesignIr> {
  const { ir, diagnostics } = await readDesign(elaborate(new Chained(options)));
  expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
  return ir;
}

/** A packer, and what stands around it. */
async function packing(
  random: Random,
  lanes: number,
  late: boolean,
  swaps: boolean,
): Promise<{ engine: () => FastEngine; around: Streams; options: PackingOptions }> {
  const options = { depth: random.pick([1, 2, 3]), lanes, late, swaps };
  const { ir, diagnostics } = await readDesign(elaborate(new Packing(options)));
  expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
  const jobs = Array.from({ length: 5 }, () => ({
    words: u16(1 + random.below(20)),
    every: u8(random.pick([0, 1, 7, 255])),
    seed: u8(random.below(256)),
  }));
  const horizons: (number | undefined)[] = [];
  for (let t = 0; horizons.length < 6;) horizons.push((t += 1 + random.below(40)));
  const most = random.pick([0, 3, 9]);
  const slow = Array.from({ length: ENOUGH }, () => (random.chance(0.3) ? random.below(most + 1) : 0));
  const around: Streams = { inputs: { jobs }, gaps: {}, outputs: { out: slow }, horizons: [...horizons, undefined] };
  return { engine: () => new FastEngine(ir), around, options };
}

describe(`Chains of processes (seed ${first})`, () => {
  it("are found behind a grid, up to the outer outputs", async () => {
    const options = { ...randomChained(new Random(first)), grid: true, parts: 2 };
    const { processes, design } = await irOf(options);
    const chains = new Chains(processes, new Set(Object.values(design.outputs)), new Set());
    const path = (actor: number): string => processes[actor]!.node.path.replace("chained.", "");
    const tree = (links: readonly Link[]): unknown =>
      Object.fromEntries(
        links.map(({ channel, follower, next }) =>
          follower ? [path(follower.actor), tree(next)] : [channel.path.replace("chained.", ""), "sink"],
        ),
      );
    const of = (name: string): unknown => tree(chains.of(processes.findIndex((_, actor) => path(actor) === name)));
    expect(of("stages.gather")).to.deep.equal({
      "stages.scale": {
        "stages.square": {
          "stages.shift": {
            told: "sink",
            "stages.route": {
              "buffer0.fill": { "buffer0.drain": of("buffer0.drain") },
              "buffer1.fill": { "buffer1.drain": of("buffer1.drain") },
            },
          },
        },
      },
    });
  });

  it(`equal the kernel: ${count} random designs, with slow receivers, horizons and the end`, async function () {
    this.timeout(20_000 + count * 3000);
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed);
      const options = randomChained(random);
      const engine = new FastEngine(await irOf(options));
      for (let i = 0; i < SETTINGS; i++) {
        const around = setting(random, options);
        expect(inFast(engine, around), `seed ${seed}, setting ${i}`).to.deep.equal(
          inKernel(new Chained(options), around),
        );
        engine.reset();
      }
    }
  });

  it(`equal the kernel where stages are in step: ${count} random designs`, async function () {
    this.timeout(20_000 + count * 3000);
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed);
      const options = randomInStep(random);
      const engine = new FastEngine(await irOf(options));
      for (let i = 0; i < SETTINGS; i++) {
        const around = setting(random, options);
        expect(inFast(engine, around), `seed ${seed}, setting ${i}`).to.deep.equal(
          inKernel(new Chained(options), around),
        );
        engine.reset();
      }
    }
  });

  it("equal the kernel where bytes of a token are moved about and sent", async function () {
    this.timeout(60_000);
    for (const lanes of [8, 16])
      for (const late of [false, true])
        for (const swaps of [false, true])
          for (let seed = first; seed < first + 4; seed++) {
            const { engine, around, options } = await packing(new Random(seed), lanes, late, swaps);
            const what = `seed ${seed}, words of ${lanes} bytes${late ? ", late" : ""}${swaps ? ", swaps" : ""}`;
            expect(inFast(engine(), around), what).to.deep.equal(inKernel(new Packing(options), around));
          }
  });

  it("stop at a word that another process has not handed over, as under the kernel", async () => {
    let stopped = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const random = new Random(seed);
      const options = { ...randomChained(random), early: true };
      const around = { ...setting(random, options), horizons: [undefined] };
      const engine = new FastEngine(await irOf(options));
      const expected = outcome(() => inKernel(new Chained(options), around));
      const found = outcome(() => inFast(engine, around));
      expect(found.includes("without handing it over"), `seed ${seed}`).to.equal(expected.includes("without handing"));
      if (found.includes("without handing it over")) stopped++;
    }
    expect(stopped, "runs that stop").to.be.above(3);
  });

  const mutants: typeof channelMutants = [
    ...channelMutants,
    ["chainFlow", 1, "a token is taken a clock before its taker is there"],
    ["chainAlone", 1, "tokens taken without rings were not there for who pushes alone"],
    ["chainWord", 1, "a word that was read where it stands was not there for who goes on alone"],
    ["usual", 1, "what is held and how long a piece is were taken to be as they usually are"],
    ["chainDeaf", 1, "a taker did not learn what the one who pushes has heard"],
  ];
  const inStep: typeof channelMutants = [
    ["stepFlow", 1, "stages in step take a token a clock before one of them is there"],
    ["stepOnce", 1, "loops of stages in step were taken to go round once"],
    ["stepSign", 1, "a product of parts was made in one where a factor is below zero"],
    ["stepDeaf", 1, "stages in step did not learn what the one who pushes has heard"],
  ];
  for (const [rule, value, what] of [...mutants, ...inStep])
    it(`would be noticed if ${what}`, async function () {
      this.timeout(120_000);
      let caught = 0;
      for (let seed = 1; seed <= 300 && caught === 0; seed++) {
        const random = new Random(seed);
        const options = rule.startsWith("step") ? randomInStep(random) : randomChained(random);
        const ir = await irOf(options);
        const around = setting(random, options);
        const mutant = withMutation("chain", { [rule]: value }, () => new FastEngine(ir));
        const run = (engine: FastEngine): string => outcome(() => inFast(engine, around));
        if (run(mutant) !== run(new FastEngine(ir))) caught = seed;
      }
      expect(caught, "caught by a design up to 300").to.be.above(0);
    });
});
