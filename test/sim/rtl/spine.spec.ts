import { expect } from "chai";
import { elaborate } from "../../../hw/index.js";
import { emitVerilog } from "../../../hw/verilog/design.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { simulatorVersion, type SimulatorName } from "../../../sim/rtl/tools.js";
import { cases, runOf, type Case } from "./cases.js";
import { essence, runKernel, runRtl, verilogOf } from "./compare.js";

/** TANDEM_SEED replays one run; TANDEM_CASES asks for more of them. */
const first = Number(process.env["TANDEM_SEED"] ?? 1);
const count = Number(process.env["TANDEM_CASES"] ?? 4);

async function compare(which: Case, simulator: SimulatorName, seeds: readonly number[]): Promise<void> {
  const top = which.build();
  const design = await verilogOf(top);
  for (const seed of seeds) {
    const run = runOf(which, seed);
    const expected = runKernel(which.build(), run);
    const actual = await runRtl(top, design, simulator, run);
    expect(essence(actual), `TANDEM_SEED=${seed}`).to.deep.equal(essence(expected));
    expect(actual.unknown, `X after reset, TANDEM_SEED=${seed}`).to.deep.equal([]);
  }
}

const seeds = Array.from({ length: count }, (_, i) => first + i);

describe("Generated Verilog under Icarus: the kernel's data, clocks, stalls and counters", function () {
  this.timeout(180_000);
  before(function () {
    if (simulatorVersion("icarus") === undefined) this.skip();
  });
  for (const which of cases) it(which.name, () => compare(which, "icarus", seeds));
});

describe("Generated Verilog under Verilator: the same", function () {
  this.timeout(300_000);
  before(function () {
    if (simulatorVersion("verilator") === undefined) this.skip();
  });
  // A build takes seconds: three designs that hold what the two simulators could see differently.
  for (const name of ["an array of 3 x 4 cells", "all arithmetic", "no yield, a channel of depth 3, 2 lanes"])
    it(name, () =>
      compare(
        cases.find((c) => c.name === name)!,
        "verilator",
        seeds,
      ),
    );
});

describe("A mutation of the Verilog", function () {
  this.timeout(180_000);
  before(function () {
    if (simulatorVersion("icarus") === undefined) this.skip();
  });

  const mutations: [string, string, string, string | RegExp, string][] = [
    ["an operator", "a multiply-accumulate unit", "Mac_run.v", /= \$signed\(a\) \+/, "= $signed(a) -"],
    ["a bound", "a multiply-accumulate unit", "Mac_run.v", "(i_n < n_n)", "(i_n <= n_n)"],
    [
      "a slot reused in the clock in which it is freed",
      "a hierarchy and channels picked by number",
      "tandem_fifo.v",
      "assign in_ready = !has_tail;",
      "assign in_ready = !has_tail || out_ready;",
    ],
    [
      "a token seen too late",
      "no yield, a channel of depth 5, 1 lanes",
      "tandem_fifo.v",
      "empty <= 1'b0;",
      "empty <= !empty;",
    ],
    [
      "a lane forgotten",
      "no yield, a channel of depth 3, 2 lanes",
      "tandem_fifo_lanes.v",
      "words >> (pops * WIDTH)",
      "words >> WIDTH",
    ],
    ["a borrow forgotten", "all arithmetic", "Arithmetic_run.v", "!product[15]", "product[15]"],
    ["a column late", "an array of 3 x 4 cells", "Product_array.v", ".CLOCKS(3 - c)", ".CLOCKS(4 - c)"],
    [
      "a memory that forgets q",
      "a memory handed over block by block, mulPair and requantisation",
      "Buffered_store.v",
      "if (p1_re) p1_q",
      "p1_q",
    ],
  ];
  for (const [what, name, file, from, to] of mutations)
    it(`is caught: ${what}`, async () => {
      const which = cases.find((c) => c.name === name)!;
      const top = which.build();
      const design = emitVerilog((await readDesign(elaborate(top))).ir);
      const text = design.files.get(file)!;
      const changed = text.replace(from, to);
      expect(changed).not.to.equal(text);
      const mutant = { ...design, files: new Map(design.files).set(file, changed) };
      let caught = false;
      for (const seed of seeds) {
        const run = { ...runOf(which, seed), limit: 20_000 };
        const expected = JSON.stringify(essence(runKernel(which.build(), run)));
        try {
          caught ||= JSON.stringify(essence(await runRtl(top, mutant, "icarus", run))) !== expected;
        } catch {
          caught = true;
        }
      }
      expect(caught).to.equal(true);
    });
});
