/**
 * Runs a grid of cells literally: the link registers of every cell are kept and moved, wave by wave, clock by clock (see
 * hw/grid.ts for the timing). The engines that are faster are held against this one.
 */
import { TandemError } from "../../hw/index.js";
import type { Grid } from "../../hw/grid.js";
import type { Channel, Snapshot } from "../../hw/channel.js";
import type { ClockContext } from "../../hw/context.js";
import type { ProcessNode } from "../../hw/process.js";

interface Wave {
  readonly fed: number;
  readonly west: readonly unknown[];
  readonly north: readonly unknown[];
  /** Per row, the emitted value of each column, once a column has emitted. */
  readonly emitted: (unknown[] | undefined)[];
  /** True once a cell has emitted. */
  emits: boolean;
  readonly snapshot: Snapshot | undefined;
}

interface Leaving {
  readonly at: number;
  readonly row: number;
  readonly values: readonly unknown[];
  readonly snapshot: Snapshot | undefined;
}

export class GridRun {
  readonly grid: Grid;
  readonly results: Channel<readonly unknown[]>;
  /** Waves fed and cells that worked, since reset. */
  waves = 0;
  cellSteps = 0;
  /** The process that feeds. */
  feeder: ProcessNode | undefined;
  /** What the tokens that leave in this clock know (memory hand-over): the knowledge of the wave's feeder. */
  leavingSnapshot: Snapshot | undefined;

  readonly #context: ClockContext;
  readonly #snapshot: () => Snapshot | undefined;
  readonly #east: unknown[];
  readonly #south: unknown[];
  readonly #state: object[];
  readonly #at: { row: number; col: number }[];
  readonly #emitClock: number[];
  /** What a cell is given: one object for all, read at once. */
  readonly #inputs: { west: unknown; north: unknown } = { west: undefined, north: undefined };
  /** Oldest first. */
  #inFlight: Wave[] = [];
  #leaving: Leaving[] = [];
  /** Clocks of the first and the last wave; -1 before. */
  firstWave = -1;
  lastWave = -1;

  readonly #step: Grid["cell"]["step"];

  constructor(
    grid: Grid,
    context: ClockContext,
    snapshot: () => Snapshot | undefined,
    step: Grid["cell"]["step"] = grid.cell.step.bind(grid.cell),
  ) {
    this.#step = step;
    const cells = grid.rows * grid.cols;
    this.grid = grid;
    this.results = grid.results.channel;
    this.#context = context;
    this.#snapshot = snapshot;
    this.#east = Array.from({ length: cells }, () => grid.cell.west.zero());
    this.#south = Array.from({ length: cells }, () => grid.cell.north.zero());
    this.#state = Array.from({ length: cells }, () => grid.cell.state.zero() as object);
    this.#at = Array.from({ length: cells }, (_, i) => ({ row: Math.floor(i / grid.cols), col: i % grid.cols }));
    this.#emitClock = new Array<number>(grid.cols).fill(-1);
    grid.runner = (west, north) => this.#feed(west, north);
  }

  get active(): boolean {
    return this.#inFlight.length > 0 || this.#leaving.length > 0;
  }

