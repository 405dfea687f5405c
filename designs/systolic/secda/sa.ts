/** SECDA's SA v4: array, post-processor, four streams of 32 bits in and out. A model with estimates, no hardware. */
import { beatType } from "../../../driver/stream.js";
import { Module } from "../../../hw/index.js";
import { BLOCK, UNITS } from "../../secda/facts.js";
import { SecdaArray } from "./array.js";
import { ArrayPostProcessor } from "./post-processor.js";

export class SecdaSa extends Module {
  readonly input = Array.from({ length: UNITS }, () => this.channelIn(beatType(BLOCK)));
  readonly output = Array.from({ length: UNITS }, () => this.channelOut(beatType(BLOCK)));

  constructor() {
    super(null, "sa");
    const array = new SecdaArray(this, "array");
    const post = new ArrayPostProcessor(this, "postProcessor");
    this.connect(array.results, post.results);
    this.connect(post.idle, array.idle);
    this.connect(post.drained, array.drained);
    for (let u = 0; u < UNITS; u++) {
      this.connect(this.input[u]!, array.streams[u]!);
      this.connect(post.output[u]!, this.output[u]!);
    }
  }
}
