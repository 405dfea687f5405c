/** `tandem synth DESIGN`: what the design takes of the XC7Z020, by Yosys. */
import { writeFileSync } from "node:fs";
import type { CommandModule } from "yargs";
import { readVerilog } from "../../../driver/transport/rtl-simulator.js";
import { elaborate } from "../../../hw/elaborate.js";
import { TandemError } from "../../../hw/errors.js";
import { openDesign } from "../../design-file.js";
import { blocks36, useOf, XC7Z020, type Use } from "../../synth/resources.js";
import { synthesize, type ModuleUse, type Synthesis, type SynthesisProgress } from "../../synth/synthesize.js";
import { designPositional, parseSet } from "../options.js";
import { count, table, type Column } from "../table.js";

interface Arguments {
  design: string;
  set: string[];
  json: string | undefined;
}

export const synth: CommandModule<object, Arguments> = {
  command: "synth <design>",
  describe: "Synthesise a design for the XC7Z020 with Yosys: LUT, FF, DSP48E1, BRAM, and what does not fit",
  builder: (yargs) =>
    designPositional(yargs).option("json", {
      type: "string",
      requiresArg: true,
      describe: "Write all figures to this file",
    }),
  async handler({ design: name, set, json }) {
    const { design, preset } = await openDesign(name);
    const config = design.configure({ ...preset, ...parseSet(set) });
    const verilog = await readVerilog(elaborate(design.build(config)));
    const progress = new SynthesisLine();
    const result = await synthesize(verilog, undefined, progress.show);
    progress.close();
    const uses = useOf(result.resources);
    if (json !== undefined)
      writeJson(json, { design: name, parameters: design.describe(config), device: XC7Z020.name, uses, ...result });
    process.stdout.write(`${report(result, uses)}\n`);
  },
};

/** One line on a terminal's stderr: what is being mapped, and since when. */
class SynthesisLine {
  readonly #start = performance.now();

  readonly show: SynthesisProgress = (done, total, names) => {
    if (!process.stderr.isTTY) return;
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(0);
    const first = names.slice(0, 3).join(", ");
    const rest = names.length > 3 ? ` and ${names.length - 3} more` : "";
    const share = total > 0 ? `${done} of ${total} modules, ` : "";
    process.stderr.write(`\r\x1b[2K${share}${seconds} s: ${first}${rest}`.slice(0, 100));
  };

  close(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[2K");
  }
}

const USE: readonly Column<Use>[] = [
  { title: XC7Z020.name, cell: ({ name }) => name, align: "left" },
  { title: "used", cell: ({ used }) => count(used) },
  { title: "available", cell: ({ available }) => count(available) },
  { title: "share", cell: ({ used, available }) => `${((100 * used) / available).toFixed(1)} %` },
  { title: "", cell: ({ fits }) => (fits ? "" : "does not fit"), align: "left" },
];

const MODULES: readonly Column<ModuleUse>[] = [
  { title: "module", cell: ({ name }) => name, align: "left" },
  { title: "instances", cell: ({ instances }) => count(instances) },
  { title: "LUT", cell: ({ own, instances }) => count(own.lut * instances) },
  { title: "FF", cell: ({ own, instances }) => count(own.ff * instances) },
  { title: "DSP48E1", cell: ({ own, instances }) => count(own.dsp * instances) },
  { title: "BRAM36", cell: ({ own, instances }) => count(blocks36(own) * instances) },
];

/** Modules with the most look-up tables; the rest is small. */
const SHOWN = 15;

function report(result: Synthesis, uses: readonly Use[]): string {
  const modules = [...result.modules].sort((a, b) => b.own.lut * b.instances - a.own.lut * a.instances).slice(0, SHOWN);
  const { ns, module } = result.longestPath;
  const plain = result.modules.filter((one) => one.plain).map(({ name }) => name);
  return [
    table(uses, USE),
    "",
    `largest ${modules.length} of ${result.modules.length} modules, all instances together:`,
    table(modules, MODULES),
    "",
    `longest path inside one module: ${ns.toFixed(2)} ns of cell delays in ${module}, without wires (estimated; it ranks designs, it is not Fmax)`,
    `${result.tool}, modules kept apart${result.cached ? "; from the cache" : ""}`,
    ...(plain.length > 0
      ? [`mapped without ABC's choices of structure, with which it fails: ${plain.join(", ")}`]
      : []),
    ...(result.unknown.length > 0 ? [`not counted: cells ${result.unknown.join(", ")}`] : []),
  ].join("\n");
}

function writeJson(path: string, value: unknown): void {
  try {
    writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
  } catch (error) {
    throw new TandemError(`--json ${path}: cannot be written: ${(error as Error).message}`, {
      hint: "Name a file in a folder that you may write.",
      cause: error,
    });
  }
}
