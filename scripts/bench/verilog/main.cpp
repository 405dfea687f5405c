// Drives bench.v under Verilator for the given number of clocks; prints rows, checksum and seconds.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include "Vbench.h"
#include "verilated.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const long clocks = std::atol(argv[1]);
  VerilatedContext context;
  Vbench bench{&context};
  const auto start = std::chrono::steady_clock::now();
  for (long i = 0; i < clocks; i++) {
    bench.clk = 0;
    bench.eval();
    bench.clk = 1;
    bench.eval();
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%u %u %.6f\n", bench.rows, bench.checksum, seconds.count());
  bench.final();
  return 0;
}
