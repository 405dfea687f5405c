/** Black boxes: Verilog by hand beside a model in TypeScript, under the kernel, the fast engine, Icarus and Verilator. */
import { expect } from "chai";
import { BlackBox, elaborate, i16, i8, Module, TandemError, u16, u8, type Process } from "../../../hw/index.js";
import type { VerilogSource } from "../../../hw/index.js";
import { clocks } from "../../../hw/process.js";
import { checkDesign } from "../../../hw/check/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { emitVerilog } from "../../../hw/verilog/design.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { buildSimulator } from "../../../sim/rtl/build.js";
import { runSimulator, type RtlRun } from "../../../sim/rtl/simulate.js";
import { simulatorVersion, type SimulatorName } from "../../../sim/rtl/tools.js";
import { random } from "../../sim/rtl/cases.js";
import { runKernel } from "../../sim/rtl/compare.js";

/** x^2 + bias, one clock after it came; the next x is taken in the clock in which a result leaves. */
class Square extends BlackBox {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(i8);
  readonly y = this.channelOut(i16);
  readonly bias: number;
  readonly verilog: VerilogSource;
  constructor(parent: Module, name: string, bias: number) {
    super(parent, name);
    this.bias = bias;
    this.verilog = { module: "square", text: square, parameters: { BIAS: bias } };
    this.clocked(this.run);
  }
  *run(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      yield;
      yield* this.y.push(i16(x * x + this.bias));
    }
  }
}

const square = `
module square #(parameter BIAS = 0) (
  input wire clk,
  input wire rst,
  input wire [7:0] x_data, input wire x_valid, output wire x_ready,
  output wire [15:0] y_data, output wire y_valid, input wire y_ready
);
  localparam [15:0] ADD = BIAS[15:0];
  reg full;
  reg signed [7:0] x;
  wire signed [15:0] wide = {{8{x[7]}}, x};
  assign y_valid = full;
  assign y_data = wide * wide + ADD;
  assign x_ready = !full || y_ready;
  always @(posedge clk) begin
    if (rst) full <= 1'b0;
    else if (x_ready) full <= x_valid;
    if (x_ready) x <= x_data;
  end
endmodule
`;

/** The integer square root, five clocks later, by Math.sqrt: no text of the language. */
class Root extends BlackBox {
  readonly x = this.channelIn(u16);
  readonly y = this.channelOut(u8);
  readonly verilog: VerilogSource = { module: "root", text: root };
  constructor(parent: Module, name: string) {
    super(parent, name);
    this.clocked(this.run);
  }
  *run(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      yield* clocks(5);
      yield* this.y.push(u8(Math.floor(Math.sqrt(x))));
      yield;
    }
  }
}

const root = `
module root (
  input wire clk,
  input wire rst,
  input wire [15:0] x_data, input wire x_valid, output wire x_ready,
  output wire [7:0] y_data, output wire y_valid, input wire y_ready,
  // In a clock that ends inside, though nothing moves at a port.
  output wire busy
);
  reg [2:0] left;
  reg full;
  reg [15:0] x;
  reg [7:0] r;
  integer i;
  always @* begin
    r = 8'd0;
    for (i = 7; i >= 0; i = i - 1)
      if ({8'd0, r | (8'd1 << i)} * {8'd0, r | (8'd1 << i)} <= x) r = r | (8'd1 << i);
  end
  assign x_ready = !full && !rst;
  assign y_valid = full && left == 3'd0;
  assign y_data = r;
  assign busy = full && left != 3'd0;
  always @(posedge clk)
    if (rst) full <= 1'b0;
    else if (!full) begin
      full <= x_valid;
      x <= x_data;
      left <= 3'd4;
    end else if (left != 3'd0) left <= left - 3'd1;
    else if (y_ready) full <= 1'b0;
endmodule
`;

/** Two squares with different parameters behind each other, the second of what the first left, in eight bits. */
class Squares extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(i8);
  readonly out = this.channelOut(i16);
  readonly first = new Square(this, "first", 3);
  readonly second = new Square(this, "second", -7 & 0xffff);
  constructor() {
    super(null, "squares");
    this.connect(this.in, this.first.x);
    this.connect(this.second.y, this.out);
    const link = new Halve(this, "link");
    this.connect(this.first.y, link.x);
    this.connect(link.y, this.second.x);
  }
}

class Halve extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(i16);
  readonly y = this.channelOut(i8);
  constructor(parent: Module, name: string) {
    super(parent, name);
    this.clocked(this.run);
  }
  *run(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      yield* this.y.push(i8(x));
      yield;
    }
  }
}

class Roots extends Module {
  readonly in = this.channelIn(u16);
  readonly out = this.channelOut(u8);
  constructor() {
    super(null, "roots");
    const box = new Root(this, "box");
    this.connect(this.in, box.x);
    this.connect(box.y, this.out);
  }
}

const runs = (seed: number, limit: number): RtlRun => {
  const draw = random(seed);
  const gaps = (): number[] => (draw(2) === 0 ? [] : Array.from({ length: 5 }, () => draw(4)));
  return {
    inputs: { in: { values: Array.from({ length: 40 }, () => draw(limit) - (limit === 256 ? 128 : 0)), gaps: gaps() } },
    outputs: { out: { gaps: gaps() } },
  };
};

