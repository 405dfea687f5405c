/** `tandem calibrate MEASURED.csv`: fit the board's constants to measurements, and show the error before and after. */
import type { Argv, ArgumentsCamelCase, CommandModule } from "yargs";
import { TandemError } from "../../../hw/errors.js";
import { calibrate as fit, type Calibration, type Residual } from "../../../sim/platform/calibrate.js";
import { equationsOf } from "../../../sim/platform/evidence.js";
import { boardValues, constantOf } from "../../../sim/platform/platform.js";
import { checkWritable, writeWhole } from "../files.js";
import { readMeasurements } from "../measurements.js";
import { percent, table } from "../table.js";

interface Arguments {
  measured: string;
  out: string | undefined;
  all: boolean;
}

function builder(yargs: Argv): Argv<Arguments> {
  return yargs
    .positional("measured", {
      type: "string",
      demandOption: true,
      describe: "Measurements: CSV with id, quantity, value, unit, conditions, source, confidence (docs/platform.md)",
    })
    .option("out", { type: "string", requiresArg: true, describe: "Write the constants here, for --calibration" })
    .option("all", { type: "boolean", default: false, describe: "Also list the rows that say nothing, and why" });
}

export const calibrate: CommandModule<object, Arguments> = {
  command: "calibrate <measured>",
  describe: "Fit the board's constants to measurements, and show the error before and after",
  builder,
  handler,
};

function handler(args: ArgumentsCamelCase<Arguments>): void {
  if (args.out !== undefined) checkWritable(args.out);
  const board = boardValues();
  const unused: { id: string; quantity: string; why: string }[] = [];
  const rows = readMeasurements(args.measured);
  const equations = rows.flatMap((row) => {
    const found = inFile(args.measured, () => equationsOf(row, board));
    if (typeof found !== "string") return found;
    unused.push({ id: row.id, quantity: row.quantity, why: found });
    return [];
  });
  if (!equations.some(({ use }) => use === "fit"))
    throw new TandemError(`${args.measured}: no row says anything about a constant of the board`, {
      hint: "A row of your own names its constants: `fit driver.transfer=2` (docs/platform.md).",
    });
  const result = fit(equations, board);
  if (args.out !== undefined) writeWhole(args.out, calibrationFile(args.measured, result));
  const lines = [
    residualTable(result.residuals),
    "",
    result.changed.length > 0 ? constantTable(result) : "No constant changes.",
    "",
    `${rows.length} rows: ${rows.length - unused.length} used, ${unused.length} say nothing about a constant`,
    ...(args.all ? [table(unused, unusedColumns), ""] : []),
    errorLine("fitted", result.error.fit),
    errorLine("compared only", result.error.check),
    ...result.refused.map((name) => `${name}: the fit is negative, the old value stays`),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** An error of a row names its file as well. */
function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    const { message, hint } = error;
    throw new TandemError(`${path}: ${message}`, hint === undefined ? { cause: error } : { hint, cause: error });
  }
}

const unusedColumns = [
  { title: "row", cell: (row: { id: string }) => row.id, align: "left" as const },
  { title: "quantity", cell: (row: { quantity: string }) => row.quantity, align: "left" as const, width: 60 },
  { title: "why not", cell: (row: { why: string }) => row.why, align: "left" as const },
];

const figure = (value: number): string => value.toPrecision(4);

function residualTable(residuals: readonly Residual[]): string {
  const relative = (value: number, { observed }: { observed: number }): string => percent(value / observed - 1);
  return table(residuals, [
    { title: "row", cell: ({ equation }) => equation.id, align: "left" },
    { title: "what", cell: ({ equation }) => equation.what, align: "left", width: 76 },
    { title: "use", cell: ({ equation }) => equation.use, align: "left" },
    { title: "weight", cell: ({ equation }) => equation.weight.toFixed(1) },
    { title: "measured", cell: ({ equation }) => figure(equation.observed) },
    { title: "before", cell: ({ before }) => figure(before) },
    { title: "after", cell: ({ after }) => figure(after) },
    { title: "unit", cell: ({ equation }) => equation.unit, align: "left" },
    { title: "error before", cell: ({ equation, before }) => relative(before, equation) },
    { title: "error after", cell: ({ equation, after }) => relative(after, equation) },
  ]);
}

function constantTable({ changed }: Calibration): string {
  return table(changed, [
    { title: "constant", cell: ({ name }) => name, align: "left" },
    { title: "before", cell: ({ before }) => figure(before) },
    { title: "after", cell: ({ after }) => figure(after) },
    { title: "unit", cell: ({ name }) => constantOf(name).unit, align: "left" },
    { title: "evidence until now", cell: ({ name }) => constantOf(name).evidence, align: "left" },
  ]);
}

function errorLine(what: string, error: { before: number; after: number }): string {
  return `${what}: error ${percent(error.before)} before, ${percent(error.after)} after (weighted root mean square, relative)`;
}

function calibrationFile(source: string, { values, changed }: Calibration): string {
  const constants = Object.fromEntries(changed.map(({ name }) => [name, values[name]]));
  return `${JSON.stringify({ calibratedFrom: source.replace(/^.*[\\/]/, ""), constants }, null, 2)}\n`;
}
