/** Every construct of the language: the checker finds nothing, and the IR means what the source does. */
import { expect } from "chai";
import { checkDesign } from "../../../hw/check/index.js";
import { formatDiagnostic } from "../../../hw/check/diagnostic.js";
import { elaborate } from "../../../hw/index.js";
import { interpretDesign } from "../../../hw/ir/interpret.js";
import { printCell, printProcess } from "../../../hw/ir/print.js";
import { EXAMPLES } from "./index.js";
import { runExample } from "./harness.js";

const first = Number(process.env["SEED"] ?? 0);
const SEEDS = 6;

describe("Constructs of the language", () => {
  for (const one of EXAMPLES)
    it(`${one.name}: its IR and its source agree, clock for clock (seeds ${first} to ${first + SEEDS - 1})`, async () => {
      const { ir, diagnostics } = await checkDesign(elaborate(one.make()));
      expect(diagnostics.map(formatDiagnostic).join("\n")).to.equal("");
      expect(ir.processes.map(printProcess).join("\n")).to.not.contain("undefined");
      expect(ir.cells.map(printCell).join("\n")).to.not.contain("undefined");
      let tokens = 0;
      for (let seed = first; seed < first + SEEDS; seed++) {
        const original = runExample(one, seed);
        const top = one.make();
        const reading = await checkDesign(elaborate(top));
        const read = runExample({ ...one, make: () => top }, seed, () => interpretDesign(reading.ir));
        expect(read, `seed ${seed}`).to.deep.equal(original);
        tokens += Object.values(original.outputs).reduce((sum, { length }) => sum + length, 0);
      }
      // An example that does nothing would prove nothing.
      expect(tokens).to.be.above(0);
    });
});
