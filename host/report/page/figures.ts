/** The page's figures: one function each, from the data to an element. */
import * as Plot from "@observablehq/plot";
import { between, stretches } from "../clock-times.js";
import type { LayerReport } from "../report.js";
import type { LayerProfile } from "../profile.js";
import { shares } from "../shares.js";
import type { PageData } from "./data.js";
import { figure, legend, number, percent, section } from "./elements.js";

export const partColors: Readonly<Record<string, string>> = {
  compute: "#4269d0",
  input: "#efb118",
  weights: "#ff725c",
  output: "#6cc5b0",
  postProcessing: "#a463f2",
  dmaSetUp: "#9c6b4e",
  pipeline: "#9498a0",
  cpu: "#3ca951",
};
const energyColors: Readonly<Record<string, string>> = {
  board: "#9498a0",
  psIdle: "#97bbf5",
  psActive: "#3ca951",
  plStatic: "#c8b6a6",
  plClock: "#ff8ab7",
  dsp: "#4269d0",
  bram: "#efb118",
  logic: "#a463f2",
  ddr: "#ff725c",
};
const energyTitles: Readonly<Record<string, string>> = {
  board: "board",
  psIdle: "PS idle",
  psActive: "PS active",
  plStatic: "PL static",
  plClock: "PL clock",
  dsp: "PL DSP",
  bram: "PL BRAM",
  logic: "PL logic",
  ddr: "DDR",
};

const WIDTH = 960;
const ROW = 20;
/** Below a plot: the axis and its label, one under the other. */
export const MARGIN = 42;
const style = { fontSize: "12px", background: "transparent", color: "currentColor", overflow: "visible" };

export interface Row {
  readonly layer: LayerReport;
  readonly profile: LayerProfile;
  readonly label: string;
}

export function rowsOf({ report, profile }: PageData): Row[] {
  return profile.layers.map((layerProfile, i) => {
    const layer = report.layers[i]!;
    const operator = layer.operator.toLowerCase().replace(/_2d$/, "").replaceAll("_", " ");
    return { layer, profile: layerProfile, label: `${layer.index}  ${operator}  ${layer.shape.slice(1).join("×")}` };
  });
}

export function timePerLayer(data: PageData, rows: readonly Row[]): HTMLElement {
  const bars = rows.flatMap(({ label, profile }) =>
    Object.entries(profile.timeMs).map(([part, ms]) => ({
      label,
      part,
      ms,
      title: `${label}\n${data.partTitles[part] ?? part}: ${number(ms)} ms\nlayer: ${number(profile.endMs - profile.startMs)} ms`,
    })),
  );
  const used = Object.keys(partColors).filter((part) => bars.some((bar) => bar.part === part));
  const plot = Plot.plot({
    width: WIDTH,
    height: rows.length * ROW + 70,
    marginLeft: 210,
    marginBottom: MARGIN,
    style,
    x: { label: "time (ms) →", grid: true, axis: "both" },
    y: { label: null, domain: rows.map(({ label }) => label), tickSize: 0 },
    color: { domain: used, range: used.map((part) => partColors[part]!) },
    marks: [
      Plot.barX(bars, { x: "ms", y: "label", fill: "part", order: used, title: "title", insetTop: 2, insetBottom: 2 }),
      Plot.ruleX([0]),
    ],
  });
  const whole = shares(data.profile);
  const entries = used.map((part) => {
    const own = whole.find((each) => each.part === part);
    const title = data.partTitles[part] ?? part;
    return { label: own ? `${title} ${percent(own.share)}` : title, color: partColors[part]! };
  });
  return section(
    {
      id: "time",
      title: "Where the time of each layer goes",
      certainty: "estimated",
      caption: "One bar per layer; what stands in a bar adds up to the layer's time on the board.",
      formula:
        "Accelerator: clocks by cause (each clock in which the arithmetic stands still is put down to what it waits for at the " +
        "end of the chain of waiting processes) / PL clock. CPU: time of the layer in which the accelerator does not work. Clocks are " +
        "the design's; times rest on the constants below.",
    },
    [legend(entries), figure("Stacked bars: time of each layer by part, in milliseconds", plot)],
  );
}

