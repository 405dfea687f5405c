/** `tandem rtl DESIGN --out DIR`: the design as Verilog-2005, with a wrapper for AXI. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { CommandModule } from "yargs";
import { readVerilog } from "../../../driver/transport/rtl-simulator.js";
import { elaborate } from "../../../hw/elaborate.js";
import { TandemError } from "../../../hw/errors.js";
import type { Position } from "../../../hw/ir/ir.js";
import { axiWrapper } from "../../../hw/verilog/axi.js";
import { openDesign } from "../../design-file.js";
import { makeFolders } from "../../../sim/folders.js";
import { designPositional, parseSet } from "../options.js";

interface Arguments {
  design: string;
  set: string[];
  out: string;
}

/** Lists the files in the order of compilation, and marks a folder as ours to replace. */
const LIST = "files.f";

export const rtl: CommandModule<object, Arguments> = {
  command: "rtl <design>",
  describe: "Write a design as Verilog",
  builder: (yargs) =>
    designPositional(yargs).option("out", {
      type: "string",
      demandOption: true,
      requiresArg: true,
      describe: "Folder to write",
    }),
  async handler({ design: name, set, out }) {
    const { design, preset } = await openDesign(name);
    const config = design.configure({ ...preset, ...parseSet(set) });
    const verilog = await readVerilog(elaborate(design.build(config)), sourceLines());
    const axi = axiWrapper(verilog);
    const files = new Map(verilog.files).set(`${axi.name}.v`, axi.text);
    files.set(LIST, [...files.keys()].join("\n") + "\n");
    writeFolder(out, files);
    const lines = [...files.values()].reduce((sum, text) => sum + text.split("\n").length - 1, 0);
    process.stdout.write(
      `${out}: ${files.size - 1} Verilog files, ${lines} lines; top ${verilog.top}, with AXI ${axi.name}\n`,
    );
  },
};

/** The words of a source line, for comments in the Verilog; undefined where the source is not at hand. */
function sourceLines(): (at: Position) => string | undefined {
  const texts = new Map<string, string[]>();
  return ({ file, line }) => {
    if (!texts.has(file)) texts.set(file, existsSync(file) ? readFileSync(file, "utf8").split("\n") : []);
    const words = texts.get(file)![line - 1]?.trim().replace(/\\$/, "");
    return words === "" ? undefined : words;
  };
}

/** All files or none: written beside the folder, then moved into its place. */
function writeFolder(out: string, files: ReadonlyMap<string, string>): void {
  const folder = resolve(out);
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, LIST)))
    throw new TandemError(`--out ${out}: the folder holds other files`, {
      hint: "Name a new or empty folder, or one that tandem rtl wrote.",
    });
  const work = `${folder}.writing-${process.pid}`;
  try {
    makeFolders(dirname(folder));
    mkdirSync(work);
    for (const [name, text] of files) writeFileSync(join(work, name), text);
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
  } catch (error) {
    throw new TandemError(`--out ${out}: cannot be written: ${(error as Error).message}`, {
      hint: "Name a folder that you may write.",
      cause: error,
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
