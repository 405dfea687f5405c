/**
 * A board's DMA around the fast engine: reads the questions that the ports have left in their records (pace-code.ts), has
 * them answered in the order of their clocks (sim/platform/arbiter.ts), and says who can go on.
 *
 * Why it is exact: questions are looked at when nobody can move, so whoever asks later was woken by an answer and asks at the
 * clock of that answer or later. So all questions below the least clock of an answer that somebody waits for may be answered.
 */
import {
  answerKind,
  beatTiming,
  burstsOf,
  channelState,
  DmaArbiter,
  type Exchange,
  type PacedStream,
} from "../platform/arbiter.js";
import { ddrNumbers } from "../platform/ddr.js";
import { eighthEnds, PROGRESS_PARTS, tracesOf, type Moved, type TransferTrace } from "../platform/dma.js";
import type { BoardValues } from "../platform/platform.js";
import { answering, block, entry } from "./arbiter-block.js";
import { pace, transfer } from "./pace-code.js";

/** A stream's port in the memory of the engine. */
export interface PacedPort {
  readonly stream: PacedStream;
  /** Addresses: the record, the count of beats moved, the clocks of the beats, the clock of the first open question. */
  readonly record: number;
  readonly done: number;
  readonly times: number;
  readonly question: number;
  readonly actor: number;
}

const NEVER = 0x7fffffff;

interface Tables {
  readonly transfers: number;
  readonly answers: number;
  readonly asks: number;
  readonly frees: number;
  readonly firsts: number;
  readonly end: number;
}

/** Addresses of a port's tables. */
function tablesOf(record: number, stream: PacedStream, bursts: number): Tables {
  const transfers = record + pace.bytes;
  const answers = transfers + stream.transfers.length * transfer.bytes;
  const asks = answers + bursts * 8;
  const frees = asks + bursts * 8;
  const firsts = frees + bursts * 8;
  return { transfers, answers, asks, frees, firsts, end: firsts + bursts * 4 };
}

/** Bytes that a port's record and tables take. */
export const paceBytes = (stream: PacedStream, board: BoardValues): number =>
  tablesOf(0, stream, burstsOf(stream, beatTiming(stream, board).beatsPerBurst)).end;

/** Bytes of the arbiter's block (arbiter-code.ts). */
export const arbiterBytes = (streams: number, board: BoardValues): number =>
  block.ddr + ddrNumbers(board) * 8 + streams * entry.bytes;

/** What a design's module does of a settlement (settle-code.ts); `fresh` is 1 at the begin of one. */
export type Settle = (block: number, fresh: number) => number;

export class Pacing {
  readonly #arbiter: DmaArbiter;
  readonly #ports: readonly PacedPort[];
  /** The engine's memory; all that is read here is aligned. */
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  /** Where the actors go that can go on, after their number. */
  readonly #woken: number;
  /** Addresses of the arbiter's block, and of the ports' entries in it. */
  readonly #block: number;
  readonly #entries: readonly number[];
  readonly #settle: Settle;

