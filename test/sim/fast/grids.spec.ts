import { expect } from "chai";
import { StationaryCell } from "../../../designs/examples/weight-stationary/matrix.js";
import { clocks, elaborate, i32, i8, TandemError, type Module } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { matchProduct } from "../../../sim/fast/grid-match.js";
import { matchStationary } from "../../../sim/fast/stationary-match.js";
import { stallTable } from "../../../sim/kernel/counters.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { MacCell } from "../../hw/language/examples.js";
import { byte, Fed, tiles, type Wave } from "./arrays.js";
import { Random } from "./random.js";

/** As MacCell, but the operand changes its sign from cell to cell. */
class TurningCell extends MacCell {
  static override readonly source = import.meta.url;
  override step(
    { west: { a, first, last }, north: w }: Parameters<MacCell["step"]>[0],
    s: Parameters<MacCell["step"]>[1],
  ): ReturnType<MacCell["step"]> {
    s.acc = i32((first ? 0 : s.acc) + a * w);
    return { east: { a: i8(0 - a), first, last }, south: w, emit: last ? s.acc : undefined };
  }
}

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
        const make = (): Module => new Fed(rows, cols, new MacCell());
        const { ir } = await readDesign(elaborate(make()));
        expect(matchProduct(ir.cells[0]!), "a matrix product").to.not.equal(undefined);
        await both(make, tiles(random, rows, cols, ragged));
      });

  for (const [rows, cols] of [
    [4, 5],
    [1, 1],
    [3, 18],
    [8, 8],
    [16, 16],
    [17, 4],
  ] as const)
    for (const ragged of [false, true])
      it(`weight-stationary, ${rows} x ${cols}${ragged ? ", rows that decide for themselves" : ""}`, async () => {
        const random = new Random(seed * 100 + rows * 32 + cols);
        const make = (): Module => new Fed(rows, cols, new StationaryCell(rows));
        const { ir } = await readDesign(elaborate(make()));
        expect(matchStationary(ir.cells[0]!), "a product with a matrix that stays").to.not.equal(undefined);
        const waves: Wave[] = [];
        const wave = (load: boolean, result: boolean): void => {
          const odd = (): boolean => ragged && random.chance(0.1);
          waves.push({
            west: Array.from({ length: rows }, () => ({
              a: byte(random),
              load: load !== odd(),
              result: result !== odd(),
            })),
            north: Array.from({ length: cols }, () => ({ sum: i32(random.below(2 ** 32)), weight: byte(random) })),
            gap: random.chance(0.1) ? random.below(3) : 0,
          });
        };
        for (let tile = 0; tile < 3; tile++) {
          for (let r = 0; r < rows; r++) wave(true, false);
          for (let k = 0; k < random.pick([1, 12, 90]); k++) wave(false, !random.chance(0.1));
        }
        const rowsOut = await both(make, waves);
        expect(rowsOut.length).to.be.above(0);
      });

  it("takes no cell for a product that changes what it passes on, and equals the kernel all the same", async () => {
    const random = new Random(seed);
    const make = (): Module => new Fed(3, 4, new TurningCell());
    const { ir } = await readDesign(elaborate(make()));
    expect(matchProduct(ir.cells[0]!)).to.equal(undefined);
    await both(make, tiles(random, 3, 4, false));
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
      await both(() => new Fed(4, 3, new MacCell()), close);
    } catch (error) {
      message = (error as Error).message;
    }
    const { ir } = await readDesign(elaborate(new Fed(4, 3, new MacCell())));
    const fast = new FastEngine(ir);
    fast.send("waves", close);
    fast.output("out", 100);
    expect(() => fast.run()).to.throw(TandemError, message);
    expect(message).to.include("two rows of column 0 emit in clock");
  });

  it("push a row as soon as there is room, and refuse one that finds none, as the kernel does", async () => {
    const random = new Random(seed);
    const waves = tiles(random, 4, 3, false);
    const outcomes = new Set<string>();
    for (const gap of [0, 1, 2, 6, 21, 22, 23, 30, 70]) {
      const gaps = Array.from({ length: 64 }, () => gap);
      const make = (): Module => new Fed(4, 3, new MacCell());
      const kernel = new Kernel(make());
      kernel.spawn(function* source() {
        for (const wave of waves) yield* kernel.design.inputs["waves"]!.push(wave);
      });
      const rows: unknown[] = [];
      kernel.spawn(function* sink() {
        for (const wait of gaps) {
          yield* clocks(wait);
          const value: unknown = yield* kernel.design.outputs["out"]!.pop();
          rows.push({ value, clock: kernel.now });
        }
      });
      const expected = messageOf(() => {
        kernel.run();
      });
      const fast = new FastEngine((await readDesign(elaborate(make()))).ir);
      fast.send("waves", waves);
      fast.output("out", gaps.length, gaps);
      const found = messageOf(() => {
        fast.run();
      });
      expect(found, `a row every ${gap + 1} clocks`).to.equal(expected);
      if (expected === "") expect(fast.values("out")).to.deep.equal(rows);
      outcomes.add(expected === "" ? "all leave" : "full");
    }
    expect([...outcomes].sort()).to.deep.equal(["all leave", "full"]);
  });
});

/** Why it failed; nothing if it did not. */
function messageOf(run: () => void): string {
  try {
    run();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}
