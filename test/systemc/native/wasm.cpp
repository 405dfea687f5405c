// The WebAssembly entry of the pairs.
#include "pairs.h"

extern "C" __attribute__((used, export_name("tandem_run_program"))) const char* tandem_run_program(const char* name) {
  return run_program(name);
}

extern "C" __attribute__((used, export_name("tandem_run_network"))) const char* tandem_run_network(const int* numbers) {
  return run_network(numbers);
}
