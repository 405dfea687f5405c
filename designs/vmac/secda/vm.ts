/** SECDA's VM v5: scheduler, four units, four streams of 32 bits in and out. A model with estimates, no hardware. */
import { beatType } from "../../../driver/stream.js";
import { Module } from "../../../hw/index.js";
import { BLOCK, UNITS } from "../../secda/facts.js";
import { PostProcessor } from "../../secda/post-processor.js";
import { Scheduler } from "./scheduler.js";
import { Unit } from "./unit.js";

export class SecdaVm extends Module {
  readonly input = Array.from({ length: UNITS }, () => this.channelIn(beatType(BLOCK)));
  readonly output = Array.from({ length: UNITS }, () => this.channelOut(beatType(BLOCK)));

  constructor() {
    super(null, "vm");
    const scheduler = new Scheduler(this, "scheduler");
    for (let u = 0; u < UNITS; u++) {
      const unit = new Unit(this, `unit${u}`);
      const post = new PostProcessor(this, `postProcessor${u}`);
      this.connect(this.input[u]!, scheduler.streams[u]!);
      this.connect(scheduler.fills[u]!, unit.fills, { depth: 8 });
      this.connect(scheduler.jobs[u]!, unit.jobs, { depth: 1 });
      this.connect(unit.done, scheduler.done[u]!);
      this.connect(unit.results, post.results);
      this.connect(post.idle, unit.idle);
      this.connect(post.drained, scheduler.drained[u]!);
      this.connect(post.stream, this.output[u]!);
    }
  }
}
