/**
 * The scheduler of SECDA's VM: for each block of inputs waits for the units, broadcasts the block, and hands a job for each block of channels
 * to the units in turn.
 */
import { assert, bool, type Module, u16, u32, u8, vec } from "../../../hw/index.js";
import type { ChannelIn, ChannelOut, Process, U16, ValueOf } from "../../../hw/index.js";
import {
  BLOCK,
  BLOCK_BITS,
  BROADCAST_PER_WORD,
  BROADCAST_START,
  COMPUTE_START,
  ISSUE_AFTER,
  ISSUE_BEFORE,
  UNITS,
  VM_END,
  VM_LOAD_START,
  VM_OPEN_WEIGHTS,
  VM_SIZES,
} from "../../secda/facts.js";
import { Four, Loader } from "../../secda/loader.js";
import { Fill, Job, Word } from "../../secda/tokens.js";

const Flags = vec(bool, UNITS);
const Counts = vec(u8, UNITS);
const { inputWords: INPUT_WORDS, mostRows: MOST_ROWS, mostColumns: MOST_COLUMNS } = VM_SIZES;

export class Scheduler extends Loader {
  static override readonly source = import.meta.url;
  readonly fills: readonly ChannelOut<ValueOf<typeof Fill>>[];
  readonly jobs: readonly ChannelOut<ValueOf<typeof Job>>[];
  readonly done: readonly ChannelIn<boolean>[];
  readonly drained: readonly ChannelIn<boolean>[];

  /** The unit of the next job, and for each unit the blocks of inputs that have been broadcast since its last one. */
  unit = u8(0);
  waits = Counts.zero();

  constructor(parent: Module, name: string) {
    super(parent, name, { ...VM_SIZES, loadStart: VM_LOAD_START, openWeights: VM_OPEN_WEIGHTS });
    const each = <T>(make: () => T): T[] => Array.from({ length: UNITS }, make);
    this.fills = each(() => this.channelOut(Fill));
    this.jobs = each(() => this.channelOut(Job));
    this.done = each(() => this.channelIn(bool));
    this.drained = each(() => this.channelIn(bool));
    this.clocked(this.handle);
  }

  /** Every unit keeps all weights: they are stored four times. */
  protected override *keepWeights(address: U16, word: Word): Process {
    for (let u = 0; u < UNITS; u++) yield* this.fills[u]!.push({ weights: true, address, word, last: false });
  }

  protected override *compute(inputRows: U16, channels: U16): Process {
    const rows = u16((inputRows + BLOCK - 1) >> BLOCK_BITS);
    const columns = u16((channels + BLOCK - 1) >> BLOCK_BITS);
    assert(rows >= 1 && columns >= 1 && this.depth >= 1, "a tile has jobs");
    const busy = Flags.zero();
    const lasting = Flags.zero();
    // Jobs that are not handed out yet.
    let open = u32(rows * columns);
    let base = u16(0);
    yield* this.estimate(COMPUTE_START);
    for (let b = u16(0); b < rows; b = u16(b + 1)) {
      for (let u = 0; u < UNITS; u++) {
        if (busy[u]!) {
          yield* this.done[u]!.pop();
          busy[u] = false;
        }
        yield;
      }
      yield* this.estimate(BROADCAST_START);
      for (let k = u16(0); k < this.depth; k = u16(k + 1)) {
        const from = u16(base + k);
        assert(from < INPUT_WORDS, "the inputs of a tile fit");
        this.inputRead.read(from);
        yield;
        const q = this.inputRead.q;
        for (let u = 0; u < UNITS; u++)
          yield* this.fills[u]!.push({ weights: false, address: k, word: Word(q), last: k === this.depth - 1 });
        yield* this.estimate(BROADCAST_PER_WORD - 1);
      }
      for (let u = 0; u < UNITS; u++) this.waits[u] = u8(this.waits[u]! + 1);
      base = u16(base + this.depth);
      let weights = u16(0);
      for (let c = u16(0); c < columns; c = u16(c + 1)) {
        assert(b < MOST_ROWS / BLOCK && c < MOST_COLUMNS / BLOCK, "a tile has so many rows and channels");
        this.termRead.read(b);
        this.parameterRead.read(c);
        yield;
        const terms = Four(this.termRead.q);
        const parameters = this.parameterRead.q;
        yield* this.estimate(ISSUE_BEFORE - 1);
        const last = open <= UNITS;
        for (let u = 0; u < UNITS; u++)
          if (u === this.unit) {
            if (busy[u]!) yield* this.done[u]!.pop();
            yield* this.jobs[u]!.push({
              waits: this.waits[u]!,
              weights,
              depth: this.depth,
              parameters,
              terms,
              ending: this.ending,
              last,
            });
            this.waits[u] = u8(0);
            busy[u] = true;
            lasting[u] = last;
          }
        yield* this.estimate(ISSUE_AFTER);
        open = u32(open - 1);
        weights = u16(weights + this.depth);
        this.unit = u8(this.unit === UNITS - 1 ? 0 : this.unit + 1);
      }
    }
    for (let u = 0; u < UNITS; u++) {
      if (busy[u]!) yield* this.done[u]!.pop();
      yield;
    }
    for (let u = 0; u < UNITS; u++) if (lasting[u]!) yield* this.drained[u]!.pop();
    yield* this.estimate(VM_END);
  }
}
