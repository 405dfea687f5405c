/** The layers of a report as CSV, one line each, for spreadsheets. */
import { stringify } from "csv-stringify/sync";
import { totalEnergy } from "../../sim/platform/energy.js";
import { parts } from "./bounds.js";
import type { LayerProfile } from "./profile.js";
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

/** More columns for a run on a board; milliseconds and millijoules, estimated. */
const BOARD_COLUMNS = [
  "startMs",
  "endMs",
  "bound",
  "savesMs",
  "leastClocks",
  "leastBy",
  "leastStream",
  "lostClocks",
  ...parts.map((part) => `${part}Ms`),
  "energyMilliJ",
];

export function layersCsv(report: Report): string {
  const { profile } = report;
  const rows = report.layers.map((layer, i) => ({
    ...layer,
    shape: layer.shape.join("x"),
    ...(profile && boardCells(profile.layers[i]!)),
  }));
  const columns = [...COLUMNS, ...(profile ? BOARD_COLUMNS : [])];
  // A cell that starts like a formula is quoted, so that a spreadsheet does not run a layer's name.
  return stringify(rows, { header: true, columns, escape_formulas: true });
}

function boardCells(profile: LayerProfile): Record<string, string | number> {
  const { startMs, endMs, bound, savesMs, timeMs, energy, least } = profile;
  const times = Object.fromEntries(parts.map((part) => [`${part}Ms`, timeMs[part] ?? 0]));
  const limit = least
    ? { leastClocks: least.clocks, leastBy: least.by, leastStream: least.stream?.name ?? "", lostClocks: least.lost }
    : {};
  return {
    startMs,
    endMs,
    bound,
    savesMs: savesMs[bound] ?? 0,
    ...limit,
    ...times,
    energyMilliJ: totalEnergy(energy) * 1e3,
  };
}
