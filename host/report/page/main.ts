/** The page of a report: reads the data that stands in the page itself, and draws. Nothing is fetched. */
import type { Certainty } from "../../../sim/platform/constant.js";
import type { PageData } from "./data.js";
import { badge, element, number, percent } from "./elements.js";
import { energy, roofline, rowsOf, timeline, timePerLayer } from "./figures.js";
import { layerTable } from "./layer-table.js";
import { overTime } from "./over-time.js";

const data = JSON.parse(document.getElementById("data")!.textContent) as PageData;

interface Tile {
  readonly name: string;
  readonly value: string;
  /** Behind the value, smaller. */
  readonly note?: string;
  readonly certainty: Certainty;
  readonly formula: string;
}

function tiles(): HTMLElement {
  const { report, profile } = data;
  const exact = report.clocks.exact ? "exact" : "estimated";
  const peak = profile.peakMacsPerClock;
  const least = profile.layers.reduce((sum, layer) => sum + (layer.least?.clocks ?? 0), 0);
  const rate = report.clocks.total > 0 ? report.offloadedMacs / report.clocks.total : 0;
  const list: Tile[] = [
    {
      name: "latency",
      value: `${number(profile.latencyMs)} ms`,
      certainty: "estimated",
      formula: "end of the last activity of the schedule",
    },
    {
      name: "energy",
      value: `${number(profile.energyJ * 1e3)} mJ`,
      certainty: "estimated",
      formula: "sum over layers and components",
    },
    {
      name: "mean power",
      value: `${number((profile.energyJ / profile.latencyMs) * 1e3)} W`,
      certainty: "estimated",
      formula: "energy / latency",
    },
    ...(peak === null
      ? []
      : [
          {
            name: "clocks",
            value: report.clocks.total.toLocaleString("en-US"),
            certainty: exact,
            formula: "sum over the layers on the accelerator, memory and DMA included",
          } as const,
          {
            name: "MAC per clock",
            value: number(rate),
            note: `${percent(rate / peak)} of peak`,
            certainty: exact,
            formula: "offloaded MACs / clocks; peak = MACs per clock of the hardware",
          } as const,
          ...(least === 0
            ? []
            : [
                {
                  name: "least clocks",
                  value: least.toLocaleString("en-US"),
                  note: `${percent(report.offloadedMacs / least / peak)} of peak`,
                  certainty: "estimated",
                  formula: "sum over the layers of what no schedule of this hardware at this memory can beat",
                } as const,
              ]),
          {
            name: "offloaded",
            value: percent(report.offloadedMacs / report.macs),
            note: "of MACs",
            certainty: "exact",
            formula: "MACs on the accelerator / MACs of all layers",
          } as const,
          ...(report.realTime
            ? [
                {
                  name: "real-time factor",
                  value: number(report.realTime.factor),
                  certainty: "measured",
                  formula: `predicted latency / wall time of the simulation here (${number(report.realTime.wallMs)} ms), CPU layers included`,
                } as const,
              ]
            : []),
        ]),
  ];
  return element(
    "dl",
    { class: "tiles" },
    list.map(({ name, value, note, certainty, formula }) =>
      element("div", { title: formula, tabindex: "0" }, [
        element("dt", {}, [name, " ", badge(certainty)]),
        element("dd", {}, note === undefined ? [value] : [value, " ", element("small", {}, [note])]),
      ]),
    ),
  );
}

function constants(): HTMLElement {
  const rows = data.constants.map(({ name, value, unit, evidence, source }) =>
    element(
      "tr",
      {},
      [name, `${String(value)} ${unit}`, evidence, source].map((text) => element("td", {}, [text])),
    ),
  );
  const head = ["constant", "value", "evidence", "source"].map((text) => element("th", { scope: "col" }, [text]));
  return element("section", { id: "constants" }, [
    element("h2", {}, ["Constants of the board"]),
    element("details", {}, [
      element("summary", {}, [`${rows.length} constants with their evidence`]),
      element("div", { class: "scroll", tabindex: "0" }, [
        element("table", { class: "words" }, [
          element("thead", {}, [element("tr", {}, head)]),
          element("tbody", {}, rows),
        ]),
      ]),
    ]),
  ]);
}

const { report, profile } = data;
const rows = rowsOf(data);
const configuration = Object.entries(report.config).map(([name, value]) => `${name}=${String(value)}`);
document.title = `${report.model} on ${report.design ?? "the CPU"}`;
document.body.append(
  element("header", {}, [
    element("h1", {}, [report.model]),
    element("p", {}, [
      `${report.design ?? "CPU only"}${configuration.length > 0 ? ` (${configuration.join(", ")})` : ""}; engine ${report.engine}; ` +
        `platform ${profile.platform}, PL ${profile.plClockMHz} MHz, ${profile.threads} thread${profile.threads > 1 ? "s" : ""}; Tandem ${report.tandem}`,
    ]),
  ]),
  element("main", {}, [
    tiles(),
    timePerLayer(data, rows),
    layerTable(data, rows),
    ...[roofline(data, rows) ?? []].flat(),
    energy(data, rows),
    timeline(data),
    ...[overTime(data, rows) ?? []].flat(),
    constants(),
  ]),
);
document.body.dataset["drawn"] = "true";
