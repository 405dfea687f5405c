/**
 * The twin of a board's arbiter (sim/platform/arbiter.ts, ddr.ts) for what comes a hundred thousand times in a run: questions for bursts that do not end
 * a transfer, answered in the order of their clocks, with the same operations on the same state, which lies in the engine's memory. What else
 * comes first is left to the arbiter itself. It is a part of settle-code.ts.
 */
import { channelState } from "../platform/arbiter.js";
import { ddr } from "../platform/ddr.js";
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
  /** 64 bits. */
  readLatency: 24,
  /** 64 bits: the clock before which questions may be answered at all. */
  horizon: 32,
  /** 1 where the design polls: nobody is silent then. */
  polls: 40,
  /** How the last settlement came back. */
  how: 44,
  /** The state of the board's memory (ddr.ts). */
  ddr: 48,
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
  bytes: channelState.bytes + 64,
} as const;

/** How it came back: there is no question left, or the first of them is the arbiter's own. */
export const answering = { done: 0, other: 1 } as const;

/** Answers the questions of the block in `at`, a local, and returns how. */
export function emitAnswers(code: Code, at: number): void {
  const [each, first, end, number, other] = Array.from({ length: 5 }, () => code.local("i32")) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const [before, clock, open, turn, served, service, start, bytes] = Array.from({ length: 8 }, () =>
    code.local("f64"),
  ) as [number, number, number, number, number, number, number, number];
  const memory = (place: keyof typeof ddr): number => block.ddr + 8 * ddr[place];
  const number64 = (place: keyof typeof ddr): Code => code.get(at).mem("f64.load", memory(place));
  const leave = (how: number): void => {
    code.get(at).get(before).mem("f64.store", block.before);
    code.get(at).i32(how).mem("i32.store", block.how);
    code.i32(how).op("return");
  };
  code.get(at).mem("f64.load", block.before).set(before);
  code.get(at).mem("i32.load", block.end).set(end);
  const again = code.loop();
  code.get(before).set(clock).i32(0).set(first);
  code.get(at).mem("i32.load", block.entries).set(each);
  const scan = code.loop();
  code.get(each).mem("f64.load", entry.open).set(open);
  code.get(each).get(first).get(open).get(clock).op("f64.lt").op("select").set(first);
  code.get(open).get(clock).op("f64.min").set(clock);
  code.get(each).i32(entry.bytes).op("i32.add").tee(each).get(end).op("i32.lt_u").brIf(scan);
  code.end();
  code.get(first).op("i32.eqz").if();
  leave(answering.done);
  code.end();
  code.get(first).mem("f64.load", entry.closing).get(clock).op("f64.eq");
  code.get(first).mem("i32.load", entry.left).get(first).mem("i32.load", entry.burst).op("i32.le_s").op("i32.or").if();
  leave(answering.other);
  code.end();
  code.get(first).get(first).mem("i32.load", entry.left).get(first).mem("i32.load", entry.burst).op("i32.sub");
  code.mem("i32.store", entry.left);
  // The board's memory.
  code.get(first).mem("i32.load", entry.burst).op("f64.convert_i32_s").set(bytes);
  code.f64(0);
  number64("turnaround");
  code.get(first).mem("i32.load", entry.reads).op("f64.convert_i32_s");
  number64("lastReads").op("f64.eq").op("select").set(turn);
  code.get(clock);
  number64("free").op("f64.max").get(turn).op("f64.add").set(served);
  number64("readPerByte");
  number64("writePerByte").get(first).mem("i32.load", entry.reads).op("select");
  code.get(bytes).op("f64.mul").set(service);
  code.get(at).get(served).get(service).op("f64.add").mem("f64.store", memory("free"));
  code.get(at).get(first).mem("i32.load", entry.reads).op("f64.convert_i32_s").mem("f64.store", memory("lastReads"));
  code.get(first).mem("i32.load", entry.port).tee(other).mem("f64.load").get(served).op("f64.max").set(start);
  code.get(other).get(start).get(bytes);
  number64("portPerByte").op("f64.mul").op("f64.add").tee(open).mem("f64.store");
  code.get(at).get(start).mem("f64.store", memory("start"));
  code.get(at).get(open);
  number64("free").op("f64.max").tee(open).mem("f64.store", memory("end"));
  code.get(at);
  number64("busy").get(service).get(turn).op("f64.add").op("f64.add").mem("f64.store", memory("busy"));
  code.get(at);
  number64("bytes").get(bytes).op("f64.add").mem("f64.store", memory("bytes"));
  // The answer, not before the clock behind the question.
  code.get(start).get(at).mem("f64.load", block.readLatency).op("f64.add").get(open);
  code.get(first).mem("i32.load", entry.reads).op("select");
  code.get(clock).f64(1).op("f64.add").op("f64.max").set(open);
  code.get(first).mem("i32.load", entry.answered).set(number);
  code.get(first).mem("i32.load", entry.answers).get(number).i32(3).op("i32.shl").op("i32.add");
  code.get(open).mem("f64.store");
  code.get(first).get(number).i32(1).op("i32.add").tee(other).mem("i32.store", entry.answered);
  code.get(first).mem("i32.load", entry.record).get(other).mem("i32.store", pace.answered);
  code.get(at).get(at).mem("i32.load", block.answered).i32(1).op("i32.add").mem("i32.store", block.answered);
  // Its next question.
  code.get(first);
  code.get(first).mem("f64.load", entry.closing);
  code.get(other).get(first).mem("i32.load", entry.asked).op("i32.lt_s").if("f64");
  code.get(first).mem("i32.load", entry.asks).get(other).i32(3).op("i32.shl").op("i32.add").mem("f64.load");
  code.else().f64(Infinity).end();
  code.op("f64.min").mem("f64.store", entry.open);
  // Who waits for it goes on.
  code.get(number).get(first).mem("i32.load", entry.waitsFor).op("i32.eq").if();
  code.get(first).i32(-1).mem("i32.store", entry.waitsFor);
  code.get(first).mem("i32.load", entry.record).i32(0).mem("i32.store", pace.waits);
  code.get(at).mem("i32.load", block.woken).tee(other);
  code.get(other).mem("i32.load").i32(1).op("i32.add").tee(number).mem("i32.store");
  code.get(other).get(number).i32(2).op("i32.shl").op("i32.add");
  code.get(first).mem("i32.load", entry.actor).mem("i32.store");
  code.get(open).f64(1e-9).op("f64.sub").op("f64.ceil").get(first).mem("f64.load", entry.quiet).op("f64.add");
  code.get(before).op("f64.min").set(before);
  code.end();
  code.br(again);
  code.end();
  code.op("unreachable");
}
