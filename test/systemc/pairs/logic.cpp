// Four-valued logic and wires with several drivers (clauses 7.9, 6.15-6.22). logic.ts has the same programs.
#include "../native/pairs.h"
#include <fstream>

static const char* const all = "01ZX";

PROGRAM(logic_tables) {
  for (const char* a = all; *a; a++) {
    std::string line;
    for (const char* b = all; *b; b++) {
      sc_logic x(*a), y(*b);
      line += std::string(" ") + (x & y).to_char() + (x | y).to_char() + (x ^ y).to_char();
    }
    sc_logic x(*a);
    say(*a, line, " ~", (~x).to_char(), " ", x.is_01());
  }
}

PROGRAM(logic_to_bool) {
  for (const char* a = all; *a; a++) say(*a, " ", sc_logic(*a).to_bool());
}

PROGRAM(vector_values) {
  say(sc_lv<6>().to_string(), " ", sc_lv<6>("01zx").to_string(), " ", sc_lv<3>("1100zx").to_string());
  sc_lv<8> a;
  a = 5;
  sc_lv<8> b;
  b = -3;
  sc_lv<70> c;
  c = -2;
  sc_bv<4> d("101"), e;
  e = 77;
  say(a.to_string(), " ", b.to_string(), " ", c.to_string(), " ", d.to_string(), " ", e.to_string());
  sc_lv<5> narrow(a);
  sc_lv<10> wide(b);
  say(narrow.to_string(), " ", wide.to_string(), " ", a == b, " ", narrow == sc_lv<5>("00101"));
}

PROGRAM(vector_selects) {
  sc_lv<8> a("01zx1100");
  std::string bits;
  for (int i = 0; i < 8; i++) bits += sc_logic(a[i]).to_char();
  say(bits, " ", a.range(6, 3).to_string(), " ", a.range(2, 5).to_string());
  a[7] = sc_logic('1');
  a.range(3, 1) = sc_lv<3>("z0x");
  say(a.to_string(), " ", (a, sc_lv<3>("z10")).to_string());
  a.range(5, 2) = 9;
  say(a.to_string());
}

PROGRAM(vector_operations) {
  sc_lv<8> a("0011zzxx"), b("01zx01zx");
  sc_bv<8> c("11010010");
  say((a & b).to_string(), " ", (a | b).to_string(), " ", (a ^ b).to_string(), " ", (~a).to_string());
  say((a & c).to_string(), " ", (c | a).to_string(), " ", (~c).to_string());
  say(sc_lv<8>(a << 3).to_string(), " ", (a >> 3).to_string(), " ", sc_lv<8>(a << 9).to_string(), " ", (c >> 8).to_string());
  sc_lv<8> d(a), e(a);
  d.lrotate(3);
  e.rrotate(2);
  say(d.to_string(), " ", e.to_string());
  for (const char* text : {"0000", "1111", "0110", "01x0", "1z11", "111x"}) {
    sc_lv<4> v(text);
    say(text, " ", sc_logic(v.and_reduce()).to_char(), sc_logic(v.or_reduce()).to_char(), sc_logic(v.xor_reduce()).to_char());
  }
}

PROGRAM(vector_to_number) {
  sc_lv<6> a("110101"), b("1zx001");
  sc_bv<6> c("011111");
  say(a.to_uint(), " ", a.to_int(), " ", c.to_uint(), " ", c.to_int());
  unsigned u = b.to_uint();
  int i = b.to_int();
  say(u, " ", i);
}

PROGRAM(bits_of_logic) {
  sc_lv<6> a("1zx0z1");
  sc_bv<6> b;
  b = a;
  say(b.to_string());
  sc_bv<4> c("10x1");
  say("not reached");
}

PROGRAM(signal_of_logic) {
  sc_signal<sc_logic> s("s");
  method("rise", [&] { say("rise ", s.read().to_char()); }, {&s.posedge_event()}, false);
  method("fall", [&] { say("fall ", s.read().to_char()); }, {&s.negedge_event()}, false);
  method("change", [&] { say("change ", s.read().to_char(), " ", s.posedge(), s.negedge()); }, {&s.value_changed_event()});
  thread("t", [&] {
    for (char next : std::string("01Z1X00Z10")) {
      s.write(sc_logic(next));
      wait(ns(1));
    }
  });
  sc_start();
}

