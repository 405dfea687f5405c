import { expect } from "chai";
import { elaborate, type ValueOf } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { Random } from "./random.js";
import { COLUMNS, RowIn, Rows, ROWS } from "./rows.js";

const first = Number(process.env["SEED"] ?? 1);
const TOKENS = 50;

describe("Rows of twelve bytes in the fast engine", () => {
  it(`leave what stands behind them as it is (seed ${first})`, async () => {
    const random = new Random(first);
    const tokens = Array.from({ length: TOKENS }, () => ({
      row: Array.from({ length: COLUMNS }, () => random.below(256) - 128),
      at: random.below(ROWS),
      x: random.below(256),
    })) as unknown as ValueOf<typeof RowIn>[];
    const { ir, diagnostics } = await readDesign(elaborate(new Rows()));
    expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
    const kernel = new Kernel(new Rows());
    kernel.spawn(function* source() {
      for (const token of tokens) yield* kernel.design.inputs["in"]!.push(token);
    });
    const engine = new FastEngine(ir);
    engine.send("in", tokens);
    const expected: Record<string, unknown[]> = {};
    for (const [name, out] of Object.entries(kernel.design.outputs)) {
      const mine: unknown[] = (expected[name] = []);
      kernel.spawn(function* sink() {
        for (;;) mine.push(out.type.copy(yield* out.pop()));
      });
      engine.output(name, TOKENS);
    }
    kernel.run();
    engine.run();
    for (const [name, values] of Object.entries(expected)) {
      expect(values.length).to.equal(TOKENS);
      expect(
        engine.values(name).map(({ value }) => value),
        name,
      ).to.deep.equal(values);
    }
  });
});
