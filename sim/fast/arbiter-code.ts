/**
 * The twin of a board's arbiter (sim/platform/arbiter.ts, ddr.ts): questions for bursts and for the ends of transfers, answered in the order of
 * their clocks, with the same operations on the same numbers, which lie in the engine's memory. It is a part of settle-code.ts.
 */
import { ddr } from "../platform/ddr.js";
import { block, emitOpen, emitWake, entry } from "./arbiter-block.js";
import { emitAllFlowed, emitFlowed } from "./flow-code.js";
import { pace, transfer } from "./pace-code.js";
import type { Code } from "./wasm.js";

/** The clock edge at or after the 64-bit time on the stack, as `edge` of the arbiter. */
const emitEdge = (code: Code): Code => code.f64(1e-9).op("f64.sub").op("f64.ceil");

/** Answers the questions of the block in `at`, a local, as far as nobody can put an earlier one. */
export function emitAnswers(code: Code, at: number): void {
  const [each, first, end, number, other, reads, ends, size] = code.locals("i32", 8);
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
  const leave = (): void => {
    code.get(at).get(before).mem("f64.store", block.before);
    code.get(at).get(at).mem("i32.load", block.answered).get(answered).op("i32.add").mem("i32.store", block.answered);
    for (const [place, local] of Object.entries(state))
      code
        .get(at)
        .get(local)
        .mem("f64.store", memory(place as keyof typeof ddr));
    code.op("return");
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
  leave();
  code.end();
  code.get(answered).i32(1).op("i32.add").set(answered);
  code.get(first).mem("f64.load", entry.closing).get(clock).op("f64.eq").if();
  emitClose(code, { at, each: first, clock, before });
  code.br(again).end();
  code.get(first).mem("i32.load", entry.left).tee(size);
  code.get(first).mem("i32.load", entry.burst).tee(other).op("i32.le_s").tee(ends).if();
  emitTakeNext(code, first);
  code.else();
  code.get(first).get(size).get(other).op("i32.sub").mem("i32.store", entry.left);
  code.get(other).set(size);
  code.end();
  code.get(size).op("f64.convert_i32_s").set(bytes);
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
  // A write has reached memory.
  code.get(ends).get(reads).op("i32.eqz").op("i32.and").if();
  code.get(first).mem("i32.load", entry.taking).i32(transfer.bytes).op("i32.sub");
  code.get(open).get(at).mem("f64.load", block.writeLatency).op("f64.add").tee(turn).mem("f64.store", transfer.done);
  emitEdge(code.get(first).get(turn)).mem("f64.store", entry.closing);
  code.end();
  // Who waits for it goes on.
  code.get(number).get(first).mem("i32.load", entry.waitsFor).op("i32.eq").if();
  code
    .get(first)
    .mem("i32.load", entry.record)
    .mem("i32.load", pace.flowing)
    .get(ends)
    .op("i32.eqz")
    .op("i32.and")
    .if();
  emitFlowed(code, { at, each: first, answer: open, before });
  code.else();
  code.get(first).i32(-1).mem("i32.store", entry.waitsFor);
  emitWake(code, at, first);
  emitEdge(code.get(open)).get(first).mem("f64.load", entry.quiet).op("f64.add");
  code.get(before).op("f64.min").set(before);
  code.end().end();
  emitOpen(code, first);
  code.br(again);
  code.end();
  code.op("unreachable");
}

/** The next answer of the channel whose entry is in `each`, a local, is for its next transfer. */
function emitTakeNext(code: Code, each: number): void {
  const row = code.temp("i32");
  code.get(each).get(each).mem("i32.load", entry.taking).i32(transfer.bytes).op("i32.add").tee(row);
  code.mem("i32.store", entry.taking);
  code.get(each).get(row).get(each).mem("i32.load", entry.last).op("i32.lt_u").if("i32");
  code.get(row).mem("i32.load", transfer.beats).get(each).mem("i32.load", entry.width).op("i32.mul");
  code.else().i32(0).end();
  code.mem("i32.store", entry.left);
  code.free("i32", row);
}

/** The processor has seen, at `clock`, that the channel's transfer is done, and starts its next one; its actor goes on if it waits for that. */
function emitClose(
  code: Code,
  { at, each, clock, before }: Readonly<Record<"at" | "each" | "clock" | "before", number>>,
): void {
  const [row, record, ended] = [code.temp("i32"), code.temp("i32"), code.temp("i32")];
  const [free, begins] = [code.temp("f64"), code.temp("f64")];
  const field = (place: "processorFree" | "start" | "wait"): Code => code.get(at).mem("f64.load", block[place]);
  code.get(each).mem("i32.load", entry.ending).set(row);
  code.get(each).mem("i32.load", entry.reads).if();
  code.get(row).get(clock).mem("f64.store", transfer.done);
  code.end();
  code.get(each).f64(Infinity).mem("f64.store", entry.closing);
  code.get(at).mem("i32.load", block.order).get(at).mem("i32.load", block.ended).tee(ended);
  code.i32(2).op("i32.shl").op("i32.add").get(row).mem("i32.store");
  code.get(at).get(ended).i32(1).op("i32.add").mem("i32.store", block.ended);
  field("processorFree").get(row).mem("f64.load", transfer.done).op("f64.max");
  field("wait").op("f64.add").set(free);
  code.get(each).get(row).i32(transfer.bytes).op("i32.add").tee(row).mem("i32.store", entry.ending);
  code.get(row).get(each).mem("i32.load", entry.last).op("i32.lt_u").if();
  code.get(row).get(free).mem("f64.store", transfer.issued);
  field("start").get(free).op("f64.add").set(free);
  code.get(at).get(free).mem("f64.store", block.processorFree);
  code.get(row).get(free).mem("f64.store", transfer.started);
  emitEdge(code.get(free)).get(clock).f64(1).op("f64.add").op("f64.max").set(begins);
  code.get(row).get(begins).op("i32.trunc_sat_f64_s").mem("i32.store", transfer.clock);
  code.get(each).mem("i32.load", entry.record).tee(record).mem("i32.load", pace.begins).set(ended);
  code.get(record).get(ended).i32(1).op("i32.add").mem("i32.store", pace.begins);
  code.get(ended).get(each).mem("i32.load", entry.begin).op("i32.eq").if();
  code.get(each).i32(-1).mem("i32.store", entry.begin);
  emitWake(code, at, each);
  code.get(begins).get(each).mem("f64.load", entry.quiet).op("f64.add").get(before).op("f64.min").set(before);
  code.end();
  code.end();
  emitOpen(code, each);
  code.free("i32", row, record, ended);
  code.free("f64", free, begins);
}