export function roofline(data: PageData, rows: readonly Row[]): HTMLElement | undefined {
  const { profile } = data;
  const peak = profile.peakMacsPerClock;
  const points = rows.flatMap(({ layer, label }) => {
    const { macPerClock, bytesIn = 0, bytesOut = 0, macs } = layer;
    if (macPerClock === undefined || macPerClock <= 0 || bytesIn + bytesOut === 0) return [];
    const intensity = macs / (bytesIn + bytesOut);
    return [
      {
        intensity,
        macPerClock,
        label,
        title: `${label}\n${number(intensity)} MAC/byte\n${number(macPerClock)} MAC/clock`,
      },
    ];
  });
  if (peak === null || points.length === 0) return undefined;
  const memory = profile.memoryBytesPerClock;
  const low = Math.min(peak / memory, ...points.map(({ intensity }) => intensity)) / 2;
  const high = Math.max(peak / memory, ...points.map(({ intensity }) => intensity)) * 2;
  const roof = [
    { x: low, y: low * memory },
    { x: peak / memory, y: peak },
    { x: high, y: peak },
  ];
  const plot = Plot.plot({
    width: WIDTH,
    height: 430,
    marginLeft: 60,
    marginBottom: MARGIN,
    marginTop: 34,
    style,
    x: { type: "log", label: "operational intensity (MAC per byte moved) →", grid: true, domain: [low, high] },
    y: {
      type: "log",
      label: "↑ MAC per clock",
      grid: true,
      domain: [Math.min(low * memory, ...points.map((p) => p.macPerClock)) / 1.3, peak * 1.5],
    },
    marks: [
      Plot.line(roof, { x: "x", y: "y", strokeWidth: 2 }),
      Plot.text([{ x: high, y: peak }], {
        x: "x",
        y: "y",
        text: () => `peak ${peak} MAC/clock`,
        textAnchor: "end",
        dy: -9,
      }),
      Plot.text([{ x: low, y: low * memory }], {
        x: "x",
        y: "y",
        text: () => `memory ${number(memory)} bytes/clock`,
        textAnchor: "start",
        dx: 34,
        dy: 4,
      }),
      Plot.dot(points, {
        x: "intensity",
        y: "macPerClock",
        r: 5,
        fill: partColors["compute"]!,
        fillOpacity: 0.7,
        title: "title",
      }),
    ],
  });
  return section(
    {
      id: "roofline",
      title: "Roofline",
      certainty: report(data).clocks.exact ? "exact" : "estimated",
      caption:
        "Each dot is a layer on the accelerator. Under the slope the memory bounds it, under the flat roof the arithmetic.",
      formula:
        "x = MACs / bytes over all streams; y = MACs / clocks; slope = 1 / ddr.read at the PL clock (estimated); flat = peak MACs per clock.",
    },
    [figure("Roofline: layers by operational intensity and rate", plot)],
  );
}
const report = (data: PageData): PageData["report"] => data.report;

export function energy(data: PageData, rows: readonly Row[]): HTMLElement {
  const bars = rows.flatMap(({ label, profile }) =>
    Object.entries(profile.energy).map(([component, joules]) => ({
      label,
      component,
      mJ: joules * 1e3,
      title: `${label}\n${energyTitles[component] ?? component}: ${number(joules * 1e3)} mJ\n${data.energyFormulas[component] ?? ""}`,
    })),
  );
  const order = Object.keys(energyColors);
  const total = Object.entries(data.profile.energy).map(([component, joules]) => ({ component, mJ: joules * 1e3 }));
  const sum = total.reduce((all, { mJ }) => all + mJ, 0);
  const color = { domain: order, range: order.map((component) => energyColors[component]!) };
  const network = Plot.plot({
    width: WIDTH,
    height: 94,
    marginLeft: 210,
    marginBottom: MARGIN,
    style,
    x: { label: "energy (mJ) →" },
    y: { label: null, tickSize: 0 },
    color,
    marks: [
      Plot.barX(total, {
        x: "mJ",
        y: () => "network",
        fill: "component",
        order,
        title: (d: (typeof total)[number]) =>
          `${energyTitles[d.component] ?? d.component}: ${number(d.mJ)} mJ (${percent(d.mJ / sum)})\n${data.energyFormulas[d.component] ?? ""}`,
      }),
    ],
  });
  const layers = Plot.plot({
    width: WIDTH,
    height: rows.length * ROW + 70,
    marginLeft: 210,
    marginBottom: MARGIN,
    style,
    x: { label: "energy (mJ) →", grid: true, axis: "both" },
    y: { label: null, domain: rows.map(({ label }) => label), tickSize: 0 },
    color,
    marks: [
      Plot.barX(bars, { x: "mJ", y: "label", fill: "component", order, title: "title", insetTop: 2, insetBottom: 2 }),
      Plot.ruleX([0]),
    ],
  });
  const formulas = Object.entries(data.energyFormulas).map(([name, text]) => `${energyTitles[name] ?? name} = ${text}`);
  return section(
    {
      id: "energy",
      title: "Energy by component",
      certainty: "estimated",
      caption: "No published figure gives the energy of the busy Cortex-A9 alone: the share of the PS is an estimate.",
      formula: formulas.join("; "),
    },
    [
      legend(
        order.map((component) => ({ label: energyTitles[component] ?? component, color: energyColors[component]! })),
      ),
      figure("Energy of the network by component, millijoules", network),
      figure("Energy of each layer by component, millijoules", layers),
    ],
  );
}

