/** Trace files on disk; what stands in them is compared with Accellera's in the pairs (pairs/tracing.ts). */
import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TandemError } from "../../hw/errors.js";
import { Clock, Fifo, ns, ReportError, Simulation } from "../../sim/systemc/index.js";
import { createVcdTraceFile } from "../../sim/systemc/vcd-file.js";

describe("VCD trace files of SystemC models", () => {
  let folder = "";
  before(() => void (folder = mkdtempSync(join(tmpdir(), "tandem-"))));
  after(() => rmSync(folder, { recursive: true }));

  it("are written as NAME.vcd, with every edge of a traced clock", () => {
    const sim = new Simulation();
    sim.reports.print = () => undefined;
    const clk = new Clock(sim, "clk", { period: ns(10) });
    const file = createVcdTraceFile(sim, join(folder, "waves"));
    file.trace(clk, "top.clk");
    sim.start(ns(20));
    file.close();
    const text = readFileSync(join(folder, "waves.vcd"), "utf8");
    expect(text).to.match(/\$scope module top \$end\n\$var wire +1 +aaaaa +clk +\$end/);
    expect(text).to.match(/#5000\n0aaaaa\n\n#10000\n1aaaaa\n\n#15000\n0aaaaa\n\n#20000\n$/);
  });

  it("name the path where they cannot be written", () => {
    const sim = new Simulation();
    const path = join(folder, "no", "such", "waves");
    expect(() => createVcdTraceFile(sim, path)).to.throw(TandemError, `Cannot write ${path}.vcd`);
    expect(sim.tracers).to.deep.equal([]);
  });

  it("refuse what has no value, at the caller's line", () => {
    const sim = new Simulation();
    const fifo = new Fifo<number>(sim, "queue");
    const file = createVcdTraceFile(sim, join(folder, "fifo"));
    expect(() => file.trace(fifo, "queue"))
      .to.throw(ReportError, "'queue' (sc_fifo) has no value")
      .with.nested.property("report.location")
      .that.matches(/vcd-file\.spec/);
  });
});
