/** Where the state of a board's arbiter stands in the engine's memory, for JavaScript (pacing.ts) and WebAssembly (settle-code.ts). */
import { channelState } from "../platform/arbiter.js";
import { pace } from "./pace-code.js";
import type { Code } from "./wasm.js";

/** The block: in bytes, 64-bit numbers where it says so, the others of 32 bits. */
export const block = {
  /** 64 bits: questions of clocks before this are answered. */
  before: 0,
  /** Addresses of the list of actors to wake (their number first), of the first channel's entry, and behind the last. */
  woken: 8,
  entries: 12,
  end: 16,
  /** Questions answered. */
  answered: 20,
  /** Bursts that the arbiter did by itself for sources that flow. */
  flowed: 56,
  /** 64 bits. */
  readLatency: 24,
  /** 64 bits: the clock before which questions may be answered at all. */
  horizon: 32,
  /** 1 where the design polls: nobody is silent then. */
  polls: 40,
  /** How the last settlement came back. */
  how: 44,
  /** 64 bits: for how long those put no question who wait for no answer. */
  others: 48,
  /** The state of the board's memory (ddr.ts). */
  ddr: 64,
} as const;

/** A channel's entry: its state as the arbiter has it, then what its port adds. */
export const entry = {
  ...channelState,
  /** 64 bits: after it can go on, it puts no question for so many clocks. */
  quiet: channelState.bytes,
  /** Addresses: its questions and answers, its port's place in the state of the board's memory, its record (pace-code.ts). */
  asks: channelState.bytes + 8,
  answers: channelState.bytes + 12,
  port: channelState.bytes + 16,
  record: channelState.bytes + 20,
  /** 1 for reads. */
  reads: channelState.bytes + 24,
  /** The burst that its actor waits for, or -1; the actor. */
  waitsFor: channelState.bytes + 28,
  actor: channelState.bytes + 32,
  /** The transfer whose begin its actor waits for, or -1. */
  begin: channelState.bytes + 36,
  /** Its actor waits for the burst so many before the one at hand. */
  back: channelState.bytes + 40,
  /** Addresses: the count of beats moved, the clocks of the beats. */
  done: channelState.bytes + 44,
  times: channelState.bytes + 48,
  /** The beats by which the transfer ends that is at hand; the address of it in the table of transfers, and that behind the last. */
  endBeat: channelState.bytes + 52,
  next: channelState.bytes + 56,
  last: channelState.bytes + 60,
  /**
   * Of a source that flows (flow-code.ts), 64 bits: `free`; then the beats that still do, beats left of the transfer, and the clock before which
   * the next must not come.
   */
  flowFree: channelState.bytes + 64,
  flow: channelState.bytes + 72,
  flowLeft: channelState.bytes + 76,
  flowLeast: channelState.bytes + 80,
  bytes: channelState.bytes + 88,
} as const;

/** How it came back: there is no question left, or the first of them is the arbiter's own. */
export const answering = { done: 0, other: 1 } as const;

/** The clock of the first open question of the channel whose entry is in `each`, a local. */
export function emitOpen(code: Code, each: number): void {
  const number = code.temp("i32");
  code.get(each);
  code.get(each).mem("f64.load", entry.closing);
  code.get(each).mem("i32.load", entry.answered).tee(number);
  code.get(each).mem("i32.load", entry.asked).op("i32.lt_s").if("f64");
  code.get(each).mem("i32.load", entry.asks).get(number).i32(3).op("i32.shl").op("i32.add").mem("f64.load");
  code.else().f64(Infinity).end();
  code.op("f64.min").mem("f64.store", entry.open);
  code.free("i32", number);
}

/** The actor of the channel whose entry is in `each` can go on, if it waits; both are locals. */
export function emitWake(code: Code, at: number, each: number): void {
  const [record, woken, count] = [code.temp("i32"), code.temp("i32"), code.temp("i32")];
  code.get(each).mem("i32.load", entry.record).tee(record).mem("i32.load", pace.waits).if();
  code.get(record).i32(0).mem("i32.store", pace.waits);
  code.get(at).mem("i32.load", block.woken).tee(woken);
  code.get(woken).mem("i32.load").i32(1).op("i32.add").tee(count).mem("i32.store");
  code.get(woken).get(count).i32(2).op("i32.shl").op("i32.add");
  code.get(each).mem("i32.load", entry.actor).mem("i32.store");
  code.end();
  code.free("i32", record, woken, count);
}
