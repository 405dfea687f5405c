/** The per-layer table of a run and its totals, as text. */
import { partTitles, workTitle } from "../report/bounds.js";
import type { Profile } from "../report/profile.js";
import type { LayerReport, Report } from "../report/report.js";
import { shares } from "../report/shares.js";
import { count, factor, fixed, percent, table, type Column } from "./table.js";

/** Of the time: parts below this share are not worth a word. */
const WORTH = 0.02;

/** `peak` is the accelerator's multiply-accumulates per clock; undefined on the CPU alone. */
export function layerTable(report: Report, peak: number | undefined): string {
  const columns: Column<LayerReport>[] = [
    { title: "#", cell: ({ index }) => index },
    { title: "operator", cell: ({ operator }) => operator, align: "left" },
    { title: "output", cell: ({ shape }) => shape.join("x"), align: "left" },
    { title: "on", cell: ({ on, implementation }) => (on === "cpu" ? `cpu ${implementation}` : on), align: "left" },
    { title: "MACs", cell: ({ macs }) => macs || undefined },
    { title: "clocks", cell: ({ clocks }) => clocks },
    { title: "MAC/clock", cell: ({ macPerClock }) => macPerClock && fixed(macPerClock, 1) },
    { title: "of peak", cell: ({ macPerClock }) => (macPerClock && peak ? percent(macPerClock / peak) : undefined) },
    { title: "bytes in", cell: ({ bytesIn }) => bytesIn },
    { title: "bytes out", cell: ({ bytesOut }) => bytesOut },
    { title: "ms", cell: ({ wallMs }) => fixed(wallMs, 2) },
    { title: "why not elsewhere", cell: ({ reason }) => reason, align: "left", width: 60 },
  ];
  return table(report.layers, columns);
}

/** One line for the network, and one for the accelerator if there was one. */
export function totals(report: Report, peak: number | undefined): string[] {
  const { layers, macs, offloadedMacs, clocks, wallMs } = report;
  const lines = [`${count(layers.length)} layers, ${count(macs)} MACs, ${fixed(wallMs, 1)} ms of wall time`];
  if (peak === undefined) return lines;
  const rate = clocks.total > 0 ? offloadedMacs / clocks.total : 0;
  const exactness = clocks.exact
    ? "exact"
    : `not exact: its processes hold ${count(clocks.estimates)} clocks of estimates`;
  const config = Object.entries(report.config).map(([name, value]) => `${name}=${String(value)}`);
  return [
    ...lines,
    `${report.design ?? "accelerator"}: ${count(clocks.total)} clocks (${exactness}), ` +
      `${percent(macs > 0 ? offloadedMacs / macs : 0)} of the MACs, ${fixed(rate, 1)} MAC per clock, ` +
      `${percent(rate / peak)} of the peak of ${count(peak)}`,
    ...(report.realTime
      ? [
          `board: ${ms(report.realTime.boardMs)} ms (estimated); simulated in ${fixed(report.realTime.wallMs, 1)} ms of wall time ` +
            `(the first run of this process, ${inThreads(report.realTime.jobs)}), real-time factor ${factor(report.realTime.factor)}`,
        ]
      : []),
    ...(report.profile ? boundBy(report.profile) : []),
    ...wrap(`${report.engine}, ${report.level ?? ""}:`, config),
  ];
}

const inThreads = (jobs: number): string => (jobs === 1 ? "in one thread" : `in ${jobs} threads`);

const ms = (value: number): string => (value > 0 && value < 1 ? value.toPrecision(2) : fixed(value, 1));

/** Where the network's time goes on the board, the largest parts first. */
function boundBy(profile: Profile): string[] {
  const words = shares(profile)
    .filter(({ share }) => share >= WORTH)
    .map(({ part, share, savesMs, mostly }) => {
      const what = mostly === undefined ? partTitles[part] : `${partTitles[part]} (${workTitle(mostly)})`;
      return `${what} ${percent(share)}, without it ${ms(savesMs)} ms less at most`;
    });
  return wrap(
    "time of the board:",
    words.map((each, i) => (i < words.length - 1 ? `${each};` : each)),
  );
}

/** `words` after `start`, on lines that fit a terminal of the usual width. */
function wrap(start: string, words: readonly string[], width = 110): string[] {
  const lines = [start];
  for (const word of words) {
    const line = `${lines[lines.length - 1]!} ${word}`;
    if (line.length > width) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line;
  }
  return lines;
}
