/** A SystemC engine in a worker thread of Node, behind Comlink. The file is both ends: imported, it starts the thread. */
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import * as Comlink from "comlink";
import nodeAdapter from "comlink/dist/umd/node-adapter.js";
import { TandemError } from "../../hw/errors.js";
import { SystemCEngine, type Job, type JobEngine, type JobResults } from "./engine.js";
import { loadProgram } from "./node-loader.js";
import type { ProgramArtefact } from "./toolchain.js";

/** Types of a CommonJS module whose export is the function itself. */
const nodeEndpoint = nodeAdapter as unknown as (typeof nodeAdapter)["default"];

interface Api {
  start(artefact: ProgramArtefact, clockPeriod: number): Promise<string | undefined>;
  run(jobs: readonly Job[]): Promise<JobResults | string>;
}

export interface WorkerEngine extends JobEngine {
  close(): Promise<void>;
}

export async function openEngine(artefact: ProgramArtefact, clockPeriod: number): Promise<WorkerEngine> {
  const worker = new Worker(new URL(import.meta.url));
  const api = Comlink.wrap<Api>(nodeEndpoint(worker));
  // Comlink never settles a call to a thread that has ended.
  const ended = new Promise<never>((_, reject) => {
    worker.on("error", (error) =>
      reject(new TandemError(`the SystemC worker failed: ${error.message}`, { cause: error })),
    );
    worker.on("exit", () => reject(new TandemError("the SystemC worker ended")));
  });
  ended.catch(() => undefined);
  const close = async (): Promise<void> => {
    await worker.terminate();
  };
  const failed = await Promise.race([api.start(artefact, clockPeriod), ended]);
  if (failed !== undefined) {
    await close();
    throw new TandemError(failed);
  }
  return {
    close,
    async run(jobs) {
      const result = await Promise.race([api.run(jobs), ended]);
      if (typeof result === "string") throw new TandemError(result);
      return result;
    },
  };
}

if (!isMainThread && parentPort !== null) {
  let engine: SystemCEngine | undefined;
  // Errors cross as text: Comlink would lose their class.
  const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));
  const api: Api = {
    async start(artefact, clockPeriod) {
      try {
        engine = await SystemCEngine.load(await loadProgram(artefact), clockPeriod);
        return undefined;
      } catch (error) {
        return text(error);
      }
    },
    async run(jobs) {
      try {
        return await engine!.run(jobs);
      } catch (error) {
        return text(error);
      }
    },
  };
  Comlink.expose(api, nodeEndpoint(parentPort));
}
