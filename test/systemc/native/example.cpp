// Runs a program's sc_main in WebAssembly, as SystemC's own main() does natively.
#include <cstdio>
#include <iostream>
#include <systemc>

extern "C" __attribute__((used)) int tandem_run_example() {
  static char name[] = "example";
  static char* arguments[] = {name, 0};
  int status = 1;
  try {
    status = sc_main(1, arguments);
  } catch (const sc_core::sc_report& report) {
    sc_core::sc_report_handler::get_handler()(report, sc_core::SC_DISPLAY);
  }
  // The runtime hands over whole lines.
  std::cout << std::endl;
  std::fputs("\n", stdout);
  std::fflush(stdout);
  return status;
}
