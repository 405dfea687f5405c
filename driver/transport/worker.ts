/**
 * A simulator in a worker thread, behind Comlink: the caller's thread stays free while a layer runs. One call per request,
 * never one per clock. The worker imports the design itself, since modules and kernels cannot cross the boundary.
 */
import { Worker } from "node:worker_threads";
import * as Comlink from "comlink";
import nodeAdapter from "comlink/dist/umd/node-adapter.js";
import { TandemError } from "../../hw/errors.js";
import type { ParameterValue } from "../device.js";
import { errorFrom, type ErrorReply, type Progress, type Reply, type Request } from "./messages.js";
import { RemoteDevice, type Link } from "./remote.js";
import { DeviceEnded } from "./restarting.js";
import type { SimulatorOptions } from "./simulator.js";

/** Where a worker finds a design, and how it is to be configured. */
export interface WorkerDesign {
  /** URL of the module that exports the `Design`. */
  readonly module: string;
  readonly export: string;
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  /** What runs it; the kernel by default. The fast engine takes neither `board`, `timeline` nor `level`. */
  readonly engine?: "kernel" | "fast";
  /** Options that can cross; traces stay in-process. */
  readonly options?: Pick<SimulatorOptions, "level" | "stalls" | "patience" | "board" | "timeline">;
}

/** What the worker offers. */
export interface WorkerApi {
  start(design: WorkerDesign, onProgress: (progress: Progress) => void): Promise<ErrorReply | undefined>;
  call(request: Request): Promise<Reply>;
}

/** Types of a CommonJS module whose export is the function itself. */
export const nodeEndpoint = nodeAdapter as unknown as (typeof nodeAdapter)["default"];

const YOUNG_MB = 96;
const NAME = "the simulator's worker";

/** Start a worker with a simulator of `design`. Rejects with the design's own error where its parameters are bad. */
export async function openWorker(design: WorkerDesign): Promise<RemoteDevice> {
  const worker = new Worker(new URL("./worker-main.js", import.meta.url), {
    // A simulation makes short-lived values: with more room for them they die before they are ever copied.
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  const api = Comlink.wrap<WorkerApi>(nodeEndpoint(worker));
  // Comlink never settles a call to a thread that has ended.
  let closing = false;
  const ended = new Promise<never>((_, reject) => {
    worker.on("error", (error) => reject(new DeviceEnded(`${NAME} failed: ${error.message}`, { cause: error })));
    worker.on("exit", (code) =>
      reject(
        closing ? new TandemError(`${NAME} was closed`) : new DeviceEnded(`${NAME} ended by itself (code ${code})`),
      ),
    );
  });
  ended.catch(() => undefined);

  let listener: ((progress: Progress) => void) | undefined;
  const link: Link = {
    name: NAME,
    async call(request, onProgress) {
      listener = onProgress;
      try {
        return await Promise.race([api.call(request), ended]);
      } finally {
        listener = undefined;
      }
    },
    async close() {
      closing = true;
      await worker.terminate();
    },
  };
  try {
    const failed = await Promise.race([
      api.start(
        design,
        Comlink.proxy((progress) => listener?.(progress)),
      ),
      ended,
    ]);
    if (failed) throw errorFrom(failed, NAME);
  } catch (error) {
    await link.close();
    throw error;
  }
  return new RemoteDevice(link);
}
