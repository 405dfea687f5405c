import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import fc from "fast-check";
import type { Evaluation } from "../../../host/report/evaluate.js";
import type { Report } from "../../../host/report/report.js";
import { approximateBoardClocks } from "../../../sim/platform/approximate.js";
import { boardValues } from "../../../sim/platform/platform.js";
import { tandem } from "../support/cli.js";

const digits = fileURLToPath(new URL("../../../../host/zoo/digits.tflite", import.meta.url));

describe("tandem evaluate", function () {
  this.timeout(120_000);
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
    ]);
    for (const { latencyMs, convMs, otherMs, energyMilliJ } of rows) {
      expect(convMs + otherMs).to.be.closeTo(latencyMs, 1e-9);
      expect(energyMilliJ / latencyMs).to.be.within(1, 4);
    }
    expect(rows[1]!.latencyMs).to.be.lessThan(rows[0]!.latencyMs);
  });

  it("on the kernel, says what tandem run says of the same network", async () => {
    const rows = await evaluate("--engine", "kernel");
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

  it("on the fast engine comes near the kernel's clocks with the board around it", async () => {
    const [fast, kernel] = [await evaluate(), await evaluate("--engine", "kernel")];
    expect(fast[2]!.clocks / kernel[2]!.clocks).to.be.within(0.8, 1.2);
    expect(fast[2]!.clocks).to.not.equal(kernel[2]!.clocks);
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

describe("the board's part, by a formula", () => {
  const board = boardValues();
  it("never makes a run shorter, and grows with bytes and transfers", () => {
    const stream = fc.record({
      direction: fc.constantFrom("in" as const, "out" as const),
      bytes: fc.integer({ min: 8, max: 1_000_000 }),
      transfers: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.array(stream, { minLength: 1 }), (ideal, streams) => {
        const clocks = approximateBoardClocks(ideal, streams, board);
        expect(clocks).to.be.at.least(ideal);
        const more = streams.map((s) => ({ ...s, bytes: 2 * s.bytes, transfers: s.transfers + 1 }));
        expect(approximateBoardClocks(ideal, more, board)).to.be.greaterThan(clocks);
      }),
    );
  });
});
