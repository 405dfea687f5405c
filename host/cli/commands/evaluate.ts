/** `tandem evaluate`: networks on the board, processor alone and with each design, one and two threads, in one table. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Argv, ArgumentsCamelCase, CommandModule } from "yargs";
import { TandemError } from "../../../hw/errors.js";
import { platformNames, platformOf } from "../../../sim/platform/platform.js";
import { acceleratorTarget, ENGINES, type Engine } from "../../accelerators.js";
import { describeOperator } from "../../graph/graph.js";
import { DESIGN_NAMES } from "../../registry.js";
import type { PlannedLayer } from "../../runtime/plan.js";
import { evaluateNetwork, type Evaluation } from "../../report/evaluate.js";
import { cpuTarget } from "../../targets.js";
import { readTfliteFile } from "../../tflite/reader.js";
import { checkJobs, jobsOption } from "../options.js";
import { checkWritable, readText, writeWhole } from "../files.js";
import { factor, fixed, percent, table } from "../table.js";

interface Arguments {
  models: string[] | undefined;
  folder: string;
  with: string[];
  engine: Engine;
  jobs: number;
  platform: (typeof platformNames)[number];
  calibration: string | undefined;
  json: string | undefined;
  progress: boolean | undefined;
}

/** The networks of SECDA's evaluation. */
const NETWORKS = [
  "mobilenet_v1_1.0_224_uint8.tflite",
  "mobilenet_v2_1.0_224_int8.tflite",
  "inception_v1_224_int8_randomweights.tflite",
  "resnet18_224_int8_randomweights.tflite",
];

function builder(yargs: Argv): Argv<Arguments> {
  return yargs
    .positional("models", {
      type: "string",
      array: true,
      describe: "Networks; without, the four of SECDA's evaluation",
    })
    .option("folder", { type: "string", default: "../shared/models", describe: "Where those four are" })
    .option("with", {
      type: "string",
      array: true,
      default: [] as string[],
      describe: "Design or design/preset; all registered ones by default",
    })
    .option("engine", {
      type: "string",
      choices: ENGINES,
      default: "fast" as const,
      describe: "What simulates the designs",
    })
    .option("jobs", jobsOption)
    .option("platform", {
      type: "string",
      choices: platformNames,
      default: "pynq-z1" as const,
      describe: "Streams at the board's memory and DMA; ideal: a beat per clock and stream, the rest as on the board",
    })
    .option("calibration", { type: "string", requiresArg: true, describe: "Constants of the board (tandem calibrate)" })
    .option("json", { type: "string", requiresArg: true, describe: "Write the table here" })
    .option("progress", { type: "boolean", describe: "Name layers on stderr even where that is no terminal" });
}

export const evaluate: CommandModule<object, Arguments> = {
  command: "evaluate [models..]",
  describe: "Predict latency and energy of networks on the board: CPU alone and with each design",
  builder,
  handler,
};

async function handler(args: ArgumentsCamelCase<Arguments>): Promise<void> {
  const jobs = checkJobs(args.jobs);
  if (args.json !== undefined) checkWritable(args.json);
  const { calibration } = args;
  const platform = platformOf(
    "pynq-z1",
    calibration === undefined ? undefined : { source: calibration, text: readText(calibration, "a calibration") },
  );
  const models = args.models && args.models.length > 0 ? args.models : NETWORKS.map((name) => join(args.folder, name));
  const missing = models.find((path) => !existsSync(path));
  if (missing !== undefined)
    throw new TandemError(`${missing}: no such file`, { hint: "Name the networks, or their --folder." });
  const graphs = models.map(readTfliteFile);
  const names = args.with.length > 0 ? args.with : DESIGN_NAMES;
  const show = args.progress ?? process.stderr.isTTY;
  const rows: Evaluation[] = [];
  for (const name of [null, ...names]) {
    const simulation = args.platform === "ideal" ? {} : { board: platform.board! };
    const target =
      name === null
        ? cpuTarget()
        : await acceleratorTarget({ on: "sim", design: name, engine: args.engine, jobs, simulation });
    try {
      for (const graph of graphs) {
        const onLayer = ({ operator }: PlannedLayer): void => {
          if (show) process.stderr.write(`\r\x1b[2K${graph.source}: ${describeOperator(operator)}`);
        };
        const found = await evaluateNetwork(graph, target, { platform, onLayer });
        rows.push(...found.map((row) => (name === null ? row : { ...row, design: name })));
      }
    } finally {
      if (show) process.stderr.write("\r\x1b[2K");
      await target.close();
    }
  }
  const sorted = graphs.flatMap(({ source }) => rows.filter(({ model }) => model === source));
  if (args.json !== undefined)
    writeWhole(
      args.json,
      `${JSON.stringify({ platform: args.platform, engine: args.engine, rows: sorted }, null, 2)}\n`,
    );
  process.stdout.write(
    `${[evaluationTable(sorted), "", ...means(sorted, names), "", ...notes(names, platform.board!["pl.clock"], simulated(args.engine, jobs))].join("\n")}\n`,
  );
}

