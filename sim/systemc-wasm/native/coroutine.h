// Coroutines for SystemC's threads in WebAssembly. Takes the place of sysc/kernel/sc_cor_qt.h (its include guard is
// defined on the command line), so that the library's sources stay as they are.
//
// Asymmetric: the scheduler stays on the native stack and runs a thread as a call inside its own; a thread that waits
// unwinds only up to there, by Binaryen's asyncify pass. Each thread has its own C stack (for what has an address) and a
// buffer for its WebAssembly locals. Reference: Binaryen, src/passes/Asyncify.cpp, on bottommost and topmost runtimes.
#ifndef TANDEM_COROUTINE_H
#define TANDEM_COROUTINE_H

#include "sysc/kernel/sc_cor.h"

#define TANDEM_ASYNCIFY(NAME) __attribute__((import_module("asyncify"), import_name(NAME)))

extern "C" {
TANDEM_ASYNCIFY("start_unwind") void tandem_start_unwind(void* data);
TANDEM_ASYNCIFY("stop_unwind") void tandem_stop_unwind();
TANDEM_ASYNCIFY("start_rewind") void tandem_start_rewind(void* data);
TANDEM_ASYNCIFY("stop_rewind") void tandem_stop_rewind();
void* stackSave();
void stackRestore(void*);

/// What the shims for C++ exceptions read (sim/systemc-wasm/instance.ts): 0 normal, 1 unwinding, 2 rewinding; and which
/// coroutine it is about (0: none).
extern int tandem_coroutine_state[2];
}

namespace sc_core {

class sc_cor_qt : public sc_cor {
 public:
  enum State { FRESH, SUSPENDED, RUNNING, DONE };
  sc_cor_qt() : m_state(RUNNING), m_function(0), m_argument(0), m_stack(0), m_top(0), m_number(0) {}
  sc_cor_qt(std::size_t stack_size, sc_cor_fn* function, void* argument);
  ~sc_cor_qt() { std::free(m_stack); }
  void check_canary() const;

  // Asyncify's view of the buffer comes first: its fill pointer and its end.
  struct Buffer { char* fill; char* end; } m_buffer;
  State m_state;
  sc_cor_fn* m_function;
  void* m_argument;
  char* m_stack;  ///< Locals buffer below, C stack above it.
  char* m_floor;  ///< Lowest byte of the C stack, where the canary is.
  void* m_top;    ///< Stack pointer while suspended.
  int m_number;
};

class sc_cor_pkg_qt : public sc_cor_pkg {
 public:
  explicit sc_cor_pkg_qt(sc_simcontext* context) : sc_cor_pkg(context) {}
  sc_cor* create(std::size_t stack_size, sc_cor_fn* function, void* argument) override;
  void yield(sc_cor* next) override;
  void abort(sc_cor* next) override;
  sc_cor* get_main() override;
};
typedef sc_cor_pkg_qt sc_cor_pkg_t;

}  // namespace sc_core
#endif