PROGRAM(signal_of_vector) {
  sc_signal<sc_lv<4>> s("s");
  method("change", [&] { say(s.read().to_string()); }, {&s.value_changed_event()});
  thread("t", [&] {
    for (const char* next : {"0000", "000z", "000z", "1x0z", "1111"}) {
      s.write(sc_lv<4>(next));
      wait(ns(1));
    }
  });
  sc_start();
}

PROGRAM(resolved_signal) {
  sc_signal_resolved s("s");
  method("change", [&] { say(s.read().to_char()); }, {&s.value_changed_event()});
  auto driver = [&](const char* name, std::string values, int step) {
    thread(name, [&s, values, step] {
      for (char next : values) {
        s.write(sc_logic(next));
        wait(ns(step));
      }
    });
  };
  driver("a", "ZZ1Z0ZZ", 4);
  driver("b", "ZZZZ1ZZZZ0Z", 3);
  driver("c", "Z0ZX", 7);
  sc_start();
}

PROGRAM(resolved_vector) {
  sc_signal_rv<4> s("s");
  method("change", [&] { say(s.read().to_string()); }, {&s.value_changed_event()});
  auto driver = [&](const char* name, std::initializer_list<const char*> list, int step) {
    std::vector<const char*> values(list);
    thread(name, [&s, values, step] {
      for (const char* next : values) {
        s.write(sc_lv<4>(next));
        wait(ns(step));
      }
    });
  };
  driver("a", {"zzzz", "01zz", "zzzz", "1111"}, 3);
  driver("b", {"zz01", "zz01", "0101", "zzzz"}, 2);
  sc_start();
}

SC_MODULE(ResolvedUser) {
  sc_in_resolved in;
  sc_inout_resolved inout;
  sc_out_resolved out;
  SC_CTOR(ResolvedUser) : in("in"), inout("inout"), out("out") {
    SC_METHOD(run);
    sensitive << in;
  }
  void run() {
    say("sees ", in.read().to_char());
    out.write(sc_logic(in.read() == sc_logic('1') ? '0' : 'Z'));
  }
};
PROGRAM(resolved_ports) {
  sc_signal_resolved a("a"), b("b");
  ResolvedUser user("user");
  user.in(a);
  user.inout(b);
  user.out(b);
  method("change", [&] { say("b ", b.read().to_char()); }, {&b.value_changed_event()});
  thread("t", [&] {
    for (char next : std::string("Z101")) {
      a.write(sc_logic(next));
      user.inout.write(sc_logic(next));
      wait(ns(1));
    }
  });
  sc_start();
}
PROGRAM(resolved_port_elsewhere) {
  sc_signal<sc_logic> a("a");
  sc_signal_resolved b("b");
  ResolvedUser user("user");
  user.in(a);
  user.inout(b);
  user.out(b);
  sc_start();
}

PROGRAM(trace_logic) {
  sc_signal<sc_logic> s("s");
  sc_signal_rv<5> w("w");
  sc_bv<3> bits;
  sc_lv<1> one;
  sc_trace_file* file = sc_create_vcd_trace_file("logic");
  sc_trace(file, s, "s");
  sc_trace(file, w, "w");
  sc_trace(file, bits, "bits");
  sc_trace(file, one, "one");
  thread("t", [&] {
    int i = 0;
    for (const char* next : {"00000", "0000z", "xxx00", "zzzzz", "1zz0x", "001xz"}) {
      w.write(sc_lv<5>(next));
      s.write(sc_logic(next[4]));
      bits = i++;
      one = sc_lv<1>(next + 4);
      wait(ns(1));
    }
  });
  sc_start();
  sc_close_vcd_trace_file(file);
  std::ifstream in("logic.vcd");
  std::stringstream text;
  text << in.rdbuf();
  trace_text << text.str().substr(text.str().find("$timescale"));
  std::remove("logic.vcd");
}
