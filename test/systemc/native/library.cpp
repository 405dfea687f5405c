// What every C library does in a way of its own, in one way: glibc natively and musl in WebAssembly draw different random
// numbers, and the hour is another one. For programs whose output is compared.
#include <cstdlib>
#include <ctime>

namespace {
unsigned long long state = 1;
}

// A linear congruential generator modulo 2^48, the one of POSIX's drand48; 31 bits of it, as RAND_MAX has them in both.
extern "C" int rand() {
  state = (state * 0x5deece66dull + 0xb) & 0xffffffffffffull;
  return static_cast<int>(state >> 17);
}

extern "C" void srand(unsigned seed) { state = seed; }

extern "C" std::time_t time(std::time_t* out) {
  const std::time_t fixed = 1000000000;
  if (out) *out = fixed;
  return fixed;
}
