/** Pairs on time and on the data types. The C++ twin is datatypes.cpp. */
import {
  concat,
  FixedFormat,
  int,
  ns,
  ps,
  setTimeResolution,
  time,
  timeFromString,
  uint,
} from "../../../sim/systemc/index.js";
import type { Overflow, Quantisation } from "../../../sim/systemc/index.js";
import type { Program } from "./program.js";

const quantisations: Quantisation[] = ["RND", "RND_ZERO", "RND_MIN_INF", "RND_INF", "RND_CONV", "TRN", "TRN_ZERO"];
const overflows: Overflow[] = ["SAT", "SAT_ZERO", "SAT_SYM", "WRAP"];

export const datatypes: Record<string, Program> = {
  /** A time that does not fit the resolution is rounded to the nearest unit, ties up. */
  time_rounding(_sim, say) {
    for (const t of [ns(1.2344), ns(1.2345), ns(1.2346), ps(0.49), ps(0.5), time(999.5, "fs"), time(1.5, "us")]) {
      say(t, " ", t.value);
    }
    say(ns(10).times(0.333), " ", ns(10).dividedBy(3), " ", ns(10).dividedBy(ns(4)), " ", ns(10).modulo(ns(4)));
    say(ns(10).plus(ps(1)), " ", ns(10).minus(ps(1)), " ", ns(2) < ns(3), " ", ns(1).equals(ps(1000)));
  },

  /** Another resolution. */
  time_resolution(_sim, say) {
    setTimeResolution(100, "ps");
    for (const t of [ns(1), ns(0.24), ns(0.25), ps(149), time(2, "ms")]) say(t, " ", t.value);
  },

  /** The resolution is set once, to a power of ten, before any time. */
  time_resolution_late(_sim, say) {
    say(ns(1));
    setTimeResolution(1, "ns");
  },
  time_resolution_not_ten(_sim, say) {
    say("before");
    setTimeResolution(2, "ns");
  },
  time_resolution_twice(_sim, say) {
    setTimeResolution(10, "ns");
    say("once");
    setTimeResolution(1, "ns");
  },

  /** Times as text, in the largest unit that leaves a whole number. */
  time_text(_sim, say) {
    for (const t of [ps(1), ps(1000), ps(1500), time(3, "ms"), time(12, "s"), time(0, "s"), time(100, "us")]) say(t);
    for (const text of ["1 ns", "2.5 us", "0 s", "7 SC_PS"]) say(timeFromString(text));
    timeFromString("3 parsecs");
  },

  /** Integers keep the low bits of what is assigned. */
  integer_wrap(_sim, say) {
    const [a, b] = [int(8), uint(8)];
    for (const value of [0, 127, 128, 200, 255, 256, -1, -128, -129, 1000]) {
      say(String(value), " ", String(a.set(value)), " ", String(b.set(value)));
    }
    say(String(a.set(a.set(100).value * 3n + 7n)), " ", String(b.set(b.set(250).value + 10n)));
  },

  /** Bit and range selects, read and written; concatenation. */
  integer_selects(_sim, say) {
    const [a, b] = [int(8, -77), uint(12, 0xabc)];
    say(
      a.bit(7),
      a.bit(6),
      a.bit(0),
      " ",
      String(a.range(6, 3)),
      " ",
      String(b.range(11, 8)),
      " ",
      String(b.range(0, 0)),
    );
    say(
      String(a.setRange(5, 2, 9)),
      " ",
      String(a.setBit(7, false)),
      " ",
      String(b.setRange(7, 0, 0x5a)),
      " ",
      String(b.setBit(11, false)),
    );
    say(String(concat(a, b)), " ", String(concat(b, a)), " ", String(concat(uint(4, 3), a, uint(1, 1))));
  },

  /** Wide integers. */
  integer_wide(_sim, say) {
    const [a, b] = [int(100), uint(100)];
    a.set(1n << 98n);
    say(String(a), " ", String(a.set(a.value * 2n)), " ", String(a.set(a.value - 1n)));
    b.set(-1);
    say(
      String(b),
      " ",
      String(b.range(99, 90)),
      " ",
      String(b.set(b.value * b.value)),
      " ",
      String(b.setRange(70, 60, 5)),
    );
    a.set(123456789123456789n).set(a.value * a.value);
    say(String(a), " ", String(a.set(-a.value)), " ", String(a.range(95, 64)));
  },

  /** All quantisation and overflow modes, over values on and between the steps. */
  fixed_modes(_sim, say) {
    for (const overflow of overflows) {
      for (const quantisation of quantisations) {
        for (const signed of [true, false]) {
          const format = new FixedFormat(5, 3, { signed, quantisation, overflow });
          let line = "";
          for (let i = -80; i <= 80; i++) line += ` ${format.of(i / 16).toNumber()}`;
          say(overflow, " ", quantisation, " ", signed, line.replaceAll(" -0 ", " 0 "));
        }
      }
    }
  },

  /** Sums and products are exact until they are stored. */
  fixed_arithmetic(_sim, say) {
    const format = new FixedFormat(8, 4, { quantisation: "RND", overflow: "SAT" });
    const [a, b] = [format.of(2.3125), format.of(-1.4375)];
    for (const value of [a.plus(b), a.minus(b), a.times(b), b.times(b), a.times(a).times(a)]) {
      say(value, " ", format.of(value));
    }
  },
};
