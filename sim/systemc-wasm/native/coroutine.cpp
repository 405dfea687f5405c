// See coroutine.h. Functions here that call asyncify's intrinsics are left alone by the pass; none of them may be inlined
// into code that it changes.
#include "coroutine.h"

#include <cstdio>
#include <cstdint>

extern "C" {
int tandem_coroutine_state[2] = {0, 0};
}

namespace sc_core {
namespace {

const std::size_t LOCALS = 16 * 1024;  ///< Bytes for the WebAssembly locals of one suspended thread.
const std::uint64_t CANARY = 0x7461e6de5ac0ffeeull;

sc_cor_qt main_coroutine;
sc_cor_qt* current = &main_coroutine;
sc_cor_qt* wanted = 0;
int numbers = 0;

/// The frame at the bottom of every thread.
__attribute__((noinline)) void enter(sc_cor_qt* cor) { cor->m_function(cor->m_argument); }

/// Runs a thread until it suspends or ends. Called by the scheduler only.
__attribute__((noinline)) sc_cor_qt* run(sc_cor_qt* cor) {
  void* const caller_top = stackSave();
  current = cor;
  wanted = &main_coroutine;
  stackRestore(cor->m_top);
  const bool resumed = cor->m_state == sc_cor_qt::SUSPENDED;
  cor->m_state = sc_cor_qt::RUNNING;
  tandem_coroutine_state[1] = cor->m_number;
  if (resumed) {
    tandem_coroutine_state[0] = 2;
    tandem_start_rewind(&cor->m_buffer);
  }
  enter(cor);
  if (tandem_coroutine_state[0] == 1) {
    tandem_stop_unwind();
    tandem_coroutine_state[0] = 0;
    cor->m_state = sc_cor_qt::SUSPENDED;
  } else {
    cor->m_state = sc_cor_qt::DONE;
  }
  stackRestore(caller_top);
  tandem_coroutine_state[1] = 0;
  current = &main_coroutine;
  return wanted;
}

/// Leaves the running thread; comes back when it is resumed.
__attribute__((noinline)) void suspend() {
  if (tandem_coroutine_state[0] == 2) {
    tandem_stop_rewind();
    tandem_coroutine_state[0] = 0;
    return;
  }
  current->check_canary();
  current->m_top = stackSave();
  tandem_coroutine_state[0] = 1;
  current->m_buffer.fill = current->m_stack;
  tandem_start_unwind(&current->m_buffer);
}

}  // namespace

sc_cor_qt::sc_cor_qt(std::size_t stack_size, sc_cor_fn* function, void* argument)
    : m_state(FRESH), m_function(function), m_argument(argument) {
  const std::size_t size = LOCALS + ((stack_size + 15) & ~std::size_t(15));
  m_stack = static_cast<char*>(std::malloc(size));
  if (!m_stack) {
    std::fputs("no memory for the stack of a thread\n", stderr);
    std::abort();
  }
  m_buffer.fill = m_stack;
  m_buffer.end = m_stack + LOCALS;
  m_floor = m_stack + LOCALS;
  *reinterpret_cast<std::uint64_t*>(m_floor) = CANARY;
  // The compiler takes the C stack to be a multiple of 16, and adds to addresses on it with an or; malloc gives a multiple of 8.
  m_top = reinterpret_cast<char*>(reinterpret_cast<std::uintptr_t>(m_stack + size) & ~std::uintptr_t(15)) - 16;
  m_number = ++numbers;
}

void sc_cor_qt::check_canary() const {
  if (*reinterpret_cast<const std::uint64_t*>(m_floor) == CANARY) return;
  std::fputs("the stack of a thread overflowed; give it more with set_stack_size()\n", stderr);
  std::abort();
}

sc_cor* sc_cor_pkg_qt::create(std::size_t stack_size, sc_cor_fn* function, void* argument) {
  return new sc_cor_qt(stack_size, function, argument);
}

void sc_cor_pkg_qt::yield(sc_cor* next) {
  if (current != &main_coroutine) {
    if (tandem_coroutine_state[0] != 2) wanted = static_cast<sc_cor_qt*>(next);
    suspend();
    return;
  }
  for (sc_cor_qt* cor = static_cast<sc_cor_qt*>(next); cor != &main_coroutine;) cor = run(cor);
}

void sc_cor_pkg_qt::abort(sc_cor* next) { wanted = static_cast<sc_cor_qt*>(next); }

sc_cor* sc_cor_pkg_qt::get_main() { return &main_coroutine; }

}  // namespace sc_core
