/** The post-processor of SECDA's SA: one for the array; a tile of sums to outputs, row s of each block on stream s. */
import { beatType, type Beat } from "../../../driver/stream.js";
import { bool, i32, Module, u8, vec } from "../../../hw/index.js";
import type { ChannelOut, Process } from "../../../hw/index.js";
import { ARRAY_BLOCKS, BLOCK, SA_POST_AFTER, SA_POST_BEFORE, UNITS } from "../../secda/facts.js";
import { requantised } from "../../secda/post-processor.js";
import { Tile } from "./tokens.js";

const Bytes = vec(u8, BLOCK);

export class ArrayPostProcessor extends Module {
  static readonly source = import.meta.url;
  readonly results = this.channelIn(Tile);
  /** The buffer of results is empty. */
  readonly idle = this.channelOut(bool);
  /** The outputs of the last tile of a COMPUTE have left. */
  readonly drained = this.channelOut(bool);
  readonly output: readonly ChannelOut<Beat>[];

  constructor(parent: Module, name: string) {
    super(parent, name);
    this.output = Array.from({ length: UNITS }, () => this.channelOut(beatType(BLOCK)));
    this.clocked(this.postProcess);
  }

  *postProcess(): Process {
    yield* this.idle.push(true);
    for (;;) {
      const { sums, parameters, terms, ending, rows, columns, last } = yield* this.results.pop();
      yield* this.estimate(SA_POST_BEFORE);
      for (let i = 0; i < ARRAY_BLOCKS; i++)
        for (let j = 0; j < ARRAY_BLOCKS; j++) {
          if (i < rows && j < columns) {
            const final =
              last && (i + 1 === ARRAY_BLOCKS || i + 1 === rows) && (j + 1 === ARRAY_BLOCKS || j + 1 === columns);
            for (let s = 0; s < UNITS; s++) {
              const data = Bytes((c) =>
                requantised(i32(sums[i]![j]![s]![c]! - terms[i]![s]!), c, parameters[j]!, ending),
              );
              yield* this.output[s]!.push({ data, last: final });
            }
          }
          yield;
        }
      yield* this.estimate(SA_POST_AFTER - ARRAY_BLOCKS * ARRAY_BLOCKS);
      yield* this.idle.push(true);
      if (last) yield* this.drained.push(true);
    }
  }
}
