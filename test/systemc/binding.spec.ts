/** The typed binding: a design in WebAssembly beside clocks, signals and FIFOs that JavaScript makes and binds. */
import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TandemError } from "../../hw/errors.js";
import { BINDING_EXPORTS, SystemCModel } from "../../sim/systemc-wasm/model.js";
import { loadProgram } from "../../sim/systemc-wasm/node-loader.js";
import { buildProgram, packageRoot } from "../../sim/systemc-wasm/toolchain.js";
import { SystemCInstance, type ProgramImage } from "../../sim/systemc-wasm/instance.js";
import { wasmMissing } from "./builds.js";

const design = `
#define SC_INCLUDE_DYNAMIC_PROCESSES
#include "binding.h"
#include <cstdint>
using namespace sc_core;
struct Counter : sc_module {
  sc_in<bool> clk, rst;
  sc_in<int> step;
  sc_out<int> count;
  sc_fifo_in<uint32_t> in;
  sc_fifo_out<uint32_t> out;
  SC_CTOR(Counter) : clk("clk"), rst("rst"), step("step"), count("count"), in("in"), out("out") {
    SC_CTHREAD(run, clk.pos());
    async_reset_signal_is(rst, true);
    SC_THREAD(twice);
  }
  void run() {
    struct Local { int a[64]; ~Local() {} } local;
    local.a[0] = 0;
    count.write(0);
    wait();
    for (;;) {
      local.a[0] += step.read();
      count.write(local.a[0]);
      wait();
    }
  }
  void twice() { for (;;) out.write(2 * in.read()); }
};
sc_module* tandem_create_top(const char* name) { return new Counter(name); }
double tandem_constant(int) { return 0; }
`;

/** A thread that needs more stack than it has, and fills it. */
const greedy = `
#define SC_INCLUDE_DYNAMIC_PROCESSES
#include <systemc>
using namespace sc_core;
extern "C" __attribute__((used)) int tandem_greedy(int bytes) {
  sc_spawn([bytes] {
    volatile char* most = static_cast<volatile char*>(__builtin_alloca(bytes));
    for (int i = 0; i < bytes; i++) most[i] = 1;
    wait(1, SC_NS);
  });
  sc_start();
  return 1;
}
`;

