/** Four-valued logic and wires with several drivers (clauses 7.9, 6.15-6.22). logic.cpp has the same programs in C++. */
import {
  BitVector,
  type Logic,
  logicAnd,
  logicNot,
  logicOr,
  logicToBool,
  LogicVector,
  logicXor,
  Module,
  ns,
  type Parent,
  ResolvedIn,
  ResolvedInOut,
  ResolvedOut,
  ResolvedSignal,
  ResolvedVectorSignal,
  Signal,
  VcdTraceFile,
  wait,
} from "../../../sim/systemc/index.js";
import { method, thread, type Program } from "./program.js";

const all: readonly Logic[] = ["0", "1", "Z", "X"];
const lv = (width: number, value?: string | number | LogicVector): LogicVector => new LogicVector(width, value);
const bv = (width: number, value?: string | number | LogicVector): BitVector => new BitVector(width, value);

/** Writes one value after the other, `step` nanoseconds apart. */
function driver<T>(name: string, signal: Signal<T>, values: readonly T[], step: number): void {
  thread(name, function* () {
    for (const next of values) {
      signal.write(next);
      yield wait(ns(step));
    }
  });
}

class ResolvedUser extends Module {
  readonly in = new ResolvedIn(this, "in");
  readonly inout = new ResolvedInOut(this, "inout");
  readonly out = new ResolvedOut(this, "out");
  readonly say: (...parts: unknown[]) => void;
  constructor(parent: Parent, name: string, say: (...parts: unknown[]) => void) {
    super(parent, name);
    this.say = say;
    this.method(this.run).sensitive(this.in);
  }
  run(): void {
    this.say("sees ", this.in.read());
    this.out.write(this.in.read() === "1" ? "0" : "Z");
  }
}

