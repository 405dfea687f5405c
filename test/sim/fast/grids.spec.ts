import { expect } from "chai";
import { bool, Cell, elaborate, i32, i8, Module, struct, TandemError, u8, vec } from "../../../hw/index.js";
import type { I32, I8, Inputs, Mutable, Outputs, Process, ValueOf } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { matchProduct } from "../../../sim/fast/grid-match.js";
import { stallTable } from "../../../sim/kernel/counters.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { Random } from "./network.js";

// Output-stationary, flags from the west, as in the kernel's own test.
const Flagged = struct({ a: i8, first: bool, last: bool });
const Sum = struct({ acc: i32 });
class OutputStationary extends Cell<ValueOf<typeof Flagged>, I8, ValueOf<typeof Sum>, I32> {
  static readonly source = import.meta.url;
  readonly west = Flagged;
  readonly north = i8;
  readonly state = Sum;
  readonly emit = i32;
  step(
    { west, north }: Inputs<ValueOf<typeof Flagged>, I8>,
    s: Mutable<ValueOf<typeof Sum>>,
  ): Outputs<ValueOf<typeof Flagged>, I8, I32> {
    s.acc = i32((west.first ? 0 : s.acc) + west.a * north);
    return { east: west, south: north, emit: west.last ? s.acc : undefined };
  }
}

// Weight-stationary: weights shift in from the north while `first` is up; then partial sums travel south.
const Down = struct({ sum: i32, weight: i8 });
const Weight = struct({ w: i8 });
class WeightStationary extends Cell<ValueOf<typeof Flagged>, ValueOf<typeof Down>, ValueOf<typeof Weight>, I32> {
  static readonly source = import.meta.url;
  readonly west = Flagged;
  readonly north = Down;
  readonly state = Weight;
  readonly emit = i32;
  readonly lastRow: number;
  constructor(rows: number) {
    super();
    this.lastRow = rows - 1;
  }
  step(
    { west, north }: Inputs<ValueOf<typeof Flagged>, ValueOf<typeof Down>>,
    s: Mutable<ValueOf<typeof Weight>>,
    at: { row: number; col: number },
  ): Outputs<ValueOf<typeof Flagged>, ValueOf<typeof Down>, I32> {
    const down = s.w;
    if (west.first) s.w = north.weight;
    const sum = i32(north.sum + s.w * west.a);
    return { east: west, south: { sum, weight: down }, emit: at.row === this.lastRow && west.last ? sum : undefined };
  }
}

/** A grid fed from a channel of waves, with idle clocks between them as the tokens say. */
class Fed<W, N, S> extends Module {
  static readonly source = import.meta.url;
  readonly wave;
  readonly waves;
  readonly array;
  readonly out;
  constructor(rows: number, cols: number, cell: Cell<W, N, S, I32>) {
    super(null, "fed");
    this.wave = struct({ west: vec(cell.west, rows), north: vec(cell.north, cols), gap: u8 });
    this.waves = this.channelIn(this.wave);
    this.array = this.grid(rows, cols, cell);
    this.out = this.channelOut(this.array.results.type);
    this.connect(this.array.results, this.out, { depth: 64 });
    this.clocked(this.feed);
  }
  *feed(): Process {
    for (;;) {
      const wave = yield* this.waves.pop();
      for (let i = u8(0); i < wave.gap; i = u8(i + 1)) yield;
      this.array.feed(wave.west, wave.north);
      yield;
    }
  }
}

interface Wave {
  readonly west: unknown[];
  readonly north: unknown[];
  readonly gap: number;
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

const byte = (random: Random): number => i8(random.pick([-128, 127, 0, -1, random.below(256)]));

/** Tiles of an output-stationary array: the flags may differ from row to row, and tiles may go on without a reset. */
function tiles(random: Random, rows: number, cols: number, ragged: boolean): Wave[] {
  const waves: Wave[] = [];
  for (let tile = 0; tile < 5; tile++) {
    const depth = rows + random.below(3 * rows + 4);
    const resets = random.chance(0.7);
    const silent = Array.from({ length: rows }, () => ragged && random.chance(0.3));
    for (let k = 0; k < depth; k++)
      waves.push({
        west: silent.map((quiet, r) => ({
          a: byte(random),
          first: k === 0 && (resets || (ragged && r % 2 === 0)),
          last: k === depth - 1 && !quiet,
        })),
        north: Array.from({ length: cols }, () => byte(random)),
        gap: random.chance(0.1) ? random.below(4) : 0,
      });
  }
  return waves;
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
