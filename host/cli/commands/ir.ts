/** `tandem ir DESIGN`: what the compiler has understood of a design, process by process. */
import type { CommandModule } from "yargs";
import { formatDiagnostic } from "../../../hw/check/diagnostic.js";
import { TandemError } from "../../../hw/errors.js";
import { elaborate } from "../../../hw/index.js";
import { irToJson } from "../../../hw/ir/json.js";
import { printCell, printProcess } from "../../../hw/ir/print.js";
import { matcher } from "../../../sim/trace/glob.js";
import { checkWritable, writeWhole } from "../files.js";
import { findHardware } from "../hardware.js";
import { designPositional, parseSet } from "../options.js";

interface Arguments {
  design: string;
  set: string[];
  process: string | undefined;
  json: string | undefined;
}

export const ir: CommandModule<object, Arguments> = {
  command: "ir <design>",
  describe: "Print the intermediate representation of a design's processes and cells",
  builder: (yargs) =>
    designPositional(yargs)
      .option("process", {
        type: "string",
        requiresArg: true,
        describe: "Only processes and cells with this in their path; * and ** over whole paths: systolic.walker.*",
      })
      .option("json", {
        type: "string",
        requiresArg: true,
        describe: "Write the whole IR here, for the fast engine where there is no source (a browser)",
      }),
  async handler({ design, set, process: pattern, json }) {
    if (json !== undefined) return writeJson(design, set, json);
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

/** The whole IR as a file, for places without source (docs/engines.md). */
async function writeJson(design: string, set: string[], path: string): Promise<void> {
  checkWritable(path);
  const { readDesign } = await import("../../../hw/frontend/index.js");
  const found = await findHardware(design, parseSet(set), false);
  if (found.length > 1)
    throw new TandemError(`${design} exports ${found.length} designs; --json writes one`, {
      hint: "Name a design, or a file that exports one.",
    });
  const { ir, diagnostics } = await readDesign(elaborate(found[0]!.build()));
  const [first] = diagnostics;
  if (first)
    throw new TandemError(`${design} breaks the rules of the language, so it has no IR:\n${formatDiagnostic(first)}`, {
      hint: `tandem check ${design} lists every breach.`,
    });
  writeWhole(path, irToJson(ir));
  process.stdout.write(`${path}: ${ir.processes.length} processes, ${ir.cells.length} cells\n`);
}

/** A pattern over whole paths where it has wildcards, else a part of the path. */
function chooser(pattern: string | undefined): (path: string) => boolean {
  if (pattern === undefined) return () => true;
  return /[*?]/.test(pattern) ? matcher(pattern) : (path) => path.includes(pattern);
}
