/**
 * A settlement of a board's DMA (pacing.ts) in WebAssembly: the questions that ports have left in their records (pace-code.ts) go to the arbiter,
 * what each port waits for is written down, and for how many clocks it will be silent; then questions are answered (arbiter-code.ts).
 */
import { block, emitAnswers, entry } from "./arbiter-code.js";
import { pace, transfer } from "./pace-code.js";
import { rules } from "./rules.js";
import { Code } from "./wasm.js";

const NEVER = 0x7fffffff;

/** The function: it gets the block, and 1 if it is to begin with the ports' records; it returns how it came back. */
export function settleCode(): Code {
  const code = new Code(["i32", "i32"], ["i32"]);
  const [at, fresh] = [0, 1];
  code.get(fresh).if();
  emitCollect(code, at);
  code.end();
  emitAnswers(code, at);
  return code;
}

/** New questions of all ports, and what their actors wait for: the oldest answer that each needs. */
export function emitCollect(code: Code, at: number): void {
  const [each, end, record, number, other] = [0, 0, 0, 0, 0].map(() => code.local("i32")) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const [others, silence] = [code.local("f64"), code.local("f64")];
  const field = (name: keyof typeof pace): Code => code.get(record).mem("i32.load", pace[name]);
  const own = (name: keyof typeof entry): Code => code.get(each).mem("i32.load", entry[name]);
  const put = (name: keyof typeof entry, value: () => void): void => {
    code.get(each);
    value();
    code.mem("i32.store", entry[name]);
  };
  const all = (body: () => void): void => {
    code.get(at).mem("i32.load", block.entries).set(each);
    const loop = code.loop();
    body();
    code.get(each).i32(entry.bytes).op("i32.add").tee(each).get(end).op("i32.lt_u").brIf(loop);
    code.end();
  };
  code.get(at).mem("i32.load", block.end).set(end);
  // How long those are silent who wait for no answer, but for others.
  code.f64(Infinity).set(others);
  all(() => {
    own("record").set(record);
    put("asked", () => field("asked"));
    own("done").mem("i32.load").get(each).mem("i32.load", entry.endBeat).tee(number).op("i32.ge_s").if();
    // The next transfer has not begun, so no more than one can have ended.
    own("reads").if();
    code.get(each).get(number).i32(1).op("i32.sub").i32(2).op("i32.shl");
    own("times").op("i32.add").mem("i32.load").i32(1).op("i32.add").op("f64.convert_i32_s");
    code.mem("f64.store", entry.closing);
    code.end();
    put("next", () => own("next").i32(transfer.bytes).op("i32.add"));
    put("endBeat", () => {
      own("next").tee(other);
      own("last").op("i32.lt_u").if("i32");
      code.get(other).mem("i32.load", transfer.beats).get(number).op("i32.add");
      code.else().i32(NEVER).end();
    });
    code.end();
    emitOpen(code, each, number);
    put("waitsFor", () => code.i32(-1));
    put("begin", () => code.i32(-1));
    field("begun").if();
    field("waits").if();
    put("waitsFor", () => {
      field("burst");
      own("back").op("i32.sub");
    });
    code.end();
    emitSilence(code, record);
    code.set(silence);
    code.else();
    field("waits").if();
    put("begin", () => field("transfer"));
    code.end();
    code.f64(Infinity).f64(0);
    own("endBeat").i32(NEVER).op("i32.eq").op("select").set(silence);
    code.end();
    code.get(each).get(silence).mem("f64.store", entry.quiet);
    code.get(silence).get(others);
    own("waitsFor");
    own("begin").op("i32.and").i32(0).op("i32.lt_s").get(silence).get(others).op("f64.lt").op("i32.and");
    code.op("select").set(others);
  });
  all(() => {
    code.get(each).get(each).mem("f64.load", entry.quiet).get(others).op("f64.min");
    code.f64(0).get(at).mem("i32.load", block.polls).op("i32.eqz").op("select").mem("f64.store", entry.quiet);
  });
  code.get(at).mem("i32.load", block.woken).i32(0).mem("i32.store");
  code.get(at).get(at).mem("f64.load", block.horizon).mem("f64.store", block.before);
}

/** The clock of the first open question of the entry in `each`; `number` is used up. */
function emitOpen(code: Code, each: number, number: number): void {
  code.get(each);
  code.get(each).mem("f64.load", entry.closing);
  code.get(each).mem("i32.load", entry.answered).tee(number);
  code.get(each).mem("i32.load", entry.asked).op("i32.lt_s").if("f64");
  code.get(each).mem("i32.load", entry.asks).get(number).i32(3).op("i32.shl").op("i32.add").mem("f64.load");
  code.else().f64(Infinity).end();
  code.op("f64.min").mem("f64.store", entry.open);
}

/**
 * On the stack: clocks without a question of the channel with that record. One comes with the last beat of a burst, at the earliest. A beat
 * takes `beatClocks`; what is lost of them where the first beat is late (sim/platform/dma.ts) is less than a clock.
 */
function emitSilence(code: Code, record: number): void {
  const [left, other] = [code.temp("i32"), code.temp("i32")];
  const field = (name: keyof typeof pace): Code => code.get(record).mem("i32.load", pace[name]);
  field("beatsPerBurst");
  field("within").op("i32.sub").set(left);
  field("beats");
  field("beat").op("i32.sub").tee(other).get(left).get(other).get(left).op("i32.lt_s").op("select").set(left);
  code.get(left).i32(1).op("i32.sub").op("f64.convert_i32_s");
  code.get(record).mem("f64.load", pace.beatClocks).op("f64.mul").op("f64.floor").f64(1).op("f64.sub");
  if (rules.round.silence !== 0) code.f64(rules.round.silence).op("f64.add");
  code.f64(0).op("f64.max").f64(0).get(left).i32(2).op("i32.ge_s").op("select");
  code.free("i32", left, other);
}
