/** `tandem ir DESIGN`: the IR that the compiler reads from the source of a design's processes and cells, as text. */
import type { Argv, ArgumentsCamelCase, CommandModule } from "yargs";
import { formatDiagnostic } from "../../../hw/check/diagnostic.js";
import { TandemError } from "../../../hw/errors.js";
import { printCell, printProcess } from "../../../hw/ir/print.js";
import { readRegistered } from "../reading.js";
import { parseSet } from "../options.js";

interface Arguments {
  design: string;
  set: string[];
  process: string | undefined;
}

function builder(yargs: Argv): Argv<Arguments> {
  return yargs
    .positional("design", { type: "string", demandOption: true, describe: "Name of a design" })
    .option("set", {
      type: "string",
      array: true,
      default: [] as string[],
      describe: "Parameter of the design: rows=8",
    })
    .option("process", {
      type: "string",
      requiresArg: true,
      describe: "Only processes and cells whose name contains this",
    });
}

export const ir: CommandModule<object, Arguments> = {
  command: "ir <design>",
  describe: "Print the IR of a design's processes and cells",
  builder,
  handler,
};

async function handler({ design, set, process: wanted = "" }: ArgumentsCamelCase<Arguments>): Promise<void> {
  const { ir: read, diagnostics } = await readRegistered(design, parseSet(set));
  const units = [
    ...read.processes.map((unit) => ({ name: unit.node.path, text: () => printProcess(unit) })),
    ...read.cells.map((unit) => ({ name: unit.grid.path, text: () => printCell(unit) })),
  ];
  const chosen = units.filter(({ name }) => name.includes(wanted));
  if (chosen.length === 0) {
    throw new TandemError(`No process or cell of ${design} has "${wanted}" in its name`, {
      hint: `They are ${units.map(({ name }) => name).join(", ")}.`,
    });
  }
  process.stdout.write(`${chosen.map(({ text }) => text()).join("\n\n")}\n`);
  if (diagnostics.length > 0) {
    process.stderr.write(`${diagnostics.map(formatDiagnostic).join("\n")}\n`);
    throw new TandemError(`${design} breaks ${diagnostics.length} rules of the language; its IR is not whole`, {
      hint: "tandem check lists them all.",
    });
  }
}
