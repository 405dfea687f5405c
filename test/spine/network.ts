/**
 * A whole network on every design as it is by default: ResNet-8's golden bytes with its convolutions in the generated Verilog
 * under Verilator, and the clocks and stalls of every layer in kernel, fast and rtl.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Report } from "../../host/report/report.js";
import { tandem } from "../host/support/cli.js";
import { goldenPath, modelPath } from "../host/support/shared.js";
import { firstDifference } from "../support/difference.js";
import { installed } from "./engines.js";
import type { Progress, Row } from "./report.js";

const MODEL = "resnet8_cifar10_int8";

export async function runNetwork(design: string, progress: Progress): Promise<Row> {
  const part = `ResNet-8 on ${design}`;
  const row = { part, cases: 0, clocks: 0, differences: 0 };
  if (!existsSync(modelPath(MODEL))) return { ...row, note: "left out: ../shared is not there" };
  const engines = ["kernel", "fast", ...(installed("verilator") ? ["rtl"] : [])];
  const folder = mkdtempSync(join(tmpdir(), "tandem-network-"));
  try {
    const reports: Report[] = [];
    for (const [i, engine] of engines.entries()) {
      progress.step(`${part} under ${engine}`, i / engines.length);
      const json = join(folder, `${engine}.json`);
      await succeed(["run", modelPath(MODEL), "--design", design, "--engine", engine, "--json", json]);
      reports.push(JSON.parse(readFileSync(json, "utf8")) as Report);
    }
    const last = engines.at(-1)!;
    await succeed(["verify", modelPath(MODEL), "--golden", goldenPath(MODEL), "--design", design, "--engine", last]);
    const [kernel, ...others] = reports.map(({ output, layers }) => ({
      output,
      layers: layers.map(({ on, clocks, stalls, bytesIn, bytesOut }) => ({ on, clocks, stalls, bytesIn, bytesOut })),
    }));
    others.forEach((other, i) => {
      const difference = firstDifference(kernel, other, "");
      if (difference === undefined) return;
      row.differences++;
      progress.difference(`${part}: kernel against ${engines[i + 1]!}: ${difference}`);
    });
    const { clocks, layers } = reports[0]!;
    return {
      ...row,
      cases: layers.length,
      clocks: clocks.total,
      note: `${engines.join(", ")}; golden bytes under ${last}`,
    };
  } catch (error) {
    progress.difference(`${part}: ${error instanceof Error ? error.message : String(error)}`);
    return { ...row, differences: row.differences + 1, note: engines.join(", ") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function succeed(args: readonly string[]): Promise<void> {
  const { code, stderr } = await tandem(args);
  if (code !== 0) throw new Error(`tandem ${args.join(" ")}: exit code ${code}: ${stderr.trim()}`);
}
