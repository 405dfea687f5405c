import { expect } from "chai";
import { elaborate, TandemError } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { emitVerilog } from "../../../hw/verilog/design.js";
import { simulatorVersion } from "../../../sim/rtl/tools.js";
import { essence, runKernel, runRtl, verilogOf } from "../../sim/rtl/compare.js";
import { EXAMPLES } from "../constructs/index.js";
import { streamsOf } from "../constructs/harness.js";

const first = Number(process.env["SEED"] ?? 0);
const SEEDS = Number(process.env["TANDEM_CASES"] ?? 4);

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
      for (let seed = first; seed < first + SEEDS; seed++) {
        const run = streamsOf(one, seed);
        const actual = await runRtl(top, design, "icarus", run);
        expect(essence(actual), `SEED=${seed}`).to.deep.equal(essence(runKernel(one.make(), run)));
        expect(actual.unknown, "X after reset").to.deep.equal([]);
      }
    });
});
