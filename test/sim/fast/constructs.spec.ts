/** Every construct of the language runs under the fast engine as under the kernel: data, clocks, stalls, counters. */
import { expect } from "chai";
import { elaborate } from "../../../hw/index.js";
import { checkDesign } from "../../../hw/check/index.js";
import { mulberry32, stallsOf } from "../../../sim/environment.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { stallTable, type Counters } from "../../../sim/kernel/counters.js";
import { EXAMPLES } from "../../hw/constructs/index.js";
import { HORIZON, randomValue, runExample, TOKENS, type Example, type Run } from "../../hw/constructs/harness.js";

const first = Number(process.env["SEED"] ?? 0);
const SEEDS = 4;
/** More than any example sends. */
const CAPACITY = HORIZON;

/** As `runExample` runs it in the kernel: the same tokens, the same stalls. */
async function runFast({ make, tokens }: Example, seed: number): Promise<Run> {
  const { ir } = await checkDesign(elaborate(make()));
  const engine = new FastEngine(ir);
  const random = mulberry32(seed);
  const gaps = (port: string, count: number): number[] | undefined => {
    if (seed % 2 === 0) return undefined;
    const hold = stallsOf({ seed, chance: 0.3, most: 4 }, port);
    return Array.from({ length: count }, hold);
  };
  for (const [port, { type }] of Object.entries(engine.design.inputs)) {
    const next = tokens[port] ?? ((r: () => number) => randomValue(type, r));
    const list = Array.from({ length: TOKENS }, () => next(random));
    engine.send(port, list, gaps(port, list.length));
  }
  for (const port of Object.keys(engine.design.outputs)) engine.output(port, CAPACITY, gaps(port, CAPACITY));
  const clocks = engine.run({ until: HORIZON });
  const outputs = Object.fromEntries(
    Object.keys(engine.design.outputs).map((port) => [
      port,
      engine.values(port).map(({ clock, value }): [number, unknown] => [clock, value]),
    ]),
  );
  return { outputs, clocks, counters: engine.counters };
}

/** Stalls in no particular order, without those of no clock. */
const sorted = (counters: Counters): unknown => ({
  ...counters,
  processes: counters.processes.map(({ path, busy, idle, estimated }) => ({ path, busy, idle, estimated })),
  stalls: stallTable(counters),
});

describe(`Constructs of the language under the fast engine (seeds ${first} to ${first + SEEDS - 1})`, () => {
  for (const one of EXAMPLES)
    it(`${one.name} equals the kernel`, async () => {
      for (let seed = first; seed < first + SEEDS; seed++) {
        const expected = runExample(one, seed);
        const found = await runFast(one, seed);
        expect({ ...found, counters: sorted(found.counters) }, `seed ${seed}`).to.deep.equal({
          ...expected,
          counters: sorted(expected.counters),
        });
      }
    });
});
