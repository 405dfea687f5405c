/** The layers of a report as CSV, one line each, for spreadsheets. */
import { stringify } from "csv-stringify/sync";
import type { Report } from "./report.js";

const COLUMNS = [
  "index",
  "name",
  "operator",
  "on",
  "implementation",
  "reason",
  "shape",
  "macs",
  "clocks",
  "macPerClock",
  "bytesIn",
  "bytesOut",
  "wallMs",
] as const;

export function layersCsv(report: Report): string {
  const rows = report.layers.map((layer) => ({ ...layer, shape: layer.shape.join("x") }));
  // A cell that starts like a formula is quoted, so that a spreadsheet does not run a layer's name.
  return stringify(rows, { header: true, columns: [...COLUMNS], escape_formulas: true });
}
