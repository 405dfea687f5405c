import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Comparison } from "../../../host/report/compare.js";
import type { Report } from "../../../host/report/report.js";
import { tandem } from "../support/cli.js";

describe("tandem compare", function () {
  this.timeout(180_000);
  let folder = "";
  const at = (name: string): string => join(folder, name);
  const read = (name: string): Report => JSON.parse(readFileSync(at(name), "utf8")) as Report;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "tandem-"));
    for (const [name, ...args] of [
      ["large.json", "--platform", "pynq-z1"],
      ["small.json", "--platform", "pynq-z1", "--set", "rows=8"],
      ["ideal.json"],
      ["cpu.json", "--on", "cpu", "--platform", "pynq-z1"],
    ]) {
      const { code, stderr } = await tandem(["run", "--json", at(name!), ...args]);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    }
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  async function compare(...names: string[]): Promise<Comparison> {
    const out = at("comparison.json");
    const { code, stderr } = await tandem(["compare", ...names.map(at), "--json", out]);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    return JSON.parse(readFileSync(out, "utf8")) as Comparison;
  }

  it("names the settings that differ, and only those", async () => {
    const { settings, names } = await compare("large.json", "small.json");
    expect(names).to.deep.equal(["large", "small"]);
    expect(settings).to.deep.equal([{ name: "rows", values: ["16", "8"] }]);
  });

  it("gives the runs' own figures, each with unit, formula and certainty", async () => {
    const { figures, layers, unit } = await compare("large.json", "small.json");
    const latency = figures.find(({ title }) => title === "latency")!;
    expect(latency.values).to.deep.equal(["large.json", "small.json"].map((name) => read(name).profile!.latencyMs));
    for (const { unit: of, formula, certainty } of figures) {
      expect(of).to.not.equal("");
      expect(formula).to.not.equal("");
      for (const each of certainty) expect(each).to.be.oneOf(["exact", "estimated", "measured"]);
    }
    expect(unit).to.equal("ms");
    expect(layers).to.have.length(read("large.json").layers.length);
  });

  it("says why: half of the rows make compute longer", async () => {
    const { layers, byPart } = await compare("large.json", "small.json");
    const compute = byPart.find(({ part }) => part === "compute")!;
    expect(compute.values[1]).to.be.greaterThan(compute.values[0]!);
    expect(layers.some(({ why }) => /compute \+[\d.]+ ms/.test(why[0]!))).to.equal(true);
  });

  it("compares clocks and stalls where a run has no board, and says where a layer ran", async () => {
    const { unit, layers } = await compare("large.json", "ideal.json", "cpu.json");
    expect(unit).to.equal("clocks");
    expect(layers[0]!.values[0]).to.be.greaterThan(layers[0]!.values[1]!);
    expect(layers[0]!.why[1]).to.equal("on cpu instead of systolic");
  });

  it("prints tables side by side", async () => {
    const { stdout } = await tandem(["compare", at("large.json"), at("small.json")]);
    expect(stdout).to.match(/^differs +large +small\nrows +16 +8\n/);
    expect(stdout).to.match(/\nlatency +ms +[\d.]+ +[\d.]+ +\d\.\d\d +estimated/);
  });

  it("refuses what cannot be compared", async () => {
    writeFileSync(at("text.json"), "{");
    writeFileSync(at("other.json"), '{"a":1}');
    const shorter = { ...read("large.json"), layers: read("large.json").layers.slice(1) };
    writeFileSync(at("shorter.json"), JSON.stringify(shorter));
    for (const [name, code, message] of [
      ["text.json", 1, /text\.json: no JSON/],
      ["other.json", 1, /other\.json: not a report/],
      ["absent.json", 1, /absent\.json: cannot be read/],
      ["shorter.json", 1, /shorter\.json: not the network of/],
    ] as const) {
      const outcome = await tandem(["compare", at("large.json"), at(name)]);
      expect(outcome.code, name).to.equal(code);
      expect(outcome.stderr).to.match(message);
      expect(outcome.stderr.trim().split("\n").length).to.be.at.most(2);
    }
    expect((await tandem(["compare", at("large.json")])).code).to.equal(2);
  });
});
