/** SECDA's SA v4: array, four post-processors, four streams of 32 bits in and out. A model with estimates, no hardware. */
import { beatType } from "../../../driver/stream.js";
import { Module } from "../../../hw/index.js";
import { BLOCK, UNITS } from "../../secda/facts.js";
import { PostProcessor } from "../../secda/post-processor.js";
import { SecdaArray } from "./array.js";

export class SecdaSa extends Module {
  readonly instructions = this.channelIn(beatType(4));
  readonly input = Array.from({ length: UNITS }, () => this.channelIn(beatType(BLOCK)));
  readonly output = Array.from({ length: UNITS }, () => this.channelOut(beatType(BLOCK)));

  constructor() {
    super(null, "sa");
    const array = new SecdaArray(this, "array");
    this.connect(this.instructions, array.instructions);
    for (let u = 0; u < UNITS; u++) {
      const post = new PostProcessor(this, `postProcessor${u}`);
      this.connect(this.input[u]!, array.streams[u]!);
      this.connect(array.results[u]!, post.results);
      this.connect(post.idle, array.idle[u]!);
      this.connect(post.drained, array.drained[u]!);
      this.connect(post.stream, this.output[u]!);
    }
  }
}
