/** The worker thread of worker.ts: one simulator, its requests in order. */
import { parentPort } from "node:worker_threads";
import * as Comlink from "comlink";
import { TandemError } from "../../hw/errors.js";
import type { Design } from "../design.js";
import { importModule } from "../typescript/import.js";
import { errorReply, type Progress } from "./messages.js";
import { DeviceService } from "./service.js";
import { FastSimulator } from "./fast-simulator.js";
import { Simulator } from "./simulator.js";
import { nodeEndpoint, type WorkerApi } from "./worker.js";

/** Progress is for eyes. */
const PROGRESS_MS = 100;

let service: DeviceService | undefined;
let report: (progress: Progress) => void = () => undefined;

const api: WorkerApi = {
  async start(source, onProgress) {
    try {
      const exports = await importModule(source.module);
      const design = exports[source.export] as Design | undefined;
      if (!design) throw new TandemError(`${source.module} exports no "${source.export}"`);
      const { engine, parameters, options } = source;
      service = new DeviceService(
        engine === "fast"
          ? await FastSimulator.of(design, parameters, options)
          : Simulator.of(design, parameters, options),
      );
      let last = 0;
      report = (progress) => {
        const now = performance.now();
        if (now - last < PROGRESS_MS) return;
        last = now;
        onProgress(progress);
      };
      return undefined;
    } catch (error) {
      return errorReply(error);
    }
  },
  call(request) {
    if (!service) throw new Error("call before start");
    return service.call(request, report);
  },
};

Comlink.expose(api, nodeEndpoint(parentPort!));
