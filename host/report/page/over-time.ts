/** Inside one layer: what the processes did and what the channels held, clock by clock, for a layer that the reader picks. */
import * as Plot from "@observablehq/plot";
import uPlot from "uplot";
import type { LayerOverTime, PageData } from "./data.js";
import { element, figure, section } from "./elements.js";
import { MARGIN, type Row } from "./figures.js";

const WIDTH = 960;
const CHANNELS = 8;
const lines = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#9c6b4e"];

export function overTime(data: PageData, rows: readonly Row[]): HTMLElement | undefined {
  if (data.overTime.length === 0) return undefined;
  const label = (index: number): string => rows.find(({ layer }) => layer.index === index)?.label ?? String(index);
  const select = element(
    "select",
    { id: "layer-choice" },
    data.overTime.map(({ index }) => element("option", { value: String(index) }, [label(index)])),
  );
  const place = element("div", { "aria-live": "polite" });
  const draw = (): void => {
    const chosen = data.overTime.find(({ index }) => String(index) === select.value)!;
    place.replaceChildren(busy(chosen), occupancy(chosen));
  };
  const longest = [...data.overTime].sort((a, b) => b.clocks - a.clocks)[0]!;
  select.value = String(longest.index);
  select.addEventListener("change", draw);
  draw();
  return section(
    {
      id: "inside",
      title: "Inside a layer",
      certainty: data.report.clocks.exact ? "exact" : "estimated",
      caption: "Above: the stronger the colour, the busier the process. Below: tokens held by the larger channels.",
      formula:
        "Per bin of clocks: busy = clocks that ended at a yield / clocks of the bin; held = mean tokens at the ends of the clocks. Both are the " +
        "engine's own counters.",
    },
    [element("p", { class: "choice" }, [element("label", { for: "layer-choice" }, ["Layer "]), select]), place],
  );
}

function busy({ index, clocks, timeline }: LayerOverTime): HTMLElement {
  const short = (path: string): string => path.split(".").slice(1).join(".");
  const cells = timeline.processes.flatMap(({ path, busy: series }) =>
    series.map((count, bin) => {
      const from = bin * timeline.binClocks;
      const to = Math.min(clocks, from + timeline.binClocks);
      const share = count / (to - from);
      return {
        path: short(path),
        from,
        to,
        share,
        title: `${short(path)}\nclocks ${from} to ${to}: busy ${(share * 100).toFixed(0)} %`,
      };
    }),
  );
  const plot = Plot.plot({
    width: WIDTH,
    height: timeline.processes.length * 16 + 70,
    marginLeft: 190,
    marginBottom: MARGIN,
    style: { fontSize: "11px", background: "transparent", color: "currentColor" },
    x: { label: "clock →" },
    y: { label: null, domain: timeline.processes.map(({ path }) => short(path)), tickSize: 0 },
    opacity: { domain: [0, 1], range: [0.06, 1] },
    marks: [
      Plot.barX(cells, {
        x1: "from",
        x2: "to",
        y: "path",
        fill: lines[0]!,
        fillOpacity: "share",
        title: "title",
        insetTop: 1,
        insetBottom: 1,
      }),
    ],
  });
  return figure(`Layer ${index}: how busy each process was over the layer's clocks`, plot);
}

function occupancy({ index, timeline }: LayerOverTime): HTMLElement {
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const channels = timeline.channels
    .filter(({ depth, held }) => depth >= 4 && held.some((value) => value > 0))
    .sort((a, b) => mean(b.held) - mean(a.held))
    .slice(0, CHANNELS);
  const host = element("div", { class: "uplot-host" });
  const clocks = Array.from({ length: timeline.bins }, (_, bin) => (bin + 0.5) * timeline.binClocks);
  const ink = getComputedStyle(document.body).color;
  const axis = { stroke: ink, grid: { stroke: "rgba(128,128,128,0.25)" }, ticks: { stroke: "rgba(128,128,128,0.4)" } };
  new uPlot(
    {
      width: WIDTH,
      height: 260,
      scales: { x: { time: false } },
      axes: [
        { ...axis, label: "clock" },
        { ...axis, label: "tokens held (mean of bin)" },
      ],
      series: [
        { label: "clock" },
        ...channels.map(({ path, depth }, i) => ({
          label: `${path.split(".").slice(1).join(".")} (of ${depth})`,
          stroke: lines[i % lines.length]!,
          width: 2,
          value: (_: uPlot, value: number | null) => (value === null ? "" : value.toFixed(1)),
        })),
      ],
    },
    [clocks, ...channels.map(({ held }) => [...held])],
    host,
  );
  return figure(`Layer ${index}: tokens in channels over the layer's clocks`, host);
}
