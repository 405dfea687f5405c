import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convolve } from "../../../driver/reference.js";
import { SystemCAccelerator } from "../../../driver/systemc/accelerator.js";
import { openSystemC } from "../../../driver/systemc/open.js";
import type { Report } from "../../../host/report/report.js";
import { SystemCEngine } from "../../../sim/systemc-wasm/engine.js";
import { loadProgram } from "../../../sim/systemc-wasm/node-loader.js";
import { buildUserDesign, readUserDesign } from "../../../sim/systemc-wasm/user-design.js";
import { randomLayer, type LayerShape } from "../../designs/layers.js";
import { tandem } from "../../host/support/cli.js";
import { wasmMissing } from "../../systemc/builds.js";
import { exampleDesign, exampleFolder } from "../../systemc/example.js";

const shapes: LayerShape[] = [
  { height: 1, width: 1, inChannels: 5, outChannels: 1 },
  { height: 4, width: 3, inChannels: 16, outChannels: 16 },
  { height: 5, width: 5, inChannels: 3, outChannels: 20, kernel: 3, pad: 1 },
  { height: 7, width: 6, inChannels: 7, outChannels: 33, kernel: 3, stride: 2, pad: 1 },
  { height: 6, width: 6, inChannels: 4, outChannels: 5, kernel: 3, dilation: 2, batch: 2 },
];

describe("A user's accelerator in SystemC", function () {
  this.timeout(600_000);
  let file = "";
  let folder = "";
  before(async function () {
    const missing = wasmMissing();
    if (missing !== null) {
      console.log(`    skipped: ${missing}`);
      this.skip();
    }
    file = await exampleDesign();
    folder = mkdtempSync(join(tmpdir(), "tandem-"));
  });
  after(() => {
    if (folder !== "") rmSync(folder, { recursive: true });
  });

  it("computes random layers to the bit, both types, in a worker", async () => {
    const { accelerator } = await openSystemC(file);
    try {
      for (const [index, shape] of shapes.entries()) {
        for (const dtype of ["int8", "uint8"] as const) {
          const { layer, input } = randomLayer({ ...shape, dtype }, 100 + index);
          const result = await accelerator.run(accelerator.compile(layer), input);
          expect(result.output, `${dtype} ${JSON.stringify(shape)}`).to.deep.equal(convolve(layer, input));
          expect(result.clocks).to.be.greaterThan(result.bytesIn / 4);
        }
      }
    } finally {
      await accelerator.close();
    }
  });

  it("cuts what does not fit into tiles, in columns and in depth", async () => {
    const { design, wasm, glue } = readUserDesign(file);
    const engine = await SystemCEngine.load(await loadProgram({ wasm, glue }), design.clockPeriod);
    const accelerator = new SystemCAccelerator({ ...design, columns: 3, depth: 8 }, engine);
    const { layer, input } = randomLayer({ height: 3, width: 3, inChannels: 11, outChannels: 7, kernel: 2 }, 1);
    const result = await accelerator.run(accelerator.compile(layer), input);
    expect(result.output).to.deep.equal(convolve(layer, input));
  });

  it("runs a network in tandem run, with the bytes of the CPU", async () => {
    const report = async (...args: string[]): Promise<Report> => {
      const path = join(folder, "report.json");
      const { code, stderr } = await tandem(["run", "--json", path, ...args]);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
      return JSON.parse(readFileSync(path, "utf8")) as Report;
    };
    const [cpu, systemc] = [await report("--on", "cpu"), await report("--on", "sim", "--design", file)];
    expect(systemc.output).to.deep.equal(cpu.output);
    expect(systemc.engine).to.equal("systemc");
    expect(systemc.layers.filter(({ on }) => on === "DotProduct")).to.have.length(4);
  });

  it("says what is wrong with a design's file", async () => {
    const bad = join(folder, "bad.systemc.json");
    for (const text of ["{", "{}", JSON.stringify({ ...readUserDesign(file).design, depth: "x" })]) {
      writeFileSync(bad, text);
      const { code, stderr } = await tandem(["run", "--on", "sim", "--design", bad]);
      expect(code).to.equal(1);
      expect(stderr).to.contain("bad.systemc.json");
    }
    const { code, stderr } = await tandem(["run", "--design", file, "--set", "rows=8"]);
    expect(code).to.equal(1);
    expect(stderr).to.match(/no parameters for --set/);
  });

  it("says what is wrong with a user's module", async () => {
    const rejected = async (top: string, source?: string): Promise<string> => {
      const from = source === undefined ? exampleFolder : mkdtempSync(join(folder, "user-"));
      if (source !== undefined) writeFileSync(join(from, "top.h"), source);
      return buildUserDesign(from, top, join(folder, "out")).then(
        () => "built",
        (error: unknown) => String(error),
      );
    };
    expect(await rejected("NoSuchModule")).to.match(/no header in .* declares a module NoSuchModule/);
    expect(await rejected("Top", "#include <systemc>\nstruct Top { int x = ; };")).to.match(
      /em\+\+ failed: .*\n.*top\.h:2/s,
    );
  });
});
