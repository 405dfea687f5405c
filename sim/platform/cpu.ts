/**
 * Time of the board's processor for the work of a layer, by kind, on one or two cores. int8 operators as a NEON library
 * runs them, bound by arithmetic or by memory; every figure rests on the constants' evidence (docs/platform.md).
 */
import type { BoardValues } from "./platform.js";

/** Kinds of work, with what their `amount` counts. */
export const cpuKinds = {
  conv: "MACs",
  depthwise: "MACs",
  fullyConnected: "MACs",
  add: "elements",
  rescale: "elements",
  pool: "taps",
  softmax: "elements",
  copy: "bytes",
  im2col: "bytes",
} as const;
export type CpuKind = keyof typeof cpuKinds;

export interface CpuWork {
  readonly kind: CpuKind;
  readonly amount: number;
  /** Bytes read and written, for the load on the memory. */
  readonly bytes: number;
}

export type Threads = 1 | 2;

const memoryBound: readonly CpuKind[] = ["copy", "im2col"];

function perUnit(board: BoardValues, kind: CpuKind): number {
  switch (kind) {
    case "conv":
      return board["cpu.int8Mac"];
    case "depthwise":
      return board["cpu.depthwiseMac"];
    case "fullyConnected":
      return board["cpu.fullyConnectedMac"];
    case "add":
      return board["cpu.add"];
    case "rescale":
      return board["cpu.rescale"];
    case "pool":
      return board["cpu.poolTap"];
    case "softmax":
      return board["cpu.softmax"];
    case "copy":
      return board["cpu.copy"];
    case "im2col":
      return board["cpu.im2col"];
  }
}

/** Nanoseconds. */
export function cpuTime(board: BoardValues, work: CpuWork, threads: Threads): number {
  const alone = work.amount * perUnit(board, work.kind);
  if (threads === 1) return alone;
  return alone / board[memoryBound.includes(work.kind) ? "cpu.twoThreadsMemory" : "cpu.twoThreads"];
}

const LINE = 32;

/** Nanoseconds to clean (before the accelerator reads) or invalidate (before the processor reads) a buffer of `bytes`. */
export function cacheTime(board: BoardValues, action: "clean" | "invalidate", bytes: number): number {
  const lines = Math.ceil(Math.min(bytes, board["cpu.cacheSize"]) / LINE);
  return lines * board[action === "clean" ? "cpu.cacheClean" : "cpu.cacheInvalidate"];
}
