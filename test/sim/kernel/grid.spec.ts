import { expect } from "chai";
import { i8, Module, TandemError, type Process } from "../../../hw/index.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { MacCell } from "../../hw/language/examples.js";

/** C = A x B on an R x C output-stationary array, one tile; a second tile follows `gap` clocks after the first. */
class Product extends Module {
  readonly array;
  readonly out;
  readonly a: readonly (readonly number[])[];
  readonly b: readonly (readonly number[])[];
  readonly tiles: number;
  constructor(a: number[][], b: number[][], tiles: number) {
    super(null, "product");
    this.a = a;
    this.b = b;
    this.tiles = tiles;
    this.array = this.grid(a.length, b[0]!.length, new MacCell());
    this.out = this.channelOut(this.array.results.type);
    this.connect(this.array.results, this.out);
    this.clocked(this.feed);
  }
  *feed(): Process {
    for (let tile = 0; tile < this.tiles; tile++)
      for (let k = 0; k < this.b.length; k++) {
        this.array.feed(
          this.a.map((row) => ({ a: i8(row[k]!), first: k === 0, last: k === this.b.length - 1 })),
          this.b[k]!.map((x) => i8(x)),
        );
        yield;
      }
  }
}

const matrix = (rows: number, cols: number, f: (r: number, c: number) => number): number[][] =>
  Array.from({ length: rows }, (_, r) => Array.from({ length: cols }, (_, c) => f(r, c)));

function run(rows: number, cols: number, depth: number, tiles: number): { rows: unknown[]; clocks: number[] } {
  const a = matrix(rows, depth, (r, k) => ((r * 7 + k * 5) % 23) - 11);
  const b = matrix(depth, cols, (k, c) => ((k * 3 + c * 11) % 19) - 9);
  const kernel = new Kernel(new Product(a, b, tiles));
  const out = kernel.design.outputs["out"]!;
  const result = { rows: [] as unknown[], clocks: [] as number[] };
  kernel.spawn(function* sink() {
    for (;;) {
      const row = yield* out.pop();
      result.rows.push(row);
      result.clocks.push(kernel.now);
    }
  });
  kernel.run();
  const expected = a.map((row) => b[0]!.map((_, c) => row.reduce((sum, x, k) => sum + x * b[k]![c]!, 0)));
  expect(result.rows).to.deep.equal(Array.from({ length: tiles }, () => expected).flat());
  return result;
}

describe("A grid of cells in the kernel", () => {
  it("multiplies matrices, a row of results a clock", () => {
    // Fed in 0..4; row r leaves in 4 + r + 3 and is seen one clock later.
    expect(run(4, 3, 5, 1).clocks).to.deep.equal([8, 9, 10, 11]);
  });

  it("takes the next tile without a bubble where K >= R", () => {
    expect(run(4, 3, 4, 2).clocks).to.deep.equal([7, 8, 9, 10, 11, 12, 13, 14]);
  });

  it("refuses two results of a column in one clock (K < R, no gap)", () => {
    expect(() => run(4, 3, 2, 2)).to.throw(TandemError, "two rows of column 0 emit in clock 3");
  });
});
