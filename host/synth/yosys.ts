/** Yosys (@yowasp/yosys, WebAssembly) in a worker: one job at a time, files and a script in, files out. */
import { Worker } from "node:worker_threads";
import { TandemError } from "../../hw/errors.js";
import type { YosysAnswer, YosysJob } from "./yosys-worker.js";

/** Throws a `TandemError` where Yosys refuses the text; it then says why. */
export function runYosysJob(job: YosysJob): Promise<Readonly<Record<string, string>>> {
  return new Promise((done, reject) => {
    const worker = new Worker(new URL("./yosys-worker.js", import.meta.url), { workerData: job });
    worker.once("message", (answer: YosysAnswer) => {
      if ("results" in answer) done(answer.results);
      else
        reject(
          new TandemError(`Yosys cannot synthesise the generated Verilog: ${answer.failed}`, {
            hint: "This is a defect of Tandem: please report it with the design.",
          }),
        );
    });
    worker.once("error", reject);
  });
}
