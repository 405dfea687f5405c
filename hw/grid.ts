/**
 * Arrays of cells: R x C copies of one small piece of hardware, joined by registers that point east and south only, as in
 * a systolic array (Kung and Leiserson, 1978). No process per cell: a pure function says what a cell does with one wave.
 *
 * A process `feed`s a *wave*: one value per row at the west edge, one per column at the north edge. The grid skews it:
 * row r of wave k enters r clocks later, column c c clocks later, so that cell (r, c) meets the wave, with a valid bit
 * that travels along, in clock `feed + r + c`. A cell's state changes only when a wave passes.
 *
 * A cell may `emit` a result as a wave passes. Each column has one result register (a multiplexer over its rows picks
 * the one that emits), the columns are deskewed, and the row's results leave as one vector: the token is pushed on
 * `results` in clock `feed + r + C`. The grid never stalls: whoever feeds it must know that the results have room.
 */
import { ChannelOut } from "./channel.js";
import type { Module } from "./module.js";
import { vec, type Type } from "./types.js";

export interface Inputs<W, N> {
  readonly west: W;
  readonly north: N;
}

export interface Outputs<W, N, E> {
  readonly east: W;
  readonly south: N;
  /** A result, or undefined. All cells of a row decide alike for one wave. */
  readonly emit?: E | undefined;
}

export type Mutable<S> = { -readonly [K in keyof S]: S[K] };

/** The cell of a grid. A subclass sets `static source = import.meta.url`, so that the compiler can read `step`. */
export abstract class Cell<W, N, S, E> {
  /** Types of the links: west to east, north to south. */
  abstract readonly west: Type<W>;
  abstract readonly north: Type<N>;
  /** A struct of registers; they start at zero. */
  abstract readonly state: Type<S>;
  abstract readonly emit: Type<E>;
  /** What the cell at row, column `at` does as a wave passes: new state, and the values for its neighbours. */
  abstract step(inputs: Inputs<W, N>, state: Mutable<S>, at: { row: number; col: number }): Outputs<W, N, E>;
}

/** Takes the waves; an engine puts itself here. */
export type GridRunner<W, N> = (west: readonly W[], north: readonly N[]) => void;

export class Grid<W = unknown, N = unknown, S = unknown, E = unknown> {
  readonly owner: Module;
  name = "";
  readonly rows: number;
  readonly cols: number;
  readonly cell: Cell<W, N, S, E>;
  /** One token per emitting row: a vector over the columns. */
  readonly results: ChannelOut<readonly E[]>;
  runner: GridRunner<W, N> | undefined;

  constructor(owner: Module, rows: number, cols: number, cell: Cell<W, N, S, E>) {
    this.owner = owner;
    this.rows = rows;
    this.cols = cols;
    this.cell = cell;
    this.results = new ChannelOut(owner, vec(cell.emit, cols));
  }

  get path(): string {
    return `${this.owner.path}.${this.name}`;
  }

  /** Let a wave in: `west` has a value per row, `north` one per column. At most once a clock. */
  feed(west: readonly W[], north: readonly N[]): void {
    if (!this.runner) throw new Error(`${this.path} is not running`);
    this.runner(west, north);
  }
}
