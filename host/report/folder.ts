/** `--report DIR`: layers.csv, report.json, index.html and trace.perfetto-trace in one folder. */
import { join } from "node:path";
import type { BoardValues } from "../../sim/platform/platform.js";
import type { LayerRun } from "../runtime/executor.js";
import { layersCsv } from "./csv.js";
import { reportPage } from "./html.js";
import { perfettoTrace } from "./perfetto.js";
import type { Profile } from "./profile.js";
import type { Report } from "./report.js";

/** Everything is made before anything is written, so that an error leaves no half a report. */
export function reportFiles(
  folder: string,
  report: Report,
  profile: Profile,
  runs: readonly LayerRun[],
  board: BoardValues,
): { path: string; content: string | Uint8Array }[] {
  return [
    { path: join(folder, "layers.csv"), content: layersCsv(report) },
    { path: join(folder, "report.json"), content: `${JSON.stringify(report, null, 2)}\n` },
    { path: join(folder, "index.html"), content: reportPage(report, profile, runs, board) },
    { path: join(folder, "trace.perfetto-trace"), content: perfettoTrace(profile, runs) },
  ];
}
