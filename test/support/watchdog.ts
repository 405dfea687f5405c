/**
 * Checks of random seeds in a worker that is watched: a seed that does not come to an end (a loop without a clock, in what is
 * tested) is a failure with its number, not a test that hangs.
 */
import { Worker } from "node:worker_threads";

/** What a module with checks exports: what is wrong with a seed; undefined where nothing is, null where it was left out. */
export type Check = (seed: number) => Promise<string | undefined | null> | string | undefined | null;

export interface Failure {
  readonly seed: number;
  readonly message: string;
}

export interface Checked {
  /** Seeds that were not left out. */
  readonly ran: number;
  readonly failures: readonly Failure[];
}

export interface Seeds {
  /** URL of a module that exports a `Check` as `check`. */
  readonly module: string;
  readonly first: number;
  readonly count: number;
  /** Milliseconds for one seed. */
  readonly limit: number;
  readonly onSeed?: (seed: number) => void;
}

export interface WatchedJob {
  readonly module: string;
  readonly first: number;
  readonly count: number;
}

/** `message` as of `Check`; it is undefined as well when the seed begins. */
export interface WatchedMessage {
  readonly seed: number;
  readonly begins: boolean;
  readonly message: string | undefined | null;
}

export async function checkSeeds({ module, first, count, limit, onSeed }: Seeds): Promise<Checked> {
  const failures: Failure[] = [];
  let ran = 0;
  let next = first;
  const take = ({ seed, begins, message }: WatchedMessage): void => {
    if (begins) {
      onSeed?.(seed);
      return;
    }
    next = seed + 1;
    if (message !== null) ran++;
    if (typeof message === "string") failures.push({ seed, message });
  };
  while (next < first + count) {
    const hung = await watched({ module, first: next, count: first + count - next }, limit, take);
    if (!hung) break;
    ran++;
    failures.push({ seed: next, message: `is not done after ${limit} ms: it hangs` });
    next++;
  }
  return { ran, failures };
}

/** True if it had to be ended. */
function watched(job: WatchedJob, limit: number, take: (message: WatchedMessage) => void): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./watchdog-worker.js", import.meta.url), { workerData: job });
    let timer: NodeJS.Timeout | undefined;
    let hung = false;
    worker.on("message", (message: WatchedMessage) => {
      if (hung) return;
      clearTimeout(timer);
      take(message);
      if (!message.begins) return;
      timer = setTimeout(() => {
        hung = true;
        void worker.terminate();
      }, limit);
    });
    worker.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    worker.once("exit", () => {
      clearTimeout(timer);
      resolve(hung);
    });
  });
}
