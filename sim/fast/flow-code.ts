/**
 * What the arbiter does for a source whose next beats flow (`pace.flow`): nobody has to be asked when they move, so it goes on by itself from
 * burst to burst, with the rules of pace-code.ts, and puts down when bursts begin, and the questions. The source is woken when what it promised
 * is done; its own record stays behind until then.
 *
 * Why it is exact: such a beat is pushed at the edge at which it is there, and popped one clock later, whatever the others do; so the
 * clocks of its questions are known. What its taker shows to others comes behind the last of these beats.
 */
import { block, emitWake, entry } from "./arbiter-block.js";
import { pace } from "./pace-code.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

/**
 * On the stack: clocks without a question of the channel with that record, which has `left` beats (a local) of its burst. One comes with the
 * last of them, at the earliest. A beat takes `beatClocks`; what is lost of them where the first beat is late (sim/platform/dma.ts) is
 * less than a clock.
 */
export function emitSilence(code: Code, record: number, left: number): void {
  code.get(left).i32(1).op("i32.sub").op("f64.convert_i32_s");
  code.get(record).mem("f64.load", pace.beatClocks).op("f64.mul").op("f64.floor").f64(1).op("f64.sub");
  if (rules.round.silence !== 0) code.f64(rules.round.silence).op("f64.add");
  code.f64(0).op("f64.max").f64(0).get(left).i32(2).op("i32.ge_s").op("select");
}

interface Port {
  /** Locals: the block, the channel's entry. */
  readonly at: number;
  readonly each: number;
}

const load = (code: Code, each: number, name: keyof typeof entry): Code => code.get(each).mem("i32.load", entry[name]);
function store(code: Code, each: number, name: keyof typeof entry, value: () => void): void {
  code.get(each);
  value();
  code.mem("i32.store", entry[name]);
}

/** In front of a settlement, of a source that waits for a burst: it begins to flow, or does so already; `left` becomes the beats of its burst. */
export function emitFlowBegins(code: Code, { at, each, record, left }: Port & { record: number; left: number }): void {
  const field = (name: keyof typeof pace): Code => code.get(record).mem("i32.load", pace[name]);
  const other = code.temp("i32");
  field("flow").i32(0).op("i32.gt_s").get(at).mem("i32.load", block.polls).op("i32.eqz").op("i32.and").if();
  field("flowing").op("i32.eqz").if();
  code.get(record).i32(1).mem("i32.store", pace.flowing);
  store(code, each, "flow", () => field("flow"));
  code.get(record);
  field("burst").mem("i32.store", pace.ahead);
  store(code, each, "flowLeast", () => field("least"));
  store(code, each, "flowLeft", () => {
    field("beats");
    field("beat").op("i32.sub");
  });
  code.get(each).get(record).mem("f64.load", pace.free).mem("f64.store", entry.flowFree);
  code.end();
  store(code, each, "waitsFor", () => field("ahead"));
  field("beatsPerBurst").set(left);
  load(code, each, "flowLeft").tee(other).get(left).get(other).get(left).op("i32.lt_s").op("select").set(left);
  code.end();
  code.free("i32", other);
}

/**
 * The burst for which a source waits that flows has its answer, a 64-bit local. If all its beats flow, and more are to come, the source goes on
 * to the next; if not, it is woken. `before`, a 64-bit local, becomes no later than the clock at which anybody may ask who is not known to.
 */
