/** A module that feeds an array of cells from a channel of waves, and random tiles for an output-stationary one. */
import { i8, Module, struct, u8, vec, type Cell, type I32, type Process } from "../../../hw/index.js";
import type { Random } from "./random.js";

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
