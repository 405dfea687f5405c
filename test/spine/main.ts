/**
 * `npm run test:spine`: one source under all engines. Every construct, every design over a pool of configurations, random
 * networks: equal data, clocks and stall counts, or exit code 1. Options: docs/spine.md.
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { availableParallelism } from "node:os";
import { ENGINES, installed, type Engine } from "./engines.js";
import { runSideBySide } from "./parallel.js";
import { POOL } from "./pool.js";
import { Progress, SentProgress, summary, type TimedRow } from "./report.js";
import { PARTS, tasksOf, timed, type Settings } from "./tasks.js";

const USAGE = `npm run test:spine -- [options]
  --cases N       cases per design [500]
  --constructs N  seeds per construct [8]
  --networks N    random networks under kernel and fast [20000]
  --rtl-networks N  random networks as Verilog under Icarus [1000]
  --netlists N    cases of the Yosys netlist [10]
  --mutations N   changed operators of each design's Verilog [30]
  --seed S        of everything that is drawn [1]
  --first I       begin with case I of each design [0]
  --case I        only case I of each design, and nothing else
  --design NAME   only this design
  --part NAME     constructs, lint, designs, resnet8, networks, rtl-networks, netlist, mutations;
                  may be repeated [all]
  --engine NAME   kernel is always there; may be repeated [fast, verilator, icarus]
  --jobs N        parts side by side, each in a process [one per processor]
`;

const options = {
  cases: { type: "string", default: "500" },
  constructs: { type: "string", default: "8" },
  networks: { type: "string", default: "20000" },
  "rtl-networks": { type: "string", default: "1000" },
  netlists: { type: "string", default: "10" },
  mutations: { type: "string", default: "30" },
  seed: { type: "string", default: "1" },
  first: { type: "string", default: "0" },
  case: { type: "string" },
  design: { type: "string" },
  part: { type: "string", multiple: true, default: [...PARTS] },
  engine: { type: "string", multiple: true, default: ENGINES.filter((name) => name !== "kernel") },
  jobs: { type: "string", default: String(availableParallelism()) },
  // Of a process that another one started: the task that it has to do.
  task: { type: "string" },
  help: { type: "boolean", default: false },
} as const satisfies ParseArgsConfig["options"];

function fail(message: string): never {
  process.stderr.write(`${message}\n${USAGE}`);
  process.exit(2);
}

function parsed(): ReturnType<typeof parseArgs<{ options: typeof options }>>["values"] {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return fail((error as Error).message);
  }
}
const values = parsed();

function number(option: string, text: string): number {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : fail(`--${option} ${text}: expected a whole number`);
}

if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
for (const part of values.part)
  if (!(PARTS as readonly string[]).includes(part)) fail(`--part ${part}: there is no such part`);
for (const engine of values.engine)
  if (!(ENGINES as readonly string[]).includes(engine)) fail(`--engine ${engine}: there is no such engine`);
if (values.design !== undefined && !POOL.has(values.design))
  fail(`--design ${values.design}: there are ${[...POOL.keys()].join(", ")}`);

const single = values.case !== undefined;
const settings: Settings = {
  parts: single ? ["designs"] : values.part,
  designs: values.design === undefined ? [...POOL.keys()] : [values.design],
  seed: number("seed", values.seed),
  first: number("first", values.case ?? values.first),
  cases: single ? 1 : number("cases", values.cases),
  constructs: number("constructs", values.constructs),
  networks: number("networks", values.networks),
  rtlNetworks: number("rtl-networks", values["rtl-networks"]),
  netlists: number("netlists", values.netlists),
  mutations: number("mutations", values.mutations),
  engines: values.engine as Engine[],
};
const tasks = tasksOf(settings);
if (values.task !== undefined) {
  const progress = new SentProgress();
  const task = tasks.find(({ name }) => name === values.task) ?? fail(`--task ${values.task}: there is no such task`);
  progress.row(await timed(task, progress));
  process.disconnect();
} else {
  const progress = new Progress();
  const jobs = Math.max(1, number("jobs", values.jobs));
  for (const engine of settings.engines)
    if (!installed(engine)) process.stdout.write(`${engine} is not installed: left out (scripts/setup-debian.sh)\n`);
  process.stdout.write(`seed ${settings.seed}\n`);
  const rows: TimedRow[] = [];
  if (jobs === 1 || tasks.length === 1) for (const task of tasks) rows.push(await timed(task, progress));
  else rows.push(...(await runSideBySide(tasks, jobs, process.argv.slice(2), progress)));
  progress.clear();
  const differences = rows.reduce((sum, row) => sum + row.differences, 0);
  process.stdout.write(
    `${summary(rows)}\n${differences === 0 ? "equal" : `${differences} differences`} (seed ${settings.seed})\n`,
  );
  process.exitCode = differences === 0 ? 0 : 1;
}
