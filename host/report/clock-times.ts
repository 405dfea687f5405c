/**
 * When the clocks of a layer pass on the board. The accelerator waits where the processor has not packed the next part of its input, so a
 * layer's clocks lie in the intervals of the schedule in which the accelerator works, in order.
 */
import type { Profile } from "./profile.js";

/** Clocks of a layer that pass without a pause. */
export interface Stretch {
  /** First clock, and the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** All stretches of a layer of `clocks`, in order; none if the accelerator has no part in it. */
export function stretches({ tracks }: Pick<Profile, "tracks">, layer: number, clocks: number): Stretch[] {
  const own = tracks
    .filter((each) => each.layer === layer && each.track === "accelerator" && each.endMs > each.startMs)
    .sort((a, b) => a.startMs - b.startMs);
  const total = own.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  let passed = 0;
  let from = 0;
  return own.flatMap(({ startMs, endMs }, i) => {
    passed += endMs - startMs;
    const to = i === own.length - 1 ? clocks : Math.round((passed / total) * clocks);
    const stretch = { from, to, startMs, endMs };
    from = to;
    return to > stretch.from ? [stretch] : [];
  });
}

/** The part of the stretches that lies between two clocks. */
export function between(all: readonly Stretch[], from: number, to: number): Stretch[] {
  return all.flatMap((stretch) => {
    const first = Math.max(from, stretch.from);
    const last = Math.min(to, stretch.to);
    if (last <= first) return [];
    const perClock = (stretch.endMs - stretch.startMs) / (stretch.to - stretch.from);
    const at = (clock: number): number =>
      clock === stretch.to ? stretch.endMs : stretch.startMs + (clock - stretch.from) * perClock;
    return [{ from: first, to: last, startMs: at(first), endMs: at(last) }];
  });
}