export function emitFlowed(code: Code, { at, each, answer, before }: Port & { answer: number; before: number }): void {
  const [record, count, first, left, other] = [0, 0, 0, 0, 0].map(() => code.temp("i32")) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const [free, edge] = [code.temp("f64"), code.temp("f64")];
  const field = (name: keyof typeof pace): Code => code.get(record).mem("i32.load", pace[name]);
  const others = (): Code => code.get(at).mem("f64.load", block.others);
  const notAfter = (): void => {
    code.get(before).op("f64.min").set(before);
  };
  const least = (local: number): void => {
    code.tee(other).get(local).get(other).get(local).op("i32.lt_s").op("select").set(local);
  };
  load(code, each, "record").set(record);
  field("beatsPerBurst").set(count);
  load(code, each, "flowLeft").tee(left);
  least(count);
  code.get(each).mem("f64.load", entry.flowFree).tee(free).get(answer).op("f64.max").f64(1e-9).op("f64.sub");
  code.op("f64.ceil").tee(edge).op("i32.trunc_sat_f64_s").set(first);
  // A beat a clock, in numbers of one binade (round-pace.ts), before the horizon.
  code.get(count).get(left).op("i32.lt_s");
  code.get(count);
  load(code, each, "flow").op("i32.le_s").op("i32.and");
  code.get(first);
  load(code, each, "flowLeast").op("i32.ge_s").op("i32.and");
  code.get(first).get(count).op("i32.add").op("f64.convert_i32_s").get(at).mem("f64.load", block.horizon);
  code.op("f64.le").op("i32.and");
  code.get(record).mem("f64.load", pace.beatClocks).f64(1).op("f64.le").op("i32.and");
  // That is of one exponent.
  for (const from of [free, answer]) {
    code.get(from).f64(1).op("f64.sub").op("i64.reinterpret_f64");
    code.get(first).get(count).op("i32.add").i32(2).op("i32.add").op("f64.convert_i32_s").op("i64.reinterpret_f64");
    code
      .op("i64.xor")
      .i64(1n << 52n)
      .op("i64.lt_u")
      .op("i32.and");
  }
  code.if();
  code.get(at).get(at).mem("i32.load", block.flowed).i32(1).op("i32.add").mem("i32.store", block.flowed);
  code.get(edge).get(free).get(edge).get(free).op("f64.sub").f64(1).op("f64.ge").op("select");
  code.get(count).op("f64.convert_i32_s").get(record).mem("f64.load", pace.beatClocks).op("f64.mul").op("f64.add");
  code.get(record).mem("f64.load", pace.gap).op("f64.add").set(free);
  code.get(each).get(free).mem("f64.store", entry.flowFree);
  field("frees");
  field("ahead").tee(other).i32(3).op("i32.shl").op("i32.add").get(free).mem("f64.store");
  field("firsts").get(other).i32(2).op("i32.shl").op("i32.add").get(first).mem("i32.store");
  code.get(first).get(count).op("i32.add").set(first);
  store(code, each, "flowLeast", () => code.get(first));
  code.get(record).get(other).i32(1).op("i32.add").tee(other).mem("i32.store", pace.ahead);
  store(code, each, "waitsFor", () => code.get(other));
  load(code, each, "asked").tee(other);
  field("bound").op("i32.lt_s").if();
  load(code, each, "asks").get(other).i32(3).op("i32.shl").op("i32.add");
  code
    .get(first)
    .i32(1 - rules.round.flowAsks)
    .op("i32.sub")
    .op("f64.convert_i32_s")
    .mem("f64.store");
  code.get(other).i32(1).op("i32.add").set(other);
  store(code, each, "asked", () => code.get(other));
  code.get(record).get(other).mem("i32.store", pace.asked);
  code.end();
  store(code, each, "flowLeft", () => code.get(left).get(count).op("i32.sub").tee(left));
  store(code, each, "flow", () => load(code, each, "flow").get(count).op("i32.sub").tee(other));
  code.get(other).op("i32.eqz").if();
  // It has done what it promised.
  emitWake(code, at, each);
  code.get(first).i32(1).op("i32.sub").op("f64.convert_i32_s");
  others().op("f64.add");
  notAfter();
  code.end();
  // The arbiter itself (pacing.ts) will answer for the last burst of the transfer.
  code.get(left).get(count).op("i32.le_s").if();
  code.get(each);
  emitSilence(code, record, left);
  others().op("f64.min").mem("f64.store", entry.quiet);
  code.end();
  code.else();
  store(code, each, "waitsFor", () => code.i32(-1));
  emitWake(code, at, each);
  // Its next question, and what others see of it.
  emitSilence(code, record, count);
  load(code, each, "flow").i32(1).op("i32.sub").op("f64.convert_i32_s").f64(0).op("f64.max");
  others().op("f64.add").op("f64.min").get(first).op("f64.convert_i32_s").op("f64.add");
  notAfter();
  code.end();
  code.free("i32", record, count, first, left, other);
  code.free("f64", free, edge);
}

/** If nobody else can go on, those can who flow and are behind what the arbiter has done for them. */
export function emitAllFlowed(code: Code, at: number): void {
  const [each, record] = [code.temp("i32"), code.temp("i32")];
  code.get(at).mem("i32.load", block.woken).mem("i32.load").op("i32.eqz").if();
  code.get(at).mem("i32.load", block.entries).set(each);
  const loop = code.loop();
  load(code, each, "record").tee(record).mem("i32.load", pace.flowing);
  code.get(record).mem("i32.load", pace.ahead).get(record).mem("i32.load", pace.burst);
  code.op("i32.gt_s").op("i32.and").if();
  emitWake(code, at, each);
  code.end();
  code.get(each).i32(entry.bytes).op("i32.add").tee(each);
  code.get(at).mem("i32.load", block.end).op("i32.lt_u").brIf(loop);
  code.end();
  code.end();
  code.free("i32", each, record);
}
