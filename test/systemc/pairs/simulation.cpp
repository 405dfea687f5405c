// Pairs on elaboration, start, pause, stop, names and reports; the TypeScript twin is simulation.ts.
#include "../native/pairs.h"

namespace {
void ticker() {
  thread("ticker", [] {
    for (int n = 0;; n++) {
      say("tick ", n);
      wait(ns(10));
    }
  });
}

struct Callbacks : sc_module {
  sc_in<int> in;
  explicit Callbacks(sc_module_name) : in("in") { say(name(), " constructor"); }
  void tell(const char* what) { say(name(), " ", what, " ", sc_get_status()); }
  void before_end_of_elaboration() override { tell("before_end_of_elaboration"); }
  void end_of_elaboration() override { tell("end_of_elaboration"); }
  void start_of_simulation() override { tell("start_of_simulation"); }
  void end_of_simulation() override { tell("end_of_simulation"); }
};
struct CallbacksTop : Callbacks {
  Callbacks below;
  explicit CallbacksTop(sc_module_name n) : Callbacks(n), below("below") { below.in(in); }
};

struct mailbox_if : virtual sc_interface {
  virtual void post() = 0;
};
struct Mailbox : sc_prim_channel, mailbox_if {
  sc_event arrived;
  int posted = 0, count = 0;
  explicit Mailbox(const char* name) : sc_prim_channel(name) {}
  const sc_event& default_event() const override { return arrived; }
  void post() override {
    posted++;
    request_update();
  }
  void update() override {
    count += posted;
    posted = 0;
    arrived.notify(SC_ZERO_TIME);
  }
};
struct Postman : sc_module {
  sc_port<mailbox_if> box;
  sc_export<mailbox_if> offer;
  Mailbox own;
  SC_CTOR(Postman) : box("box"), offer("offer"), own("own") {
    offer.bind(own);
    SC_THREAD(run);
    SC_METHOD(show);
    sensitive << own;
    dont_initialize();
  }
  void run() {
    for (int i = 0; i < 3; i++) {
      wait(ns(1));
      box->post();
      box->post();
    }
  }
  void show() { say(name(), " has ", own.count); }
};

struct Tree : sc_module {
  sc_in<bool> a;
  sc_out<int> b;
  sc_signal<int> s;
  sc_signal<int> t;
  sc_fifo<int> f;
  sc_event e;
  Tree* child;
  Tree(sc_module_name, int depth) : a("a"), t("t"), e("e"), child(depth > 0 ? new Tree("child", depth - 1) : 0) {
    SC_METHOD(react);
    sensitive << a;
    SC_THREAD(act);
  }
  SC_HAS_PROCESS(Tree);
  void react() {}
  void act() {}
};

void show(const sc_object* object, const std::string& indent) {
  say(indent, object->name(), " ", object->basename(), " ", object->kind());
  for (const sc_object* child : object->get_child_objects()) show(child, indent + "  ");
  for (const sc_event* event : object->get_child_events()) say(indent, "  event ", event->name());
}

void stopping() {
  sc_signal<int> s("s");
  method("changed", [&] { say("changed ", s.read()); }, {&s.value_changed_event()}, false);
  thread("first", [&] {
    wait(ns(5));
    s.write(1);
    say("stop");
    sc_stop();
    say("after stop");
    wait(SC_ZERO_TIME);
    say("not reached");
  });
  thread("second", [] {
    wait(ns(5));
    say("second, same delta");
  });
  sc_start(ns(20));
  say("back, status ", sc_get_status(), " end invoked ", sc_end_of_simulation_invoked());
}
}  // namespace

PROGRAM(start_in_steps) {
  ticker();
  for (int span : {5, 5, 7, 0, 3, 20}) {
    say("start ", span);
    sc_start(ns(span));
    say("back, pending now ", sc_pending_activity_at_current_time(), " later ", sc_pending_activity_at_future_time());
    say("next in ", sc_time_to_pending_activity());
  }
}

PROGRAM(start_zero) {
  thread("t", [] {
    for (int k = 0; k < 4; k++) {
      say("step ", k);
      wait(SC_ZERO_TIME);
    }
  });
  for (int k = 0; k < 6; k++) {
    say("start");
    sc_start(SC_ZERO_TIME);
  }
  sc_start();
  say("end");
}