/** Compiles a text together with other sources. */
async function build(name: string, text: string, sources: readonly string[], exports: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "tandem-"));
  try {
    const source = join(folder, `${name}.cpp`);
    writeFileSync(source, text);
    const headers = [join(native, "binding.h")];
    return await loadProgram(await buildProgram({ name, sources: [source, ...sources], headers, exports }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
const native = join(packageRoot(), "sim/systemc-wasm/native");

/** Threads that look where their stacks begin. The addresses go through volatile memory: the compiler believes to know them. */
const aligned = `
#define SC_INCLUDE_DYNAMIC_PROCESSES
#include <systemc>
#include <cstdint>
#include <cstdlib>
using namespace sc_core;
extern "C" __attribute__((used)) int tandem_aligned(int threads) {
  static int wrong = 0;
  for (int i = 0; i < threads; i++)
    sc_spawn([i] {
      alignas(16) char local[16];
      char* volatile where = local;
      if (reinterpret_cast<std::uintptr_t>(where) % 16 != 0) wrong++;
      // Moves what is allocated after it by eight bytes.
      volatile void* moved = std::malloc(8 + 16 * i);
      (void)moved;
      sc_spawn([] {
        alignas(16) char inner[16];
        char* volatile place = inner;
        if (reinterpret_cast<std::uintptr_t>(place) % 16 != 0) wrong++;
      });
      wait(1, SC_NS);
    });
  sc_start();
  return wrong;
}
`;

describe("binding of a SystemC design in WebAssembly", function () {
  this.timeout(600_000);
  let image: ProgramImage;
  before(async function () {
    const missing = wasmMissing();
    if (missing !== null) {
      console.log(`    skipped: ${missing}`);
      this.skip();
    }
    image = await build("counter", design, [join(native, "binding.cpp")], BINDING_EXPORTS);
  });

  async function counter() {
    const model = await SystemCModel.load(image);
    const clk = model.createClock("clk", 10_000);
    const rst = model.createSignal("rst", "bool");
    const step = model.createSignal("step", "int32");
    const count = model.createSignal("count", "int32");
    const [input, output] = [model.createFifo("input", 4), model.createFifo("output", 4)];
    const ports = { clk, rst, step, count, in: input, out: output };
    for (const [port, endpoint] of Object.entries(ports)) model.bind(port, endpoint);
    return { model, ...ports };
  }

  it("runs, reads and writes ports, and keeps time", async () => {
    const { model, step, count } = await counter();
    model.write(step, 3);
    model.run(45_000);
    expect(model.time).to.equal(45_000);
    expect(model.read(count)).to.equal(12);
    model.write(step, -5);
    model.run(20_000);
    expect(model.read(count)).to.equal(2);
    expect(model.deltaCount).to.be.greaterThan(10);
  });

  it("moves words through FIFOs, as far as there is room", async () => {
    const { model, in: input, out: output } = await counter();
    expect(model.push(input, Uint32Array.of(1, 2, 3, 4, 5, 6))).to.equal(4);
    model.run(0);
    model.run(1000);
    expect([...model.pop(output, 10)]).to.deep.equal([2, 4, 6, 8]);
  });

  it("traces into a VCD", async () => {
    const { model, clk, count, step } = await counter();
    model.beginTrace();
    model.trace(clk, "clk");
    model.trace(count, "count");
    model.write(step, 1);
    model.run(30_000);
    const vcd = model.endTrace();
    expect(vcd).to.contain("$timescale");
    expect(vcd).to.match(/\$var wire +1 +\S+ +clk/);
    expect(vcd).to.contain("#20000");
    model.stop();
  });

  it("two models of one design do not know of each other", async () => {
    const [a, b] = [await counter(), await counter()];
    a.model.write(a.step, 1);
    a.model.run(95_000);
    expect(a.model.read(a.count)).to.equal(9);
    expect(b.model.read(b.count)).to.equal(0);
    expect(b.model.time).to.equal(0);
  });

  it("names what is wrong", async () => {
    const model = await SystemCModel.load(image);
    const word = model.createSignal("word", "uint32");
    expect(() => model.bind("nothing", word)).to.throw(TandemError, /no port 'nothing'/);
    expect(() => model.bind("clk", word)).to.throw(TandemError, /port 'clk' \(sc_in\) is of another type/);
    expect(() => model.run(10)).to.throw(TandemError, /E109.*complete binding failed/s);
  });

  it("leaks no stack over 100,000 resets of a thread", async () => {
    const { model, rst, count, step } = await counter();
    model.write(step, 1);
    for (let i = 0; i < 100_000; i++) {
      model.write(rst, 1);
      model.run(1);
      model.write(rst, 0);
      model.run(1);
    }
    model.run(100_000);
    // Every reset unwinds the thread by a C++ exception; a leak of its frame would have run over the 64 KiB stack.
    expect(model.read(count)).to.be.within(9, 11);
  });

  it("begins the stacks of threads at multiples of 16, as the compiler takes them to", async () => {
    const program = await build("aligned", aligned, [], ["tandem_aligned"]);
    expect((await SystemCInstance.create(program)).call("tandem_aligned", 20)).to.equal(0);
  });

  it("notices at the next wait that a thread has run over its stack", async () => {
    const program = await build("greedy", greedy, [], ["tandem_greedy"]);
    expect((await SystemCInstance.create(program)).call("tandem_greedy", 30_000)).to.equal(1);
    const instance = await SystemCInstance.create(program);
    expect(() => instance.call("tandem_greedy", 66_000)).to.throw();
    expect(instance.output.join("\n")).to.contain("the stack of a thread overflowed");
  });
});
