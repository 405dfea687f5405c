// Pairs on time and on the data types; the TypeScript twin is datatypes.ts.
#include "../native/pairs.h"

namespace {
template <sc_q_mode Q, sc_o_mode O> void modes(const char* overflow, const char* quantisation) {
  std::ostringstream with, without;
  for (int i = -80; i <= 80; i++) {
    sc_fixed<5, 3, Q, O> a = i / 16.0;
    sc_ufixed<5, 3, Q, O> b = i / 16.0;
    with << " " << a.to_double() + 0.0;
    without << " " << b.to_double() + 0.0;
  }
  say(overflow, " ", quantisation, " ", true, with.str());
  say(overflow, " ", quantisation, " ", false, without.str());
}
template <sc_o_mode O> void all_modes(const char* name) {
  modes<SC_RND, O>(name, "RND");
  modes<SC_RND_ZERO, O>(name, "RND_ZERO");
  modes<SC_RND_MIN_INF, O>(name, "RND_MIN_INF");
  modes<SC_RND_INF, O>(name, "RND_INF");
  modes<SC_RND_CONV, O>(name, "RND_CONV");
  modes<SC_TRN, O>(name, "TRN");
  modes<SC_TRN_ZERO, O>(name, "TRN_ZERO");
}
}  // namespace

PROGRAM(time_rounding) {
  for (sc_time t : {ns(1.2344), ns(1.2345), ns(1.2346), ps(0.49), ps(0.5), sc_time(999.5, SC_FS), sc_time(1.5, SC_US)})
    say(t, " ", t.value());
  say(ns(10) * 0.333, " ", ns(10) / 3, " ", ns(10) / ns(4), " ", ns(10) % ns(4));
  say(ns(10) + ps(1), " ", ns(10) - ps(1), " ", ns(2) < ns(3), " ", ns(1) == ps(1000));
}

PROGRAM(time_resolution) {
  sc_set_time_resolution(100, SC_PS);
  for (sc_time t : {ns(1), ns(0.24), ns(0.25), ps(149), sc_time(2, SC_MS)}) say(t, " ", t.value());
}

PROGRAM(time_resolution_late) {
  say(ns(1));
  sc_set_time_resolution(1, SC_NS);
}
PROGRAM(time_resolution_not_ten) {
  say("before");
  sc_set_time_resolution(2, SC_NS);
}
PROGRAM(time_resolution_twice) {
  sc_set_time_resolution(10, SC_NS);
  say("once");
  sc_set_time_resolution(1, SC_NS);
}

PROGRAM(time_text) {
  for (sc_time t : {ps(1), ps(1000), ps(1500), sc_time(3, SC_MS), sc_time(12, SC_SEC), sc_time(0, SC_SEC),
                    sc_time(100, SC_US)})
    say(t);
  for (const char* text : {"1 ns", "2.5 us", "0 s", "7 SC_PS"}) say(sc_time::from_string(text));
  sc_time::from_string("3 parsecs");
}

PROGRAM(integer_wrap) {
  sc_int<8> a;
  sc_uint<8> b;
  for (int value : {0, 127, 128, 200, 255, 256, -1, -128, -129, 1000}) {
    a = value;
    b = value;
    say(value, " ", a, " ", b);
  }
  a = 100;
  b = 250;
  a = a * 3 + 7;
  b = b + 10;
  say(a, " ", b);
}

PROGRAM(integer_selects) {
  sc_int<8> a = -77;
  sc_uint<12> b = 0xabc;
  say(bool(a[7]), bool(a[6]), bool(a[0]), " ", a.range(6, 3).to_uint(), " ", b.range(11, 8).to_uint(), " ",
      b.range(0, 0).to_uint());
  a.range(5, 2) = 9;
  std::string first = a.to_string();
  a[7] = false;
  std::string second = a.to_string();
  b.range(7, 0) = 0x5a;
  std::string third = b.to_string();
  b[11] = false;
  say(first, " ", second, " ", third, " ", b.to_string());
  sc_uint<20> ab = (a, b), ba = (b, a);
  sc_uint<4> three = 3;
  sc_uint<1> one = 1;
  sc_uint<13> abc = (three, a, one);
  say(ab, " ", ba, " ", abc);
}

PROGRAM(integer_wide) {
  sc_bigint<100> a = 1;
  sc_biguint<100> b;
  a <<= 98;
  std::string first = a.to_string(SC_DEC);
  a = a * 2;
  std::string second = a.to_string(SC_DEC);
  a = a - 1;
  say(first, " ", second, " ", a.to_string(SC_DEC));
  b = -1;
  first = b.to_string(SC_DEC);
  sc_biguint<10> high = b.range(99, 90);
  b = b * b;
  second = b.to_string(SC_DEC);
  b.range(70, 60) = 5;
  say(first, " ", high.to_string(SC_DEC), " ", second, " ", b.to_string(SC_DEC));
  a = sc_dt::int64(123456789123456789ll);
  a = a * a;
  first = a.to_string(SC_DEC);
  a = -a;
  sc_biguint<32> part = a.range(95, 64);
  say(first, " ", a.to_string(SC_DEC), " ", part.to_string(SC_DEC));
}

PROGRAM(fixed_modes) {
  all_modes<SC_SAT>("SAT");
  all_modes<SC_SAT_ZERO>("SAT_ZERO");
  all_modes<SC_SAT_SYM>("SAT_SYM");
  all_modes<SC_WRAP>("WRAP");
}

PROGRAM(fixed_arithmetic) {
  typedef sc_fixed<8, 4, SC_RND, SC_SAT> format;
  format a = 2.3125, b = -1.4375;
  std::ostringstream os;
  auto show = [](const sc_fxval& value) {
    format stored = value;
    std::ostringstream os;
    os.precision(17);
    os << value.to_double() << " " << stored.to_double();
    say(os.str());
  };
  show(a + b);
  show(a - b);
  show(a * b);
  show(b * b);
  show(a * a * a);
}
