/**
 * What stands around a run, as WebAssembly: its begin, the last clock, and the counts, over tables in the engine's memory. A network has a run for
 * each of its layers, and the first time through V8 would interpret all of this.
 */
import { counterNames, packedLength } from "../kernel/packed-counters.js";
import { frame, standsAt } from "./frame.js";
import type { Globals } from "./channel-code.js";
import type { Plan } from "./plan.js";
import { partRow } from "./pristine.js";
import { Code, type WasmModule } from "./wasm.js";

/** A channel in its table: addresses of its counts, and of the rings of both sides' clocks with the mask of their slots. */
const channelRow = { counts: 0, pushTimes: 4, popTimes: 8, mask: 12, bytes: 16 } as const;
/** Offsets from the first of a channel's counts (plan.ts). */
const counts = { pushed: 0, popped: 4, waits: 8, maxOccupancy: 24, occupancySum: 32 } as const;
/** An end of a channel that a process works at: as packed counters name it, where its stalled clocks are counted, and what stands in the frame of a process that waits there. */
const endRow = { packed: 0, stall: 4, stands: 8, bytes: 12 } as const;

interface Table {
  readonly from: number;
  readonly to: number;
  /** Of a row. */
  readonly bytes: number;
}

interface Tables {
  /** Of all actors, and of the processes, which are the first of them. */
  readonly frames: Table;
  readonly processes: Table;
  readonly channels: Table;
  /** For each process the number of its ends, then those. */
  readonly ends: number;
  /** For each memory the number of its ports, then for each the addresses of its counts of reads and writes. */
  readonly ports: Omit<Table, "bytes">;
}

/** Adds and exports the functions; returns the address of the packed counters (sim/kernel/packed-counters.ts), all but those of grids. */
export function addRunCode(module: WasmModule, plan: Plan, globals: Globals): number {
  const tables = takeTables(plan);
  const packed = plan.heap.take(packedLength(counterNames(plan.ir.design)) * 8);
  const add = (name: string, code: Code): void => {
    module.exportFunction(name, module.add(name, code));
  };
  add("restore", restoreCode());
  add("begin", beginCode(plan, globals, tables));
  add("latest", latestCode(tables));
  add("counts", countsCode(tables, packed));
  return packed;
}

function takeTables(plan: Plan): Tables {
  const { design } = plan.ir;
  const table = (numbers: readonly number[]): Omit<Table, "bytes"> => {
    const from = plan.heap.take(numbers.length * 4);
    plan.initially((view) => {
      numbers.forEach((value, i) => {
        view.setInt32(from + i * 4, value, true);
      });
    });
    return { from, to: from + numbers.length * 4 };
  };
  const channels = design.channels.map((channel) => plan.channels.get(channel)!);
  const ends = design.processes.map((_, actor) =>
    channels.flatMap((channel) => [
      ...(channel.consumer === actor ? [[2 * channel.index, channel.popStall, standsAt(channel, "pop")]] : []),
      ...(channel.producer === actor ? [[2 * channel.index + 1, channel.pushStall, standsAt(channel, "push")]] : []),
    ]),
  );
  const from = plan.frames[0] ?? 0;
  const frames = (actors: number): Table => ({ from, to: from + actors * frame.bytes, bytes: frame.bytes });
  return {
    frames: frames(plan.frames.length),
    processes: frames(design.processes.length),
    channels: {
      ...table(channels.flatMap(({ pushed, pushTimes, popTimes, slots }) => [pushed, pushTimes, popTimes, slots - 1])),
      bytes: channelRow.bytes,
    },
    ends: table(ends.flatMap((each) => [each.length, ...each.flat()])).from,
    ports: table(
      plan.memories.flatMap(({ ports }) => [ports.length, ...ports.flatMap(({ reads, writes }) => [reads, writes])]),
    ),
  };
}

/** `body` as long as what `condition` leaves on the stack is not 0. */
function emitWhile(code: Code, condition: () => void, body: () => void): void {
  const loop = code.loop();
  condition();
  code.if();
  body();
  code.br(loop).end();
  code.end();
}

/** `body` for every row of a table, with its address in the local `at`. */
function emitEach(code: Code, at: number, { from, to, bytes }: Table, body: () => void): void {
  code.i32(from).set(at);
  emitWhile(
    code,
    () => code.get(at).i32(to).op("i32.lt_u"),
    () => {
      body();
      code.get(at).i32(bytes).op("i32.add").set(at);
    },
  );
}

/** The greater one of a local and what stands on the stack. */
const emitMax = (code: Code, other: number, scratch: number): Code =>
  code.tee(scratch).get(other).get(scratch).get(other).op("i32.gt_s").op("select");

