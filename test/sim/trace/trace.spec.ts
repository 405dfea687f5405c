import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { bool, Cell, clocks, i8, Module, struct, TandemError, u16, u8, vec } from "../../../hw/index.js";
import type { Inputs, Mutable, Outputs, Process, ValueOf } from "../../../hw/index.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { TextFile } from "../../../sim/trace/file.js";
import { parseWindow, Trace, type TraceOptions } from "../../../sim/trace/trace.js";
import { VcdWriter } from "../../../sim/trace/vcd.js";
import { Waves } from "./vcd-reader.js";

const Pair = struct({ left: i8, right: vec(u8, 2) });

/** Two processes, a channel of structs, a memory, a signal and a field. */
class Small extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(u8);
  readonly pairs = this.channel(Pair, { name: "pairs", depth: 3 });
  readonly table = this.memory(u16, 8);
  readonly port = this.table.port();
  readonly level = this.signal(u8);
  total = u16(0);

  constructor(name = "small") {
    super(null, name);
    this.clocked(this.make);
    this.clocked(this.use);
  }

  *make(): Process {
    for (;;) {
      const x = yield* this.in.pop();
      this.level.write(u8(x + 1));
      yield* this.pairs.push({ left: i8(0 - x), right: [x, u8(2 * x)] });
      yield;
    }
  }

  *use(): Process {
    for (;;) {
      yield* clocks(2);
      const pair = yield* this.pairs.pop();
      this.port.write(pair.right[0]! % 8, u16(pair.right[1]!));
      this.total = u16(this.total + pair.right[1]!);
      yield;
      this.port.read(pair.right[0]! % 8);
      yield;
    }
  }
}

/** Feed `values` at the outer port `in`, the i-th not before clock `at[i]`. */
function source(kernel: Kernel, values: readonly number[], at: readonly number[] = []): void {
  const channel = kernel.design.inputs["in"]!;
  kernel.spawn(function* feed() {
    for (const [i, value] of values.entries()) {
      yield* clocks(Math.max(0, (at[i] ?? 0) - kernel.now));
      yield* channel.push(value);
    }
  });
}

function traced(options: TraceOptions, feed: (kernel: Kernel) => void): { waves: Waves; text: string; kernel: Kernel } {
  const kernel = new Kernel(new Small());
  let text = "";
  const trace = new Trace(kernel, (part) => (text += part), options);
  feed(kernel);
  kernel.run();
  trace.close();
  return { waves: new Waves(text), text, kernel };
}

