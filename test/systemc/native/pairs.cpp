// Runs one program by name, with reports written into the trace (without file and line, which differ by language).
#include "pairs.h"

#include <cstring>

std::ostringstream trace_text;

Program*& Program::first() {
  static Program* head = 0;
  return head;
}

static void handle_report(const sc_report& report, const sc_actions& actions) {
  if (actions & SC_DISPLAY) {
    static const char* names[] = {"Info", "Warning", "Error", "Fatal"};
    trace_text << names[report.get_severity()] << ": ";
    if (report.get_id() >= 0) trace_text << "(" << "IWEF"[report.get_severity()] << report.get_id() << ") ";
    trace_text << report.get_msg_type();
    if (*report.get_msg()) trace_text << ": " << report.get_msg();
    if (report.get_severity() > SC_INFO && sc_is_running() && report.get_process_name())
      trace_text << "\nIn process: " << report.get_process_name() << " @ " << report.get_time().to_string();
    trace_text << "\n";
  }
  sc_report_handler::default_handler(report, actions & ~(SC_DISPLAY | SC_LOG));
}

const char* run_traced(const std::function<void()>& body) {
  sc_report_handler::set_handler(handle_report);
  sc_report_handler::set_actions("/IEEE_Std_1666/deprecated", SC_DO_NOTHING);
  static std::string result;
  try {
    body();
  } catch (const sc_report& report) {
    trace_text << "caught " << report.get_msg_type();
    if (*report.get_msg()) trace_text << ": " << report.get_msg();
    trace_text << "\n";
  }
  result = trace_text.str();
  return result.c_str();
}

const char* run_program(const char* name) {
  Program* program = Program::first();
  while (program && std::strcmp(program->name, name) != 0) program = program->next;
  if (!program) return "no such program\n";
  return run_traced(program->run);
}
