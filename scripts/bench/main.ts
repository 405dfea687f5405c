/** `npm run bench -- NAME [--json FILE] [--runs N]`: runs scripts/bench/NAME.ts and prints its rows. */
import { existsSync, readdirSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { TandemError } from "../../hw/errors.js";
import { report, UsageError } from "../../host/cli/errors.js";
import { checkWritable, writeWhole } from "../../host/cli/files.js";
import { percent, table } from "../../host/cli/table.js";
import { version } from "../../host/version.js";
import type { Benchmark, Row } from "./harness.js";

const here = new URL(".", import.meta.url);
const helpers = ["main", "harness", "array", "verilog", "networks", "generated", "stationary", "real-time-run"];

/** Modules of this folder that export a benchmark. */
const names = readdirSync(fileURLToPath(here))
  .flatMap((file) => /^([a-z0-9-]+)\.js$/.exec(file)?.[1] ?? [])
  .filter((name) => !helpers.includes(name))
  .sort();

async function load(name: string): Promise<Benchmark> {
  const file = new URL(`./${name}.js`, here);
  const { benchmark } = existsSync(file) ? ((await import(file.href)) as { benchmark?: Benchmark }) : {};
  if (!benchmark || !names.includes(name))
    throw new UsageError(`There is no benchmark "${name}"`, { hint: `There are ${names.join(", ")}.` });
  return benchmark;
}

async function main(): Promise<number> {
  const args = await yargs(hideBin(process.argv))
    .scriptName("npm run bench --")
    .usage("$0 NAME [--json FILE] [--runs N]")
    .option("json", { type: "string", requiresArg: true, describe: "Write the rows here" })
    .option("runs", { type: "number", default: 5, requiresArg: true, describe: "Runs for each figure" })
    .demandCommand(1, 1, `Name a benchmark: ${names.join(", ")}`)
    .strict()
    .parseAsync();
  if (!Number.isInteger(args.runs) || args.runs < 1) throw new UsageError(`--runs ${args.runs}: expected 1 or more`);
  if (args.json !== undefined) checkWritable(args.json);
  const name = String(args._[0]);
  const benchmark = await load(name);
  process.stdout.write(`${benchmark.title}\n`);
  const rows: Row[] = [];
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  for await (const row of benchmark.run({ runs: args.runs, say })) {
    rows.push(row);
    say(`  ${row.name}: ${significant(row.ours)} ${row.unit}`);
  }
  if (rows.length === 0) throw new TandemError(`Benchmark ${name} could measure nothing here`);
  process.stdout.write(`\n${show(rows)}\n`);
  const machine = { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version };
  if (args.json !== undefined)
    writeWhole(args.json, `${JSON.stringify({ tandem: version, benchmark: name, machine, rows }, null, 2)}\n`);
  return 0;
}

const significant = (value: number): string => value.toLocaleString("en-US", { maximumSignificantDigits: 4 });

function show(rows: readonly Row[]): string {
  return table(rows, [
    { title: "what", cell: ({ name }) => name, align: "left" },
    { title: "ours", cell: ({ ours }) => significant(ours) },
    { title: "peer", cell: ({ peer }) => (peer === null ? "absent" : significant(peer)) },
    { title: "ours/peer", cell: ({ ratio }) => (ratio === null ? undefined : significant(ratio)) },
    { title: "unit", cell: ({ unit }) => unit, align: "left" },
    { title: "runs", cell: ({ runs }) => runs },
    { title: "spread", cell: ({ spread }) => percent(spread) },
    { title: "note", cell: ({ note }) => note, align: "left" },
  ]);
}

process.exitCode = await main().catch(report);
