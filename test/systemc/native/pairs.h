// The C++ side of the pairs: programs register by name; each prints a trace with time and delta count.
#ifndef TANDEM_PAIRS_H
#define TANDEM_PAIRS_H
#define SC_INCLUDE_DYNAMIC_PROCESSES
#define SC_INCLUDE_FX
#include <cstdio>
#include <functional>
#include <sstream>
#include <string>
#include <systemc>

using namespace sc_core;
using namespace sc_dt;

/// The trace of the program that runs.
extern std::ostringstream trace_text;

inline void say_rest(std::ostringstream&) {}
template <class First, class... Rest>
void say_rest(std::ostringstream& os, const First& first, const Rest&... rest) {
  os << first;
  say_rest(os, rest...);
}

/// One line of the trace: time, delta count, then the parts.
template <class... Parts>
void say(const Parts&... parts) {
  trace_text << sc_time_stamp().to_string() << " +" << sc_delta_count() << " ";
  say_rest(trace_text, parts...);
  trace_text << "\n";
}

struct Program {
  const char* name;
  void (*run)();
  Program* next;
  static Program*& first();
  Program(const char* name_, void (*run_)()) : name(name_), run(run_), next(first()) { first() = this; }
};

#define PROGRAM(NAME) \
  static void run_##NAME(); \
  static Program program_##NAME(#NAME, run_##NAME); \
  static void run_##NAME()

/// Runs a program and returns its trace.
const char* run_program(const char* name);
/// Runs anything with reports written into the trace, and returns the trace.
const char* run_traced(const std::function<void()>& body);
/// Runs a network of processes that is described by numbers (network.cpp).
const char* run_network(const int* description);

inline sc_time ns(double v) { return sc_time(v, SC_NS); }
inline sc_time ps(double v) { return sc_time(v, SC_PS); }
/// A method with static sensitivity.
template <class F>
sc_process_handle method(const char* name, F body, std::initializer_list<const sc_event*> on = {}, bool initialize = true) {
  sc_spawn_options options;
  options.spawn_method();
  for (const sc_event* e : on) options.set_sensitivity(e);
  if (!initialize) options.dont_initialize();
  return sc_spawn(body, name, &options);
}
/// A thread with static sensitivity.
template <class F>
sc_process_handle thread(const char* name, F body, std::initializer_list<const sc_event*> on = {}, bool initialize = true) {
  sc_spawn_options options;
  for (const sc_event* e : on) options.set_sensitivity(e);
  if (!initialize) options.dont_initialize();
  return sc_spawn(body, name, &options);
}
#endif