/** Bars in which a process of a layer is shown. */
const PROCESS_BARS = 8;

/** Each process in each layer, in a few bars: how busy it was. */
function processSpans({ overTime, profile }: PageData) {
  return overTime.flatMap(({ index, clocks, timeline: { bins, binClocks, processes } }) => {
    const all = stretches(profile, index, clocks);
    const step = Math.ceil(bins / PROCESS_BARS);
    return processes.flatMap(({ path, busy }) =>
      Array.from({ length: Math.ceil(bins / step) }, (_, bar) => bar).flatMap((bar) => {
        const from = bar * step * binClocks;
        const to = Math.min(clocks, (bar + 1) * step * binClocks);
        const share = busy.slice(bar * step, (bar + 1) * step).reduce((sum, n) => sum + n, 0) / (to - from);
        const track = path.split(".").slice(1).join(".");
        const title = `${track}\nlayer ${index}, clocks ${from} to ${to}: busy ${percent(share)}`;
        return between(all, from, to).map(({ startMs, endMs }) => ({
          track,
          from: startMs,
          to: endMs,
          kind: "compute",
          share,
          title,
        }));
      }),
    );
  });
}

export function timeline(data: PageData): HTMLElement {
  const spans = data.profile.tracks.map(({ track, kind, layer, startMs, endMs }) => ({
    track: track === "cpu" ? "CPU" : "accelerator",
    from: startMs,
    to: endMs,
    kind: track === "cpu" ? "cpu" : "compute",
    title: `layer ${layer}: ${kind}\n${number(endMs - startMs)} ms from ${number(startMs)} ms`,
  }));
  const dma = data.transfers.map(({ stream, layer, startMs, endMs, bytes }) => ({
    track: `DMA ${stream}`,
    from: startMs,
    to: endMs,
    kind: /weight/i.test(stream) ? "weights" : /output/i.test(stream) ? "output" : "input",
    title: `layer ${layer}: ${bytes.toLocaleString("en-US")} bytes\n${number(endMs - startMs)} ms`,
  }));
  const processes = processSpans(data);
  const tracks = [
    ...new Set(["CPU", "accelerator", ...dma.map(({ track }) => track).sort(), ...processes.map(({ track }) => track)]),
  ];
  const all = [...spans, ...dma].filter(({ track }) => tracks.includes(track));
  const plot = Plot.plot({
    width: WIDTH,
    height: tracks.length * ROW + 66,
    marginLeft: 190,
    marginBottom: MARGIN,
    style,
    x: { label: "time (ms) →", domain: [0, data.profile.latencyMs], grid: true },
    opacity: { domain: [0, 1], range: [0.05, 1] },
    y: { label: null, domain: tracks, tickSize: 0 },
    color: { domain: Object.keys(partColors), range: Object.values(partColors) },
    marks: [
      Plot.barX(all, {
        x1: "from",
        x2: "to",
        y: "track",
        fill: "kind",
        title: "title",
        inset: 0,
        insetTop: 3,
        insetBottom: 3,
      }),
      Plot.barX(processes, {
        x1: "from",
        x2: "to",
        y: "track",
        fill: partColors["compute"]!,
        fillOpacity: "share",
        title: "title",
        inset: 0,
        insetTop: 3,
        insetBottom: 3,
      }),
    ],
  });
  return section(
    {
      id: "timeline",
      title: "Processor, accelerator, DMA channels and processes over time",
      certainty: "estimated",
      caption:
        "The stronger the colour of a process, the busier it was in that part of the layer. The same schedule, in finer steps, is in " +
        "trace.perfetto-trace (open it in ui.perfetto.dev).",
      formula:
        "A discrete-event schedule of the layers in order; a DMA channel is shown from its start to its last beat; a process by its " +
        "busy clocks / clocks, in eighths of a layer from the layer's first clock.",
    },
    [figure("Timeline of CPU, accelerator, DMA channels and processes", plot)],
  );
}
