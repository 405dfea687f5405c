/** The worker of watchdog.ts: one seed after the other. */
import { parentPort, workerData } from "node:worker_threads";
import type { Check, WatchedJob, WatchedMessage } from "./watchdog.js";

const { module, first, count } = workerData as WatchedJob;
const { check } = (await import(module)) as { check: Check };
const post = (message: WatchedMessage): void => parentPort!.postMessage(message);

for (let seed = first; seed < first + count; seed++) {
  post({ seed, begins: true, message: undefined });
  let message: string | undefined | null;
  try {
    message = await check(seed);
  } catch (error) {
    message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  post({ seed, begins: false, message });
}
