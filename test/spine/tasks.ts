/** The spine as a list of tasks, each of which stands alone: it may run in a process of its own (parallel.ts). */
import { runConstructs } from "./constructs.js";
import { runDesign } from "./designs.js";
import type { Engine } from "./engines.js";
import { runLint } from "./lint.js";
import { runMutations } from "./mutation.js";
import { runNetlist } from "./netlist.js";
import { runNetwork } from "./network.js";
import { runNetworks } from "./networks.js";
import { MUTATED, POOL } from "./pool.js";
import type { Progress, Row, TimedRow } from "./report.js";
import { runRtlNetworks } from "./rtl-networks.js";

/** In the order of the closing table. */
export const PARTS = [
  "constructs",
  "lint",
  "designs",
  "resnet8",
  "networks",
  "rtl-networks",
  "netlist",
  "mutations",
] as const;
type Part = (typeof PARTS)[number];

export interface Settings {
  readonly parts: readonly string[];
  readonly designs: readonly string[];
  readonly seed: number;
  /** The first case of a design, and how many. */
  readonly first: number;
  readonly cases: number;
  readonly constructs: number;
  readonly networks: number;
  readonly rtlNetworks: number;
  readonly netlists: number;
  readonly mutations: number;
  readonly engines: readonly Engine[];
}

export interface Task {
  /** Of a part and a design, as in `designs vmac`. */
  readonly name: string;
  readonly part: Part;
  readonly run: (progress: Progress) => Row | Promise<Row>;
}

/** Layers that a mutant of a design's Verilog has to get past. */
const CASES_OF_MUTANTS = 24;

export function tasksOf(settings: Settings): readonly Task[] {
  const { seed, engines, first } = settings;
  const alone = (part: Part, run: Task["run"]): Task[] => [{ name: part, part, run }];
  const perDesign = (part: Part, run: (design: string, progress: Progress) => Row | Promise<Row>): Task[] =>
    settings.designs.map((name) => ({ name: `${part} ${name}`, part, run: (progress) => run(name, progress) }));
  const all: readonly Task[] = [
    ...alone("constructs", (progress) => runConstructs({ seed, count: settings.constructs, engines }, progress)),
    ...perDesign("lint", (name, progress) => runLint(name, POOL.get(name)!, progress)),
    ...perDesign("designs", (name, progress) =>
      runDesign(name, { pool: POOL.get(name)!, seed, first, count: settings.cases, engines }, progress),
    ),
    ...perDesign("resnet8", runNetwork),
    ...alone("networks", (progress) => runNetworks({ seed, count: settings.networks }, progress)),
    ...alone("rtl-networks", (progress) => runRtlNetworks({ seed, count: settings.rtlNetworks }, progress)),
    ...alone("netlist", (progress) => runNetlist({ seed, count: settings.netlists }, progress)),
    ...perDesign("mutations", (name, progress) =>
      runMutations(
        { configuration: MUTATED.get(name)!, seed, count: settings.mutations, cases: CASES_OF_MUTANTS },
        progress,
      ),
    ),
  ];
  return all.filter(({ part }) => settings.parts.includes(part));
}

/** Do a task; seconds are wall time. */
export async function timed({ run }: Task, progress: Progress): Promise<TimedRow> {
  const start = performance.now();
  const row = await run(progress);
  return { ...row, seconds: (performance.now() - start) / 1000 };
}
