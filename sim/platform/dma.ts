/**
 * The DMA engines of a program on a board: when each beat may move at the earliest. One channel (AXI DMA in simple mode,
 * PG021) per stream, on the four HP ports in turn; one processor that starts transfers, sees their end and starts the next.
 * Memory and processor are shared (arbiter.ts), and are asked once per burst and once per transfer, not per beat. Reads run
 * ahead of the design by as many bursts as a channel may have under way; writes wait for room in the channel's FIFO.
 *
 * The rules of a channel stand here for the kernel, and in sim/fast/pace-code.ts for the fast engine:
 *
 * - A beat moves at the first whole clock at or after `free`, when the channel has dealt with the beat before; then `free`
 *   goes on by the clocks of a beat, and after a burst by its gap.
 * - `in`: beat w of a burst is there at the burst's answer plus w beats. The first bursts of a transfer, as many as may be
 *   under way, are asked for when it begins; each further one when a burst has moved.
 * - `out`: a burst is asked for one clock after its last beat moved. A burst begins once there is room: when the one that
 *   is as many bursts back as may be under way has left.
 * - A transfer is done one clock after its last beat (`in`), or when its last burst has reached memory (`out`).
 */
import { DmaArbiter, edge, type BeatTiming, type PacedStream } from "./arbiter.js";
import type { Ddr } from "./ddr.js";
import type { BoardValues } from "./platform.js";

export type { PacedStream } from "./arbiter.js";

/** What a transfer did; all times in clocks of the programmable logic since the run began. */
export interface TransferTrace {
  readonly stream: string;
  readonly direction: "in" | "out";
  readonly step: number;
  readonly bytes: number;
  /** The processor began to write the channel's registers; the channel ran from `started` on. */
  readonly issued: number;
  readonly started: number;
  readonly first: number;
  /** The last beat moved; `done` is later by the write's way to memory. */
  readonly last: number;
  readonly done: number;
  /** Clock of the last beat of each eighth of the transfer. */
  readonly eighths: readonly number[];
}

/** Earliest times of one stream's beats. */
export interface Pace {
  /** The clock (at least `now`) at which the next beat may move or this must be asked again, at clock `now`. */
  next(now: number): number;
  /** The beat moved at `now`. */
  moved(now: number): void;
  /** True while the channel waits for the processor to start it. */
  setup(now: number): boolean;
}

export const PROGRESS_PARTS = 8;

/** Where the beat that moved at `now` began: beats move on whole clocks, but fractions of a clock must not get lost. */
const busyFrom = (free: number, now: number): number => (now - free < 1 ? free : now);

/** Clocks in which a transfer's beats moved. */
export interface Moved {
  readonly first: number;
  readonly last: number;
  readonly eighths: readonly number[];
}

/** Beats of a transfer of `beats` beats that have moved when its `part`th eighth has: the last of that eighth. */
export const eighthEnds = (part: number, beats: number): number => Math.ceil(((part + 1) * beats) / PROGRESS_PARTS);

/** The transfers that have ended, in the order in which they did. */
export function tracesOf(
  arbiter: DmaArbiter,
  streams: readonly PacedStream[],
  moved: (stream: number, transfer: number) => Moved,
): TransferTrace[] {
  return arbiter.ended.map(({ stream, transfer }) => {
    const { name, direction, bytes, transfers } = streams[stream]!;
    const { step, beats } = transfers[transfer]!;
    const { issued, started } = arbiter.begins(stream)[transfer]!;
    const times = moved(stream, transfer);
    const done = arbiter.done(stream, transfer)!;
    return { stream: name, direction, step, bytes: beats * bytes, issued, started, done, ...times };
  });
}

abstract class ChannelPace implements Pace {
  protected readonly arbiter: DmaArbiter;
  protected readonly index: number;
  protected readonly timing: BeatTiming;
  readonly #stream: PacedStream;
  /** The transfer at hand, beats of it that have moved, beats of its burst that have moved. */
  protected transfer = 0;
  protected beat = 0;
  protected within = 0;
  /** Number of the burst at hand, over all transfers. */
  protected burst = 0;
  protected free = 0;
  #begun = false;
  readonly moves: Moved[] = [];
  #first = 0;
  #eighths: number[] = [];

  constructor(arbiter: DmaArbiter, index: number, stream: PacedStream) {
    this.arbiter = arbiter;
    this.index = index;
    this.timing = arbiter.timing(index);
    this.#stream = stream;
  }

  protected get beats(): number {
    return this.#stream.transfers[this.transfer]!.beats;
  }

