/** `tandem systemc build DIR --top NAME`: a SystemC module of the user's as an accelerator for `tandem run --design`. */
import { relative } from "node:path";
import type { Argv, ArgumentsCamelCase, CommandModule } from "yargs";
import { buildUserDesign } from "../../../sim/systemc-wasm/user-design.js";
import { UsageError } from "../errors.js";

interface Arguments {
  dir: string;
  top: string;
  out: string;
}

function builder(yargs: Argv): Argv<Arguments> {
  return yargs
    .positional("dir", { type: "string", demandOption: true, describe: "Folder with the module's .h and .cpp files" })
    .option("top", { type: "string", demandOption: true, requiresArg: true, describe: "Class of the top module" })
    .option("out", { type: "string", default: "out/systemc", requiresArg: true, describe: "Folder for the result" });
}

async function handler({ dir, top, out }: ArgumentsCamelCase<Arguments>): Promise<void> {
  const file = await buildUserDesign(dir, top, out, (text) => void process.stderr.write(`${text}\n`));
  const path = relative(process.cwd(), file);
  process.stdout.write(`${path}\n\nRun a network on it: tandem run MODEL --on sim --design ${path}\n`);
}

const build: CommandModule<object, Arguments> = {
  command: "build <dir>",
  describe: "Compile a SystemC module to WebAssembly (Debian 12 with emscripten and dpkg-dev)",
  builder,
  handler,
};

export const systemc: CommandModule = {
  command: "systemc <action>",
  describe: "Accelerators written in SystemC",
  builder: (yargs) => yargs.command(build).demandCommand(1),
  handler: () => {
    throw new UsageError("no such action", { hint: "tandem systemc build DIR --top NAME" });
  },
};
