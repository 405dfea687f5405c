/** Tracing (IEEE 1666-2011 clause 8.1). tracing.cpp has the same programs in C++. */
import {
  Buffer,
  Clock,
  Event,
  FixedFormat,
  Fixed,
  In,
  int,
  Module,
  ns,
  Out,
  type Parent,
  ps,
  setTimeResolution,
  Signal,
  type Simulation,
  uint,
  VcdTraceFile,
  wait,
  ZERO_TIME,
} from "../../../sim/systemc/index.js";
import { method, thread, type Program } from "./program.js";

/** Runs with a trace file; then the file, without date and version, belongs to the trace of the program. */
function traced(
  sim: Simulation,
  write: (text: string) => void,
  body: (file: VcdTraceFile) => void,
  name = "waves",
): void {
  let text = "";
  const file = new VcdTraceFile(sim, name, (part) => void (text += part));
  body(file);
  file.close();
  const at = text.indexOf("$timescale");
  if (at >= 0) write(text.slice(at));
}

/** A variable that counts up every `step` picoseconds. */
function counting(sim: Simulation, file: VcdTraceFile, step: number, steps: number): void {
  let value = 0;
  file.trace(() => value, "value");
  thread("t", function* () {
    for (let i = 0; i < steps; i++) {
      value++;
      yield wait(ps(step));
    }
  });
  sim.start();
}

/** Signals that follow one another in delta cycles. */
function rippling(sim: Simulation, file: VcdTraceFile): void {
  const [a, b, c] = ["a", "b", "c"].map((name) => new Signal(sim, name, 0)) as [
    Signal<number>,
    Signal<number>,
    Signal<number>,
  ];
  const e = new Event(sim, "e");
  file.trace(a, "a");
  file.trace(b, "b");
  file.trace(c, "c");
  file.trace(e, "e");
  method("ab", () => b.write(a.read() + 1), [a]);
  const bc = (): void => {
    c.write(b.read() * 2);
    e.notify(ZERO_TIME);
  };
  method("bc", bc, [b]);
  thread("t", function* () {
    for (let i = 0; i < 3; i++) {
      yield wait(ns(1));
      a.write(10 * i + 5);
    }
  });
  sim.start(ns(5));
}

class TracedInner extends Module {
  readonly in = new In<number>(this, "in");
  readonly out = new Out<boolean>(this, "out");
  readonly later = new In<number>(this, "later");
  constructor(parent: Parent, name: string) {
    super(parent, name);
    this.method(this.run).sensitive(this.in);
  }
  run(): void {
    this.out.write(this.in.read() > 2);
  }
}

