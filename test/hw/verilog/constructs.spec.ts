import { expect } from "chai";
import { elaborate, TandemError } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { emitVerilog } from "../../../hw/verilog/design.js";
import { mulberry32, stallsOf } from "../../../sim/environment.js";
import { stallTable } from "../../../sim/kernel/counters.js";
import { buildSimulator } from "../../../sim/rtl/build.js";
import { runSimulator, type RtlRun } from "../../../sim/rtl/simulate.js";
import { simulatorVersion } from "../../../sim/rtl/tools.js";
import { verilogOf } from "../../sim/rtl/compare.js";
import { EXAMPLES } from "../constructs/index.js";
import { HORIZON, randomValue, runExample, TOKENS, type Example, type Run } from "../constructs/harness.js";

const first = Number(process.env["SEED"] ?? 0);
const SEEDS = Number(process.env["TANDEM_CASES"] ?? 4);

/** The environment of runExample as streams. */
function streams(one: Example, seed: number): RtlRun {
  const { inputs, outputs } = elaborate(one.make());
  const random = mulberry32(seed);
  const stalls = seed % 2 === 0 ? undefined : { seed, chance: 0.3, most: 4 };
  const gaps = (port: string, count: number): number[] =>
    stalls ? Array.from({ length: count }, stallsOf(stalls, port)) : [];
  const given: Record<string, { values: unknown[]; gaps: number[] }> = {};
  for (const [port, { type }] of Object.entries(inputs)) {
    const next = one.tokens[port] ?? ((r: () => number) => randomValue(type, r));
    given[port] = { values: Array.from({ length: TOKENS }, () => next(random)), gaps: gaps(port, TOKENS) };
  }
  const taken = Object.fromEntries(Object.keys(outputs).map((port) => [port, { gaps: gaps(port, HORIZON) }]));
  return { inputs: given, outputs: taken, until: HORIZON };
}

const essence = ({ outputs, clocks, counters }: Run): unknown => ({
  outputs,
  clocks,
  stalls: stallTable(counters),
  busy: counters.processes.map(({ path, busy, idle }) => [path, busy, idle]),
  channels: counters.channels,
  memories: counters.memories,
  waves: counters.grids.map(({ path, waves }) => [path, waves]),
});

describe("Every construct of the language as Verilog under Icarus: data, clocks, stalls and counters", function () {
  this.timeout(180_000);
  before(function () {
    if (simulatorVersion("icarus") === undefined) this.skip();
  });
  for (const one of EXAMPLES)
    it(one.name, async () => {
      const top = one.make();
      const { ir } = await readDesign(elaborate(top));
      if (ir.processes.some(({ estimates }) => estimates)) {
        expect(() => emitVerilog(ir)).to.throw(TandemError, "holds an estimate");
        return;
      }
      const design = await verilogOf(top);
      const built = await buildSimulator(design, { simulator: "icarus" });
      for (let seed = first; seed < first + SEEDS; seed++) {
        const result = await runSimulator(built, design, elaborate(top), streams(one, seed));
        const outputs = Object.fromEntries(
          Object.entries(result.outputs).map(([port, list]) => [port, list.map(({ clock, value }) => [clock, value])]),
        ) as Run["outputs"];
        const actual = essence({ outputs, clocks: result.clocks, counters: result.counters! });
        expect(actual, `SEED=${seed}`).to.deep.equal(essence(runExample(one, seed)));
        expect(result.unknown, "X after reset").to.deep.equal([]);
      }
    });
});
