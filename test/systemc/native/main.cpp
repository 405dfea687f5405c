// The native program: `pairs` lists all programs, `pairs NAME...` runs the ones named (one process each is the caller's
// business: a simulation cannot be restarted).
#include "pairs.h"

int sc_main(int argc, char** argv) {
  if (argc < 2) {
    for (Program* p = Program::first(); p; p = p->next) std::puts(p->name);
    return 0;
  }
  std::fputs(run_program(argv[1]), stdout);
  return 0;
}