export const logic: Record<string, Program> = {
  /** The operations on single values. */
  logic_tables(_sim, say) {
    for (const a of all) {
      const line = all.map((b) => ` ${logicAnd(a, b)}${logicOr(a, b)}${logicXor(a, b)}`).join("");
      say(a, line, " ~", logicNot(a), " ", a === "0" || a === "1");
    }
  },

  /** X and Z are no booleans: a warning, and true. */
  logic_to_bool(_sim, say) {
    for (const a of all) say(a, " ", logicToBool(a));
  },

  /** Vectors from nothing, texts, numbers and vectors of another width. */
  vector_values(_sim, say) {
    say(lv(6), " ", lv(6, "01zx"), " ", lv(3, "1100zx"));
    const [a, b] = [lv(8, 5), lv(8, -3)];
    say(a, " ", b, " ", lv(70, -2), " ", bv(4, "101"), " ", bv(4, 77));
    const narrow = lv(5, a);
    say(narrow, " ", lv(10, b), " ", a.equals(b), " ", narrow.equals(lv(5, "00101")));
  },

  /** Bits and ranges, read and replaced; concatenation. */
  vector_selects(_sim, say) {
    let a = lv(8, "01zx1100");
    const bits = Array.from({ length: 8 }, (_, index) => a.bit(index)).join("");
    say(bits, " ", a.range(6, 3), " ", a.range(2, 5));
    a = a.withBit(7, "1").withRange(3, 1, "z0x");
    say(a, " ", a.concat(lv(3, "z10")));
    say(a.withRange(5, 2, 9));
  },

  /** The operations on vectors. */
  vector_operations(_sim, say) {
    const [a, b, c] = [lv(8, "0011zzxx"), lv(8, "01zx01zx"), bv(8, "11010010")];
    say(a.and(b), " ", a.or(b), " ", a.xor(b), " ", a.not());
    say(a.and(c), " ", c.or(a), " ", c.not());
    say(a.shiftLeft(3), " ", a.shiftRight(3), " ", a.shiftLeft(9), " ", c.shiftRight(8));
    say(a.rotateLeft(3), " ", a.rotateRight(2));
    for (const text of ["0000", "1111", "0110", "01x0", "1z11", "111x"]) {
      const v = lv(4, text);
      say(text, " ", v.andReduce(), v.orReduce(), v.xorReduce());
    }
  },

  /** Numbers of vectors; X and Z give a warning. */
  vector_to_number(_sim, say) {
    const [a, b, c] = [lv(6, "110101"), lv(6, "1zx001"), bv(6, "011111")];
    say(a.toUint(), " ", a.toInt(), " ", c.toUint(), " ", c.toInt());
    const u = b.toUint();
    const i = b.toInt();
    say(u, " ", i);
  },

  /** X and Z of a vector become bits with a warning; in a text they are an error. */
  bits_of_logic(_sim, say) {
    say(bv(6, lv(6, "1zx0z1")));
    bv(4, "10x1");
    say("not reached");
  },

  /** The edges of a logic signal are at 0 and at 1, wherever they come from. */
  signal_of_logic(sim, say) {
    const s = new Signal<Logic>(sim, "s", "X");
    method("rise", () => say("rise ", s.read()), [s.posedgeEvent], false);
    method("fall", () => say("fall ", s.read()), [s.negedgeEvent], false);
    method("change", () => say("change ", s.read(), " ", s.posedge, s.negedge), [s]);
    driver("t", s, Array.from("01Z1X00Z10") as Logic[], 1);
    sim.start();
  },

  /** A signal of vectors changes when a bit does. */
  signal_of_vector(sim, say) {
    const s = new Signal(sim, "s", lv(4));
    method("change", () => say(s.read()), [s]);
    const values = ["0000", "000z", "000z", "1x0z", "1111"].map((text) => lv(4, text));
    driver("t", s, values, 1);
    sim.start();
  },

  /** Several drivers: Z gives way, 0 and 1 together are X. */
  resolved_signal(sim, say) {
    const s = new ResolvedSignal(sim, "s");
    method("change", () => say(s.read()), [s]);
    driver("a", s, Array.from("ZZ1Z0ZZ") as Logic[], 4);
    driver("b", s, Array.from("ZZZZ1ZZZZ0Z") as Logic[], 3);
    driver("c", s, Array.from("Z0ZX") as Logic[], 7);
    sim.start();
  },

  /** The same for vectors. */
  resolved_vector(sim, say) {
    const s = new ResolvedVectorSignal(sim, "s", 4);
    method("change", () => say(s.read()), [s]);
    const vectors = (...texts: string[]): LogicVector[] => texts.map((text) => lv(4, text));
    driver("a", s, vectors("zzzz", "01zz", "zzzz", "1111"), 3);
    driver("b", s, vectors("zz01", "zz01", "0101", "zzzz"), 2);
    sim.start();
  },

  /** Ports for resolved signals, */
  resolved_ports(sim, say) {
    const [a, b] = [new ResolvedSignal(sim, "a"), new ResolvedSignal(sim, "b")];
    const user = new ResolvedUser(sim, "user", say);
    user.in.bind(a);
    user.inout.bind(b);
    user.out.bind(b);
    method("change", () => say("b ", b.read()), [b]);
    thread("t", function* () {
      for (const next of ["Z", "1", "0", "1"] as const) {
        a.write(next);
        user.inout.write(next);
        yield wait(ns(1));
      }
    });
    sim.start();
  },
  /** which must be bound to one. */
  resolved_port_elsewhere(sim, say) {
    const a = new Signal<Logic>(sim, "a", "X");
    const b = new ResolvedSignal(sim, "b");
    const user = new ResolvedUser(sim, "user", say);
    user.in.bind(a);
    user.inout.bind(b);
    user.out.bind(b);
    sim.start();
  },

  /** Logic in a trace file. */
  trace_logic(sim, _say, write) {
    const s = new Signal<Logic>(sim, "s", "X");
    const w = new ResolvedVectorSignal(sim, "w", 5);
    let [bits, one] = [bv(3), lv(1)];
    let text = "";
    const file = new VcdTraceFile(sim, "logic", (part) => void (text += part));
    file.trace(s, "s");
    file.trace(w, "w");
    file.trace(() => bits, "bits");
    file.trace(() => one, "one");
    thread("t", function* () {
      let i = 0;
      for (const next of ["00000", "0000z", "xxx00", "zzzzz", "1zz0x", "001xz"]) {
        w.write(lv(5, next));
        s.write(lv(1, next).bit(0));
        bits = bv(3, i++);
        one = lv(1, next);
        yield wait(ns(1));
      }
    });
    sim.start();
    file.close();
    write(text.slice(text.indexOf("$timescale")));
  },
};
