/** Streams whose other side always is ready, driven in order of time: what memory and DMA alone allow. */
import { DmaTiming, type PacedStream } from "../../../sim/platform/dma.js";
import type { BoardValues } from "../../../sim/platform/platform.js";

/** Moves every beat as early as the board allows; returns the timing and the clock after the last beat. */
export function drive(streams: readonly PacedStream[], board: BoardValues): { timing: DmaTiming; clocks: number } {
  const timing = new DmaTiming(streams, board);
  const left = streams.map(({ transfers }) => transfers.reduce((sum, { beats }) => sum + beats, 0));
  const free = streams.map(() => 0);
  let clocks = 0;
  for (let now = 0; left.some((beats) => beats > 0); now++)
    streams.forEach(({ name }, i) => {
      if (left[i]! === 0 || free[i]! > now) return;
      const pace = timing.pace(name);
      const at = pace.next(now);
      if (at > now) {
        free[i] = at;
        return;
      }
      pace.moved(now);
      left[i]!--;
      free[i] = now + 1;
      clocks = now + 1;
    });
  return { timing, clocks };
}

export function stream(
  name: string,
  direction: "in" | "out",
  beats: readonly number[],
  options: { bytes?: number; firstStep?: number } = {},
): PacedStream {
  const { bytes = 8, firstStep = 0 } = options;
  return { name, direction, bytes, transfers: beats.map((count, i) => ({ step: firstStep + i, beats: count })) };
}
