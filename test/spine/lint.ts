/** `verilator --lint-only -Wall` over the Verilog of configurations: it finds nothing. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readVerilog } from "../../driver/transport/rtl-simulator.js";
import { elaborate } from "../../hw/index.js";
import { installed } from "./engines.js";
import type { Configuration } from "./pool.js";
import type { Progress, Row } from "./report.js";

/** What Verilator complains about; empty where it finds nothing. */
export async function lint({ design, parameters }: Configuration): Promise<string> {
  const verilog = await readVerilog(elaborate(design.build(design.configure(parameters))));
  const folder = mkdtempSync(join(tmpdir(), "tandem-lint-"));
  try {
    for (const [name, text] of verilog.files) writeFileSync(join(folder, name), text);
    const args = ["--lint-only", "-Wall", "--top-module", verilog.top, ...verilog.files.keys()];
    const { status, stderr } = spawnSync("verilator", args, { cwd: folder, encoding: "utf8" });
    return status === 0 ? stderr : `${stderr}\nexit code ${status}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function runLint(name: string, pool: readonly Configuration[], progress: Progress): Promise<Row> {
  const row = { part: `${name}, lint`, cases: 0, clocks: undefined, differences: 0 };
  if (!installed("verilator")) return { ...row, note: "left out: verilator is not installed" };
  for (const [i, configuration] of pool.entries()) {
    progress.step(`${configuration.label}: verilator --lint-only -Wall`, i / pool.length);
    const complaints = await lint(configuration);
    row.cases++;
    if (complaints === "") continue;
    row.differences++;
    progress.difference(`${configuration.label}: verilator --lint-only -Wall\n${complaints}`);
  }
  return { ...row, note: "verilator --lint-only -Wall" };
}
