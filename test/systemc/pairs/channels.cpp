// Pairs on FIFOs, mutexes, semaphores and event queues; the TypeScript twin is channels.ts.
#include "../native/pairs.h"

namespace {
struct Producer : sc_module {
  sc_fifo_out<int> out;
  SC_CTOR(Producer) : out("out") { SC_THREAD(run); }
  void run() {
    for (int i = 0; i < 4; i++) {
      say(name(), " writes ", i);
      out.write(i);
    }
  }
};
struct Consumer : sc_module {
  sc_fifo_in<int> in;
  SC_CTOR(Consumer) : in("in") { SC_THREAD(run); }
  void run() {
    for (;;) {
      int value = in.read();
      say(name(), " read ", value);
      wait(ns(2));
    }
  }
};
}  // namespace

PROGRAM(fifo_full) {
  sc_fifo<int> f("f", 2);
  thread("writer", [&] {
    for (int i = 0; i < 6; i++) {
      f.write(i);
      say("wrote ", i, " free ", f.num_free());
    }
  });
  thread("reader", [&] {
    for (int i = 0; i < 6; i++) {
      wait(ns(3));
      int value = f.read();
      say("read ", value, " available ", f.num_available());
    }
  });
  sc_start();
}

PROGRAM(fifo_empty) {
  sc_fifo<int> f("f", 4);
  thread("reader", [&] {
    for (int i = 0; i < 4; i++) {
      int value = f.read();
      say("read ", value);
    }
  });
  thread("writer", [&] {
    for (int i = 0; i < 4; i++) {
      wait(ns(i));
      say("write ", i);
      f.write(i);
    }
  });
  sc_start();
}

PROGRAM(fifo_same_delta) {
  sc_fifo<int> f("f", 2);
  auto show = [&](const std::string& what) { say(what, " available ", f.num_available(), " free ", f.num_free()); };
  thread("t", [&] {
    int value = 0;
    show("empty");
    f.nb_write(1);
    show("one written");
    say("read now ", f.nb_read(value));
    wait(SC_ZERO_TIME);
    show("later");
    f.nb_write(2);
    say("third ", f.nb_write(3));
    f.nb_read(value);
    show("read " + std::to_string(value));
    say("write into freed ", f.nb_write(4));
    wait(SC_ZERO_TIME);
    show("later");
    say("write ", f.nb_write(5));
  });
  sc_start();
}

PROGRAM(fifo_depth_one) {
  sc_fifo<int> f("f", 1);
  thread("writer", [&] {
    for (int i = 0; i < 4; i++) {
      f.write(i);
      say("wrote ", i);
    }
  });
  thread("reader", [&] {
    for (int i = 0; i < 4; i++) {
      int value = f.read();
      say("read ", value);
    }
  });
  sc_start();
}

PROGRAM(fifo_events) {
  sc_fifo<int> f("f", 2);
  method("on_write", [&] { say("written, available ", f.num_available()); }, {&f.data_written_event()}, false);
  method("on_read", [&] { say("read, free ", f.num_free()); }, {&f.data_read_event()}, false);
  thread("t", [&] {
    f.write(1);
    f.write(2);
    wait(ns(1));
    f.read();
    f.write(3);
    say("end");
  });
  sc_start();
}

PROGRAM(fifo_ports) {
  sc_fifo<int> f("f", 2);
  Producer producer("producer");
  Consumer consumer("consumer");
  producer.out(f);
  consumer.in(f);
  sc_start();
}

PROGRAM(fifo_two_readers) {
  sc_fifo<int> f("f", 2);
  Producer producer("producer");
  Consumer one("one"), two("two");
  producer.out(f);
  one.in(f);
  two.in(f);
  sc_start();
}

PROGRAM(fifo_two_writers) {
  sc_fifo<int> f("f", 2);
  Producer one("one"), two("two");
  one.out(f);
  two.out(f);
  sc_start();
}

PROGRAM(fifo_no_room) {
  say("before");
  sc_fifo<int> f("f", 0);
}

PROGRAM(mutex_contention) {
  sc_mutex m("m");
  for (int i = 0; i < 3; i++)
    thread(("t" + std::to_string(i)).c_str(), [&m, i] {
      for (int k = 0; k < 2; k++) {
        m.lock();
        say("thread ", i, " locked");
        wait(ns(2));
        say("thread ", i, " unlocks");
        m.unlock();
        wait(ns(1));
      }
    });
  sc_start();
}

PROGRAM(mutex_try_and_owner) {
  sc_mutex m("m");
  auto lock = [&] { return m.trylock() == 0; };
  auto unlock = [&] { return m.unlock() == 0; };
  thread("a", [&] {
    bool first = lock(), second = lock();
    say("lock ", first, " again ", second);
    m.lock();
    wait(ns(2));
    first = unlock();
    second = unlock();
    say("unlock ", first, " again ", second);
  });
  thread("b", [&] {
    wait(ns(1));
    bool first = lock(), second = unlock();
    say("try ", first, " unlock ", second);
    wait(ns(2));
    say("try ", lock());
  });
  sc_start();
}

PROGRAM(semaphore_counts) {
  sc_semaphore s("s", 2);
  for (int i = 0; i < 4; i++)
    thread(("t" + std::to_string(i)).c_str(), [&s, i] {
      s.wait();
      say("thread ", i, " in, left ", s.get_value());
      wait(ns(3 - (i % 2)));
      s.post();
      say("thread ", i, " out, left ", s.get_value());
    });
  thread("late", [&] {
    wait(ns(1));
    say("try ", s.trywait() == 0);
    wait(ns(20));
    bool taken = s.trywait() == 0;
    say("try ", taken, " value ", s.get_value());
  });
  sc_start();
}

PROGRAM(semaphore_negative) {
  say("before");
  sc_semaphore s("s", -1);
}

PROGRAM(event_queue) {
  sc_event_queue q("q");
  method("m", [&] { say("fired"); }, {&q.default_event()}, false);
  thread("t", [&] {
    for (int delay : {4, 2, 2, 0, 0, 7}) q.notify(ns(delay));
    wait(ns(5));
    q.notify(ns(1));
    q.notify(ns(3));
    wait(ns(2));
    q.cancel_all();
    q.notify(ns(4));
    wait(ns(9));
    say("end");
  });
  sc_start();
}
