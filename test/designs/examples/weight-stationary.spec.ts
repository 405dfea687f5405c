import { expect } from "chai";
import { StationaryMatrix } from "../../../designs/examples/weight-stationary/matrix.js";
import { elaborate, i32, i8, u16 } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { stallTable, type Counters } from "../../../sim/kernel/counters.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { mulberry32 } from "../../../sim/environment.js";

interface Tile {
  readonly weights: readonly number[][];
  readonly vectors: readonly number[][];
}

function tiles(rows: number, cols: number, seed: number): Tile[] {
  const next = mulberry32(seed);
  const matrix = (height: number, width: number): number[][] =>
    Array.from({ length: height }, () => Array.from({ length: width }, () => i8(Math.floor(next() * 256))));
  return [1, 16, 70, 5].map((vectors) => ({ weights: matrix(rows, cols), vectors: matrix(vectors, rows) }));
}

/** What must come out: plain JavaScript. */
const products = (list: readonly Tile[]): number[][] =>
  list.flatMap(({ weights, vectors }) =>
    vectors.map((vector) => weights[0]!.map((_, c) => i32(vector.reduce((sum, a, r) => sum + a * weights[r]![c]!, 0)))),
  );

const inputs = (list: readonly Tile[]): Record<string, unknown[]> => ({
  tiles: list.map(({ vectors }) => ({ vectors: u16(vectors.length) })),
  weights: list.flatMap(({ weights }) => [...weights].reverse()),
  vectors: list.flatMap(({ vectors }) => vectors),
});

const counted = (counters: Counters): unknown => ({
  clocks: counters.clocks,
  stalls: stallTable(counters),
  channels: counters.channels,
  grids: counters.grids,
});

describe("The weight-stationary example", () => {
  for (const [rows, cols] of [
    [4, 3],
    [16, 16],
  ] as const)
    for (const slow of [0, 30])
      it(`multiplies, ${rows} x ${cols}${slow > 0 ? ", with a slow receiver" : ""}, alike in kernel and fast engine`, async () => {
        const list = tiles(rows, cols, rows);
        const count = products(list).length;
        const kernel = new Kernel(new StationaryMatrix(rows, cols));
        for (const [port, values] of Object.entries(inputs(list)))
          kernel.spawn(function* source() {
            for (const value of values) yield* kernel.design.inputs[port]!.push(value);
          });
        const expected: unknown[] = [];
        kernel.spawn(function* sink() {
          for (let i = 0; i < count; i++) {
            for (let gap = 0; gap < (i % 9 === 0 ? slow : 0); gap++) yield;
            const value: unknown = yield* kernel.design.outputs["sums"]!.pop();
            expected.push({ value, clock: kernel.now });
          }
        });
        kernel.run();
        const { ir, diagnostics } = await readDesign(elaborate(new StationaryMatrix(rows, cols)));
        expect(diagnostics).to.deep.equal([]);
        const engine = new FastEngine(ir);
        for (const [port, values] of Object.entries(inputs(list))) engine.send(port, values);
        engine.output(
          "sums",
          count,
          Array.from({ length: count }, (_, i) => (i % 9 === 0 ? slow : 0)),
        );
        engine.run();
        expect(engine.values("sums").map(({ value }) => value)).to.deep.equal(products(list));
        expect(engine.values("sums")).to.deep.equal(expected);
        expect(counted(engine.counters)).to.deep.equal(counted(kernel.counters));
        expect(engine.rounds, "rounds").to.be.above(0);
      });
});