  next(now: number): number {
    this.arbiter.settle(now);
    if (!this.#begun) {
      const begin = this.arbiter.begins(this.index)[this.transfer];
      if (!begin) return this.#later(now);
      if (now < begin.clock) return begin.clock;
      this.#begun = true;
      this.free = begin.started;
      this.begin(now);
    }
    const burst = this.awaited;
    const ready = burst < 0 ? 0 : this.arbiter.answerTo(this.index, burst);
    if (ready === undefined) return this.#later(now);
    return Math.max(now, edge(this.earliest(ready)));
  }

  /** An answer is of use one clock after its question. */
  #later(now: number): number {
    const open = this.arbiter.openOf(this.index);
    return Math.max(now, open === Infinity ? now : open) + 1;
  }

  protected abstract begin(now: number): void;
  /** Number of the burst whose answer the next beat waits for; negative if it waits for none. */
  protected abstract readonly awaited: number;
  protected abstract earliest(answer: number): number;
  protected abstract burstMoved(now: number): void;

  setup(now: number): boolean {
    if (this.transfer >= this.#stream.transfers.length) return false;
    const begin = this.arbiter.begins(this.index)[this.transfer];
    return begin === undefined || now < begin.clock;
  }

  moved(now: number): void {
    if (this.beat === 0) this.#first = now;
    this.beat++;
    this.within++;
    while (this.beat >= eighthEnds(this.#eighths.length, this.beats) && this.#eighths.length < PROGRESS_PARTS)
      this.#eighths.push(now);
    this.free = busyFrom(this.free, now) + this.timing.beatClocks;
    const ends = this.beat === this.beats;
    if (this.within < this.timing.beatsPerBurst && !ends) return;
    this.within = 0;
    this.burst++;
    this.free += this.timing.gap;
    this.burstMoved(now);
    if (ends) this.#end(now);
  }

  #end(last: number): void {
    this.moves.push({ first: this.#first, last, eighths: this.#eighths });
    this.#eighths = [];
    this.transfer++;
    this.beat = 0;
    this.#begun = false;
    this.ended(last);
  }

  protected abstract ended(last: number): void;
}

/** Memory to accelerator: bursts are asked for ahead. */
class SendPace extends ChannelPace {
  /** Number of the first burst of the next transfer. */
  #end = 0;

  protected override begin(now: number): void {
    this.#end += Math.ceil(this.beats / this.timing.beatsPerBurst);
    this.#ask(now);
  }

  #ask(now: number): void {
    const until = Math.min(this.#end, this.burst + this.timing.outstanding);
    for (let asked = this.arbiter.asked(this.index); asked < until; asked++) this.arbiter.ask(this.index, now);
  }

  protected override get awaited(): number {
    return this.burst;
  }

  protected override earliest(answer: number): number {
    return Math.max(answer + this.within * this.timing.beatClocks, this.free);
  }

  protected override burstMoved(now: number): void {
    this.#ask(now);
  }

  protected override ended(last: number): void {
    this.arbiter.sent(this.index, last);
  }
}

/** Accelerator to memory: a burst is written once it is complete. */
class ReceivePace extends ChannelPace {
  #first = 0;

  protected override begin(): void {
    this.#first = this.burst;
  }

  protected override get awaited(): number {
    const back = this.burst - this.timing.outstanding;
    return this.within === 0 && back >= this.#first ? back : -1;
  }

  protected override earliest(answer: number): number {
    return Math.max(answer, this.free);
  }

  protected override burstMoved(now: number): void {
    this.arbiter.ask(this.index, now + 1);
  }

  protected override ended(): void {
    // The arbiter knows when its last burst has reached memory.
  }
}

export class DmaTiming {
  readonly #arbiter: DmaArbiter;
  readonly #streams: readonly PacedStream[];
  readonly #paces: readonly ChannelPace[];

  constructor(streams: readonly PacedStream[], board: BoardValues) {
    this.#arbiter = new DmaArbiter(streams, board);
    this.#streams = streams;
    this.#paces = streams.map((stream, i) => {
      const Kind = stream.direction === "in" ? SendPace : ReceivePace;
      return new Kind(this.#arbiter, i, stream);
    });
  }

  pace(stream: string): Pace {
    return this.#paces[this.#streams.findIndex(({ name }) => name === stream)]!;
  }

  get ddr(): Ddr {
    return this.#arbiter.ddr;
  }

  /** Transfers that have ended, in the order in which they did; call it when the run is over. */
  get transfers(): TransferTrace[] {
    this.#arbiter.settle(Infinity);
    return tracesOf(this.#arbiter, this.#streams, (stream, transfer) => this.#paces[stream]!.moves[transfer]!);
  }

  get processorClocks(): number {
    return this.#arbiter.processorClocks;
  }
}
