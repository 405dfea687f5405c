/** Where the state of a board's arbiter stands in the engine's memory, for JavaScript (pacing.ts) and WebAssembly (settle-code.ts). */
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
  /** Transfers that have ended, and the address of the addresses of their rows (pace-code.ts), in the order in which they did. */
  ended: 44,
  order: 60,
  /** 64 bits: for how long those put no question who wait for no answer. */
  others: 48,
  /**
   * 64 bits each: when the processor is free, what it takes to start a transfer, and what it takes, beyond that, when its end is seen; how long a
   * burst is on its way to memory.
   */
  processorFree: 64,
  start: 72,
  wait: 80,
  writeLatency: 88,
  /** Where traces of the transfers go (trace-code.ts). */
  traces: 96,
  /** The state of the board's memory (ddr.ts). */
  ddr: 104,
} as const;

/** A channel's entry. */
export const entry = {
  /** 64-bit clocks of its first open question, and of that for the end of a transfer; infinity if there is none. */
  open: 0,
  closing: 8,
  /** Questions for bursts, answers to them, bytes that are left of the transfer that the next answer is for, and bytes of a burst. */
  asked: 16,
  answered: 20,
  left: 24,
  burst: 28,
  /** 64 bits: after it can go on, it puts no question for so many clocks. */
  quiet: 32,
  /** Addresses: its questions and answers, its port's place in the state of the board's memory, its record (pace-code.ts). */
  asks: 40,
  answers: 44,
  port: 48,
  record: 52,
  /** 1 for reads. */
  reads: 56,
  /** The burst that its actor waits for, or -1; the actor. */
  waitsFor: 60,
  actor: 64,
  /** The transfer whose begin its actor waits for, or -1. */
  begin: 68,
  /** Its actor waits for the burst so many before the one at hand. */
  back: 72,
  /** Addresses: the count of beats moved, the clocks of the beats. */
  done: 76,
  times: 80,
  /** The beats by which the transfer ends that is at hand; the address of its row in the table of transfers, and that behind the last. */
  endBeat: 84,
  next: 88,
  last: 92,
  /**
   * Of a source that flows (flow-code.ts), 64 bits: `free`; then the beats that still do, beats left of the transfer, and the clock before which
   * the next must not come.
   */
  flowFree: 96,
  flow: 104,
  flowLeft: 108,
  flowLeast: 112,
  /** Bytes of a beat; the rows of the transfers that the next answer is for, and that ends next. */
  width: 116,
  taking: 120,
  ending: 124,
  /** Of the transfers whose traces are written (trace-code.ts): beats and bursts. */
  tracedBeats: 128,
  tracedBursts: 132,
  bytes: 136,
} as const;

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
