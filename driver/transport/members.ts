/**
 * Threads for team.ts. They may be started before it is known what they will simulate: a thread takes as long to load its modules as the
 * command line does, and both can be done at once. What is started early and not used does not keep the process alive.
 */
import { Worker } from "node:worker_threads";
import type { MemberStart } from "./team.js";
import { settleV8 } from "./v8-settings.js";

/** Started, and not told yet what to simulate. */
const early = new Set<Worker>();

function start(modules: readonly string[]): Worker {
  return new Worker(new URL("./team-member.js", import.meta.url), { workerData: modules });
}

/** Start `count` threads, which import these modules (URLs), in all likelihood the design's, as soon as they run. */
export function startEarly(count: number, modules: readonly string[]): void {
  settleV8();
  for (let i = 0; i < count; i++) {
    const worker = start(modules);
    early.add(worker);
    worker.unref();
    // One that has failed is not hired, and nobody misses it.
    worker.on("error", () => undefined);
    worker.once("exit", () => early.delete(worker));
  }
}

/** A thread that is to simulate this, one of those that were started early if there are any left. */
export function hire(member: MemberStart): Worker {
  const [ready] = early;
  if (ready) early.delete(ready);
  const worker = ready ?? start([]);
  worker.ref();
  worker.postMessage(member);
  return worker;
}