describe("A waveform", () => {
  it("shows a channel as its registers stand during the clock", () => {
    const { waves } = traced({ patterns: ["small.in"] }, (kernel) => source(kernel, [5, 6], [0, 4]));
    // Pushed in 0: seen in 1 and popped there. Pushed in 4: in the register in 5.
    expect(waves.clocks("small.in.pushes", 0, 5)).to.deep.equal([1, 0, 0, 0, 1, 0]);
    expect(waves.clocks("small.in.pops", 0, 5)).to.deep.equal([0, 1, 0, 0, 0, 1]);
    expect(waves.clocks("small.in.valid", 0, 6)).to.deep.equal([0, 1, 0, 0, 0, 1, 0]);
    expect(waves.clocks("small.in.occupancy", 0, 6)).to.deep.equal([0, 1, 0, 0, 0, 1, 0]);
    expect(waves.clocks("small.in.data", 0, 6)).to.deep.equal([
      undefined,
      5,
      undefined,
      undefined,
      undefined,
      6,
      undefined,
    ]);
  });

  it("splits structs into fields and vectors into lanes, in two's complement", () => {
    const { waves } = traced({ patterns: ["small.pairs.data"] }, (kernel) => source(kernel, [3]));
    expect(waves.paths).to.deep.equal([
      "small.clk",
      "small.pairs.data.left",
      "small.pairs.data.right.lane0",
      "small.pairs.data.right.lane1",
    ]);
    expect(waves.bits.get("small.pairs.data.left")).to.equal(8);
    // Pushed in 1, so in the register in 2, when `use` takes it.
    expect(waves.clocks("small.pairs.data.left", 1, 3)).to.deep.equal([undefined, 256 - 3, undefined]);
    expect(waves.clocks("small.pairs.data.right.lane1", 1, 3)).to.deep.equal([undefined, 6, undefined]);
  });

  it("shows where a process stands at the end of each clock, and on what it is stalled", () => {
    const { waves } = traced({ patterns: ["small.use"] }, (kernel) => source(kernel, [5]));
    // Two clocks of waiting, then the pair is there: busy until the second yield, two more, then stalled for good.
    expect(waves.clocks("small.use.state", 0, 6)).to.deep.equal([1, 1, 1, 1, 1, 1, 2]);
    expect(waves.text("small.use.stalled_on", 5)).to.equal("");
    expect(waves.text("small.use.stalled_on", 6)).to.equal("small.pairs");
  });

  it("shows memory ports, signals and fields with the clock in which hardware would have the value", () => {
    const { waves } = traced({ patterns: ["small.table.**", "small.level", "small.total"] }, (kernel) =>
      source(kernel, [5]),
    );
    expect(waves.clocks("small.table.port.wen", 1, 4)).to.deep.equal([0, 1, 0, 0]);
    expect(waves.clocks("small.table.port.waddr", 1, 3)).to.deep.equal([undefined, 5, undefined]);
    expect(waves.clocks("small.table.port.wdata", 2, 2)).to.deep.equal([10]);
    expect(waves.clocks("small.table.port.ren", 1, 4)).to.deep.equal([0, 0, 1, 0]);
    expect(waves.clocks("small.table.port.q", 3, 4)).to.deep.equal([undefined, 10]);
    // Written in clock 1 and 2: seen after the edge.
    expect(waves.clocks("small.level", 1, 2)).to.deep.equal([0, 6]);
    expect(waves.clocks("small.total", 2, 3)).to.deep.equal([0, 10]);
  });

  it("shows the same in a window as in the whole, gaps included", () => {
    const feed = (kernel: Kernel): void => source(kernel, [1, 2, 3, 4, 5], [0, 1, 2, 60, 61]);
    const patterns = ["small.**"];
    const whole = traced({ patterns }, feed).waves;
    const last = whole.lastTime / 10 - 1;
    expect(last).to.be.greaterThan(60);
    for (const [from, to] of [
      [0, last + 1],
      [2, 9],
      [20, 40],
      [30, 63],
      [61, 62],
    ] as const) {
      const { waves } = traced({ patterns, from, to }, feed);
      expect(waves.paths).to.deep.equal(whole.paths);
      for (const path of whole.paths)
        expect(waves.clocks(path, from, to - 1), `${path} in ${from}:${to}`).to.deep.equal(
          whole.clocks(path, from, to - 1),
        );
      for (const [path, list] of waves.changes)
        for (const { time } of list) expect(time, path).to.be.within(from * 10, to * 10);
    }
  });

  it("has a clock with one rising edge a clock", () => {
    const { waves } = traced({}, (kernel) => source(kernel, [1, 2], [0, 20]));
    const rises = waves.changes.get("small.clk")!.filter(({ value }) => value === 1n);
    expect(rises.map(({ time }) => time)).to.deep.equal(rises.map((_, i) => i * 10));
    expect(rises.length).to.be.greaterThan(20);
  });

  it("changes neither clocks nor counters of the run", () => {
    const plain = new Kernel(new Small());
    source(plain, [1, 2, 3]);
    plain.run();
    const { kernel } = traced({ patterns: ["**"] }, (k) => source(k, [1, 2, 3]));
    expect(kernel.counters).to.deep.equal(plain.counters);
  });

  it("goes on after a reset", () => {
    const kernel = new Kernel(new Small());
    let text = "";
    const trace = new Trace(kernel, (part) => (text += part), { patterns: ["small.in.pushes"] });
    source(kernel, [1]);
    kernel.run();
    kernel.reset();
    source(kernel, [1]);
    kernel.run();
    trace.close();
    const pushes = new Waves(text).changes.get("small.in.pushes")!.filter(({ value }) => value === 1n);
    expect(pushes).to.have.length(2);
  });

  it("shows the registers of single cells of a grid", () => {
    const West = struct({ a: i8, last: bool });
    const State = struct({ acc: i8 });
    class Sum extends Cell<ValueOf<typeof West>, number, ValueOf<typeof State>, number> {
      readonly west = West;
      readonly north = i8;
      readonly state = State;
      readonly emit = i8;
      step(
        { west, north }: Inputs<ValueOf<typeof West>, number>,
        s: Mutable<ValueOf<typeof State>>,
      ): Outputs<ValueOf<typeof West>, number, number> {
        s.acc = i8(s.acc + west.a * north);
        return { east: west, south: north, emit: west.last ? s.acc : undefined };
      }
    }
    class Top extends Module {
      readonly array = this.grid(2, 2, new Sum());
      readonly out = this.channelOut(this.array.results.type);
      constructor() {
        super(null, "top");
        this.connect(this.array.results, this.out);
        this.clocked(this.run);
      }
      *run(): Process {
        this.array.feed(
          [2, 3].map((a) => ({ a: i8(a), last: true })),
          [i8(5), i8(7)],
        );
        yield;
      }
    }
    const kernel = new Kernel(new Top());
    let text = "";
    const trace = new Trace(kernel, (part) => (text += part), {
      patterns: ["top.array.cell_?_1.state", "top.array.feeds"],
    });
    kernel.run();
    trace.close();
    const waves = new Waves(text);
    expect(waves.clocks("top.array.feeds", 0, 1)).to.deep.equal([1, 0]);
    // Cell (1, 1) meets the wave in clock 2; its register shows it in clock 3.
    expect(waves.clocks("top.array.cell_0_1.state.acc", 0, 3)).to.deep.equal([0, 0, 14, 14]);
    expect(waves.clocks("top.array.cell_1_1.state.acc", 0, 3)).to.deep.equal([0, 0, 0, 21]);
    expect(waves.paths).not.to.include("top.array.cell_0_0.state.acc");
  });

  it("says which names there are where a pattern matches nothing", () => {
    const kernel = new Kernel(new Small());
    expect(() => new Trace(kernel, () => undefined, { patterns: ["small.tabel.*"] }))
      .to.throw(TandemError, 'Trace pattern "small.tabel.*" matches nothing')
      .with.property("hint")
      .that.includes("table");
    expect(() => new Trace(kernel, () => undefined, { patterns: ["a/b"] })).to.throw(TandemError, "expected letters");
  });

  it("reads windows of clocks", () => {
    expect(parseWindow("100:200")).to.deep.equal({ from: 100, to: 200 });
    expect(parseWindow("7:")).to.deep.equal({ from: 7, to: Infinity });
    expect(parseWindow(":9")).to.deep.equal({ from: 0, to: 9 });
    for (const bad of ["", ":", "5", "9:3", "4:4", "-1:4", "a:b", "1:2:3", "1e3:2e3"])
      expect(() => parseWindow(bad), bad).to.throw(TandemError, `Window "${bad}"`);
  });

  it("gives thousands of variables different identifiers", () => {
    let text = "";
    const vcd = new VcdWriter((part) => (text += part), "1 ns", "many");
    vcd.scope("top");
    const variables = Array.from({ length: 10_000 }, (_, i) => vcd.variable(`v${i}`, { bits: 16 }));
    vcd.upscope();
    vcd.start(0);
    for (const [i, variable] of variables.entries()) vcd.change(variable, i);
    vcd.time(1);
    vcd.flush();
    const waves = new Waves(text);
    expect(waves.paths).to.have.length(10_000);
    for (const i of [0, 93, 94, 8929, 8930, 9999]) expect(waves.at(`top.v${i}`, 0)).to.equal(BigInt(i));
  });
});

describe("A text file of a run", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "tandem-trace-"))));
  after(() => rmSync(folder, { recursive: true }));

  it("holds what was written, in order", () => {
    const file = new TextFile(join(folder, "a.vcd"));
    for (let i = 0; i < 100; i++) file.write(`#${i}\n`);
    file.close();
    expect(readFileSync(file.path, "latin1")).to.equal(Array.from({ length: 100 }, (_, i) => `#${i}\n`).join(""));
  });

  it("names a path that cannot be written", () => {
    expect(() => new TextFile(join(folder, "no", "such.vcd"))).to.throw(
      TandemError,
      /Cannot write .*such\.vcd: ENOENT/,
    );
    writeFileSync(join(folder, "plain"), "");
    expect(() => new TextFile(join(folder, "plain", "x.vcd"))).to.throw(TandemError, "ENOTDIR");
  });

  it("says so where there is no room", function () {
    if (!existsSync("/dev/full")) this.skip();
    const file = new TextFile("/dev/full");
    expect(() => file.write("text")).to.throw(TandemError, "ENOSPC");
    expect(existsSync("/dev/full")).to.equal(true);
  });
});
