/**
 * Tasks of the spine side by side, each in a process of its own. Those that take longest begin first; the table has them in
 * their order all the same.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Progress, TimedRow, Told } from "./report.js";
import type { Task } from "./tasks.js";

/** Parts by the time that they take (docs/spine.md), the longest first. */
const LONGEST_FIRST = ["designs", "networks", "mutations", "netlist", "constructs", "rtl-networks", "resnet8", "lint"];

const MAIN = fileURLToPath(new URL("main.js", import.meta.url));

/** The rows of all tasks; `options` are those with which this process was started. */
export async function runSideBySide(
  tasks: readonly Task[],
  jobs: number,
  options: readonly string[],
  progress: Progress,
): Promise<TimedRow[]> {
  const rows = new Map<Task, TimedRow>();
  const order = (task: Task): number => LONGEST_FIRST.indexOf(task.part);
  const waiting = [...tasks].sort((a, b) => order(a) - order(b));
  const work = async (): Promise<void> => {
    for (let task = waiting.shift(); task; task = waiting.shift())
      rows.set(task, await inProcess(task, options, progress));
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
  return tasks.map((task) => rows.get(task)!);
}

/** A process that ends without its row counts as a difference: something went wrong in it. */
function inProcess(task: Task, options: readonly string[], progress: Progress): Promise<TimedRow> {
  return new Promise((resolve) => {
    const child = fork(MAIN, [...options, "--task", task.name]);
    let row: TimedRow | undefined;
    child.on("message", (told: Told) => {
      if (told.kind === "step") progress.step(told.text, told.share);
      else if (told.kind === "note") progress.note(told.text);
      else row = told.row;
    });
    child.on("close", (code, signal) => {
      if (!row) progress.difference(`${task.name}: its process ended (${signal ?? `exit code ${code}`})`);
      const failed = { part: task.name, cases: 0, clocks: undefined, differences: 1, note: "not finished", seconds: 0 };
      resolve(row ?? failed);
    });
  });
}
