/** `tandem check [TARGET ...]`: hold designs against the rules of the hardware language. */
import type { CommandModule } from "yargs";
import { formatDiagnostic } from "../../../hw/check/diagnostic.js";
import { TandemError } from "../../../hw/errors.js";
import { elaborate } from "../../../hw/index.js";
import { findHardware } from "../hardware.js";

interface Arguments {
  targets: string[];
  rtl: boolean;
}

export const check: CommandModule<object, Arguments> = {
  command: "check [targets..]",
  describe: "Check designs against the rules of the hardware language (docs/language.md)",
  builder: (yargs) =>
    yargs
      .positional("targets", {
        type: "string",
        array: true,
        default: ["designs"],
        describe: "Designs by name, files that export some, or designs for all",
      })
      .option("rtl", {
        type: "boolean",
        default: false,
        describe: "For hardware: refuse estimates as well (in all but models of published designs)",
      }),
  async handler({ targets, rtl }) {
    const shown = new Set<string>();
    let processes = 0;
    let cells = 0;
    const designs: string[] = [];
    // The front end is loaded when it is needed: its parser is native code.
    const { checkDesign } = await import("../../../hw/check/index.js");
    const { emitVerilog } = await import("../../../hw/verilog/design.js");
    for (const target of targets)
      for (const { name, build, model } of await findHardware(target, {}, true)) {
        const hardware = rtl && model !== true;
        const { ir, diagnostics } = await checkDesign(elaborate(build()), { rtl: hardware });
        designs.push(name);
        processes += ir.processes.length;
        cells += ir.cells.length;
        // Configurations of one design share their breaches.
        for (const text of diagnostics.map(formatDiagnostic)) {
          if (!shown.has(text)) process.stdout.write(`${text}\n\n`);
          shown.add(text);
        }
        // The lowering to state machines refuses what no rule says, such as a loop that it cannot show to take a clock.
        if (hardware && diagnostics.length === 0) inDesign(name, () => emitVerilog(ir));
      }
    const what = `${designs.join(", ")}: ${plural(processes, "process", "es")}, ${plural(cells, "cell")}`;
    const count = plural(shown.size, "breach", "es");
    process.stdout.write(`${what}; ${count}\n`);
    if (shown.size > 0)
      throw new TandemError(`${count} of the language's rules`, { hint: "docs/language.md explains each rule." });
  },
};

/** @throws TandemError that names the design as well. */
function inDesign(name: string, action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new TandemError(`${name} cannot become Verilog: ${error.message}`, { ...hint, cause: error });
  }
}

const plural = (n: number, noun: string, ending = "s"): string => `${n} ${noun}${n === 1 ? "" : ending}`;