/** Sets back all parts in the table between the two addresses that it gets. */
function restoreCode(): Code {
  const code = new Code(["i32", "i32"]);
  const [row, end] = [0, 1];
  const field = (name: "at" | "length" | "byte" | "source"): Code => code.get(row).mem("i32.load", partRow[name]);
  emitWhile(
    code,
    () => code.get(row).get(end).op("i32.lt_u"),
    () => {
      field("byte").i32(0).op("i32.ge_s").if();
      field("at");
      field("byte");
      field("length").memoryFill();
      code.else();
      field("at");
      field("source");
      field("length").memoryCopy();
      code.end();
      code.get(row).i32(partRow.bytes).op("i32.add").set(row);
    },
  );
  return code;
}

/** The begin of a run up to a horizon, the parameter: nobody is known to wait, and all who have not ended are in the queue. */
function beginCode(plan: Plan, globals: Globals, { frames, channels }: Tables): Code {
  const code = new Code(["i32"]);
  const horizon = 0;
  const [at, actor, queued] = code.locals("i32", 3);
  emitEach(code, at, channels, () => {
    code.get(at).mem("i32.load", channelRow.counts).i64(0).mem("i64.store", counts.waits);
  });
  emitEach(code, at, frames, () => {
    code.get(at).mem("i32.load", frame.resume).i32(-1).op("i32.ne").if();
    code.get(queued).i32(2).op("i32.shl").get(actor).mem("i32.store", plan.queue);
    code.get(queued).i32(1).op("i32.add").set(queued);
    code.end();
    code.get(actor).i32(1).op("i32.add").set(actor);
  });
  code.i32(0).globalSet(globals.head).get(queued).globalSet(globals.tail);
  return code.get(horizon).globalSet(globals.horizon);
}

/** The clock after the last in which anything moved. */
function latestCode({ frames, channels }: Tables): Code {
  const code = new Code([], ["i32"]);
  const [at, last, now] = code.locals("i32", 3);
  emitEach(code, at, frames, () => {
    code.get(at).mem("i32.load", frame.time);
    emitMax(code, last, now).set(last);
  });
  emitEach(code, at, channels, () => {
    for (const [count, times] of [
      [counts.pushed, channelRow.pushTimes],
      [counts.popped, channelRow.popTimes],
    ] as const) {
      code.get(at).mem("i32.load", channelRow.counts).mem("i32.load", count).i32(1).op("i32.sub");
      emitClockOf(code, at, times);
      code.i32(1).op("i32.add");
      emitMax(code, last, now).set(last);
    }
  });
  return code.get(last);
}

/** Of the channel whose row is at the address in `at`: the clock of the operation whose number stands on the stack. */
function emitClockOf(code: Code, at: number, times: number): void {
  code.get(at).mem("i32.load", channelRow.mask).op("i32.and").i32(2).op("i32.shl");
  code.get(at).mem("i32.load", times).op("i32.add").mem("i32.load");
}

/** Packs what was counted in a run of so many clocks, the parameter; returns the address behind the last number. */
function countsCode(tables: Tables, packed: number): Code {
  const code = new Code(["i32"], ["i32"]);
  const [clocks, out] = [0, code.local("i32")];
  code.i32(packed).set(out);
  code.get(out).get(clocks).op("f64.convert_i32_s").mem("f64.store");
  emitPass(code, out, 2);
  emitProcesses(code, tables, { clocks, out, packed });
  emitChannels(code, tables, { clocks, out });
  emitMemories(code, tables, out);
  return code.get(out);
}

/** So many numbers have been written. */
const emitPass = (code: Code, out: number, numbers: number): Code =>
  code
    .get(out)
    .i32(numbers * 8)
    .op("i32.add")
    .set(out);

