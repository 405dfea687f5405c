#!/usr/bin/env node
/** The command line: `tandem COMMAND`. One file per command in `commands/`; all share errors, table and progress bar. */
import { resolve } from "node:path";
import yargs, { type CommandModule } from "yargs";
import { hideBin } from "yargs/helpers";
import { version } from "../version.js";
import { calibrate } from "./commands/calibrate.js";
import { check } from "./commands/check.js";
import { compare } from "./commands/compare.js";
import { designs } from "./commands/designs.js";
import { evaluate } from "./commands/evaluate.js";
import { gemm } from "./commands/gemm.js";
import { inspect } from "./commands/inspect.js";
import { ir } from "./commands/ir.js";
import { rtl } from "./commands/rtl.js";
import { run } from "./commands/run.js";
import { serve } from "./commands/serve.js";
import { synth } from "./commands/synth.js";
import { systemc } from "./commands/systemc.js";
import { verify } from "./commands/verify.js";
import { report, UsageError } from "./errors.js";
import { makeFolder } from "./files.js";
import { spreadSet } from "./options.js";

const COMMANDS = [
  ...[run, verify, inspect, designs, gemm, serve, check, ir, rtl, synth, systemc],
  ...[calibrate, compare, evaluate],
] as CommandModule[];

/** Runs one command line. @returns the exit code: 0, 1 (it failed) or 2 (it was wrong). */
async function main(args: readonly string[]): Promise<number> {
  try {
    const [first = "-"] = args;
    if (!first.startsWith("-") && named(args).length === 0)
      throw new UsageError(`There is no command "${first}"`, { hint: "tandem --help shows what there is." });
    await yargs(spreadSet(args))
      .scriptName("tandem")
      .command(COMMANDS)
      .demandCommand(1, "No command given")
      .option("cache", {
        type: "string",
        requiresArg: true,
        describe: "Folder of compiled designs; --no-cache: keep none [the user's cache folder]",
      })
      .middleware(chooseCache)
      // One value for each --set: a list would swallow what stands behind it.
      .parserConfiguration({ "greedy-arrays": false })
      .strict()
      .check(onlyOnce)
      .version(version)
      .wrap(Math.min(120, process.stdout.columns || 120))
      .exitProcess(false)
      // yargs calls this for its own complaints (a message, or a YError) and for what a command threw.
      .fail((message: string | null, error: Error | undefined) => {
        if (error !== undefined && error.name !== "YError") throw error;
        throw new UsageError(message ?? error?.message ?? "wrong command line", {
          hint: `${["tandem", ...named(args)].join(" ")} --help shows what there is.`,
        });
      })
      .parseAsync();
    return 0;
  } catch (error) {
    return report(error);
  }
}

/** Workers find the cache where this process does: in the environment. */
function chooseCache(args: { cache?: unknown }): void {
  const cache = args.cache as string | false | undefined;
  if (cache === undefined) return;
  if (cache !== false) makeFolder(cache);
  process.env["TANDEM_CACHE"] = cache === false ? "off" : resolve(cache);
}

/** The command in a command line, if it is one of ours. */
function named(args: readonly string[]): string[] {
  const names = COMMANDS.map(({ command }) => String(command).split(" ")[0]!);
  return args.slice(0, 1).filter((word) => names.includes(word));
}

/** Options that may be repeated; of any other, yargs would make a list that no command expects. */
const REPEATABLE = ["models", "with", "_", "targets", "use", "set", "trace", "reports"];

function onlyOnce(args: Record<string, unknown>): true {
  const twice = Object.keys(args).find((name) => Array.isArray(args[name]) && !REPEATABLE.includes(name));
  if (twice !== undefined) throw new UsageError(`--${twice} is given more than once`);
  return true;
}

// A reader that goes away early (`tandem run | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await main(hideBin(process.argv));
