/**
 * The commands: one file each in `commands/`, read when it is asked for; all share errors, table and progress bar.
 */
import { resolve } from "node:path";
import yargs, { type CommandModule } from "yargs";
import { version } from "../version.js";
import { report, UsageError } from "./errors.js";
import { makeFolder } from "./files.js";
import { spreadSet } from "./options.js";

const COMMANDS = new Map<string, () => Promise<unknown>>([
  ["run", async () => (await import("./commands/run.js")).run],
  ["verify", async () => (await import("./commands/verify.js")).verify],
  ["inspect", async () => (await import("./commands/inspect.js")).inspect],
  ["designs", async () => (await import("./commands/designs.js")).designs],
  ["gemm", async () => (await import("./commands/gemm.js")).gemm],
  ["serve", async () => (await import("./commands/serve.js")).serve],
  ["check", async () => (await import("./commands/check.js")).check],
  ["ir", async () => (await import("./commands/ir.js")).ir],
  ["rtl", async () => (await import("./commands/rtl.js")).rtl],
  ["synth", async () => (await import("./commands/synth.js")).synth],
  ["systemc", async () => (await import("./commands/systemc.js")).systemc],
  ["calibrate", async () => (await import("./commands/calibrate.js")).calibrate],
  ["compare", async () => (await import("./commands/compare.js")).compare],
  ["evaluate", async () => (await import("./commands/evaluate.js")).evaluate],
]);

/** Runs one command line. @returns the exit code: 0, 1 (it failed) or 2 (it was wrong). */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const [first = "-"] = args;
    if (!first.startsWith("-") && named(args).length === 0)
      throw new UsageError(`There is no command "${first}"`, { hint: "tandem --help shows what there is." });
    await yargs(spreadSet(args))
      .scriptName("tandem")
      .command(await commandsFor(args))
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
const named = (args: readonly string[]): string[] => args.slice(0, 1).filter((word) => COMMANDS.has(word));

/** The one that is named, or all of them to show what there is. */
function commandsFor(args: readonly string[]): Promise<CommandModule[]> {
  const [name] = named(args);
  const wanted = name === undefined ? [...COMMANDS.values()] : [COMMANDS.get(name)!];
  return Promise.all(wanted.map((load) => load() as Promise<CommandModule>));
}

/** Options that may be repeated; of any other, yargs would make a list that no command expects. */
const REPEATABLE = ["models", "with", "_", "targets", "use", "set", "trace", "reports"];

function onlyOnce(args: Record<string, unknown>): true {
  const twice = Object.keys(args).find((name) => Array.isArray(args[name]) && !REPEATABLE.includes(name));
  if (twice !== undefined) throw new UsageError(`--${twice} is given more than once`);
  return true;
}
