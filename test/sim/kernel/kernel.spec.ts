import { expect } from "chai";
import { clocks, Module, TandemError, u8, type Process } from "../../../hw/index.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { Mac } from "../../hw/language/examples.js";

/** Feed `values` into an outer port, one a clock; collect what leaves another, with its clock. */
function drive(kernel: Kernel, inputs: Record<string, readonly number[]>, output: string): [number, unknown][] {
  const seen: [number, unknown][] = [];
  for (const [port, values] of Object.entries(inputs)) {
    const channel = kernel.design.inputs[port]!;
    kernel.spawn(function* source() {
      for (const value of values) yield* channel.push(value);
    });
  }
  const out = kernel.design.outputs[output]!;
  kernel.spawn(function* sink() {
    for (;;) {
      const value = yield* out.pop();
      seen.push([kernel.now, value]);
    }
  });
  return seen;
}

describe("The kernel", () => {
  it("runs a multiply-accumulate unit at one product a clock", () => {
    const kernel = new Kernel(new Mac());
    const seen = drive(kernel, { count: [3], a: [1, 2, 3], b: [4, 5, -6] }, "y");
    kernel.run();
    // count is pushed in 0, popped in 1; products in 1, 2, 3; y pushed in 4, seen by the sink in 5.
    expect(seen).to.deep.equal([[5, 1 * 4 + 2 * 5 - 3 * 6]]);
    expect(kernel.counters.clocks).to.equal(6);
  });

  it("labels every clock of a process busy, stalled or idle", () => {
    const kernel = new Kernel(new Mac());
    drive(kernel, { count: [3], a: [1, 2, 3], b: [4, 5, -6] }, "y");
    kernel.run();
    const [process] = kernel.counters.processes;
    expect(process).to.deep.equal({
      path: "mac.run",
      busy: 4,
      stalls: [{ channel: "mac.count", on: "pop", clocks: 2 }],
      idle: 0,
      estimated: 0,
    });
  });

  it("gives the same run again after a reset", () => {
    const kernel = new Kernel(new Mac());
    const inputs = { count: [2, 1], a: [7, 2, 3], b: [4, 5, -6] };
    const first = drive(kernel, inputs, "y");
    kernel.run();
    const counters = kernel.counters;
    kernel.reset();
    const second = drive(kernel, inputs, "y");
    kernel.run();
    expect(second).to.deep.equal(first);
    expect(kernel.counters).to.deep.equal(counters);
  });

  it("halves the rate of a channel of depth 1", () => {
    class Through extends Module {
      readonly in = this.channelIn(u8);
      readonly out = this.channelOut(u8);
      readonly mid;
      constructor(depth: number) {
        super(null, "through");
        this.mid = this.channel(u8, { name: "mid", depth });
        this.clocked(this.first);
        this.clocked(this.second);
      }
      *first(): Process {
        for (;;) {
          const x = yield* this.in.pop();
          yield* this.mid.push(x);
        }
      }
      *second(): Process {
        for (;;) {
          const x = yield* this.mid.pop();
          yield* this.out.push(x);
        }
      }
    }
    const clocksOf = (depth: number): number => {
      const kernel = new Kernel(new Through(depth));
      drive(kernel, { in: Array.from({ length: 10 }, (_, i) => i) }, "out");
      return kernel.run();
    };
    expect(clocksOf(2)).to.equal(13);
    expect(clocksOf(1)).to.equal(22);
  });

  it("names both processes that push one channel", () => {
    class Two extends Module {
      readonly out = this.channelOut(u8);
      constructor() {
        super(null, "two");
        this.clocked(this.one);
        this.clocked(this.other);
      }
      *one(): Process {
        yield* this.out.push(u8(1));
      }
      *other(): Process {
        yield* clocks(3);
        yield* this.out.push(u8(2));
      }
    }
    const kernel = new Kernel(new Two());
    expect(() => kernel.run()).to.throw(TandemError, "pushed by both two.one and two.other");
  });

  describe("memories shared by two processes", () => {
    class Shared extends Module {
      readonly mem = this.memory(u8, 16);
      readonly wr = this.mem.writePort();
      readonly rd = this.mem.readPort();
      readonly out = this.channelOut(u8);
      readonly token = this.channel(u8, { name: "token" });
      readonly wait: number;
      readonly early: boolean;
      constructor(wait: number, early: boolean) {
        super(null, "shared");
        this.wait = wait;
        this.early = early;
        this.clocked(this.writer);
        this.clocked(this.reader);
      }
      *writer(): Process {
        if (this.early) yield* this.token.push(u8(3));
        this.wr.write(3, u8(42));
        yield;
        if (!this.early) yield* this.token.push(u8(3));
      }
      *reader(): Process {
        const address = yield* this.token.pop();
        yield* clocks(this.wait);
        this.rd.read(address);
        yield;
        yield* this.out.push(this.rd.q);
      }
    }

    it("are handed over by a token pushed after the write", () => {
      const kernel = new Kernel(new Shared(0, false));
      const seen = drive(kernel, {}, "out");
      kernel.run();
      expect(seen.map(([, value]) => value)).to.deep.equal([42]);
    });

    it("are refused where the token is pushed before the write, however late the read comes", () => {
      const kernel = new Kernel(new Shared(5, true));
      drive(kernel, {}, "out");
      expect(() => kernel.run()).to.throw(
        TandemError,
        "shared.mem.rd: shared.reader uses word 3, which shared.writer has written without handing it over",
      );
    });
  });
});