  /**
   * `memory` is the engine's, which must not grow any more; `woken` is the address of its list of actors to wake, and `place` that of
   * `arbiterBytes` bytes for the arbiter.
   */
  constructor(
    ports: readonly PacedPort[],
    board: BoardValues,
    { memory, settle }: { readonly memory: WebAssembly.Memory; readonly settle: Settle },
    { woken, place }: { readonly woken: number; readonly place: number },
  ) {
    this.#ports = ports;
    this.#woken = woken >> 2;
    this.#words = new Int32Array(memory.buffer);
    this.#floats = new Float64Array(memory.buffer);
    this.#block = place;
    this.#settle = settle;
    const { buffer } = memory;
    const streams = ports.map(({ stream }) => stream);
    const entries = place + block.ddr + ddrNumbers(board) * 8;
    this.#entries = ports.map((_, i) => entries + i * entry.bytes);
    this.#arbiter = new DmaArbiter(streams, board, {
      ddr: new Float64Array(buffer, place + block.ddr, ddrNumbers(board)),
      exchange: (stream, bursts): Exchange => {
        const { answers, asks } = tablesOf(ports[stream]!.record, streams[stream]!, bursts);
        const at = this.#entries[stream]!;
        return {
          asks: new Float64Array(buffer, asks, bursts),
          answers: new Float64Array(buffer, answers, bursts),
          floats: new Float64Array(buffer, at, channelState.bytes / 8),
          ints: new Int32Array(buffer, at, channelState.bytes / 4),
        };
      },
    });
    const end = entries + streams.length * entry.bytes;
    this.#put(place + block.woken, woken);
    this.#put(place + block.entries, entries);
    this.#put(place + block.end, end);
    this.#put(place + block.answered, 0);
    this.#put(place + block.flowed, 0);
    this.#put(place + block.polls, 0);
    this.#put(place + block.how, answering.done);
    this.#floats[(place + block.readLatency) >> 3] = board["hp.readLatency"];
    ports.forEach((port, i) => {
      this.#writeRecord(port, i);
    });
  }

  /** Write a 32-bit number. Plainly, one by one: this is done many times for each layer of a network. */
  #put(at: number, value: number): void {
    this.#words[at >> 2] = value;
  }

  #writeRecord({ stream, record, done, times, actor }: PacedPort, index: number): void {
    const { beatClocks, gap, beatsPerBurst, outstanding } = this.#arbiter.timing(index);
    const { transfers, answers, asks, frees, firsts, end } = tablesOf(record, stream, burstsOf(stream, beatsPerBurst));
    this.#words.fill(0, record >> 2, transfers >> 2);
    this.#words.fill(0, firsts >> 2, end >> 2);
    this.#floats[(record + pace.beatClocks) >> 3] = beatClocks;
    this.#floats[(record + pace.gap) >> 3] = gap;
    this.#put(record + pace.beatsPerBurst, beatsPerBurst);
    this.#put(record + pace.outstanding, outstanding);
    this.#put(record + pace.transfers, transfers);
    this.#put(record + pace.answers, answers);
    this.#put(record + pace.asks, asks);
    this.#put(record + pace.frees, frees);
    this.#put(record + pace.firsts, firsts);
    let place = transfers + transfer.beats;
    for (const { beats } of stream.transfers) {
      this.#put(place, beats);
      place += transfer.bytes;
    }
    if (stream.transfers.length > 0) this.#begin(index, 0);
    const input = stream.direction === "in";
    const at = this.#entries[index]!;
    this.#put(at + entry.asks, asks);
    this.#put(at + entry.answers, answers);
    this.#put(at + entry.record, record);
    this.#put(at + entry.actor, actor);
    this.#put(at + entry.done, done);
    this.#put(at + entry.times, times);
    this.#put(at + entry.port, this.#block + block.ddr + 8 * this.#arbiter.portOf(index));
    this.#put(at + entry.reads, Number(input));
    this.#put(at + entry.back, input ? 0 : outstanding);
    this.#put(at + entry.endBeat, stream.transfers[0]?.beats ?? NEVER);
    this.#put(at + entry.next, transfers);
    this.#put(at + entry.last, transfers + stream.transfers.length * transfer.bytes);
  }

  #begin(index: number, number: number): void {
    const { clock, started } = this.#arbiter.begins(index)[number]!;
    const { record } = this.#ports[index]!;
    const place = record + pace.bytes + number * transfer.bytes;
    this.#put(place + transfer.clock, clock);
    this.#floats[(place + transfer.started) >> 3] = started;
    this.#put(record + pace.begins, number + 1);
  }

  /** From now on questions of clocks before `horizon` are answered. */
  limit(horizon: number): void {
    this.#floats[(this.#block + block.horizon) >> 3] = horizon;
  }

  /**
   * Behind a run of the module, which has answered what it could: the rest, as far as it is the arbiter's own. `poll` is the clock of the
   * first open poll of the design, of one that polls; nothing is answered yet then. Returns whether anybody can go on, or may poll.
   */
  settle(horizon: number, poll: number | undefined): boolean {
    const words = this.#words;
    if (this.#ports.length === 0) return false;
    const answered = (this.#block + block.answered) >> 2;
    const earlier = words[answered]!;
    if (poll !== undefined) {
      this.#put(this.#block + block.polls, 1);
      this.limit(Math.min(horizon, poll + 1));
      this.#settle(this.#block, 1);
    }
    for (; words[(this.#block + block.how) >> 2] === answering.other; this.#settle(this.#block, 0)) this.#answerOne();
    if (poll === undefined || words[answered] === earlier) return words[this.#woken]! > 0;
    this.#ports.forEach(({ question }, i) => {
      const open = this.#arbiter.openOf(i);
      words[question >> 2] = open === Infinity ? NEVER : open;
    });
    return true;
  }

  /** Answer the first question, which is not one of those that come all the time. */
  #answerOne(): void {
    const words = this.#words;
    const arbiter = this.#arbiter;
    const before = (this.#block + block.before) >> 3;
    const index = arbiter.answer(this.#floats[before]!);
    const number = arbiter.index;
    const at = this.#entries[index]!;
    const { record, actor } = this.#ports[index]!;
    words[(this.#block + block.answered) >> 2]!++;
    if (arbiter.kind === answerKind.end) return;
    const waits = arbiter.kind === answerKind.burst ? "waitsFor" : "begin";
    if (waits === "waitsFor") this.#put(record + pace.answered, number + 1);
    else this.#begin(index, number);
    if (number !== words[(at + entry[waits]) >> 2]) return;
    this.#put(at + entry[waits], -1);
    this.#put(record + pace.waits, 0);
    words[this.#woken + ++words[this.#woken]!] = actor;
    const until = arbiter.clock + this.#floats[(at + entry.quiet) >> 3]!;
    if (until < this.#floats[before]!) this.#floats[before] = until;
  }

  /** True while a stream that has more to move waits for the processor to start its transfer. */
  starting(stream: string, clock: number): boolean {
    const index = this.#ports.findIndex((port) => port.stream.name === stream);
    const { record, stream: paced } = this.#ports[index]!;
    const number = this.#words[(record + pace.transfer) >> 2]!;
    if (number >= paced.transfers.length) return false;
    const begin = this.#arbiter.begins(index)[number];
    return begin === undefined || clock < begin.clock;
  }

  /** Bursts that the arbiter did by itself for sources that flow (flow-code.ts). */
  get flowed(): number {
    return this.#words[(this.#block + block.flowed) >> 2]!;
  }

  /** Somebody waits for an answer. */
  get waiting(): boolean {
    return this.#ports.some(({ record }) => this.#words[(record + pace.waits) >> 2] !== 0);
  }

  get traces(): TransferTrace[] {
    // What has been asked since; nothing is answered there.
    this.limit(-Infinity);
    if (this.#ports.length > 0) this.#settle(this.#block, 1);
    this.#arbiter.settle(Infinity);
    const streams = this.#ports.map(({ stream }) => stream);
    // Beats and bursts of each transfer behind those before it.
    const starts = streams.map(({ transfers }, stream) => {
      const { beatsPerBurst } = this.#arbiter.timing(stream);
      let [sum, bursts] = [0, 0];
      return transfers.map(({ beats }) => ({
        before: (sum += beats) - beats,
        burst: (bursts += Math.ceil(beats / beatsPerBurst)) - Math.ceil(beats / beatsPerBurst),
        beatsPerBurst,
      }));
    });
    return tracesOf(this.#arbiter, streams, (stream, number): Moved => {
      const { times, record } = this.#ports[stream]!;
      const { before, burst, beatsPerBurst } = starts[stream]![number]!;
      const { beats } = streams[stream]!.transfers[number]!;
      const words = this.#words;
      const firsts = words[(record + pace.firsts) >> 2]! >> 2;
      const clock = (beat: number): number => {
        const first = words[firsts + burst + Math.floor(beat / beatsPerBurst)]!;
        return first > 0 ? first + (beat % beatsPerBurst) : words[(times >> 2) + before + beat]!;
      };
      const eighths = Array.from({ length: PROGRESS_PARTS }, (_, part) => clock(eighthEnds(part, beats) - 1));
      return { first: clock(0), last: clock(beats - 1), eighths };
    });
  }
}
