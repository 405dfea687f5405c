/** The table of layers: what bounds each, what is lost against its bound, and what a change can bring. */
import { workTitle } from "../bounds.js";
import type { LayerProfile } from "../profile.js";
import { shares } from "../shares.js";
import type { PageData } from "./data.js";
import { element, number, percent, section } from "./elements.js";
import type { Row } from "./figures.js";

export function layerTable(data: PageData, rows: readonly Row[]): HTMLElement {
  const { profile, report } = data;
  const heads = [
    "layer",
    "on",
    "time (ms)",
    "clocks",
    "least clocks",
    "lost",
    "of peak",
    "bound by",
    "saves at most (ms)",
    "of the network",
    "energy (mJ)",
  ];
  const best = Math.max(...rows.map((row) => row.profile.savesMs[row.profile.bound] ?? 0));
  const body = rows.map(({ layer, profile: own, label }) => {
    const saves = own.savesMs[own.bound] ?? 0;
    const peak = profile.peakMacsPerClock;
    const energy = Object.values(own.energy).reduce((sum, joules) => sum + joules, 0);
    const least: Readonly<Record<string, number>> | undefined = own.bounds && { ...own.bounds };
    const bounds = least
      ? Object.entries(least)
          .map(([name, clocks]) => `${name} ${number(clocks, 6)}`)
          .join(", ")
      : "";
    const cells: [string, (string | undefined)?][] = [
      [label],
      [layer.on, layer.reason],
      [number(own.endMs - own.startMs)],
      [
        layer.clocks === undefined ? "" : layer.clocks.toLocaleString("en-US"),
        "exact unless the design holds estimates",
      ],
      [
        own.least === undefined ? "" : own.least.clocks.toLocaleString("en-US"),
        own.least && leastText(own.least, data),
      ],
      [
        own.least === undefined ? "" : percent(own.least.lost / layer.clocks!),
        own.least && `${own.least.lost.toLocaleString("en-US")} clocks more than the least`,
      ],
      [
        layer.macPerClock === undefined || peak === null ? "" : percent(layer.macPerClock / peak),
        bounds && `least clocks by resource: ${bounds}`,
      ],
      [data.partTitles[own.bound] ?? own.bound, workText(own) && `work of the processor: ${workText(own)}`],
      [number(saves), `the layer's time if "${data.partTitles[own.bound] ?? own.bound}" cost nothing, less`],
      [percent(saves / profile.latencyMs), "saved time / latency of the network"],
      [number(energy * 1e3)],
    ];
    const row = cells.map(([text, title], i) =>
      element(i === 0 ? "th" : "td", { ...(title ? { title } : {}), ...(i === 0 ? { scope: "row" } : {}) }, [text]),
    );
    return element("tr", saves === best && saves > 0 ? { class: "best" } : {}, row);
  });
  const table = element("table", {}, [
    element("thead", {}, [
      element(
        "tr",
        {},
        heads.map((head) => element("th", { scope: "col" }, [head])),
      ),
    ]),
    element("tbody", {}, body),
  ]);
  const exact = report.clocks.exact
    ? "All clocks of the design are exact."
    : `The clocks are not exact: the design's processes hold ${report.clocks.estimates.toLocaleString("en-US")} clocks of estimates.`;
  return section(
    {
      id: "layers",
      title: "What bounds each layer",
      certainty: "estimated",
      caption: `The marked row is where one change can help most. ${exact} ${limits(data)} ${changes(data)}`,
      formula:
        "Least clocks: what no schedule of this hardware at this memory can beat, the greatest of whole tiles, lanes of the " +
        "post-processor, bytes of a stream and bytes of all (hover shows which). Lost: clocks above it / clocks. " +
        "Bound by: the part with most of the layer's time. Saves at most: that part's time; for compute, its time less the greatest " +
        "bound of all other resources (streams, memory, post-processor). Of peak: MACs / clocks / peak MACs per clock.",
    },
    [element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of layers" }, [table])],
  );
}

/** What the best possible change of each part would bring the network. */
function changes(data: PageData): string {
  const texts = shares(data.profile)
    .filter(({ savesMs }) => savesMs >= 0.01 * data.profile.latencyMs)
    .map(({ part, savesMs, mostly }) => {
      const why = mostly === undefined ? "" : ` (mostly ${workTitle(mostly)})`;
      return `${data.partTitles[part] ?? part}${why}: ${number(data.profile.latencyMs - savesMs)} ms`;
    });
  return texts.length === 0
    ? ""
    : `The network's ${number(data.profile.latencyMs)} ms would be, at best, if one part cost nothing: ${texts.join("; ")}.`;
}

/** The processor's work in a layer. */
const workText = ({ cpuMs }: LayerProfile): string =>
  Object.entries(cpuMs)
    .map(([kind, ms]) => `${workTitle(kind)} ${number(ms ?? 0)} ms`)
    .join(", ");

function leastText({ by, stream }: NonNullable<LayerProfile["least"]>, { boundFormulas }: PageData): string {
  const which = stream ? ` (stream ${stream.name}, ${stream.bytes.toLocaleString("en-US")} bytes)` : "";
  return `${by}${which}: ${boundFormulas[by] ?? ""}`;
}

/** The whole network against its bound. */
function limits({ report, profile }: PageData): string {
  const least = profile.layers.reduce((sum, layer) => sum + (layer.least?.clocks ?? 0), 0);
  const peak = profile.peakMacsPerClock;
  if (peak === null || least === 0) return "";
  const share = (clocks: number): string => percent(report.offloadedMacs / clocks / peak);
  return `The least clocks of all layers allow ${share(least)} of the peak; this run reaches ${share(report.clocks.total)}.`;
}
