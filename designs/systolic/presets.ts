/**
 * The way to the default: each step changes what the profile of the step before shows as the bottleneck (README.md tells
 * them with their figures).
 */
import type { ParameterValue } from "../../driver/device.js";

type Parameters = Readonly<Record<string, ParameterValue>>;

/** One narrow stream each way, one output a clock, nothing kept and nothing overlapped. */
const naive: Parameters = {
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
const reuse: Parameters = { ...naive, slots: 64 };
const lanes: Parameters = { ...reuse, lanes: 16 };
const wide: Parameters = { ...lanes, streamBytes: 8 };
const overlap: Parameters = { ...wide, overlapTiles: true, resultTiles: 3 };
const streams: Parameters = { ...overlap, doubleBuffering: true, streams: 2 };

export const presets: Readonly<Record<string, Parameters>> = {
  naive,
  "step-2": reuse,
  "step-3": lanes,
  "step-4": wide,
  "step-5": overlap,
  "step-6": streams,
  "secda-v4": { model: "secda-v4" },
};
