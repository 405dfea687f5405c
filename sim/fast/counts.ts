/** What a run has counted: packed by the design's module (run-code.ts), but for its grids. */
import type { Counters } from "../kernel/counters.js";
import { countersOf, type CounterNames } from "../kernel/packed-counters.js";
import type { GridView } from "./grid-view.js";

/** Of a run that was to stop at clock `until`: the numbers of the module stand from `start` to `end` in the engine's memory. */
export function countersIn(
  view: DataView<ArrayBuffer>,
  { start, end, until }: { readonly start: number; readonly end: number; readonly until: number },
  grids: readonly GridView[],
  names: CounterNames,
): Counters {
  let at = (end - start) / 8;
  // With room for what is packed here.
  const packed = new Float64Array(view.buffer.slice(start, end + grids.length * 16));
  for (const grid of grids) {
    const { waves, cellSteps } = grid.counters(view, until);
    packed[at++] = waves;
    packed[at++] = cellSteps;
  }
  return countersOf(names, packed);
}
