/**
 * Clocks of a run at the board's memory and DMA, from a run with ideal streams: for engines that do not model the board. The
 * run cannot be shorter than its bytes at the memory's rate, and it begins when the transfers have been started. How streams
 * disturb each other in between is left out; docs/platform.md says how far that is from the simulation with the board.
 */
import type { BoardValues } from "./platform.js";

export interface StreamTotals {
  readonly direction: "in" | "out";
  readonly bytes: number;
  readonly transfers: number;
}

export function approximateBoardClocks(ideal: number, streams: readonly StreamTotals[], board: BoardValues): number {
  const perNs = board["pl.clock"] / 1000;
  const start = board["dma.registers"] * board["driver.registerWrite"] * 1000 * perNs;
  const bytes = (direction: "in" | "out"): number =>
    streams.reduce((sum, stream) => sum + (stream.direction === direction ? stream.bytes : 0), 0);
  const memory = (bytes("in") * board["ddr.read"] + bytes("out") * board["ddr.write"]) * perNs;
  const gaps = (board["dma.burst"] + board["dma.receiveGap"]) / board["dma.burst"];
  const writing = Math.max(
    0,
    ...streams.map((s) => (s.direction === "out" ? (s.bytes / board["hp.width"]) * gaps : 0)),
  );
  // Transfers after the first of a stream wait for the processor; channels wait at the same time.
  const again = Math.max(0, ...streams.map(({ transfers }) => transfers - 1)) * board["driver.transfer"] * 1000 * perNs;
  const setUp = streams.length * start + board["hp.readLatency"];
  return Math.ceil(Math.max(ideal, memory, writing) + setUp + again);
}
