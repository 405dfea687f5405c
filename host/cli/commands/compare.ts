/** `tandem compare A.json B.json ...`: runs of one network side by side, what changed, and why. */
import { basename, dirname } from "node:path";
import type { Argv, ArgumentsCamelCase, CommandModule } from "yargs";
import { TandemError } from "../../../hw/errors.js";
import { partTitles } from "../../report/bounds.js";
import { compareReports, energyByComponent, sameNetwork, type Comparison } from "../../report/compare.js";
import type { Report } from "../../report/report.js";
import { UsageError } from "../errors.js";
import { checkWritable, readText, writeWhole } from "../files.js";
import { table, type Column } from "../table.js";

interface Arguments {
  reports: string[];
  json: string | undefined;
}

function builder(yargs: Argv): Argv<Arguments> {
  return yargs
    .positional("reports", {
      type: "string",
      array: true,
      demandOption: true,
      describe: "Reports of tandem run --json or --report; the first is what the others are compared with",
    })
    .option("json", { type: "string", requiresArg: true, describe: "Write the comparison here" });
}

export const compare: CommandModule<object, Arguments> = {
  command: "compare <reports..>",
  describe: "Put runs of a network side by side: what changed, and why",
  builder,
  handler,
};

function handler(args: ArgumentsCamelCase<Arguments>): void {
  if (args.reports.length < 2)
    throw new UsageError("compare needs two reports or more", { hint: "Give files that tandem run --json wrote." });
  if (args.json !== undefined) checkWritable(args.json);
  const runs = args.reports.map((path) => ({ name: nameOf(path), report: readReport(path) }));
  for (const [i, { report }] of runs.entries()) {
    const differs = sameNetwork(runs[0]!.report, report);
    if (differs !== undefined)
      throw new TandemError(`${args.reports[i]!}: not the network of ${args.reports[0]!}: ${differs}`, {
        hint: "Compare runs of one model.",
      });
  }
  const comparison = compareReports(runs);
  if (args.json !== undefined) writeWhole(args.json, `${JSON.stringify(comparison, null, 2)}\n`);
  const energies = energyByComponent(runs.map(({ report }) => report));
  process.stdout.write(`${sections(comparison, energies).join("\n\n")}\n`);
}

function sections(
  { names, settings, figures, byPart, unit, layers }: Comparison,
  energies: ReturnType<typeof energyByComponent>,
): string[] {
  const values = <Row extends { values: readonly (number | undefined)[] }>(): Column<Row>[] =>
    names.map((name, i) => ({ title: name, cell: ({ values: row }) => figure(row[i]) }));
  const list = [
    table(settings, [
      { title: "differs", cell: ({ name }) => name, align: "left" },
      ...names.map((name, i) => ({ title: name, cell: (row: { values: readonly string[] }) => row.values[i] })),
    ]),
    table(figures, [
      { title: "whole network", cell: ({ title }) => title, align: "left" },
      { title: "unit", cell: (row) => row.unit, align: "left" },
      ...values<Comparison["figures"][number]>(),
      ...ratios(names),
      { title: "certainty", cell: ({ certainty }) => [...new Set(certainty)].join(", "), align: "left" },
      { title: "is", cell: ({ formula }) => formula, align: "left" },
    ]),
    ...(byPart.length === 0
      ? []
      : [
          table(byPart, [
            { title: "time by part (ms, estimated)", cell: ({ part }) => partTitles[part], align: "left" },
            ...values<Comparison["byPart"][number]>(),
          ]),
        ]),
    ...(energies.length === 0
      ? []
      : [
          table(energies, [
            { title: "energy (mJ, estimated)", cell: ({ component }) => component, align: "left" },
            ...values<(typeof energies)[number]>(),
          ]),
        ]),
    table(layers, [
      { title: `layer (${unit})`, cell: ({ index }) => index },
      { title: "operator", cell: ({ operator }) => operator, align: "left" },
      ...values<Comparison["layers"][number]>(),
      ...ratios(names),
      ...names.slice(1).map((name, i): Column<Comparison["layers"][number]> => ({
        title: names.length > 2 ? `why ${name}` : "why",
        cell: ({ why }) => why[i],
        align: "left",
      })),
    ]),
  ];
  return settings.length === 0 ? ["The runs are set alike.", ...list.slice(1)] : list;
}

/** How much more than the first run. */
function ratios<Row extends { values: readonly (number | undefined)[] }>(names: readonly string[]): Column<Row>[] {
  return names.slice(1).map((_, i) => ({
    title: names.length > 2 ? `x${i + 2}` : "x",
    cell: ({ values }) => {
      const [first, other] = [values[0], values[i + 1]];
      return first === undefined || other === undefined || first === 0 ? undefined : (other / first).toFixed(2);
    },
  }));
}

function figure(value: number | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  return value.toLocaleString("en-US", { maximumSignificantDigits: 4 });
}

/** A folder of --report is known by the folder's name. */
function nameOf(path: string): string {
  const name = basename(path);
  return name === "report.json" ? basename(dirname(path)) || name : name.replace(/\.json$/, "");
}

function readReport(path: string): Report {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readText(path, "a report of tandem run --json"));
  } catch (error) {
    if (error instanceof TandemError) throw error;
    throw new TandemError(`${path}: no JSON`, { hint: "Give a report of tandem run --json.", cause: error });
  }
  const report = parsed as Partial<Report> | null;
  const wrong =
    typeof report !== "object" || report === null || !Array.isArray(report.layers) || typeof report.clocks !== "object";
  if (wrong || typeof report.model !== "string" || typeof report.config !== "object")
    throw new TandemError(`${path}: not a report of a run`, { hint: "Give a report of tandem run --json." });
  return report as Report;
}