/** The processor alone on one thread, of the same network: what SECDA's factors are relative to. */
const baseOf = (rows: readonly Evaluation[], { model, threads }: Evaluation): Evaluation =>
  rows.find((row) => row.model === model && row.design === null && row.threads === threads)!;

function evaluationTable(rows: readonly Evaluation[]): string {
  return table(rows, [
    { title: "network", cell: ({ model }) => model.replace(/\.tflite$/, ""), align: "left" },
    { title: "on", cell: ({ design }) => (design === null ? "CPU" : `CPU + ${design}`), align: "left" },
    { title: "threads", cell: ({ threads }) => threads },
    { title: "conv (ms)", cell: ({ convMs }) => fixed(convMs, 1) },
    { title: "other (ms)", cell: ({ otherMs }) => fixed(otherMs, 1) },
    { title: "latency (ms)", cell: ({ latencyMs }) => fixed(latencyMs, 1) },
    { title: "energy (mJ)", cell: ({ energyMilliJ }) => fixed(energyMilliJ, 0) },
    {
      title: "faster",
      cell: (row) => (row.design === null ? "" : `${fixed(baseOf(rows, row).latencyMs / row.latencyMs, 2)}x`),
    },
    {
      title: "less energy",
      cell: (row) => (row.design === null ? "" : `${fixed(baseOf(rows, row).energyMilliJ / row.energyMilliJ, 2)}x`),
    },
    { title: "clocks", cell: ({ clocks }) => clocks || undefined },
    { title: "of peak", cell: ({ utilisation }) => (utilisation === null ? undefined : percent(utilisation)) },
    // Of what is simulated; the board's processor alone is not.
    { title: "first run (ms)", cell: ({ design, simulationMs }) => (design === null ? "" : fixed(simulationMs, 0)) },
    { title: "second (ms)", cell: ({ againMs }) => (againMs === null ? undefined : fixed(againMs, 0)) },
    {
      title: "real time",
      cell: ({ realTimeFactor }) => (realTimeFactor === null ? undefined : factor(realTimeFactor)),
    },
  ]);
}

function means(rows: readonly Evaluation[], designs: readonly string[]): string[] {
  return designs.flatMap((design) =>
    ([1, 2] as const).map((threads) => {
      const own = rows.filter((row) => row.design === design && row.threads === threads);
      const mean = (ratio: (row: Evaluation) => number): number =>
        own.reduce((sum, row) => sum + ratio(row), 0) / own.length;
      const faster = mean((row) => baseOf(rows, row).latencyMs / row.latencyMs);
      const less = mean((row) => baseOf(rows, row).energyMilliJ / row.energyMilliJ);
      return (
        `${design}, ${threads} thread${threads > 1 ? "s" : ""}: mean over ${own.length} network${own.length > 1 ? "s" : ""} ${fixed(faster, 2)}x faster and ` +
        `${fixed(less, 2)}x less energy than the CPU alone on as many threads (SECDA reports up to 3.5x and 2.9x)`
      );
    }),
  );
}

const NOTES = ["All times and energies are estimated; SECDA's were measured on a board. Why they differ:"];

/** What the wall times are of. */
const simulated = (engine: Engine, jobs: number): string =>
  engine === "fast"
    ? `First and second run: wall time of the whole network in this process, CPU layers included (--jobs ${jobs}). The clocks are of the second; real time: the latency over it.`
    : `First run: wall time of the accelerator's layers here, layers of one geometry once (--jobs ${jobs}); real time: the latency over it.`;
/** Of our own designs; of SECDA's on the modelled board. */
const OWN_NOTES = [
  "- our designs compute in every clock (SECDA's array takes 4 clocks per step, its vector units wait for inputs and post-processing) and load, compute and store at once;",
  "- 1x1 layers need no packing, and packing overlaps with the accelerator; depthwise convolution runs on vmac;",
];
const PUBLISHED_NOTES = [
  "- models of SECDA's own designs stand here in this model of the board, with its tile sizes and packets; 1x1 layers are packed as well;",
];
const moreNotes = (clock: number): string[] => [
  `- SECDA's boards run 200 MHz, this prediction ${clock} MHz, and what its runtime adds to a layer is not in the model;`,
  "- the CPU's int8 convolution, and so the speed-up, rests on one published source; another, of another library, would make the CPU 8 to 10 times slower.",
  "No published figure gives the energy of the busy Cortex-A9 alone; im2col, depthwise convolution and all other operators on the CPU",
  "are estimates (docs/platform.md).",
];

function notes(designs: readonly string[], clock: number, simulation: string): string[] {
  const published = (name: string): boolean => /\/secda-/.test(name);
  return [
    simulation,
    ...NOTES,
    ...(designs.every(published) ? [] : OWN_NOTES),
    ...(designs.some(published) ? PUBLISHED_NOTES : []),
    ...moreNotes(clock),
  ];
}
