/**
 * The memory controller as the accelerator's ports see it: one server for reads and writes of all masters, burst by burst,
 * first come first served. Times are clocks of the programmable logic, with fractions; requests come in order of time.
 * A port has a FIFO (1 KiB, UG585) between itself and the controller, so a slow port does not hold the controller up.
 */
import type { BoardValues } from "./platform.js";

/** Places in a memory's state, of 8 bytes each: constants are there too, for a twin in another language (sim/fast/arbiter-code.ts). */
export const ddr = {
  free: 0,
  start: 1,
  end: 2,
  busy: 3,
  bytes: 4,
  /** 1 if the last burst was a read. */
  lastReads: 5,
  readPerByte: 6,
  writePerByte: 7,
  turnaround: 8,
  portPerByte: 9,
  /** When each port's read channel and write channel are free. */
  ports: 10,
} as const;

const portsOf = (board: BoardValues): number => Math.max(1, Math.round(board["hp.ports"]));

/** Numbers in the state of a board's memory. */
export const ddrNumbers = (board: BoardValues): number => ddr.ports + 2 * portsOf(board);

export class Ddr {
  readonly #ports: number;
  readonly #state: Float64Array;

  constructor(board: BoardValues, state: Float64Array = new Float64Array(ddrNumbers(board))) {
    const clocksPerNs = board["pl.clock"] / 1000;
    this.#ports = portsOf(board);
    this.#state = state;
    state.fill(0);
    state[ddr.lastReads] = 1;
    state[ddr.readPerByte] = board["ddr.read"] * clocksPerNs;
    state[ddr.writePerByte] = board["ddr.write"] * clocksPerNs;
    state[ddr.turnaround] = board["ddr.turnaround"] * clocksPerNs;
    state[ddr.portPerByte] = 1 / board["hp.width"];
  }

  /** Of the last burst: when its data began to move at the port, and when port and memory had done it. */
  get start(): number {
    return this.#state[ddr.start]!;
  }
  get end(): number {
    return this.#state[ddr.end]!;
  }
  /** Clocks in which the controller moved data or turned around. */
  get busyClocks(): number {
    return this.#state[ddr.busy]!;
  }
  get bytes(): number {
    return this.#state[ddr.bytes]!;
  }

  /** The place in the state of a port's channel for reads, or for writes. */
  channel(port: number, reads: boolean): number {
    return ddr.ports + 2 * (port % this.#ports) + (reads ? 0 : 1);
  }

  /** A burst of a port's channel, asked for at `at`; `start` and `end` say when. A read if `reads`, else a write. */
  burst(at: number, channel: number, reads: boolean, bytes: number): void {
    const state = this.#state;
    const turn = Number(reads) === state[ddr.lastReads] ? 0 : state[ddr.turnaround]!;
    const served = Math.max(at, state[ddr.free]!) + turn;
    const service = bytes * state[reads ? ddr.readPerByte : ddr.writePerByte]!;
    const free = served + service;
    const start = Math.max(served, state[channel]!);
    const portEnd = start + bytes * state[ddr.portPerByte]!;
    state[ddr.free] = free;
    state[ddr.lastReads] = Number(reads);
    state[ddr.start] = start;
    state[ddr.end] = Math.max(portEnd, free);
    state[ddr.busy]! += service + turn;
    state[ddr.bytes]! += bytes;
    state[channel] = portEnd;
  }
}