PROGRAM(start_starvation) {
  thread("t", [] {
    wait(ns(3));
    say("done");
  });
  sc_start(ns(10));
  say("to time");
  sc_start(ns(10), SC_EXIT_ON_STARVATION);
  say("starved");
  sc_start();
  say("no more");
}

PROGRAM(pause_and_go_on) {
  thread("t", [] {
    for (int n = 0; n < 4; n++) {
      wait(ns(2));
      say("pause");
      sc_pause();
      say("after pause, status ", sc_get_status());
      wait(SC_ZERO_TIME);
      say("next delta");
    }
  });
  for (int k = 0; k < 3; k++) {
    sc_start(ns(5));
    say("back, status ", sc_get_status());
  }
  sc_start();
  say("end");
}

PROGRAM(stop_finish_delta) { stopping(); }

PROGRAM(stop_immediate) {
  sc_set_stop_mode(SC_STOP_IMMEDIATE);
  stopping();
}

PROGRAM(stop_then_start) {
  ticker();
  sc_start(ns(15));
  sc_stop();
  say("status ", sc_get_status());
  sc_stop();
  sc_start(ns(10));
}

PROGRAM(stop_before_start) {
  ticker();
  sc_stop();
  say("status ", sc_get_status(), " start invoked ", sc_start_of_simulation_invoked());
  sc_start(ns(10));
}

PROGRAM(callbacks) {
  sc_signal<int> s("s");
  CallbacksTop top("top");
  top.in(s);
  say("status ", sc_get_status());
  sc_start(ns(1));
  say("status ", sc_get_status());
  sc_stop();
  say("status ", sc_get_status());
}

PROGRAM(names) {
  Tree tree("top", 1);
  sc_clock clock;
  for (const sc_object* object : sc_get_top_level_objects()) show(object, "");
  auto parent = [](const sc_object& o) { return o.get_parent_object() ? o.get_parent_object()->name() : "none"; };
  say("parent ", parent(tree.t), " of top ", parent(tree));
  for (const char* name : {"top.child.t", "top.child.act", "top.nobody", "top.e"})
    say(name, " ", sc_find_object(name) != 0, " ", sc_hierarchical_name_exists(name));
}

PROGRAM(names_taken) {
  sc_signal<int> a("a"), b("a"), c("a");
  say(a.name(), " ", b.name(), " ", c.name());
  sc_signal<int> d("with blank");
  say(d.name());
  sc_event e("a");
  say(e.name());
}

PROGRAM(own_channel) {
  Postman a("a"), b("b");
  a.box(b.offer);
  b.box(a.offer);
  sc_start();
}

PROGRAM(reports) {
  SC_REPORT_INFO("model", "for your information");
  SC_REPORT_WARNING("model", "take care");
  thread("t", [] {
    for (int k = 0; k < 4; k++) {
      wait(ns(1));
      SC_REPORT_WARNING("/own/warning", "again");
    }
    say("not reached");
  });
  sc_report_handler::stop_after("/own/warning", 3);
  try {
    SC_REPORT_ERROR("model", "an error is thrown");
  } catch (const sc_report&) {
    say("caught the error");
  }
  sc_report_handler::set_actions("quiet", SC_ERROR, SC_DISPLAY);
  SC_REPORT_ERROR("quiet", "shown, not thrown");
  sc_report_handler::set_actions(SC_INFO, SC_DO_NOTHING);
  SC_REPORT_INFO("model", "not shown");
  sc_start();
  say("warnings ", sc_report_handler::get_count("/own/warning"), " ", sc_report_handler::get_count(SC_WARNING));
}

PROGRAM(reports_caught) {
  thread("t", [] {
    wait(ns(1));
    try {
      SC_REPORT_ERROR("model", "inside");
    } catch (const sc_report&) {
      say("caught");
    }
    wait(ns(1));
    say("still here");
    SC_REPORT_ERROR("model", "not caught");
  });
  sc_start();
}

PROGRAM(empty_model) {
  sc_start(ns(5));
  say("end");
  sc_start();
  say("end");
  sc_start(SC_ZERO_TIME);
  say("end");
}
