/**
 * What can begin before the command line is read: the threads that will simulate. Which design and how many threads is a guess from the words
 * alone; where it is wrong, the right ones are started later, and nothing else is lost (driver/transport/members.ts).
 */
import { availableParallelism } from "node:os";
import { startEarly } from "../../driver/transport/members.js";
import { DEFAULT_DESIGN, placeOf } from "../registry.js";

/** Commands that simulate whole networks, and their option that names a design. */
const DESIGN_OPTION: Readonly<Record<string, string>> = { run: "design", verify: "design", evaluate: "with" };

/** More of them would wait for each other. */
const MOST = 16;

export function startSimulators(args: readonly string[]): void {
  const likely = likelySimulators(args);
  if (likely) startEarly(likely.threads, [likely.module]);
}

/** Threads beside this one that the command will likely want, and the module of their design; undefined if it will want none. */
export function likelySimulators([command = "", ...words]: readonly string[]):
  { readonly threads: number; readonly module: string } | undefined {
  const option = Object.hasOwn(DESIGN_OPTION, command) ? DESIGN_OPTION[command] : undefined;
  if (option === undefined || words.includes("--help")) return undefined;
  const given = (name: string): string | undefined => valueOf(words, name);
  const elsewhere = (given("on") ?? "sim") !== "sim" || (given("engine") ?? "fast") !== "fast";
  if (elsewhere || ["functional", "transaction"].includes(given("level") ?? "")) return undefined;
  const place = placeOf(given(option) ?? DEFAULT_DESIGN);
  const jobs = Number(given("jobs") ?? availableParallelism());
  return place && jobs > 1 ? { threads: Math.min(jobs, MOST) - 1, module: place.module } : undefined;
}

/** Of `--name VALUE` or `--name=VALUE`. */
function valueOf(words: readonly string[], name: string): string | undefined {
  const at = words.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  if (at < 0) return undefined;
  return words[at]!.includes("=") ? words[at]!.slice(name.length + 3) : words[at + 1];
}
