/** The page of a report: one file that holds script, style and data, so that it opens from anywhere, offline. */
import { readFileSync } from "node:fs";
import { TandemError } from "../../hw/errors.js";
import { energyFormulas } from "../../sim/platform/energy.js";
import { constantNames, constantOf, type BoardValues } from "../../sim/platform/platform.js";
import type { Timeline } from "../../sim/profile/timeline.js";
import type { LayerRun } from "../runtime/executor.js";
import { boundFormulas, partTitles } from "./bounds.js";
import { between, stretches } from "./clock-times.js";
import type { PageData } from "./page/data.js";
import type { Profile } from "./profile.js";
import type { Report } from "./report.js";

export function reportPage(report: Report, profile: Profile, runs: readonly LayerRun[], board: BoardValues): string {
  const data: PageData = {
    report,
    profile,
    overTime: runs.flatMap(({ layer, cost }) => {
      const timeline = cost?.detail?.timeline;
      return timeline ? [{ index: layer.operator.index, clocks: cost.clocks, timeline: compact(timeline) }] : [];
    }),
    transfers: runs.flatMap(({ layer, cost }) => transfersOf(profile, layer.operator.index, cost)),
    partTitles,
    boundFormulas,
    energyFormulas,
    constants: constantNames.map((name) => {
      const { unit, evidence, source } = constantOf(name);
      return { name, value: board[name], unit, evidence, source };
    }),
  };
  return page(data);
}

function page(data: PageData): string {
  // In a script element only `<` can end it, or begin a comment.
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  const script = asset("page.js").replaceAll("</script", "<\\/script");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>Tandem report</title>
<style>${asset("uplot.css")}${asset("style.css")}</style>
</head>
<body>
<script type="application/json" id="data">${json}</script>
<script>${script}</script>
</body>
</html>
`;
}

function asset(name: string): string {
  try {
    return readFileSync(new URL(`./assets/${name}`, import.meta.url), "utf8");
  } catch (error) {
    throw new TandemError(`The report's page was not built: assets/${name} is missing`, {
      hint: "Run npm run build.",
      cause: error,
    });
  }
}

/** What the page shows: no causes, no channels that are always empty, figures of three digits. */
function compact({ binClocks, bins, processes, channels }: Timeline): PageData["overTime"][number]["timeline"] {
  return {
    binClocks,
    bins,
    processes: processes.map(({ path, busy }) => ({ path, busy, stalls: [] })),
    channels: channels
      .filter(({ depth, held }) => depth >= 4 && held.some((value) => value > 0))
      .map(({ path, depth, held }) => ({ path, depth, held: held.map((value) => Math.round(value * 100) / 100) })),
  };
}

function transfersOf(profile: Profile, layer: number, cost: LayerRun["cost"]): PageData["transfers"][number][] {
  const all = stretches(profile, layer, cost?.clocks ?? 0);
  return (cost?.detail?.transfers ?? []).flatMap(({ stream, bytes, started, last }) =>
    between(all, started, last + 1).map(({ startMs, endMs }) => ({ stream, layer, bytes, startMs, endMs })),
  );
}
