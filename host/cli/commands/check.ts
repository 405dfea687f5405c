/** `tandem check [DESIGN..]`: every breach of the language's rules in the source of designs, with place and suggestion. */
import type { Argv, ArgumentsCamelCase, CommandModule } from "yargs";
import { formatDiagnostic } from "../../../hw/check/diagnostic.js";
import { TandemError } from "../../../hw/errors.js";
import { DESIGNS } from "../../registry.js";
import { readRegistered } from "../reading.js";
import { count } from "../table.js";

interface Arguments {
  designs: string[];
}

/** Stands for all designs, as the name of the folder they are in. */
const ALL = "designs";

function builder(yargs: Argv): Argv<Arguments> {
  return yargs.positional("designs", {
    type: "string",
    array: true,
    default: [ALL],
    describe: `Names of designs; ${ALL} stands for all`,
  });
}

export const check: CommandModule<object, Arguments> = {
  command: "check [designs..]",
  describe: "Check designs against the rules of the hardware language",
  builder,
  handler,
};

async function handler(args: ArgumentsCamelCase<Arguments>): Promise<void> {
  const all = DESIGNS.map(({ design }) => design.name);
  const names = new Set(args.designs.flatMap((name) => (name.replace(/[\\/]+$/, "") === ALL ? all : [name])));
  let breaches = 0;
  for (const name of names) {
    const { ir, diagnostics } = await readRegistered(name);
    for (const diagnostic of diagnostics) process.stdout.write(`${formatDiagnostic(diagnostic)}\n\n`);
    const what = `${count(ir.processes.length)} processes, ${count(ir.cells.length)} kinds of cells`;
    process.stdout.write(
      `${name}: ${diagnostics.length === 0 ? "clean" : `${count(diagnostics.length)} breaches`} (${what})\n`,
    );
    breaches += diagnostics.length;
  }
  if (breaches > 0) {
    throw new TandemError(`${count(breaches)} breaches of the language's rules`, {
      hint: "docs/language.md explains each rule.",
    });
  }
}
