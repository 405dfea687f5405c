/** A random outside for the designs of in-step.ts. */
import { u16, u8 } from "../../../hw/index.js";
import type { InStepOptions, JobToken } from "./in-step.js";
import type { Random } from "./random.js";
import type { Streams } from "./streams.js";

export interface Setting {
  readonly jobs: readonly JobToken[];
  readonly beats: readonly unknown[];
  /** Clocks before each beat that comes in and each result that goes out. */
  readonly gaps: readonly number[];
  readonly slow: readonly number[];
  /** Clocks at which a run is interrupted; the last is to quiescence if that is ever reached. */
  readonly horizons: readonly (number | undefined)[];
}

const ENOUGH = 3000;

/** Who polls without end needs a last horizon. */
const LAST = 4000;

export function setting(random: Random, { polls }: InStepOptions): Setting {
  const jobs: JobToken[] = Array.from({ length: 1 + random.below(3) }, () => ({
    words: u16(1 + random.below(60)),
    rounds: u8(1 + random.below(3)),
    gap: u8(random.pick([0, 0, 1, 9])),
  }));
  const beats = Array.from({ length: jobs.reduce((sum, { words }) => sum + 2 * words, 0) }, (_, i) => ({
    data: Array.from({ length: 4 }, () => u8(random.below(256))),
    last: i % 3 === 0,
  }));
  const at = random.chance(0.4) ? 0.1 : 0;
  const gaps = beats.map(() => (random.chance(at) ? random.below(12) : 0));
  const most = random.pick([0, 0, 3, 40]);
  // Now and then a gap, or for a while the same.
  const runs = random.chance(0.3);
  let gap = 0;
  const slow = Array.from({ length: ENOUGH }, () => {
    if (!runs) return random.chance(0.2) ? random.below(most + 1) : 0;
    if (random.chance(0.1)) gap = random.chance(0.5) ? random.below(most + 1) : 0;
    return gap;
  });
  const horizons: number[] = [];
  for (let t = 0; random.chance(0.6) && horizons.length < 6;) horizons.push((t += 1 + random.below(150)));
  if (polls) horizons.push(LAST);
  return { jobs, beats, gaps, slow, horizons: polls ? horizons : [...horizons, undefined] };
}

export const streamsOf = ({ jobs, beats, gaps, slow, horizons }: Setting): Streams => ({
  inputs: { jobs, beats },
  gaps: { beats: gaps },
  outputs: { told: slow, results: slow },
  horizons,
});
