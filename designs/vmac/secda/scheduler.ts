/**
 * The scheduler of SECDA's VM: loads a tile of inputs, and tile after tile of weights; for each block of inputs waits for the units,
 * broadcasts the block, and hands a job for each block of channels to the units in turn.
 */
import { assert, bool, type Module, u16, u24, u32, u8, vec } from "../../../hw/index.js";
import type { ChannelIn, ChannelOut, Process, U16, ValueOf } from "../../../hw/index.js";
import { BLOCK, BROADCAST_PER_WORD, BROADCAST_START, INPUT_WORDS, ISSUE, TILE_MOST, UNITS } from "../../secda/facts.js";
import { Four, Loader } from "../../secda/loader.js";
import { Fill, Job, Word } from "../../secda/tokens.js";

const Flags = vec(bool, UNITS);
const Counts = vec(u8, UNITS);

export class Scheduler extends Loader {
  static override readonly source = import.meta.url;
  readonly fills: readonly ChannelOut<ValueOf<typeof Fill>>[];
  readonly jobs: readonly ChannelOut<ValueOf<typeof Job>>[];
  readonly done: readonly ChannelIn<boolean>[];
  readonly drained: readonly ChannelIn<boolean>[];

  constructor(parent: Module, name: string) {
    super(parent, name);
    const each = <T>(make: () => T): T[] => Array.from({ length: UNITS }, make);
    this.fills = each(() => this.channelOut(Fill));
    this.jobs = each(() => this.channelOut(Job));
    this.done = each(() => this.channelIn(bool));
    this.drained = each(() => this.channelIn(bool));
    this.clocked(this.schedule);
  }

  /** Every unit keeps all weights: they are stored four times. */
  protected override *keepWeights(address: U16, word: Word): Process {
    for (let u = 0; u < UNITS; u++) yield* this.fills[u]!.push({ weights: true, address, word, last: false });
  }

  *schedule(): Process {
    for (;;) {
      yield* this.takeInstruction();
      const { rowBlocks, columnBlocks, depth, tileRows, tileColumns, ending } = this.decoded();
      assert(rowBlocks >= 1 && columnBlocks >= 1 && depth >= 1, "a layer has jobs");
      assert(tileRows >= 1 && tileColumns >= 1, "a tile has jobs");
      let left = this.words[5]!;
      const busy = Flags.zero();
      const lasting = Flags.zero();
      const waits = Counts.zero();
      let unit = u8(0);
      let rowsLeft = rowBlocks;
      while (rowsLeft > 0) {
        const rows = u16(rowsLeft < tileRows ? rowsLeft : tileRows);
        assert(rows >= 1, "a tile has rows");
        rowsLeft = u24(rowsLeft - rows);
        yield* this.loadInputs(rows, depth);
        let columnsLeft = columnBlocks;
        while (columnsLeft > 0) {
          const columns = u16(columnsLeft < tileColumns ? columnsLeft : tileColumns);
          assert(columns >= 1, "a tile has channels");
          columnsLeft = u16(columnsLeft - columns);
          yield* this.loadWeights(columns, depth);
          // Jobs of the tile that are not handed out yet.
          let open = u32(rows * columns);
          let base = u16(0);
          for (let b = u16(0); b < rows; b = u16(b + 1)) {
            for (let u = 0; u < UNITS; u++)
              if (busy[u]!) {
                yield* this.done[u]!.pop();
                busy[u] = false;
              }
            for (let k = u16(0); k < depth; k = u16(k + 1)) {
              const from = u16(base + k);
              assert(from < INPUT_WORDS, "the inputs of a tile fit");
              this.inputRead.read(from);
              yield;
              const q = this.inputRead.q;
              for (let u = 0; u < UNITS; u++)
                yield* this.fills[u]!.push({ weights: false, address: k, word: Word(q), last: k === depth - 1 });
              yield* this.estimate(BROADCAST_PER_WORD - 1);
            }
            for (let u = 0; u < UNITS; u++) waits[u] = u8(waits[u]! + 1);
            base = u16(base + depth);
            yield* this.estimate(BROADCAST_START);
            let weights = u16(0);
            for (let c = u16(0); c < columns; c = u16(c + 1)) {
              for (let u = 0; u < UNITS; u++)
                if (u === unit && busy[u]!) {
                  yield* this.done[u]!.pop();
                  busy[u] = false;
                }
              assert(b < TILE_MOST / BLOCK && c < TILE_MOST / BLOCK, "a tile has so many rows and channels");
              this.termRead.read(b);
              this.parameterRead.read(c);
              yield;
              const terms = Four(this.termRead.q);
              const parameters = this.parameterRead.q;
              yield* this.estimate(ISSUE - 1);
              const final = open <= UNITS;
              for (let u = 0; u < UNITS; u++)
                if (u === unit) {
                  yield* this.jobs[u]!.push({
                    waits: waits[u]!,
                    weights,
                    depth,
                    parameters,
                    terms,
                    ending,
                    final,
                    last: left <= UNITS,
                  });
                  waits[u] = u8(0);
                  busy[u] = true;
                  lasting[u] = final;
                }
              open = u32(open - 1);
              left = u32(left - 1);
              weights = u16(weights + depth);
              unit = u8(unit === UNITS - 1 ? 0 : unit + 1);
            }
          }
          for (let u = 0; u < UNITS; u++)
            if (lasting[u]!) {
              yield* this.drained[u]!.pop();
              lasting[u] = false;
            }
          for (let u = 0; u < UNITS; u++)
            if (busy[u]!) {
              yield* this.done[u]!.pop();
              busy[u] = false;
            }
        }
      }
    }
  }
}
