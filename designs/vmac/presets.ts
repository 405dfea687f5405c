/**
 * The way to the default: each step changes what the profile of the step before shows as the bottleneck (README.md tells
 * them with their figures).
 */
import { naive, reuse, type Parameters } from "../../driver/gemm/walk.js";

const lanes: Parameters = { ...reuse, lanes: 16 };
const overlap: Parameters = { ...lanes, overlapTiles: true, resultTiles: 3 };
const wide: Parameters = { ...overlap, streamBytes: 8 };
const streams: Parameters = { ...wide, doubleBuffering: true, streams: 2 };

export const presets: Readonly<Record<string, Parameters>> = {
  naive,
  "step-2": reuse,
  "step-3": lanes,
  "step-4": overlap,
  "step-5": wide,
  "step-6": streams,
  "secda-v5": { model: "secda-v5" },
};
