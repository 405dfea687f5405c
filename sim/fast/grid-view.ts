/** A compiled grid, as an engine that runs it sees it: where it keeps what, and what that says. Plain data, so that it can be kept. */
import { TandemError } from "../../hw/errors.js";

/** Addresses of what the grid keeps; read by the engine for its counters. */
export interface GridState {
  /** Waves fed in all, clock of the last feed. */
  readonly waves: number;
  readonly lastFeed: number;
  /** Rings of the last runs of waves without a gap: the clock of the first wave, and how many. */
  readonly runs: number;
  readonly runTimes: number;
  readonly runCounts: number;
  readonly runSlots: number;
  /** Results that wait to leave: ring of clocks and values, with counts. */
  readonly head: number;
  readonly tail: number;
  readonly leaveTimes: number;
  readonly leaveRows: number;
}

export interface GridImage {
  readonly path: string;
  /** The channel of the results. */
  readonly results: string;
  readonly rows: number;
  readonly cols: number;
  readonly leaveSlots: number;
  /** Addresses: the feeder waits for results to leave; the leaving actor has nothing to do. */
  readonly feedWaits: number;
  readonly idle: number;
  readonly state: GridState;
}

export class GridView {
  readonly #image: GridImage;

  constructor(image: GridImage) {
    this.#image = image;
  }

  /** Before a run: nobody is known to wait. */
  wakeAll(view: DataView): void {
    view.setInt32(this.#image.feedWaits, 0, true);
    view.setInt32(this.#image.idle, 0, true);
  }

  /** Results are on their way out. */
  leaves(view: DataView): boolean {
    const { head, tail } = this.#image.state;
    return view.getInt32(head, true) !== view.getInt32(tail, true);
  }

  /** The error of a result that found no room, if one still waits at the end. */
  stuck(view: DataView, horizon: number): TandemError | undefined {
    const { head, leaveTimes, leaveRows } = this.#image.state;
    if (!this.leaves(view)) return undefined;
    const slot = (view.getInt32(head, true) & (this.#image.leaveSlots - 1)) * 4;
    const time = view.getInt32(leaveTimes + slot, true);
    return time < horizon ? this.full(time, view.getInt32(leaveRows + slot, true)) : undefined;
  }

  /** Cells that have worked before clock `until`: the wave fed in f passes r + c clocks later. */
  counters(view: DataView, until: number): { path: string; waves: number; cellSteps: number } {
    const { path, rows, cols, state } = this.#image;
    const { runTimes, runCounts, runSlots } = state;
    const waves = view.getInt32(state.waves, true);
    const runs = view.getInt32(state.runs, true);
    let missing = 0;
    for (let run = runs; run > 0 && run > runs - runSlots; run--) {
      const slot = (run & (runSlots - 1)) * 4;
      const start = view.getInt32(runTimes + slot, true);
      let fed = start + view.getInt32(runCounts + slot, true) - 1;
      for (; fed >= start && fed + rows + cols - 2 >= until; fed--)
        for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) if (fed + r + c >= until) missing++;
      if (fed >= start) break;
    }
    return { path, waves, cellSteps: waves * rows * cols - missing };
  }

  full(clock: number, row: number): TandemError {
    const { path, results } = this.#image;
    return new TandemError(`${path}: row ${row} leaves in clock ${clock}, but ${results} is full`, {
      hint: "A grid cannot stall: take a credit for the results of a tile before feeding it.",
    });
  }
}
