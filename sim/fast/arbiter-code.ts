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
  const [each, first, end, number, other, reads] = code.locals("i32", 6);
  const [before, clock, open, turn, served, service, start, bytes] = code.locals("f64", 8);
  const memory = (place: keyof typeof ddr): number => block.ddr + 8 * ddr[place];
  // The board's memory: its state, and constants, in locals meanwhile.
  const state = {
    free: code.local("f64"),
    busy: code.local("f64"),
    bytes: code.local("f64"),
    lastReads: code.local("f64"),
  };
  const constants = {
    readPerByte: code.local("f64"),
    writePerByte: code.local("f64"),
    turnaround: code.local("f64"),
    portPerByte: code.local("f64"),
  };
  const readLatency = code.local("f64");
  const answered = code.local("i32");
  const leave = (how: number): void => {
    code.get(at).get(before).mem("f64.store", block.before);
    code.get(at).i32(how).mem("i32.store", block.how);
    code.get(at).get(at).mem("i32.load", block.answered).get(answered).op("i32.add").mem("i32.store", block.answered);
    for (const [place, local] of Object.entries(state))
      code
        .get(at)
        .get(local)
        .mem("f64.store", memory(place as keyof typeof ddr));
    code.i32(how).op("return");
  };
  for (const [place, local] of Object.entries({ ...state, ...constants }))
    code
      .get(at)
      .mem("f64.load", memory(place as keyof typeof ddr))
      .set(local);
  code.get(at).mem("f64.load", block.readLatency).set(readLatency);
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
  code.get(first).mem("i32.load", entry.burst).op("f64.convert_i32_s").set(bytes);
  code.get(first).mem("i32.load", entry.reads).tee(reads).op("f64.convert_i32_s").set(open);
  code.f64(0).get(constants.turnaround).get(open).get(state.lastReads).op("f64.eq").op("select").set(turn);
  code.get(open).set(state.lastReads);
  code.get(clock).get(state.free).op("f64.max").get(turn).op("f64.add").set(served);
  code
    .get(constants.readPerByte)
    .get(constants.writePerByte)
    .get(reads)
    .op("select")
    .get(bytes)
    .op("f64.mul")
    .set(service);
  code.get(served).get(service).op("f64.add").set(state.free);
  code.get(first).mem("i32.load", entry.port).tee(other).mem("f64.load").get(served).op("f64.max").set(start);
  code.get(other).get(start).get(bytes).get(constants.portPerByte).op("f64.mul").op("f64.add").tee(open);
  code.mem("f64.store");
  code.get(state.busy).get(service).get(turn).op("f64.add").op("f64.add").set(state.busy);
  code.get(state.bytes).get(bytes).op("f64.add").set(state.bytes);
  // The answer, not before the clock behind the question.
  code.get(reads).if("f64");
  code.get(start).get(readLatency).op("f64.add");
  code.else().get(open).get(state.free).op("f64.max").end();
  code.get(clock).f64(1).op("f64.add").op("f64.max").set(open);
  code.get(first).mem("i32.load", entry.answered).set(number);
  code.get(first).mem("i32.load", entry.answers).get(number).i32(3).op("i32.shl").op("i32.add");
  code.get(open).mem("f64.store");
  code.get(first).get(number).i32(1).op("i32.add").tee(other).mem("i32.store", entry.answered);
  code.get(first).mem("i32.load", entry.record).get(other).mem("i32.store", pace.answered);
  code.get(answered).i32(1).op("i32.add").set(answered);
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
