/** The front end on the running example of the language. */
import { expect } from "chai";
import { elaborate, i32, i8, Module, u12, type Process } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { printProcess } from "../../../hw/ir/print.js";

class Mac extends Module {
  static readonly source = import.meta.url;
  readonly count = this.channelIn(u12);
  readonly a = this.channelIn(i8);
  readonly b = this.channelIn(i8);
  readonly y = this.channelOut(i32);

  constructor(parent: Module | null, name: string) {
    super(parent, name);
    this.clocked(this.run);
  }

  /** y = sum of a[i] * b[i]; one product per clock. */
  *run(): Process {
    for (;;) {
      const n = yield* this.count.pop();
      let acc = i32(0);
      for (let i = u12(0); i < n; i = u12(i + 1)) {
        const x = yield* this.a.pop();
        const w = yield* this.b.pop();
        acc = i32(acc + x * w);
        yield;
      }
      yield* this.y.push(acc);
      yield;
    }
  }
}

describe("The front end", () => {
  it("reads the multiply-accumulate unit", async () => {
    const { ir, diagnostics } = await readDesign(elaborate(new Mac(null, "mac")));
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
