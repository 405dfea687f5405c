import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulatorVersion } from "../../../sim/rtl/tools.js";
import { cases } from "../../sim/rtl/cases.js";
import { verilogOf } from "../../sim/rtl/compare.js";

describe("Generated Verilog is clean under verilator --lint-only -Wall", function () {
  this.timeout(180_000);
  before(function () {
    if (simulatorVersion("verilator") === undefined) this.skip();
  });
  for (const which of cases)
    it(which.name, async () => {
      const design = await verilogOf(which.build());
      const folder = mkdtempSync(join(tmpdir(), "tandem-lint-"));
      try {
        for (const [name, text] of design.files) writeFileSync(join(folder, name), text);
        const args = ["--lint-only", "-Wall", "--top-module", design.top, ...design.files.keys()];
        const { status, stderr } = spawnSync("verilator", args, { cwd: folder, encoding: "utf8" });
        expect(stderr).to.equal("");
        expect(status).to.equal(0);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
});