/** Busy, idle and estimated clocks, and the stalls, of every process: time passes at a yield or at a wait, and nowhere else. */
function emitProcesses(
  code: Code,
  { processes, ends }: Tables,
  { clocks, out, packed }: Readonly<Record<"clocks" | "out" | "packed", number>>,
): void {
  const [actor, end, last, start, scratch, zero] = code.locals("i32", 6);
  const [time, resume, stands, waited, passed, stalled, busy, estimates] = code.locals("i32", 8);
  code.i32(ends).set(end);
  emitEach(code, actor, processes, () => {
    code.get(actor).mem("i32.load", frame.time).set(time);
    code.get(actor).mem("i32.load", frame.resume).set(resume);
    // It stands nowhere before its begin and behind its end.
    code.get(actor).mem("i32.load", frame.standsAt).i32(0);
    code.get(resume).i32(1).op("i32.add").i32(1).op("i32.gt_u").op("select").set(stands);
    code.i32(0).set(passed).i32(0).set(stalled).get(out).set(start);
    emitPass(code, out, 4);
    code.get(end).i32(4).op("i32.add").get(end).mem("i32.load").i32(endRow.bytes).op("i32.mul").op("i32.add").set(last);
    code.get(end).i32(4).op("i32.add").set(end);
    emitWhile(
      code,
      () => code.get(end).get(last).op("i32.lt_u"),
      () => {
        code.get(end).mem("i32.load", endRow.stall).mem("i32.load").tee(waited);
        code.get(passed).op("i32.add").set(passed);
        code.get(end).mem("i32.load", endRow.stands).get(stands).op("i32.eq").if();
        code.get(clocks).get(time).op("i32.sub");
        emitMax(code, zero, scratch).get(waited).op("i32.add").set(waited);
        code.end();
        code.get(waited).if();
        code.get(stalled).get(waited).op("i32.add").set(stalled);
        code.get(out).get(end).mem("i32.load", endRow.packed).op("f64.convert_i32_s").mem("f64.store");
        code.get(out).get(waited).op("f64.convert_i32_s").mem("f64.store", 8);
        emitPass(code, out, 2);
        code.end();
        code.get(end).i32(endRow.bytes).op("i32.add").set(end);
      },
    );
    code.get(time).get(passed).op("i32.sub");
    code.get(time).get(clocks).op("i32.sub");
    emitMax(code, zero, scratch).i32(0);
    code.get(stands).op("i32.eqz").get(resume).i32(-1).op("i32.ne").op("i32.and").op("select");
    code.op("i32.sub").set(busy);
    const put = (offset: number, value: () => void): void => {
      code.get(start);
      value();
      code.op("f64.convert_i32_s").mem("f64.store", offset);
    };
    put(0, () => code.get(busy));
    put(8, () => {
      code.get(clocks).get(busy).op("i32.sub").get(stalled).op("i32.sub");
      emitMax(code, zero, scratch);
    });
    put(16, () => code.get(actor).mem("i32.load", frame.estimated).tee(scratch));
    code.get(estimates).get(scratch).op("i32.add").set(estimates);
    put(24, () => code.get(out).get(start).op("i32.sub").i32(32).op("i32.sub").i32(4).op("i32.shr_u"));
  });
  code.i32(packed).get(estimates).op("f64.convert_i32_s").mem("f64.store", 8);
}

/** Pushes, pops, and the mean and the greatest occupancy of every channel; what is left in it has stayed up to the end. */
function emitChannels(
  code: Code,
  { channels }: Tables,
  { clocks, out }: Readonly<Record<"clocks" | "out", number>>,
): void {
  const [at, count, pushed, popped, most, scratch] = code.locals("i32", 6);
  const sum = code.local("i64");
  emitEach(code, at, channels, () => {
    const own = (name: keyof typeof counts): Code => code.get(count).mem("i32.load", counts[name]);
    code.get(at).mem("i32.load", channelRow.counts).set(count);
    code.get(out);
    own("pushed").tee(pushed).op("f64.convert_i32_s").mem("f64.store");
    code.get(out);
    own("popped").tee(popped).op("f64.convert_i32_s").mem("f64.store", 8);
    own("maxOccupancy").set(most);
    code.get(out).get(pushed).get(popped).op("i32.sub");
    emitMax(code, most, scratch).op("f64.convert_i32_s").mem("f64.store", 24);
    code.get(count).mem("i64.load", counts.occupancySum).set(sum);
    emitWhile(
      code,
      () => code.get(popped).get(pushed).op("i32.lt_s"),
      () => {
        code.get(sum).get(clocks).get(popped);
        emitClockOf(code, at, channelRow.pushTimes);
        code.op("i32.sub").op("i64.extend_i32_s").op("i64.add").set(sum);
        code.get(popped).i32(1).op("i32.add").set(popped);
      },
    );
    code.get(out).get(clocks).if("f64");
    code.get(sum).op("f64.convert_i64_s").get(clocks).op("f64.convert_i32_s").op("f64.div");
    code.else().f64(0).end();
    code.mem("f64.store", 16);
    emitPass(code, out, 4);
  });
}

/** Reads and writes of every memory, over all its ports. */
function emitMemories(code: Code, { ports }: Tables, out: number): void {
  const [at, last] = code.locals("i32", 2);
  code.i32(ports.from).set(at);
  emitWhile(
    code,
    () => code.get(at).i32(ports.to).op("i32.lt_u"),
    () => {
      code.get(at).i32(4).op("i32.add").get(at).mem("i32.load").i32(3).op("i32.shl").op("i32.add").set(last);
      code.get(at).i32(4).op("i32.add").set(at);
      code.get(out).f64(0).mem("f64.store").get(out).f64(0).mem("f64.store", 8);
      emitWhile(
        code,
        () => code.get(at).get(last).op("i32.lt_u"),
        () => {
          for (const offset of [0, 4]) {
            code
              .get(out)
              .get(out)
              .mem("f64.load", offset * 2);
            code.get(at).mem("i32.load", offset).mem("i32.load").op("f64.convert_i32_s").op("f64.add");
            code.mem("f64.store", offset * 2);
          }
          code.get(at).i32(8).op("i32.add").set(at);
        },
      );
      emitPass(code, out, 2);
    },
  );
}