export const tracing: Record<string, Program> = {
  /** Signals, a buffer and a clock; names with dots are scopes. */
  trace_signals(sim, _say, write) {
    const flag = new Signal(sim, "flag", false);
    const count = new Signal(sim, "count", 0);
    const byte = new Buffer(sim, "byte", 0);
    const clk = new Clock(sim, "clk", { period: ns(10) });
    traced(sim, write, (file) => {
      file.trace(clk, "clk");
      file.trace(flag, "top.flag");
      file.trace(count, "top.inner.count");
      file.trace(byte, "top.b.byte", { bits: 8, signed: false });
      file.trace(count, "again");
      const body = (): void => {
        count.write(count.read() - 3);
        flag.write(count.read() % 2 === 0);
        byte.write((7 * (5 - count.read())) & 0xff);
      };
      method("m", body, [clk.posedgeEvent], false);
      sim.start(ns(62));
    });
  },

  /** Variables: what they are when time goes on, not what they were in between; x where a value does not fit. */
  trace_variables(sim, _say, write) {
    let [flag, value, small] = [true, -1, 3];
    traced(sim, write, (file) => {
      file.trace(() => flag, "flag");
      file.trace(() => value, "value");
      file.trace(() => small, "small", { bits: 4, signed: false });
      file.trace(() => value, "narrow", { bits: 5 });
      thread("t", function* () {
        for (let i = 0; i < 6; i++) {
          value = 1000;
          yield wait(ZERO_TIME);
          value = i * 5 - 9;
          flag = !flag;
          small = i * 4;
          yield wait(ns(i));
        }
      });
      sim.start(ns(40));
    });
  },

  /** Integers of any width. */
  trace_integers(sim, _say, write) {
    const [a, b, c, d, e] = [int(5, 3), uint(12, 9), int(70, -5), uint(65, 1), uint(1, 0)];
    traced(sim, write, (file) => {
      file.trace(a, "a");
      file.trace(b, "b");
      file.trace(c, "c");
      file.trace(d, "d");
      file.trace(e, "e");
      thread("t", function* () {
        for (let i = 0; i < 5; i++) {
          a.set(a.value * 3n - BigInt(i));
          b.set(b.value * 17n + 1n);
          c.set(c.value * -123456789n);
          d.set(d.value * 65536n + BigInt(i));
          e.set(i & 1);
          yield wait(ns(3));
        }
      });
      sim.start();
    });
  },

  /** Fixed-point words, and a fixed-point value without a word as a real number. */
  trace_fixed(sim, _say, write) {
    const wide = new FixedFormat(8, 4, { quantisation: "RND", overflow: "SAT" });
    const narrow = new FixedFormat(6, 2, { signed: false });
    const exactly = new FixedFormat(64, 32);
    let [a, b, c] = [wide.of(0.5), narrow.of(1.25), new Fixed(0n, 0)];
    traced(sim, write, (file) => {
      file.trace(() => a, "a", { format: wide });
      file.trace(() => b, "b", { format: narrow });
      file.trace(() => c, "c");
      thread("t", function* () {
        for (let i = 0; i < 6; i++) {
          c = a.times(a);
          a = wide.of(a.times(exactly.of(-1.75)));
          b = narrow.of(b.plus(exactly.of(0.3125)));
          yield wait(ns(1));
        }
      });
      sim.start();
    });
  },

  /** Real numbers, as C prints them with 16 digits. */
  trace_reals(sim, _say, write) {
    let value = 0;
    const values = [1, -1.5, 0.1, 1e-5, 123456789012345680, 1e16, 9999999999999998, 1 / 3, 2.5e-9, -0, 1e300];
    traced(sim, write, (file) => {
      file.trace(() => value, "value", { real: true });
      thread("t", function* () {
        for (const next of values) {
          value = next;
          yield wait(ns(1));
        }
      });
      sim.start();
    });
  },

  /** Times and events. An event has a mark at every time at which it was notified. */
  trace_time_and_event(sim, _say, write) {
    let when = ns(1);
    const [e, f] = [new Event(sim, "e"), new Event(sim, "f")];
    traced(sim, write, (file) => {
      file.trace(() => when, "when");
      file.trace(e, "e");
      file.trace(f, "f");
      thread("t", function* () {
        e.notify();
        yield wait(ns(2));
        when = sim.timeStamp;
        e.notify(ZERO_TIME);
        yield wait(ns(2));
        f.notify(ns(3));
        yield wait(f);
        when = sim.timeStamp.times(1000);
        e.notify();
        yield wait(ns(1));
      });
      sim.start();
    });
  },

  /** An enumeration has as many bits as its literals need. */
  trace_enumeration(sim, _say, write) {
    let state = 0;
    traced(sim, write, (file) => {
      file.trace(() => state, "state", { literals: ["idle", "load", "run", "store", "stop"] });
      thread("t", function* () {
        for (let i = 0; i < 9; i++) {
          state = (state + 2) % 10;
          yield wait(ns(1));
        }
      });
      sim.start();
    });
  },

  /** A unit of time coarser than the resolution. */
  trace_unit_coarse(sim, _say, write) {
    traced(sim, write, (file) => {
      file.setTimeUnit(1, "ns");
      counting(sim, file, 2000, 3);
    });
  },
  /** ... so coarse that times cannot be told apart. */
  trace_unit_too_coarse(sim, _say, write) {
    traced(sim, write, (file) => {
      file.setTimeUnit(1, "ns");
      counting(sim, file, 700, 4);
    });
  },
  /** A unit finer than the resolution. */
  trace_unit_fine(sim, _say, write) {
    traced(sim, write, (file) => {
      file.setTimeUnit(10, "fs");
      counting(sim, file, 25, 4);
    });
  },
  /** A unit is a power of ten. */
  trace_unit_not_ten(sim, _say, write) {
    traced(sim, write, (file) => file.setTimeUnit(3, "ns"));
  },
  /** Without a unit of its own a file has the resolution. */
  trace_resolution(sim, _say, write) {
    setTimeResolution(100, "ns");
    traced(sim, write, (file) => counting(sim, file, 2.5e6, 3));
  },

  /** Values between two times are not recorded ... */
  trace_deltas_lost(sim, _say, write) {
    traced(sim, write, (file) => rippling(sim, file));
  },
  /** ... unless delta cycles are: then each takes one unit of the file's time, */
  trace_deltas(sim, _say, write) {
    traced(sim, write, (file) => {
      file.deltaCycles(true);
      rippling(sim, file);
    });
  },
  /** which had better be finer than the resolution, */
  trace_deltas_fine(sim, _say, write) {
    traced(sim, write, (file) => {
      file.setTimeUnit(100, "fs");
      file.deltaCycles(true);
      rippling(sim, file);
    });
  },
  /** or delta cycles run into the next time. */
  trace_deltas_coarse(sim, _say, write) {
    traced(sim, write, (file) => {
      file.setTimeUnit(1, "ns");
      file.deltaCycles(true);
      rippling(sim, file);
    });
  },

  /** A port is its signal, and is declared when ports are bound. */
  trace_ports(sim, _say, write) {
    const [count, other] = [new Signal(sim, "count", 0), new Signal(sim, "other", 0)];
    const flag = new Signal(sim, "flag", false);
    const inner = new TracedInner(sim, "inner");
    inner.in.bind(count);
    inner.out.bind(flag);
    inner.later.bind(other);
    traced(sim, write, (file) => {
      file.trace(inner.later, "inner.later");
      file.trace(inner.in, "inner.in");
      file.trace(flag, "flag");
      file.trace(inner.out, "inner.out");
      thread("t", function* () {
        for (let i = 0; i < 5; i++) {
          count.write(i);
          yield wait(ns(1));
        }
      });
      sim.start();
    });
  },

  /** Brackets in names are replaced; scopes are sorted, variables are not. */
  trace_names(sim, _say, write) {
    traced(sim, write, (file) => {
      file.trace(() => 0, "mem[3].word[0]");
      file.trace(() => 0, "plain");
      file.trace(() => 0, "mem[1].word[0]");
      sim.start(ns(1));
    });
  },

  /** Changes by the caller between the steps, and comments. */
  trace_in_steps(sim, _say, write) {
    let value = 0;
    traced(sim, write, (file) => {
      file.writeComment("before the header");
      file.trace(() => value, "value");
      value = 1;
      sim.start(ns(1));
      value = 2;
      sim.start(ns(1));
      value = 3;
      file.writeComment("between the steps");
      sim.start(ZERO_TIME);
      value = 4;
      sim.start(ns(2));
      value = 5;
    });
  },

  /** A file may begin in the middle. */
  trace_started_late(sim, _say, write) {
    const clk = new Clock(sim, "clk", { period: ns(4) });
    sim.start(ns(9));
    traced(sim, write, (file) => {
      file.trace(() => 7, "value");
      file.trace(clk, "clk");
      sim.start(ns(9));
    });
  },

  /** Two files at once, one closed before the other. */
  trace_two_files(sim, _say, write) {
    let value = 0;
    traced(sim, write, (outer) => {
      const body = (inner: VcdTraceFile): void => {
        inner.trace(() => value, "value");
        outer.trace(() => value, "value");
        thread("t", function* () {
          for (let i = 0; i < 4; i++) {
            value++;
            yield wait(ns(1));
          }
        });
        sim.start(ns(2));
      };
      traced(sim, write, body, "inner");
      sim.start(ns(5));
    });
  },

  /** A file that saw no time go by is not written. */
  trace_nothing(sim, _say, write) {
    traced(sim, write, () => undefined);
  },
  /** No more traces once recording has started. */
  trace_too_late(sim, _say, write) {
    traced(sim, write, (file) => {
      file.trace(() => 0, "value");
      sim.start(ns(1));
      file.trace(() => 0, "other");
    });
  },
  /** Nor another unit. */
  trace_unit_too_late(sim, _say, write) {
    traced(sim, write, (file) => {
      sim.start(ns(1));
      file.setTimeUnit(1, "ns");
    });
  },
  /** A file has a name. */
  trace_without_name(sim, _say, write) {
    traced(sim, write, () => undefined, "");
  },
};
