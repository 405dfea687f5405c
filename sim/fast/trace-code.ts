/** What transfers did that have ended, packed (sim/platform/packed-traces.ts): a function of the design's module. */
import { PROGRESS_PARTS } from "../platform/dma.js";
import { trace } from "../platform/packed-traces.js";
import { block, entry } from "./arbiter-block.js";
import { pace, transfer } from "./pace-code.js";
import { Code } from "./wasm.js";

/** The function: it gets the arbiter's block, and writes to the block's `traces`; it returns the address behind the last number. */
export function traceCode(): Code {
  const code = new Code(["i32"], ["i32"]);
  const at = 0;
  const [each, out, place, end, row, record] = code.locals("i32", 6);
  const [beats, per, firsts, clocks, beat, first] = code.locals("i32", 6);
  const own = (name: keyof typeof entry): Code => code.get(each).mem("i32.load", entry[name]);
  emitNothingTraced(code, at, each);
  code.get(at).mem("i32.load", block.traces).set(out);
  code.get(at).mem("i32.load", block.order).tee(place);
  code.get(at).mem("i32.load", block.ended).i32(2).op("i32.shl").op("i32.add").set(end);
  const put = (field: number, value: () => void): void => {
    code.get(out);
    value();
    code.mem("f64.store", field * 8);
  };
  const integer = (field: number, value: () => void): void => {
    put(field, () => {
      value();
      code.op("f64.convert_i32_s");
    });
  };
  /** The clock of the beat whose number is in `beat`: one a clock from a burst's first, or as written down. */
  const emitClock = (): void => {
    code.get(firsts).get(beat).get(per).op("i32.div_u").i32(2).op("i32.shl").op("i32.add").mem("i32.load").tee(first);
    code.i32(0).op("i32.gt_s").if("i32");
    code.get(first).get(beat).get(per).op("i32.rem_u").op("i32.add");
    code.else();
    code.get(clocks).get(beat).i32(2).op("i32.shl").op("i32.add").mem("i32.load").end();
  };
  const loop = code.loop();
  code.get(place).get(end).op("i32.lt_u").if();
  code.get(place).mem("i32.load").set(row);
  code.get(row).mem("i32.load", transfer.stream).i32(entry.bytes).op("i32.mul");
  code.get(at).mem("i32.load", block.entries).op("i32.add").set(each);
  own("record").set(record);
  code.get(row).mem("i32.load", transfer.beats).set(beats);
  code.get(record).mem("i32.load", pace.beatsPerBurst).set(per);
  code.get(record).mem("i32.load", pace.firsts);
  own("tracedBursts").i32(2).op("i32.shl").op("i32.add").set(firsts);
  own("times");
  own("tracedBeats").i32(2).op("i32.shl").op("i32.add").set(clocks);
  code.get(each);
  own("tracedBeats").get(beats).op("i32.add").mem("i32.store", entry.tracedBeats);
  code.get(each);
  own("tracedBursts").get(beats).get(per).op("i32.add").i32(1).op("i32.sub").get(per).op("i32.div_u");
  code.op("i32.add").mem("i32.store", entry.tracedBursts);
  integer(trace.stream, () => code.get(row).mem("i32.load", transfer.stream));
  integer(trace.step, () => code.get(row).mem("i32.load", transfer.step));
  integer(trace.bytes, () => {
    code.get(beats);
    own("width").op("i32.mul");
  });
  put(trace.issued, () => code.get(row).mem("f64.load", transfer.issued));
  put(trace.started, () => code.get(row).mem("f64.load", transfer.started));
  put(trace.done, () => code.get(row).mem("f64.load", transfer.done));
  code.i32(0).set(beat);
  integer(trace.first, emitClock);
  code.get(beats).i32(1).op("i32.sub").set(beat);
  integer(trace.last, emitClock);
  for (let part = 0; part < PROGRESS_PARTS; part++) {
    // The last beat of the eighth: `eighthEnds` of sim/platform/dma.ts, less one.
    code
      .get(beats)
      .i32(part + 1)
      .op("i32.mul");
    code
      .i32(PROGRESS_PARTS - 1)
      .op("i32.add")
      .i32(PROGRESS_PARTS)
      .op("i32.div_u")
      .i32(1)
      .op("i32.sub")
      .set(beat);
    integer(trace.eighths + part, emitClock);
  }
  code
    .get(out)
    .i32(trace.numbers * 8)
    .op("i32.add")
    .set(out);
  code.get(place).i32(4).op("i32.add").set(place);
  code.br(loop).end();
  code.end();
  return code.get(out);
}

function emitNothingTraced(code: Code, at: number, each: number): void {
  code.get(at).mem("i32.load", block.entries).set(each);
  const loop = code.loop();
  code.get(each).get(at).mem("i32.load", block.end).op("i32.lt_u").if();
  code.get(each).i32(0).mem("i32.store", entry.tracedBeats);
  code.get(each).i32(0).mem("i32.store", entry.tracedBursts);
  code.get(each).i32(entry.bytes).op("i32.add").set(each);
  code.br(loop).end();
  code.end();
}
