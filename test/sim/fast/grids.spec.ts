import { expect } from "chai";
import { elaborate, i32, TandemError, type Module } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { matchProduct } from "../../../sim/fast/grid-match.js";
import { stallTable } from "../../../sim/kernel/counters.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { byte, Fed, OutputStationary, tiles, WeightStationary, type Wave } from "./arrays.js";
import { Random } from "./network.js";

/** The same waves under both engines; returns the rows that left. */
async function both(make: () => Module, waves: readonly Wave[]): Promise<unknown[]> {
  const kernel = new Kernel(make());
  kernel.spawn(function* source() {
    for (const wave of waves) yield* kernel.design.inputs["waves"]!.push(wave);
  });
  const expected: unknown[] = [];
  kernel.spawn(function* sink() {
    for (;;) {
      const value: unknown = yield* kernel.design.outputs["out"]!.pop();
      expected.push({ value, clock: kernel.now });
    }
  });
  kernel.run();
  const { ir, diagnostics } = await readDesign(elaborate(make()));
  expect(diagnostics).to.deep.equal([]);
  const fast = new FastEngine(ir);
  fast.send("waves", waves);
  fast.output("out", 4096);
  fast.run();
  expect(fast.values("out")).to.deep.equal(expected);
  expect(stallTable(fast.counters)).to.deep.equal(stallTable(kernel.counters));
  const { clocks, channels, grids } = kernel.counters;
  expect({ clocks: fast.counters.clocks, channels: fast.counters.channels, grids: fast.counters.grids }).to.deep.equal({
    clocks,
    channels,
    grids,
  });
  return expected;
}

const seed = Number(process.env["SEED"] ?? 1);

describe(`Grids in the fast engine equal those of the kernel (seed ${seed})`, () => {
  for (const [rows, cols] of [
    [4, 3],
    [1, 1],
    [5, 17],
    [16, 8],
    [20, 9],
  ] as const)
    for (const ragged of [false, true])
      it(`output-stationary, ${rows} x ${cols}${ragged ? ", rows that decide for themselves" : ""}`, async () => {
        const random = new Random(seed * 100 + rows * 32 + cols);
        const make = (): Module => new Fed(rows, cols, new OutputStationary());
        const { ir } = await readDesign(elaborate(make()));
        expect(matchProduct(ir.cells[0]!), "a matrix product").to.not.equal(undefined);
        await both(make, tiles(random, rows, cols, ragged));
      });

  it("weight-stationary, 4 x 5", async () => {
    const random = new Random(seed);
    const [rows, cols] = [4, 5];
    const waves: Wave[] = [];
    const wave = (first: boolean, last: boolean): void => {
      waves.push({
        west: Array.from({ length: rows }, () => ({ a: byte(random), first, last })),
        north: Array.from({ length: cols }, () => ({ sum: i32(random.below(1000) - 500), weight: byte(random) })),
        gap: random.chance(0.2) ? 1 : 0,
      });
    };
    for (let tile = 0; tile < 3; tile++) {
      for (let r = 0; r < rows; r++) wave(true, false);
      for (let k = 0; k < 12; k++) wave(false, true);
    }
    const rowsOut = await both(() => new Fed(rows, cols, new WeightStationary(rows)), waves);
    expect(rowsOut).to.have.length(3 * 12);
  });

  it("refuses two results of a column in one clock, as the kernel does", async () => {
    const random = new Random(seed);
    const waves = tiles(random, 4, 3, false).slice(0, 2);
    const close = waves.map(({ west, north }) => ({
      west: west.map((w) => ({ ...(w as object), first: true, last: true })),
      north,
      gap: 0,
    }));
    let message = "";
    try {
      await both(() => new Fed(4, 3, new OutputStationary()), close);
    } catch (error) {
      message = (error as Error).message;
    }
    const { ir } = await readDesign(elaborate(new Fed(4, 3, new OutputStationary())));
    const fast = new FastEngine(ir);
    fast.send("waves", close);
    fast.output("out", 100);
    expect(() => fast.run()).to.throw(TandemError, message);
    expect(message).to.include("two rows of column 0 emit in clock");
  });
});