const seeds = Array.from(
  { length: Number(process.env["TANDEM_CASES"] ?? 4) },
  (_, i) => i + Number(process.env["TANDEM_SEED"] ?? 0),
);

describe("A black box", function () {
  this.timeout(120_000);
  for (const simulator of ["icarus", "verilator"] satisfies SimulatorName[])
    for (const [what, make, limit] of [
      ["with parameters, beside generated modules", () => new Squares(), 256],
      ["that moves inside, with a model that is no text of the language", () => new Roots(), 65536],
    ] as const)
      it(`${what}: the model's data and clocks under ${simulator}`, async function () {
        if (simulatorVersion(simulator) === undefined) this.skip();
        const { ir, diagnostics } = await checkDesign(elaborate(make()), { rtl: true });
        expect(diagnostics).to.deep.equal([]);
        const design = emitVerilog(ir);
        const built = await buildSimulator(design, { simulator });
        for (const seed of seeds) {
          const run = runs(seed, limit);
          const kernel = runKernel(make(), run);
          const rtl = await runSimulator(built, design, ir.design, run);
          expect({ clocks: rtl.clocks, outputs: rtl.outputs, unknown: rtl.unknown }, `seed ${seed}`).to.deep.equal({
            clocks: kernel.clocks,
            outputs: kernel.outputs,
            unknown: [],
          });
        }
      });

  it("runs in the fast engine where its model is text of the language", async () => {
    const run = runs(1, 256);
    const { ir } = await readDesign(elaborate(new Squares()));
    const engine = new FastEngine(ir);
    const { values, gaps } = run.inputs!["in"]!;
    engine.send(
      "in",
      values,
      Array.from({ length: values.length }, (_, i) => gaps?.[i % gaps.length] ?? 0),
    );
    engine.output("out", 40);
    const clocks = engine.run();
    const kernel = runKernel(new Squares(), { inputs: run.inputs!, outputs: {} });
    expect(engine.values("out")).to.deep.equal(kernel.outputs["out"]!);
    expect(clocks).to.equal(kernel.clocks);
  });

  it("is refused by the fast engine, with the reason, where it is not", async () => {
    const { ir } = await readDesign(elaborate(new Roots()));
    expect(() => new FastEngine(ir)).to.throw(
      TandemError,
      /roots\.box\.run, the model of a black box: .*cannot be read/,
    );
  });

  it("may not hold an estimate: its clocks would not be those of its Verilog", async () => {
    class Guess extends Square {
      static override readonly source = import.meta.url;
      override *run(): Process {
        const x = yield* this.x.pop();
        yield* this.estimate(3);
        yield* this.y.push(i16(x));
      }
    }
    class Top extends Module {
      readonly in = this.channelIn(i8);
      readonly out = this.channelOut(i16);
      constructor() {
        super(null, "top");
        const box = new Guess(this, "box", 0);
        this.connect(this.in, box.x);
        this.connect(box.y, this.out);
      }
    }
    const { ir } = await readDesign(elaborate(new Top()));
    expect(() => emitVerilog(ir)).to.throw(TandemError, "holds an estimate");
  });

  describe("is checked against its Verilog:", () => {
    const refused = async (change: Partial<VerilogSource>): Promise<string> => {
      const top = new Squares();
      (top.first as { verilog: VerilogSource }).verilog = { ...top.first.verilog, ...change };
      const { ir, diagnostics } = await checkDesign(elaborate(top));
      expect(diagnostics.map(({ rule }) => rule)).to.include("black-box");
      expect(() => emitVerilog(ir)).to.throw(TandemError, diagnostics[0]!.message);
      return `${diagnostics[0]!.at.line}: ${diagnostics[0]!.message}`;
    };
    it("a module that is not there", async () => {
      expect(await refused({ module: "cube" })).to.equal("1: there is no module cube");
    });
    it("a file that is not there", async () => {
      const { text: _, ...rest } = new Squares().first.verilog;
      const top = new Squares();
      (top.first as { verilog: VerilogSource }).verilog = { ...rest, file: new URL("file:///nowhere/square.v") };
      const { diagnostics } = await checkDesign(elaborate(top));
      expect(diagnostics[0]!.message).to.match(/^squares\.first: ENOENT/);
    });
    it("a port that is missing, or of another width or direction, or unknown", async () => {
      expect(await refused({ text: square.replace(", output wire x_ready", "") })).to.contain(
        "no port x_ready (output, 1 bit)",
      );
      expect(await refused({ text: square.replace("[15:0] y_data", "[16:0] y_data") })).to.equal(
        "2: module square has y_data with 17 bits; the channel has 16",
      );
      expect(await refused({ text: square.replace("input wire x_valid", "output wire x_valid") })).to.contain(
        "x_valid as output, not input",
      );
      expect(await refused({ text: square.replace("input wire rst,", "input wire rst, input wire en,") })).to.contain(
        "a port en",
      );
    });
    it("a parameter that it does not have", async () => {
      expect(await refused({ parameters: { GAIN: 2 } })).to.contain("has no parameter GAIN");
    });
  });
});
