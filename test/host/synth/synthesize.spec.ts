import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { i16, i32, i8, Module, mulPair, uint, vec, type Process } from "../../../hw/index.js";
import { ADDERS, map, SYNTH } from "../../../host/synth/mapping.js";
import { runYosysJob } from "../../../host/synth/yosys.js";
import { blocks36, countResources, useOf } from "../../../host/synth/resources.js";
import { synthesize } from "../../../host/synth/synthesize.js";
import { verilogOf } from "../../sim/rtl/compare.js";
import type { VerilogDesign } from "../../../hw/verilog/design.js";
import { MacCell } from "../../hw/language/examples.js";

const u10 = uint(10);

/** A block RAM, one packed pair of products, and one cell of an array. */
class Inference extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(vec(i8, 4));
  readonly out = this.channelOut(vec(i16, 2));
  readonly store = this.memory(i32, 1024);
  readonly wr = this.store.writePort();
  readonly rd = this.store.readPort();
  readonly sums = this.channelOut(vec(i32, 1));
  readonly cells = this.grid(1, 1, new MacCell());
  constructor() {
    super(null, "inference");
    this.connect(this.cells.results, this.sums);
    this.clocked(this.run);
  }
  *run(): Process {
    for (let i = u10(0); ; i = u10(i + 1)) {
      const x = yield* this.in.pop();
      this.wr.write(i, i32(x[3]! + i));
      yield;
      this.rd.read(i);
      this.cells.feed([{ a: x[0]!, first: i === 0, last: i === 9 }], [x[1]!]);
      const [p, q] = mulPair(x[0]!, x[1]!, x[2]!);
      yield;
      yield* this.out.push([i16(p + this.rd.q), q]);
    }
  }
}

/** Two products of differences with a number. */
class Differences extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(vec(i8, 4));
  readonly out = this.channelOut(vec(i16, 2));
  constructor() {
    super(null, "differences");
    this.clocked(this.run);
  }
  *run(): Process {
    for (;;) {
      const x = yield* this.in.pop();
      const [p, q] = mulPair(x[0]!, x[1]! - x[3]!, x[2]! - x[3]!);
      yield* this.out.push([p, q]);
      yield;
    }
  }
}

/** Adds a constant to what comes. */
class Adder extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(u10);
  readonly out = this.channelOut(u10);
  readonly add: number;
  constructor(parent: Module, name: string, add: number) {
    super(parent, name);
    this.add = add;
    this.clocked(this.run);
  }
  *run(): Process {
    for (;;) {
      const x = yield* this.in.pop();
      yield* this.out.push(u10(x + this.add));
      yield;
    }
  }
}

class Doubler extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(u10);
  readonly out = this.channelOut(u10);
  constructor(parent: Module, name: string) {
    super(parent, name);
    this.clocked(this.run);
  }
  *run(): Process {
    for (;;) {
      const x = yield* this.in.pop();
      yield* this.out.push(u10(x * 2));
      yield;
    }
  }
}

class Chain extends Module {
  readonly in = this.channelIn(u10);
  readonly out = this.channelOut(u10);
  constructor(add: number) {
    super(null, "chain");
    const adder = new Adder(this, "adder", add);
    const doubler = new Doubler(this, "doubler");
    this.connect(this.in, adder.in);
    this.connect(adder.out, doubler.in);
    this.connect(doubler.out, this.out);
  }
}

