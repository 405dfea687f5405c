/**
 * The twin of a board's arbiter (sim/platform/arbiter.ts, ddr.ts) for what comes a hundred thousand times in a run: questions for bursts that do not end
 * a transfer, answered in the order of their clocks, with the same operations on the same state, which lies in the engine's memory. What else
 * comes first is left to the arbiter itself. It is a part of settle-code.ts.
 */
import { ddr } from "../platform/ddr.js";
import { answering, block, emitOpen, emitWake, entry } from "./arbiter-block.js";
import { emitAllFlowed, emitFlowed } from "./flow-code.js";
import { pace } from "./pace-code.js";
import type { Code } from "./wasm.js";

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
  // As whole numbers, clocks have the same order: they are not negative. So nothing has to be guessed by a branch.
  const [bits, least] = [code.local("i64"), code.local("i64")];
  code.get(before).op("i64.reinterpret_f64").set(least).i32(0).set(first);
  code.get(at).mem("i32.load", block.entries).set(each);
  const scan = code.loop();
  code.get(each).mem("i64.load", entry.open).set(bits);
  code.get(each).get(first).get(bits).get(least).op("i64.lt_s").op("select").set(first);
  code.get(bits).get(least).get(bits).get(least).op("i64.lt_s").op("select").set(least);
  code.get(each).i32(entry.bytes).op("i32.add").tee(each).get(end).op("i32.lt_u").brIf(scan);
  code.end();
  code.get(least).op("f64.reinterpret_i64").set(clock);
  code.get(first).op("i32.eqz").if();
  emitAllFlowed(code, at);
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
  code.get(at);
  number64("busy").get(service).get(turn).op("f64.add").op("f64.add").mem("f64.store", memory("busy"));
  code.get(at);
  number64("bytes").get(bytes).op("f64.add").mem("f64.store", memory("bytes"));
  // The answer, not before the clock behind the question.
  code.get(first).mem("i32.load", entry.reads).if("f64");
  code.get(start).get(at).mem("f64.load", block.readLatency).op("f64.add");
  code.else().get(open);
  number64("free").op("f64.max").end();
  code.get(clock).f64(1).op("f64.add").op("f64.max").set(open);
  code.get(first).mem("i32.load", entry.answered).set(number);
  code.get(first).mem("i32.load", entry.answers).get(number).i32(3).op("i32.shl").op("i32.add");
  code.get(open).mem("f64.store");
  code.get(first).get(number).i32(1).op("i32.add").tee(other).mem("i32.store", entry.answered);
  code.get(first).mem("i32.load", entry.record).get(other).mem("i32.store", pace.answered);
  code.get(at).get(at).mem("i32.load", block.answered).i32(1).op("i32.add").mem("i32.store", block.answered);
  // Who waits for it goes on.
  code.get(number).get(first).mem("i32.load", entry.waitsFor).op("i32.eq").if();
  code.get(first).mem("i32.load", entry.record).mem("i32.load", pace.flowing).if();
  emitFlowed(code, { at, each: first, answer: open, before });
  code.else();
  code.get(first).i32(-1).mem("i32.store", entry.waitsFor);
  emitWake(code, at, first);
  code.get(open).f64(1e-9).op("f64.sub").op("f64.ceil").get(first).mem("f64.load", entry.quiet).op("f64.add");
  code.get(before).op("f64.min").set(before);
  code.end().end();
  emitOpen(code, first);
  code.br(again);
  code.end();
  code.op("unreachable");
}
