/**
 * The way to the default: each step changes what the profile of the step before shows as the bottleneck (README.md tells
 * them with their figures).
 */
import { naive, reuse, type Parameters } from "../../driver/gemm/walk.js";

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
