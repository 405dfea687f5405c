/**
 * A user's SystemC design as an engine for jobs: words in, words out, one clock a word at most. Runs in Node and in the
 * browser; normally in a worker (worker-node.ts, worker-web.ts), one call per layer.
 */
import type { ProgramImage } from "./instance.js";
import { SystemCModel } from "./model.js";

export interface Job {
  readonly words: Uint32Array;
  /** Words that come back. */
  readonly results: number;
}

export interface JobResults {
  readonly results: readonly Uint32Array[];
  /** Clocks of all jobs together. */
  readonly clocks: number;
}

/** What an accelerator needs; a worker offers the same behind a promise. */
export interface JobEngine {
  run(jobs: readonly Job[]): Promise<JobResults>;
}

/** FIFO depth at both streams. */
const STREAM_DEPTH = 16;
/** Clocks that reset is held. */
const RESET_CLOCKS = 3;

export class SystemCEngine implements JobEngine {
  private readonly model: SystemCModel;

  private constructor(model: SystemCModel) {
    this.model = model;
  }

  /** Binds `clk`, `rst`, `in` and `out` of the design and resets it. `clockPeriod` in picoseconds. */
  static async load(image: ProgramImage, clockPeriod: number): Promise<SystemCEngine> {
    const model = await SystemCModel.load(image);
    const clock = model.createClock("clk", clockPeriod);
    const reset = model.createSignal("rst", "bool");
    const input = model.createFifo("in", STREAM_DEPTH);
    const output = model.createFifo("out", STREAM_DEPTH);
    model.bind("clk", clock);
    model.bind("rst", reset);
    model.bind("in", input);
    model.bind("out", output);
    model.attachDma(input, output, clock);
    model.write(reset, 1);
    model.run(RESET_CLOCKS * clockPeriod);
    model.write(reset, 0);
    model.run(clockPeriod);
    return new SystemCEngine(model);
  }

  run(jobs: readonly Job[]): Promise<JobResults> {
    let clocks = 0;
    const results = jobs.map((job) => {
      const done = this.model.job(job.words, job.results);
      clocks += done.clocks;
      return done.words;
    });
    return Promise.resolve({ results, clocks });
  }
}