  /** For traces: the registers of one cell. */
  cell(row: number, col: number): { state: unknown; east: unknown; south: unknown } {
    const index = row * this.grid.cols + col;
    return { state: this.#state[index], east: this.#east[index], south: this.#south[index] };
  }

  #feed(west: readonly unknown[], north: readonly unknown[]): void {
    const { grid } = this;
    const { now, current } = this.#context;
    if (this.lastWave === now)
      throw new TandemError(`${grid.path} is fed twice in clock ${now}`, { hint: "Put a yield between two waves." });
    if (west.length !== grid.rows || north.length !== grid.cols)
      throw new TandemError(
        `${grid.path} is fed ${west.length} x ${north.length} values, but has ${grid.rows} rows and ${grid.cols} columns`,
      );
    if (this.feeder !== current && this.feeder && current)
      throw new TandemError(`${grid.path} is fed by both ${this.feeder.path} and ${current.path}`);
    this.feeder = current;
    this.lastWave = now;
    if (this.firstWave < 0) this.firstWave = now;
    this.waves++;
    this.#inFlight.push({
      fed: now,
      west: west.slice(),
      north: north.slice(),
      emitted: new Array<unknown[] | undefined>(grid.rows).fill(undefined),
      emits: false,
      snapshot: this.#snapshot(),
    });
  }

  /** The results whose time has come; at the start of a clock. */
  leave(): void {
    const { now } = this.#context;
    while (this.#leaving.length > 0 && this.#leaving[0]!.at === now) {
      const { row, values, snapshot } = this.#leaving.shift()!;
      if (this.results.pushReadyAt() > now)
        throw new TandemError(
          `${this.grid.path}: row ${row} leaves in clock ${now}, but ${this.results.path} is full`,
          {
            hint: "A grid cannot stall: take a credit for the results of a tile before feeding it.",
          },
        );
      this.leavingSnapshot = snapshot;
      this.results.put(values);
    }
  }

  /** All cells that a wave passes in this clock; at the end of the clock. */
  advance(): void {
    const { rows, cols } = this.grid;
    const { now } = this.#context;
    // The oldest wave first: it reads the registers that a younger one is about to write.
    for (const wave of this.#inFlight) {
      const age = now - wave.fed;
      const first = Math.max(0, age - cols + 1);
      const last = Math.min(rows - 1, age);
      this.#diagonal(wave, first, last, age, now);
      this.cellSteps += last - first + 1;
    }
    const oldest = this.#inFlight[0];
    if (oldest && now - oldest.fed >= rows + cols - 2) this.#inFlight.shift();
  }

  /** The cells of rows `first` to `last` that `wave` meets at its age: (row, age - row). The kernel's innermost loop. */
  #diagonal(wave: Wave, first: number, last: number, age: number, now: number): void {
    const { cols } = this.grid;
    const { west, north } = wave;
    const inputs = this.#inputs;
    const easts = this.#east;
    const souths = this.#south;
    const states = this.#state;
    const at = this.#at;
    for (let row = first; row <= last; row++) {
      const col = age - row;
      const index = row * cols + col;
      inputs.west = col === 0 ? west[row] : easts[index - 1];
      inputs.north = row === 0 ? north[col] : souths[index - cols];
      const { east, south, emit } = this.#step(inputs, states[index]!, at[index]!);
      easts[index] = east;
      souths[index] = south;
      if (emit !== undefined || wave.emits) this.#emit(wave, row, col, emit, now);
    }
  }

  #emit(wave: Wave, row: number, col: number, emit: unknown, now: number): void {
    const { cols, cell } = this.grid;
    wave.emits = true;
    if (emit === undefined) {
      if (wave.emitted[row]) this.#ragged(row, now);
      return;
    }
    if (this.#emitClock[col] === now)
      throw new TandemError(`${this.grid.path}: two rows of column ${col} emit in clock ${now}`, {
        hint: "A column has one result register: start the next tile at least R waves after the last.",
      });
    this.#emitClock[col] = now;
    if (col > 0 && !wave.emitted[row]) this.#ragged(row, now);
    const values = (wave.emitted[row] ??= []);
    values.push(cell.emit.copy(emit));
    // Column c was registered in now + 1 = fed + r + c + 1 and is held back until the last column's turn.
    if (col === cols - 1) this.#leaving.push({ at: now + 1, row, values, snapshot: wave.snapshot });
  }

  #ragged(row: number, now: number): never {
    throw new TandemError(`${this.grid.path}: in row ${row} some columns emit and others do not (clock ${now})`, {
      hint: "Let the decision travel with the values from the west, so that a whole row decides alike.",
    });
  }

  reset(): void {
    const { cell } = this.grid;
    this.waves = this.cellSteps = 0;
    this.firstWave = this.lastWave = -1;
    this.#inFlight = [];
    this.#leaving = [];
    this.#emitClock.fill(-1);
    for (let i = 0; i < this.#state.length; i++) {
      this.#state[i] = cell.state.zero() as object;
      this.#east[i] = cell.west.zero();
      this.#south[i] = cell.north.zero();
    }
  }
}
