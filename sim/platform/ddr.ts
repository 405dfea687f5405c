/**
 * The memory controller as the accelerator's ports see it: one server for reads and writes of all masters, burst by burst,
 * first come first served. Times are clocks of the programmable logic, with fractions; requests come in order of time.
 * A port has a FIFO (1 KiB, UG585) between itself and the controller, so a slow port does not hold the controller up.
 */
import type { BoardValues } from "./platform.js";

export class Ddr {
  readonly #readPerByte: number;
  readonly #writePerByte: number;
  readonly #turnaround: number;
  readonly #portPerByte: number;
  readonly #ports: number;
  /** Per port, its read channel and its write channel. */
  readonly #portFree: Float64Array;
  #free = 0;
  #lastReads = true;
  /** Of the last burst: when its data began to move at the port, and when port and memory had done it. */
  start = 0;
  end = 0;
  /** Clocks in which the controller moved data or turned around. */
  busyClocks = 0;
  bytes = 0;

  constructor(board: BoardValues) {
    const clocksPerNs = board["pl.clock"] / 1000;
    this.#readPerByte = board["ddr.read"] * clocksPerNs;
    this.#writePerByte = board["ddr.write"] * clocksPerNs;
    this.#turnaround = board["ddr.turnaround"] * clocksPerNs;
    this.#portPerByte = 1 / board["hp.width"];
    this.#ports = Math.max(1, Math.round(board["hp.ports"]));
    this.#portFree = new Float64Array(2 * this.#ports);
  }

  /** A burst of a port, asked for at `at`; `start` and `end` say when. A read if `reads`, else a write. */
  burst(at: number, port: number, reads: boolean, bytes: number): void {
    const turn = reads === this.#lastReads ? 0 : this.#turnaround;
    const served = Math.max(at, this.#free) + turn;
    const service = bytes * (reads ? this.#readPerByte : this.#writePerByte);
    this.#free = served + service;
    this.#lastReads = reads;
    this.busyClocks += service + turn;
    this.bytes += bytes;
    const channel = 2 * (port % this.#ports) + (reads ? 0 : 1);
    this.start = Math.max(served, this.#portFree[channel]!);
    const portEnd = this.start + bytes * this.#portPerByte;
    this.#portFree[channel] = portEnd;
    this.end = Math.max(portEnd, this.#free);
  }
}
