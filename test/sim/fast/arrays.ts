/** Arrays of cells, a module that feeds one from a channel of waves, and random tiles for it. */
import { bool, Cell, i32, i8, Module, struct, u8, vec } from "../../../hw/index.js";
import type { I32, I8, Inputs, Mutable, Outputs, Process, ValueOf } from "../../../hw/index.js";
import type { Random } from "./network.js";

// Output-stationary, flags from the west, as in the kernel's own test.
const Flagged = struct({ a: i8, first: bool, last: bool });
const Sum = struct({ acc: i32 });
export class OutputStationary extends Cell<ValueOf<typeof Flagged>, I8, ValueOf<typeof Sum>, I32> {
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
export class WeightStationary extends Cell<ValueOf<typeof Flagged>, ValueOf<typeof Down>, ValueOf<typeof Weight>, I32> {
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
export class Fed<W, N, S> extends Module {
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

export interface Wave {
  readonly west: unknown[];
  readonly north: unknown[];
  readonly gap: number;
}

export const byte = (random: Random): number => i8(random.pick([-128, 127, 0, -1, random.below(256)]));

/** Tiles of an output-stationary array: the flags may differ from row to row, and tiles may go on without a reset. */
export function tiles(random: Random, rows: number, cols: number, ragged: boolean): Wave[] {
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