describe("Synthesis", function () {
  this.timeout(240_000);
  let cache: string;
  before(() => (cache = mkdtempSync(join(tmpdir(), "tandem-synth-"))));
  after(() => rmSync(cache, { recursive: true }));

  it("counts look-up tables of logic, memories and shift registers, and both kinds of block RAM", () => {
    const { resources, unknown } = countResources({
      LUT6: 3,
      RAM32M: 2,
      SRL16E: 1,
      FDRE: 5,
      RAMB18E1: 3,
      RAMB36E1: 1,
      CARRY4: 9,
      ODD: 1,
    });
    expect(resources).to.deep.equal({ lut: 12, ff: 5, dsp: 0, ramb36: 1, ramb18: 3 });
    expect(blocks36(resources)).to.equal(3);
    expect(unknown).to.deep.equal(["ODD"]);
  });

  it("says what does not fit", () => {
    const uses = useOf({ lut: 53_201, ff: 106_400, dsp: 256, ramb36: 140, ramb18: 0 });
    expect(uses.filter(({ fits }) => !fits).map(({ name }) => name)).to.deep.equal(["LUT", "DSP48E1"]);
  });

  it("makes a memory block RAM, a mulPair one DSP48E1 and a cell with its accumulator another, and finds the result again in its cache", async () => {
    const design = await verilogOf(new Inference());
    const first = await synthesize(design, cache);
    expect(first.cached).to.equal(false);
    expect(blocks36(first.resources)).to.equal(1);
    expect(first.resources.dsp).to.equal(2);
    const cell = first.modules.find(({ name }) => name === "MacCell")!;
    // Product, sum and accumulator: the 32 bits of the accumulator are the P register.
    expect(cell.own.dsp).to.equal(1);
    expect(cell.own.ff).to.be.below(32);
    expect(first.unknown).to.deep.equal([]);
    expect(first.longestPath.ns).to.be.above(1);
    const second = await synthesize(design, cache);
    expect(second).to.deep.equal({ ...first, cached: true });
  });

  it("makes a mulPair of differences, nine bits each, one DSP48E1", async () => {
    const { resources } = await synthesize(await verilogOf(new Differences()), cache);
    expect(resources.dsp).to.equal(1);
  });

  it("loses nothing of a chain of multiplexers, and adds and subtracts with and without sign", async () => {
    // `synth_xilinx -widemux 5` of Yosys 0.55 makes of it a multiplexer whose choice is unknown, and then nothing.
    const text = (name: string): string =>
      `module ${name} (input wire v, u, t, s, input wire [7:0] a, b, c, output wire [7:0] y, output wire [10:0] z, w, n, m);
  assign y = v ? (u ? c : t ? (s ? a : b) : c) : c;
  assign z = $signed(a) - $signed(b) + $signed(c) - $signed(a[3:0]);
  assign w = a + b - c[6:0] + 11'd5;
  // The narrower operand second: it is put first.
  assign n = $signed({a, 2'd0}) + $signed(b[3:0]);
  assign m = {a, 2'd0} + b[3:0];
endmodule
`;
    const [mapped] = await map([{ text, children: new Map() }]);
    const { resources } = countResources(mapped!.cells);
    // A bit depends on seven inputs: one table is too few.
    expect(resources.lut).to.be.at.least(8 + 1);
    const netlist = await runYosysJob({
      files: { "chain.v": text("chain"), "adders.v": ADDERS },
      script: [
        "read_verilog chain.v; prep -top chain; rename chain gold; design -stash gold; read_verilog chain.v",
        SYNTH.replaceAll("tandem_batch", "chain"),
        "read_verilog -overwrite +/xilinx/cells_sim.v; hierarchy -top chain; proc; flatten; rename chain gate; design -copy-from gold gold",
        "miter -equiv -flatten -make_outputs gold gate miter; hierarchy -top miter",
        "tee -q -o proof.txt sat -prove trigger 0 -set-def-inputs miter",
      ].join("; "),
      wanted: ["proof.txt"],
    });
    expect(netlist["proof.txt"]).to.include("SUCCESS");
  });

  it("makes of a sum whose wider operand is chosen no more than a table a bit, whichever operand comes first", async () => {
    const text =
      (sum: string) =>
      (name: string): string =>
        `module ${name} (input wire first, input wire signed [31:0] old, input wire signed [15:0] more, output wire [31:0] y);
  wire signed [31:0] kept = first ? 32'sd0 : old;
  assign y = ${sum};
endmodule
`;
    for (const sum of ["kept + more", "more + kept"]) {
      const [mapped] = await map([{ text: text(sum), children: new Map() }]);
      // Thirty-two, and what is in front of the carry chain.
      expect(countResources(mapped!.cells).resources.lut, sum).to.be.within(32, 36);
    }
  });

  describe("after a change", () => {
    /** Modules that Yosys was asked to map. */
    async function mapped(verilog: VerilogDesign): Promise<string[]> {
      const names: string[] = [];
      await synthesize(verilog, cache, (_, total, batch) => {
        if (total > 0) names.push(...batch);
      });
      return names;
    }

    it("maps what the change was in, and nothing else", async () => {
      const chain = await verilogOf(new Chain(3));
      expect(await mapped(chain)).to.include.members(["Chain", "Adder", "Adder_run", "Doubler", "Doubler_run"]);
      expect(await mapped(chain)).to.deep.equal([]);
      expect(await mapped(await verilogOf(new Chain(5)))).to.deep.equal(["Adder_run"]);
      expect(await mapped(chain), "the change taken back").to.deep.equal([]);
    });

    it("maps nothing where the source has only moved within its file", async () => {
      const chain = await verilogOf(new Chain(3));
      const move = (text: string): string =>
        text.replace(/(_L|\.ts:)(\d+)/g, (_, by: string, line: string) => `${by}${Number(line) + 7}`);
      const moved = new Map([...chain.files].map(([name, text]) => [name, move(text)]));
      expect([...moved.values()]).not.to.deep.equal([...chain.files.values()]);
      expect(await mapped({ ...chain, files: moved })).to.deep.equal([]);
    });
  });
});
