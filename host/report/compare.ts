/**
 * Runs side by side: what is set differently, what changed in clocks, time and energy, and why, by the parts that moved most.
 * The first run is the one that the others are compared with.
 */
import { totalEnergy, type Energy } from "../../sim/platform/energy.js";
import type { Certainty } from "../../sim/platform/constant.js";
import { parts, partTitles, type Part } from "./bounds.js";
import type { LayerReport, Report } from "./report.js";

export interface NamedReport {
  readonly name: string;
  readonly report: Report;
}

/** A figure of every run; undefined where a run does not have it. */
export interface ComparedFigure {
  readonly title: string;
  readonly unit: string;
  readonly formula: string;
  readonly values: readonly (number | undefined)[];
  readonly certainty: readonly Certainty[];
}

export interface ComparedLayer {
  readonly index: number;
  readonly operator: string;
  readonly name: string;
  /** Milliseconds on the board, or clocks where no run has a board. */
  readonly values: readonly (number | undefined)[];
  /** For each run but the first: what changed most, in words; empty if nothing did. */
  readonly why: readonly string[];
}

export interface Comparison {
  readonly names: readonly string[];
  /** Settings in which the runs differ, by name. */
  readonly settings: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly figures: readonly ComparedFigure[];
  /** Milliseconds of the whole network by part. */
  readonly byPart: readonly { readonly part: Part; readonly values: readonly number[] }[];
  readonly unit: "ms" | "clocks";
  readonly layers: readonly ComparedLayer[];
}

/** The reports are of one network: same layers in the same order (`sameNetwork` says so). */
export function compareReports(runs: readonly NamedReport[]): Comparison {
  const reports = runs.map(({ report }) => report);
  const first = reports[0]!;
  const unit = reports.every(({ profile }) => profile) ? "ms" : "clocks";
  return {
    names: runs.map(({ name }) => name),
    settings: settingsOf(reports),
    figures: figuresOf(reports),
    byPart: unit === "clocks" ? [] : partsOf(reports),
    unit,
    layers: first.layers.map((layer, i) => ({
      index: layer.index,
      operator: layer.operator,
      name: layer.name,
      values: reports.map((report) => layerValue(report, i, unit)),
      why: reports.slice(1).map((report) => reason(first, report, i, unit)),
    })),
  };
}

/** Undefined if both are of the same network, else how they differ. */
export function sameNetwork(a: Report, b: Report): string | undefined {
  if (a.layers.length !== b.layers.length) return `${b.layers.length} layers, not ${a.layers.length}`;
  const at = a.layers.findIndex((layer, i) => {
    const other = b.layers[i]!;
    return layer.operator !== other.operator || layer.shape.join() !== other.shape.join();
  });
  if (at < 0) return undefined;
  const shown = ({ operator, shape }: LayerReport): string => `${operator} ${shape.join("x")}`;
  return `layer ${at} is ${shown(b.layers[at]!)}, not ${shown(a.layers[at]!)}`;
}

function settingsOf(reports: readonly Report[]): Comparison["settings"] {
  const all = reports.map((report): Record<string, string> => {
    const { model, design, engine, config, profile, tandem } = report;
    const settings = Object.entries(config).map(([name, value]) => [name, String(value)] as const);
    return {
      model,
      design: design ?? "none",
      engine,
      platform: profile?.platform ?? "ideal",
      ...(profile && { threads: String(profile.threads), "PL clock (MHz)": String(profile.plClockMHz) }),
      tandem,
      ...Object.fromEntries(settings),
    };
  });
  const names = [...new Set(all.flatMap((settings) => Object.keys(settings)))];
  return names
    .map((name) => ({ name, values: all.map((settings) => settings[name] ?? "") }))
    .filter(({ values }) => new Set(values).size > 1);
}

