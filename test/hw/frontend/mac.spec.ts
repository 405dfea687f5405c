/** The front end on the running example of the language. */
import { expect } from "chai";
import { elaborate } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { printProcess } from "../../../hw/ir/print.js";
import { Mac } from "../language/examples.js";

describe("The front end", () => {
  it("reads the multiply-accumulate unit", async () => {
    const { ir, diagnostics } = await readDesign(elaborate(new Mac()));
    expect(diagnostics).to.deep.equal([]);
    const text = printProcess(ir.processes[0]!);
    expect(text.split("\n").map((line) => line.trim())).to.include.members([
      "process mac.run",
      "let n%0: u12 = pop mac.count",
      "acc%1 := i32((acc%1 + (x%3 * w%4)))",
      "push mac.y <- acc%1",
      "edge",
    ]);
  });
});
