/** `tandem verify MODEL --golden FILE`: every operator's output against a reference runtime's, bit for bit. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { Argv, ArgumentsCamelCase, CommandModule } from "yargs";
import { TandemError } from "../../../hw/errors.js";
import { describeOperator } from "../../graph/graph.js";
import { compare, readGolden, type Difference, type Golden } from "../../report/golden.js";
import { execute } from "../../runtime/executor.js";
import { makePlan, type Plan } from "../../runtime/plan.js";
import { readTfliteFile } from "../../tflite/reader.js";
import {
  kernelOptions,
  openTarget,
  parseUse,
  placeOptions,
  type KernelArguments,
  type PlaceArguments,
} from "../options.js";
import { Progress } from "../progress.js";
import { count } from "../table.js";

interface Arguments extends PlaceArguments, KernelArguments {
  model: string;
  golden: string;
}

function builder(yargs: Argv): Argv<Arguments> {
  const own = yargs
    .positional("model", { type: "string", demandOption: true, describe: "A .tflite file" })
    .option("golden", {
      type: "string",
      demandOption: true,
      describe: "JSON file with the expected SHA-256 of each output",
    });
  return kernelOptions(placeOptions(own));
}

export const verify: CommandModule<object, Arguments> = {
  command: "verify <model>",
  describe: "Compare every operator's output with a reference runtime's, bit for bit",
  builder,
  handler,
};

async function handler(args: ArgumentsCamelCase<Arguments>): Promise<void> {
  const graph = readTfliteFile(args.model);
  const golden = readGolden(args.golden);
  const progress = new Progress(args.progress);
  const target = await openTarget(args, progress);
  try {
    const { implementations, prefer } = target;
    const plan = makePlan(graph, { implementations, prefer, layers: parseUse(args.use, target) });
    checkSameNetwork(plan, golden);
    const { differences, on } = await verifyPlan(plan, golden, progress, target.jobs);
    const total = plan.layers.length;
    const places = [...on].map(([place, layers]) => `${count(layers)} on ${place}`).join(", ");
    process.stdout.write(
      `${basename(args.model)}: ${count(total - differences.length)} of ${count(total)} operators agree with ${golden.kernels} (${places})\n`,
    );
    const [first] = differences;
    if (first) throw new TandemError(describeDifference(graph.source, first));
  } finally {
    progress.close();
    await target.close();
  }
}

/** @throws TandemError if the golden file is of another network. */
function checkSameNetwork({ graph, layers }: Plan, golden: Golden): void {
  for (const { operator } of layers) {
    const expected = golden.operators.find(({ op }) => op === operator.index);
    if (expected?.type !== operator.type) {
      const found = expected ? `operator ${expected.op} (${expected.type})` : "nothing";
      throw new TandemError(`${golden.path}: has ${found} where ${graph.source} has ${describeOperator(operator)}`, {
        hint: "The golden file belongs to another model.",
      });
    }
  }
}

async function verifyPlan(
  plan: Plan,
  golden: Golden,
  progress: Progress,
  jobs = 1,
): Promise<{ differences: Difference[]; on: Map<string, number> }> {
  let differences: Difference[] = [];
  let on = new Map<string, number>();
  progress.begin(plan.layers.map(({ operator, macs }) => ({ name: describeOperator(operator), work: macs })));
  await execute(plan, golden.inputs, {
    jobs,
    onLayer({ layer }, output) {
      // Layers that ran ahead on wrong bytes run again, from the first one.
      if (layer === plan.layers[0]) {
        differences = [];
        on = new Map();
      }
      const { operator, implementation } = layer;
      const sha256 = createHash("sha256").update(output).digest("hex");
      const difference = compare(golden, plan.graph, operator, output, sha256);
      if (difference) differences.push(difference);
      on.set(implementation.name, (on.get(implementation.name) ?? 0) + 1);
      progress.next();
    },
  });
  progress.close();
  return { differences, on };
}

function describeDifference(source: string, { operator, expected, found, elements }: Difference): string {
  const amount = elements
    ? `${count(elements.count)} of ${count(elements.of)} elements differ, by ${elements.largest} at most`
    : `SHA-256 ${found.slice(0, 16)}..., expected ${expected.slice(0, 16)}...`;
  return `${source}: ${describeOperator(operator)} is the first that differs: ${amount}`;
}
