/** Geometry of a sliding window in one dimension: TFLite's `ComputeOutSize` and `ComputePadding`. */
import type { Padding } from "./graph.js";

export interface Window {
  /** Number of positions; 0 or less where the filter does not fit. */
  readonly out: number;
  /** Pixels before the first one of the picture; an odd total puts the extra one behind. */
  readonly before: number;
}

export function slide(size: number, filter: number, stride: number, dilation: number, padding: Padding): Window {
  const reach = (filter - 1) * dilation + 1;
  const out = padding === "SAME" ? Math.ceil(size / stride) : Math.ceil((size - reach + 1) / stride);
  const total = Math.max(0, (out - 1) * stride + reach - size);
  return { out, before: padding === "SAME" ? total >> 1 : 0 };
}
