import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Evaluation } from "../../../host/report/evaluate.js";
import type { Report } from "../../../host/report/report.js";
import { tandem } from "../support/cli.js";

const digits = fileURLToPath(new URL("../../../../host/zoo/digits.tflite", import.meta.url));

describe("tandem evaluate", function () {
  this.timeout(180_000);
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tandem-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  async function evaluate(...args: string[]): Promise<Evaluation[]> {
    const json = join(folder, "table.json");
    const { code, stderr } = await tandem(["evaluate", digits, "--json", json, ...args]);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    return (JSON.parse(readFileSync(json, "utf8")) as { rows: Evaluation[] }).rows;
  }
  async function report(...args: string[]): Promise<Report> {
    const json = join(folder, "run.json");
    const { code } = await tandem(["run", digits, "--json", json, "--platform", "pynq-z1", ...args]);
    expect(code).to.equal(0);
    return JSON.parse(readFileSync(json, "utf8")) as Report;
  }

  it("has the processor and every design, on one and two threads", async () => {
    const rows = await evaluate();
    expect(rows.map(({ design, threads }) => [design, threads])).to.deep.equal([
      [null, 1],
      [null, 2],
      ["systolic", 1],
      ["systolic", 2],
      ["vmac", 1],
      ["vmac", 2],
    ]);
    for (const { latencyMs, convMs, otherMs, energyMilliJ, design, againMs, realTimeFactor } of rows) {
      if (design === null) expect([againMs, realTimeFactor]).to.deep.equal([null, null]);
      else expect(realTimeFactor! * againMs!).to.be.closeTo(latencyMs, 1e-6);
      expect(convMs + otherMs).to.be.closeTo(latencyMs, 1e-9);
      expect(energyMilliJ / latencyMs).to.be.within(1, 4);
    }
    expect(rows[1]!.latencyMs).to.be.lessThan(rows[0]!.latencyMs);
  });

  it("on the kernel, says what tandem run says of the same network", async () => {
    const rows = await evaluate("--engine", "kernel", "--with", "systolic");
    for (const [row, args] of [
      [rows[0]!, ["--on", "cpu"]],
      [rows[2]!, []],
      [rows[3]!, ["--threads", "2"]],
    ] as const) {
      const { profile, clocks } = await report(...args);
      expect(row.latencyMs).to.be.closeTo(profile!.latencyMs, 1e-9);
      expect(row.energyMilliJ).to.be.closeTo(profile!.energyJ * 1e3, 1e-9);
      expect(row.clocks).to.equal(clocks.total);
    }
  });

  it("says the same on both engines, and fewer clocks where streams are ideal", async () => {
    const answers = (rows: Evaluation[]): unknown[] =>
      rows.map((row) => ({ ...row, simulationMs: 0, againMs: 0, realTimeFactor: 0 }));
    const fast = await evaluate();
    expect(answers(fast)).to.deep.equal(answers(await evaluate("--engine", "kernel")));
    const ideal = await evaluate("--platform", "ideal");
    expect(ideal[2]!.clocks).to.be.lessThan(fast[2]!.clocks);
    expect(ideal[0]).to.deep.include({ latencyMs: fast[0]!.latencyMs });
  });

  it("takes presets, and refuses files and designs that are not there", async () => {
    const rows = await evaluate("--with", "systolic/naive");
    expect(rows.at(-1)!.design).to.equal("systolic/naive");
    const absent = await tandem(["evaluate", "--folder", folder]);
    expect(absent.code).to.equal(1);
    expect(absent.stderr).to.match(/mobilenet_v1.*no such file/);
    expect((await tandem(["evaluate", digits, "--with", "nothing"])).code).to.equal(1);
  });
});
