// Drives bench.v under Verilator for the given number of clocks; prints rows, checksum, seconds of processor time and of wall time.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include "Vbench.h"
#include "verilated.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const long clocks = std::atol(argv[1]);
  VerilatedContext context;
  Vbench bench{&context};
  const std::clock_t start = std::clock();
  const auto began = std::chrono::steady_clock::now();
  for (long i = 0; i < clocks; i++) {
    bench.clk = 0;
    bench.eval();
    bench.clk = 1;
    bench.eval();
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  std::printf("%u %u %.6f %.6f\n", bench.rows, bench.checksum, seconds, wall.count());
  bench.final();
  return 0;
}
