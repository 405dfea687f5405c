/** The worker in which Yosys runs: one job, files and a script in, the statistics out. */
import { parentPort, workerData } from "node:worker_threads";
import { Exit, runYosys, type Tree } from "@yowasp/yosys";

export interface YosysJob {
  readonly files: Readonly<Record<string, string>>;
  readonly script: string;
  /** Names of the files to hand back. */
  readonly wanted: readonly string[];
}

export type YosysAnswer = { readonly results: Readonly<Record<string, string>> } | { readonly failed: string };

const { files, script, wanted } = workerData as YosysJob;
const log: string[] = [];
const decoder = new TextDecoder();
const keep = (bytes: Uint8Array | null): void => {
  if (bytes) log.push(decoder.decode(bytes));
};

function textOf(tree: Tree, name: string): string {
  const file = tree[name];
  if (typeof file === "string") return file;
  return file instanceof Uint8Array ? decoder.decode(file) : "";
}

let answer: YosysAnswer;
try {
  const tree = (await runYosys(["-q", "-p", script], { ...files }, { stdout: keep, stderr: keep })) ?? {};
  answer = { results: Object.fromEntries(wanted.map((name) => [name, textOf(tree, name)])) };
} catch (error) {
  const reason = error instanceof Exit ? `exit code ${error.code}` : String(error);
  answer = { failed: `${reason}\n${log.join("").slice(-3000)}` };
}
parentPort?.postMessage(answer);
