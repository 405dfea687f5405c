/**
 * The C++ program around a design under Verilator. It plays the environment as the kernel's processes would: a source pushes
 * the next beat `gap` clocks after the last one at the earliest, a sink pops likewise. Per port it reads `NAME.in` (lines of
 * gap and hexadecimal value) or `NAME.gaps` (tokens wanted, then gaps, used in turn); on standard output it writes the
 * tokens that left with their clocks.
 */
import type { VerilogDesign } from "../../hw/verilog/design.js";
import { portWires, type PortWires } from "./testbench.js";

const assign = ({ bits, data }: PortWires): string =>
  bits <= 32
    ? `top->${data} = w[0];`
    : bits <= 64
      ? `top->${data} = w[0] | (uint64_t)w[1] << 32;`
      : `for (int i = 0; i < ${Math.ceil(bits / 32)}; i++) top->${data}[i] = w[i];`;

const fetch = ({ bits, data }: PortWires): string =>
  bits <= 32
    ? `w[0] = top->${data};`
    : bits <= 64
      ? `w[0] = (uint32_t)top->${data}; w[1] = (uint32_t)(top->${data} >> 32);`
      : `for (int i = 0; i < ${Math.ceil(bits / 32)}; i++) w[i] = top->${data}[i];`;

export function verilatorMain(design: VerilogDesign): string {
  const ports = portWires(design);
  const words = Math.max(1, ...ports.map(({ bits }) => Math.ceil(bits / 32)));
  const drive = ports.map((p, i) => {
    const port = `Port& p = ports[${i}];`;
    return p.port.direction === "in"
      ? `    { ${port} p.asks = p.more && now >= p.at; top->${p.mine} = p.asks; if (p.asks && p.fresh) { uint32_t* w = p.value; ${assign(p)} p.fresh = false; } }`
      : `    { ${port} p.asks = p.left != 0 && now >= p.at; top->${p.mine} = p.asks; }`;
  });
  const settle = ports.map((p, i) => {
    const port = `Port& p = ports[${i}];`;
    return p.port.direction === "in"
      ? `    { ${port} if (p.asks && top->${p.theirs}) { p.next(now); beat = now; } if (p.at > now && p.more) moved = true; }`
      : `    { ${port} if (p.asks && top->${p.theirs}) { uint32_t* w = p.value; ${fetch(p)} p.show(now); beat = now; } if (p.at > now && p.left != 0 && p.waits) moved = true; }`;
  });
  const setup = ports.map(
    ({ port, bits, mine }, i) =>
      `  ports[${i}].set("${port.name}", ${port.direction === "in"}, ${i}, ${bits}); top->${mine} = 0;`,
  );
  return `#include "Vtandem_tb.h"
#include "verilated.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>
struct Port {
  bool input = false;
  int index = 0, bits = 0;
  FILE* file = nullptr;
  bool more = false, asks = false, fresh = true, waits = false;
  uint64_t at = 0;
  int64_t left = -1;
  uint32_t value[${words}] = {0};
  std::vector<uint32_t> gaps;
  size_t taken = 0;
  char line[${words * 8 + 64}];
  void set(const std::string& name, bool in, int i, int b) {
    input = in; index = i; bits = b;
    file = fopen((name + (input ? ".in" : ".gaps")).c_str(), "r");
    if (!file) return;
    if (input) { read(0); return; }
    long long n; unsigned gap;
    if (fscanf(file, "%lld", &n) == 1) left = n;
    while (fscanf(file, "%u", &gap) == 1) gaps.push_back(gap);
    at = gap_of(0);
    waits = at > 0;
  }
  uint32_t gap_of(size_t i) const { return gaps.empty() ? 0 : gaps[i % gaps.size()]; }
  void read(uint64_t base) {
    more = fgets(line, sizeof line, file) != nullptr;
    if (!more) return;
    char* hex;
    at = base + strtoull(line, &hex, 10);
    while (*hex == ' ') hex++;
    long n = (long)strcspn(hex, "\\r\\n");
    for (int w = 0; w * 32 < bits; w++) {
      uint32_t v = 0;
      for (int d = 7; d >= 0; d--) {
        long pos = n - 1 - (w * 8 + d);
        if (pos < 0) continue;
        char c = hex[pos];
        v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
      }
      value[w] = v;
    }
    fresh = true;
  }
  void next(uint64_t now) {
    read(now);
    if (at <= now) at = now + 1;
  }
  void show(uint64_t now) {
    printf("o %d %llu ", index, (unsigned long long)now);
    for (int w = (bits + 31) / 32 - 1; w >= 0; w--) printf("%08x", value[w]);
    putchar('\\n');
    taken++;
    uint32_t gap = gap_of(taken);
    if (left > 0) left--;
    waits = gap > 0;
    at = now + (gap > 0 ? gap : 1);
  }
};
double sc_time_stamp() { return 0; }
int main(int argc, char** argv) {
  static char buffer[1 << 16];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  uint64_t until = argc > 1 ? strtoull(argv[1], nullptr, 10) : 0;
  uint64_t limit = argc > 2 ? strtoull(argv[2], nullptr, 10) : 0;
  uint64_t patience = argc > 3 ? strtoull(argv[3], nullptr, 10) : 0;
  Vtandem_tb* top = new Vtandem_tb;
  static Port ports[${Math.max(1, ports.length)}];
${setup.join("\n")}
  top->clk = 0; top->rst = 1; top->report = 0;
  auto edge = [&] { top->clk = 0; top->eval(); top->clk = 1; top->eval(); };
  uint64_t now = 0, last = 0, beat = 0;
  // What is driven counts from the next edge on.
  auto drive = [&] {
${drive.join("\n")}
  };
  for (int i = 0; i < 3; i++) edge();
  top->rst = 0;
  for (;; now++) {
    drive();
    edge();
    if (until && now >= until) break;
    if (limit && now >= limit) { printf("limit\\n"); break; }
    if (patience && now > beat + patience) { printf("quiet\\n"); break; }
    bool moved = top->moved;
${settle.join("\n")}
    if (moved) last = now + 1;
    else if (!top->active) break;
    if ((now & 0x3fff) == 0x3fff) fprintf(stderr, "clock %llu\\n", (unsigned long long)now);
  }
  printf("end %llu %llu\\n", (unsigned long long)last, (unsigned long long)now);
  top->report = 1;
  edge();
  fflush(stdout);
  return 0;
}
`;
}