function figuresOf(reports: readonly Report[]): ComparedFigure[] {
  const figure = (
    title: string,
    unit: string,
    formula: string,
    value: (report: Report) => number | undefined,
    certainty: (report: Report) => Certainty,
  ): ComparedFigure => ({ title, unit, formula, values: reports.map(value), certainty: reports.map(certainty) });
  const ofClocks = ({ clocks }: Report): Certainty => (clocks.exact ? "exact" : "estimated");
  const ofBoard = ({ profile }: Report): Certainty => profile?.certainty ?? "estimated";
  const offloaded = ({ design }: Report): boolean => design !== null;
  const list = [
    figure("latency", "ms", "end of the schedule", ({ profile }) => profile?.latencyMs, ofBoard),
    figure("energy", "mJ", "sum over components", ({ profile }) => profile && profile.energyJ * 1e3, ofBoard),
    figure("clocks", "clocks", "sum over layers", (r) => (offloaded(r) ? r.clocks.total : undefined), ofClocks),
    figure(
      "MAC per clock",
      "MAC/clock",
      "offloaded MACs / clocks",
      (r) => (r.clocks.total > 0 ? r.offloadedMacs / r.clocks.total : undefined),
      ofClocks,
    ),
    figure(
      "offloaded",
      "%",
      "MACs on the accelerator / all",
      (r) => (100 * r.offloadedMacs) / r.macs,
      () => "exact",
    ),
    figure(
      "wall time of the run",
      "ms",
      "on the machine that ran it",
      ({ wallMs }) => wallMs,
      () => "measured",
    ),
  ];
  return list.filter(({ values }) => values.some((value) => value !== undefined));
}

function partsOf(reports: readonly Report[]): Comparison["byPart"] {
  return parts
    .map((part) => ({
      part,
      values: reports.map(({ profile }) => profile!.layers.reduce((sum, { timeMs }) => sum + (timeMs[part] ?? 0), 0)),
    }))
    .filter(({ values }) => values.some((value) => value > 0));
}

function layerValue(report: Report, index: number, unit: "ms" | "clocks"): number | undefined {
  if (unit === "clocks") return report.layers[index]!.clocks;
  const { startMs, endMs } = report.profile!.layers[index]!;
  return endMs - startMs;
}

/** Changes below this share of a layer are not worth a word. */
const WORTH = 0.01;

function reason(first: Report, other: Report, index: number, unit: "ms" | "clocks"): string {
  const [a, b] = [first.layers[index]!, other.layers[index]!];
  const elsewhere = a.on === b.on ? [] : [`on ${b.on} instead of ${a.on}`];
  // What the CPU's time is made of says nothing of the accelerator's.
  if (elsewhere.length > 0 && (a.on === "cpu" || b.on === "cpu" || unit === "clocks")) return elsewhere[0]!;
  const total = layerValue(first, index, unit) ?? 0;
  const changes =
    unit === "ms"
      ? differences(first.profile!.layers[index]!.timeMs, other.profile!.layers[index]!.timeMs).map(
          ([part, change]) => [partTitles[part as Part], change] as const,
        )
      : differences(a.stalls ?? {}, b.stalls ?? {}).map(([stall, change]) => [`stall of ${stall}`, change] as const);
  const worth = changes.filter(([, change]) => Math.abs(change) > WORTH * total);
  worth.sort((x, y) => Math.abs(y[1]) - Math.abs(x[1]));
  const words = worth
    .slice(0, 2)
    .map(([name, change]) => `${name} ${change > 0 ? "+" : "-"}${Math.abs(change).toPrecision(3)} ${unit}`);
  return [...elsewhere, ...words].join(", ");
}

function differences(
  a: Readonly<Partial<Record<string, number>>>,
  b: Readonly<Partial<Record<string, number>>>,
): [string, number][] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names.map((name) => [name, (b[name] ?? 0) - (a[name] ?? 0)]);
}

/** Components of energy in which the runs differ, millijoules. */
export function energyByComponent(reports: readonly Report[]): { component: string; values: number[] }[] {
  const energies = reports.flatMap(({ profile }): Energy[] => (profile ? [profile.energy] : []));
  if (energies.length < reports.length || energies.every((energy) => totalEnergy(energy) === 0)) return [];
  return Object.keys(energies[0]!).map((component) => ({
    component,
    values: energies.map((energy) => energy[component as keyof Energy] * 1e3),
  }));
}
