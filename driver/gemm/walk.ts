/** Where the walks of the matrix designs begin: their presets go on from here, each in an order of its own. */
import type { ParameterValue } from "../device.js";

export type Parameters = Readonly<Record<string, ParameterValue>>;

/** One narrow stream each way, a post-processor of one value a clock, nothing kept and nothing overlapped. */
export const naive: Parameters = {
  productsPerDsp: 1,
  streams: 1,
  weightStreams: 1,
  streamBytes: 4,
  lanes: 1,
  overlapTiles: false,
  doubleBuffering: false,
  slots: 1,
  resultTiles: 1,
};

/** Operands stay in the buffers as long as they are needed. */
export const reuse: Parameters = { ...naive, slots: 64 };
