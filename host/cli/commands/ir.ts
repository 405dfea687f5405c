/** `tandem ir DESIGN`: what the compiler has understood of a design, process by process. */
import type { CommandModule } from "yargs";
import { formatDiagnostic } from "../../../hw/check/diagnostic.js";
import { TandemError } from "../../../hw/errors.js";
import { elaborate } from "../../../hw/index.js";
import { printCell, printProcess } from "../../../hw/ir/print.js";
import { matcher } from "../../../sim/trace/glob.js";
import { findHardware } from "../hardware.js";
import { parseSet } from "../options.js";

interface Arguments {
  design: string;
  set: string[];
  process: string | undefined;
}

export const ir: CommandModule<object, Arguments> = {
  command: "ir <design>",
  describe: "Print the intermediate representation of a design's processes and cells",
  builder: (yargs) =>
    yargs
      .positional("design", {
        type: "string",
        demandOption: true,
        describe: "A design by name, or a file that exports one",
      })
      .option("set", {
        type: "string",
        array: true,
        default: [] as string[],
        describe: "Parameter of the design: rows=8 (tandem designs lists them)",
      })
      .option("process", {
        type: "string",
        requiresArg: true,
        describe: "Only processes and cells with this in their path; * and ** over whole paths: systolic.walker.*",
      }),
  async handler({ design, set, process: pattern }) {
    const matches = chooser(pattern);
    const { checkDesign } = await import("../../../hw/check/index.js");
    const paths: string[] = [];
    let printed = 0;
    for (const { build } of await findHardware(design, parseSet(set), false)) {
      const { ir, diagnostics } = await checkDesign(elaborate(build()));
      const [first] = diagnostics;
      if (first) {
        process.stdout.write(`${formatDiagnostic(first)}\n\n`);
        throw new TandemError(`${design} breaks the rules of the language, so it has no IR`, {
          hint: `tandem check ${design} lists every breach.`,
        });
      }
      const texts = [
        ...ir.processes.map((one) => ({ path: one.node.path, print: () => printProcess(one) })),
        ...ir.cells.map((one) => ({ path: one.grid.path, print: () => printCell(one) })),
      ];
      for (const { path, print } of texts) {
        paths.push(path);
        if (!matches(path)) continue;
        process.stdout.write(`${printed++ > 0 ? "\n" : ""}${print()}\n`);
      }
    }
    if (printed === 0)
      throw new TandemError(`No process or cell of ${design} has "${pattern ?? ""}" in its name`, {
        hint: `They are ${paths.join(", ")}.`,
      });
  },
};

/** A pattern over whole paths where it has wildcards, else a part of the path. */
function chooser(pattern: string | undefined): (path: string) => boolean {
  if (pattern === undefined) return () => true;
  return /[*?]/.test(pattern) ? matcher(pattern) : (path) => path.includes(pattern);
}
