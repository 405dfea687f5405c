import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect } from "chai";
import type { Report } from "../../../host/report/report.js";
import { tandem } from "../support/cli.js";
import { goldenPath, modelPath, needsShared } from "../support/shared.js";

const schema = JSON.parse(
  readFileSync(new URL("../../../../docs/report.schema.json", import.meta.url), "utf8"),
) as object;

describe("A network on a simulated accelerator", function () {
  this.timeout(180_000);

  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tandem-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  /** Runs the embedded network and gives its report. */
  async function report(...args: string[]): Promise<Report> {
    const path = join(folder, "report.json");
    const { code, stderr } = await tandem(["run", "--json", path, ...args]);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    return JSON.parse(readFileSync(path, "utf8")) as Report;
  }

  it("is what tandem run does by itself: convolutions on the array, the rest on the CPU with the reason", async () => {
    const { code, stdout } = await tandem(["run"]);
    expect(code).to.equal(0);
    expect(stdout).to.match(/\n {2}0\.\d+ {2}7\n/);
    expect(stdout).to.match(
      /\n0 {2}CONV_2D +[\dx]+ +systolic +[\d,]+ +[\d,]+ +[\d.]+ +[\d.]+ % +[\d,]+ +[\d,]+ +[\d.,]+\n/,
    );
    expect(stdout).to.match(/ cpu fast +.* no accelerator SOFTMAX\n/);
    expect(stdout).to.match(
      /\nsystolic: [\d,]+ clocks \(exact\), [\d.]+ % of the MACs, .* of the peak of 256\nfast, rtl: rows=16 cols=16/,
    );
  });

  it("gives the bytes of the CPU, and a report that the schema describes", async () => {
    const [cpu, sim] = [await report("--on", "cpu"), await report()];
    const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
    expect(validate(sim), JSON.stringify(validate.errors)).to.equal(true);
    expect(sim.output).to.deep.equal(cpu.output);
    expect(sim).to.deep.include({ design: "systolic", engine: "fast", level: "rtl" });
    expect(sim.clocks.exact).to.equal(true);
    const offloaded = sim.layers.filter(({ on }) => on === "systolic");
    expect(sim.clocks.total).to.equal(offloaded.reduce((sum, { clocks }) => sum + clocks!, 0));
    expect(sim.offloadedMacs).to.equal(offloaded.reduce((sum, { macs }) => sum + macs, 0));
    for (const { macs, clocks, macPerClock } of offloaded) {
      expect(macPerClock).to.equal(macs / clocks!);
      // No array does more than its peak.
      expect(macPerClock).to.be.below(256);
    }
  });

  it("takes another array by --set alone: other clocks, same bytes", async () => {
    const [default16, small] = [await report(), await report("--set", "rows=8", "--set", "cols=8")];
    expect(small.config).to.include({ rows: 8, cols: 8 });
    expect(small.output).to.deep.equal(default16.output);
    expect(small.clocks.total).to.be.above(default16.clocks.total);
  });

  it("verifies against golden results", async function () {
    needsShared(this);
    const name = "resnet8_cifar10_int8";
    const { code, stdout } = await tandem(["verify", modelPath(name), "--golden", goldenPath(name)]);
    expect(code).to.equal(0);
    expect(stdout).to.match(/16 of 16 operators agree .* \(10 on accelerator, /);
  });
});

describe("The source of a design", () => {
  it("is checked against the rules of the language", async () => {
    for (const args of [["check"], ["check", "designs"], ["check", "systolic"]]) {
      const { code, stdout } = await tandem(args);
      expect(code).to.equal(0);
      expect(stdout).to.match(/systolic\b.*: \d+ processes, \d+ cells?; 0 breaches\n$/);
    }
    expect((await tandem(["check", "abacus"])).code).to.equal(1);
  });

  it("prints as IR, all of it or the processes asked for", async () => {
    const all = await tandem(["ir", "systolic"]);
    expect({ code: all.code, stderr: all.stderr }).to.deep.equal({ code: 0, stderr: "" });
    expect(all.stdout).to.match(/^process systolic\.decoder\.decode\n/);
    expect(all.stdout.match(/^process /gm)).to.have.length.above(10);
    const one = await tandem(["ir", "systolic", "--process", "decoder"]);
    expect(one.stdout.match(/^process .*$/gm)).to.deep.equal(["process systolic.decoder.decode"]);
    const { code, stderr } = await tandem(["ir", "systolic", "--process", "nowhere"]);
    expect(code).to.equal(1);
    expect(stderr).to.match(/has "nowhere" in its name\nThey are systolic\.decoder\.decode, /);
  });
});
