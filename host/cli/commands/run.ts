/** `tandem run [MODEL]`: one network, one input: the answer, and what every layer cost. */
import { basename } from "node:path";
import type { Argv, ArgumentsCamelCase, CommandModule } from "yargs";
import { findLabels, strongest } from "../../report/answer.js";
import { makeProfile } from "../../report/profile.js";
import { makeReport, type Report } from "../../report/report.js";
import { describeOperator } from "../../graph/graph.js";
import { execute } from "../../runtime/executor.js";
import { makePlan } from "../../runtime/plan.js";
import type { Platform } from "../../../sim/platform/platform.js";
import { readTfliteFile } from "../../tflite/reader.js";
import { digits } from "../../zoo/zoo.js";
import { version } from "../../version.js";
import { UsageError } from "../errors.js";
import { checkWritable, makeFolder, writeWhole } from "../files.js";
import { inputOptions, readInput, type InputArguments } from "../input.js";
import {
  kernelOptions,
  openPlatform,
  openTarget,
  parseUse,
  placeOptions,
  platformOptions,
  type KernelArguments,
  type PlaceArguments,
  type PlatformArguments,
} from "../options.js";
import { Progress } from "../progress.js";
import { layerTable, totals } from "../layers.js";
import { fixed } from "../table.js";

interface Arguments extends PlaceArguments, PlatformArguments, KernelArguments, InputArguments {
  model: string | undefined;
  labels: string | undefined;
  top: number;
  json: string | undefined;
  csv: string | undefined;
  report: string | undefined;
}

function builder(yargs: Argv): Argv<Arguments> {
  const own = yargs
    .positional("model", {
      type: "string",
      describe: "A .tflite file; without it, the digit reader that ships with Tandem",
    })
    .option("labels", { type: "string", requiresArg: true, describe: "Names of the outputs, one per line" })
    .option("top", { type: "number", default: 5, describe: "How many of the strongest outputs to show" })
    .option("json", {
      type: "string",
      requiresArg: true,
      describe: "Write the whole report here (docs/report.schema.json)",
    })
    .option("csv", { type: "string", requiresArg: true, describe: "Write the layers here" })
    .option("report", {
      type: "string",
      requiresArg: true,
      describe: "Write layers.csv, report.json, index.html and trace.perfetto-trace into this folder (docs/reports.md)",
    });
  return inputOptions(kernelOptions(platformOptions(placeOptions(own))));
}

export const run: CommandModule<object, Arguments> = {
  command: "run [model]",
  describe: "Run a network on one input and show what every layer cost",
  builder,
  handler,
};

async function handler(args: ArgumentsCamelCase<Arguments>): Promise<void> {
  if (!Number.isInteger(args.top) || args.top < 0) throw new UsageError(`--top ${args.top}: expected a count`);
  const outputs = [args.json, args.csv].filter((path) => path !== undefined);
  if (args.json !== undefined && args.json === args.csv) throw new UsageError("--json and --csv name the same file");
  for (const path of outputs) checkWritable(path);
  const platform = openPlatform(args, args.report === undefined ? "ideal" : "pynq-z1");
  if (args.report !== undefined && !platform.board)
    throw new UsageError("--report needs a board: the ideal platform has no times", {
      hint: "Use --platform pynq-z1.",
    });
  const discard = args.report === undefined ? undefined : makeFolder(args.report);
  try {
    await runNetwork(args, platform);
  } catch (error) {
    discard?.();
    throw error;
  }
}

/** The network, and what belongs to it. */
function read(args: ArgumentsCamelCase<Arguments>) {
  const model = args.model ?? digits.model;
  const graph = readTfliteFile(model);
  const input = readInput(
    graph,
    args.model === undefined && args.input === undefined ? { ...args, input: digits.picture } : args,
  );
  const outputTensor = graph.tensors[graph.outputs[0]!]!;
  return { model, graph, input, outputTensor, labels: findLabels(args.labels, model, outputTensor) };
}

async function runNetwork(args: ArgumentsCamelCase<Arguments>, platform: Platform): Promise<void> {
  const progress = new Progress(args.progress);
  // A simulator has things to do in other threads while this one reads the network, but Verilog takes minutes to build.
  const early = args.engine === "rtl" ? read(args) : undefined;
  const target = await openTarget(args, progress, {
    timeline: args.report !== undefined,
    ...(platform.board && { board: platform.board }),
  });
  try {
    const { model, graph, input, outputTensor, labels } = early ?? read(args);
    const { implementations, prefer } = target;
    const plan = makePlan(graph, { implementations, prefer, layers: parseUse(args.use, target) });
    progress.begin(plan.layers.map(({ operator, macs }) => ({ name: describeOperator(operator), work: macs })));
    const { jobs = 1 } = target;
    const result = await execute(plan, [input.bytes], { jobs, onLayer: () => progress.next() });
    progress.close();
    if (result.differs !== undefined)
      process.stderr.write(
        `note: layer "${result.differs}" gives other bytes than the CPU's kernel, so layers were simulated in order (tandem verify shows more)\n`,
      );

    const profile = makeProfile({ graph, runs: result.layers, target, platform, threads: args.threads });
    const report = makeReport(version, graph, target, result, profile);
    if (args.report !== undefined) {
      const { reportFiles } = await import("../../report/folder.js");
      for (const { path, content } of reportFiles(args.report, report, profile!, result.layers, platform.board!))
        writeWhole(path, content);
    }
    if (args.json !== undefined) writeWhole(args.json, `${JSON.stringify(report, null, 2)}\n`);
    if (args.csv !== undefined) {
      const { layersCsv } = await import("../../report/csv.js");
      writeWhole(args.csv, layersCsv(report));
    }

    const answers = strongest(outputTensor, result.outputs[0]!, labels, args.top);
    const lines = answers.map(({ index, label, value }) => `  ${fixed(value, 4)}  ${label ?? `output ${index}`}`);
    print([`${basename(model)}, input ${input.description}`, ...lines], report, target.offload?.peakMacsPerClock);
  } finally {
    progress.close();
    await target.close();
  }
}

function print(head: readonly string[], report: Report, peak: number | undefined): void {
  process.stdout.write(`${[...head, "", layerTable(report, peak), "", ...totals(report, peak)].join("\n")}\n`);
}
