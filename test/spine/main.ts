/**
 * `npm run test:spine`: one source under all engines. Every construct, every design over a pool of configurations, random
 * networks: equal data, clocks and stall counts, or exit code 1. Options: docs/engines.md.
 */
import { parseArgs } from "node:util";
import { runConstructs } from "./constructs.js";
import { runDesign } from "./designs.js";
import { ENGINES, installed, type Engine } from "./engines.js";
import { runLint } from "./lint.js";
import { runMutations } from "./mutation.js";
import { runNetlist } from "./netlist.js";
import { runNetwork } from "./network.js";
import { runNetworks } from "./networks.js";
import { MUTATED, POOL } from "./pool.js";
import { runRtlNetworks } from "./rtl-networks.js";
import { Progress, summary, type Row } from "./report.js";

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
`;

const PARTS = [
  ...["constructs", "lint", "designs", "resnet8"],
  ...["networks", "rtl-networks", "netlist", "mutations"],
];

const { values } = parseArgs({
  options: {
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
    part: { type: "string", multiple: true, default: PARTS },
    engine: { type: "string", multiple: true, default: ENGINES.filter((name) => name !== "kernel") },
    help: { type: "boolean", default: false },
  },
});

function fail(message: string): never {
  process.stderr.write(`${message}\n${USAGE}`);
  process.exit(2);
}

function number(option: string, text: string): number {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : fail(`--${option} ${text}: expected a whole number`);
}

if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
for (const part of values.part) if (!PARTS.includes(part)) fail(`--part ${part}: there is no such part`);
for (const engine of values.engine)
  if (!(ENGINES as readonly string[]).includes(engine)) fail(`--engine ${engine}: there is no such engine`);
if (values.design !== undefined && !POOL.has(values.design))
  fail(`--design ${values.design}: there are ${[...POOL.keys()].join(", ")}`);

const engines = values.engine as Engine[];
for (const engine of engines)
  if (!installed(engine)) process.stdout.write(`${engine} is not installed: left out (scripts/setup-debian.sh)\n`);
const seed = number("seed", values.seed);
const progress = new Progress();
const rows: (Row & { seconds: number })[] = [];

async function part(name: string, run: () => Row | Promise<Row>): Promise<void> {
  if (values.case === undefined ? !values.part.includes(name) : name !== "designs") return;
  const start = performance.now();
  const row = await run();
  progress.clear();
  rows.push({ ...row, seconds: (performance.now() - start) / 1000 });
}

process.stdout.write(`seed ${seed}\n`);
await part("constructs", () =>
  runConstructs({ seed, count: number("constructs", values.constructs), engines }, progress),
);
for (const [name, pool] of POOL) {
  if (values.design !== undefined && values.design !== name) continue;
  const first = values.case === undefined ? number("first", values.first) : number("case", values.case);
  const count = values.case === undefined ? number("cases", values.cases) : 1;
  await part("lint", () => runLint(name, pool, progress));
  await part("designs", () => runDesign(name, { pool, seed, first, count, engines }, progress));
  await part("resnet8", () => runNetwork(name, progress));
}
await part("networks", () => runNetworks({ seed, count: number("networks", values.networks) }, progress));
await part("rtl-networks", () =>
  runRtlNetworks({ seed, count: number("rtl-networks", values["rtl-networks"]) }, progress),
);
await part("netlist", () => runNetlist({ seed, count: number("netlists", values.netlists) }, progress));
for (const [name, configuration] of MUTATED) {
  if (values.design !== undefined && values.design !== name) continue;
  const count = number("mutations", values.mutations);
  await part("mutations", () => runMutations({ configuration, seed, count, cases: 24 }, progress));
}

const differences = rows.reduce((sum, row) => sum + row.differences, 0);
process.stdout.write(
  `${summary(rows)}\n${differences === 0 ? "equal" : `${differences} differences`} (seed ${seed})\n`,
);
process.exitCode = differences === 0 ? 0 : 1;
