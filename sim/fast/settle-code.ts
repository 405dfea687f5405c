/**
 * A settlement of a board's DMA (pacing.ts) in WebAssembly: the questions that ports have left in their records (pace-code.ts) go to the arbiter,
 * what each port waits for is written down, and for how many clocks it will be silent; then questions are answered (arbiter-code.ts).
 */
import { block, emitOpen, entry } from "./arbiter-block.js";
import { emitAnswers } from "./arbiter-code.js";
import { emitFlowBegins, emitSilence } from "./flow-code.js";
import { pace, transfer } from "./pace-code.js";
import { Code } from "./wasm.js";

const NEVER = 0x7fffffff;

/** The function: it gets the block, and 1 if it is to begin with the ports' records. */
export function settleCode(): Code {
  const code = new Code(["i32", "i32"]);
  const [at, fresh] = [0, 1];
  code.get(fresh).if();
  emitCollect(code, at);
  code.end();
  emitAnswers(code, at);
  return code;
}

/** New questions of all ports, and what their actors wait for: the oldest answer that each needs. */
export function emitCollect(code: Code, at: number): void {
  const [each, end, record, number, other, left] = code.locals("i32", 6);
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
    emitOpen(code, each);
    put("waitsFor", () => code.i32(-1));
    put("begin", () => code.i32(-1));
    field("begun").if();
    field("beatsPerBurst");
    field("within").op("i32.sub").set(left);
    field("beats");
    field("beat").op("i32.sub").tee(other).get(left).get(other).get(left).op("i32.lt_s").op("select").set(left);
    field("waits").if();
    put("waitsFor", () => {
      field("burst");
      own("back").op("i32.sub");
    });
    emitFlowBegins(code, { at, each, record, left });
    code.end();
    emitSilence(code, record, left);
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
  code.get(at).get(others).mem("f64.store", block.others);
  code.get(at).mem("i32.load", block.woken).i32(0).mem("i32.store");
  code.get(at).get(at).mem("f64.load", block.horizon).mem("f64.store", block.before);
}
