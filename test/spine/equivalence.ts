/**
 * Whether a changed module does the same as before in every state that its registers can hold: Yosys proves it, register by
 * register and output by output. A change that is proved to be none is no hole of a test that does not see it. What cannot be
 * proved may still be without effect: in states that are never reached, or in what nobody reads.
 */
import { Worker } from "node:worker_threads";
import type { YosysAnswer, YosysJob } from "../../host/synth/yosys-worker.js";

type Files = ReadonlyMap<string, string>;

/** Runs Yosys in a worker; the texts of the wanted files, or why it failed. Undefined where it took longer than `limit` ms. */
export function yosys(job: YosysJob): Promise<YosysAnswer>;
export function yosys(job: YosysJob, limit: number): Promise<YosysAnswer | undefined>;
export function yosys(job: YosysJob, limit?: number): Promise<YosysAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("../../host/synth/yosys-worker.js", import.meta.url), { workerData: job });
    const timer =
      limit === undefined
        ? undefined
        : setTimeout(() => {
            resolve(undefined);
            void worker.terminate();
          }, limit);
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => clearTimeout(timer));
  });
}

/** Milliseconds after which a proof is given up. */
const LIMIT = 180_000;

/** The files that a module needs, its own last. */
function needed(files: Files, name: string, found = new Set<string>()): Set<string> {
  const text = files.get(`${name}.v`)!;
  for (const other of files.keys()) {
    const module = other.replace(/\.v$/, "");
    if (module !== name && !found.has(other) && new RegExp(`^ *${module} (#\\(|\\w+ \\()`, "m").test(text))
      needed(files, module, found);
  }
  return found.add(`${name}.v`);
}

/** True where `file`, a module of the design without parameters, is proved to do the same in both. */
export async function provedEqual(before: Files, after: Files, file: string): Promise<boolean> {
  const name = file.replace(/\.v$/, "");
  // The library's modules are many, one for each set of parameters.
  if (/^module \w+ #\(/m.test(before.get(file)!)) return false;
  const list = [...needed(before, name)];
  const files: Record<string, string> = {};
  for (const one of list) {
    files[`before_${one}`] = before.get(one)!;
    files[`after_${one}`] = after.get(one)!;
  }
  const side = (which: string): string[] => [
    ...list.map((one) => `read_verilog ${which}_${one}`),
    `hierarchy -top ${name}`,
    "proc; flatten; opt_expr; opt_clean; memory_map",
    `rename -top ${which}`,
    `design -stash ${which}`,
  ];
  const script = [
    ...side("before"),
    ...side("after"),
    "design -copy-from before -as before before",
    "design -copy-from after -as after after",
    "equiv_make before after both",
    // What was not changed is the same text twice, and falls together without a proof.
    "hierarchy -top both; opt_clean; opt_merge; opt_clean",
    "equiv_simple -undef; equiv_induct -undef; equiv_status -assert",
    "tee -o proved.txt stat",
  ];
  const answer = await yosys({ files, script: script.join("; "), wanted: ["proved.txt"] }, LIMIT);
  if (answer === undefined) return false;
  if ("results" in answer) return true;
  if (answer.failed.includes("equiv_status -assert")) return false;
  throw new Error(answer.failed);
}
