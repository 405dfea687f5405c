/**
 * A SystemC engine in a web worker, behind Comlink: `new Worker(url, { type: "module" })`, then `Comlink.wrap<WebEngine>`.
 */
import * as Comlink from "comlink";
import { SystemCEngine, type Job, type JobResults } from "./engine.js";
import type { ProgramImage } from "./instance.js";

export interface WebEngine {
  /** URLs of the two files of a design, and its clock period in picoseconds. */
  start(wasm: string, glue: string, clockPeriod: number): Promise<void>;
  run(jobs: readonly Job[]): Promise<JobResults>;
}

let engine: SystemCEngine | undefined;

const api: WebEngine = {
  async start(wasm, glue, clockPeriod) {
    const module = await WebAssembly.compile(await (await fetch(wasm)).arrayBuffer());
    const runtime = (await import(glue)) as { default: ProgramImage["factory"] };
    engine = await SystemCEngine.load({ module, factory: runtime.default }, clockPeriod);
  },
  run(jobs) {
    if (engine === undefined) throw new Error("run before start");
    return engine.run(jobs);
  },
};

Comlink.expose(api);
