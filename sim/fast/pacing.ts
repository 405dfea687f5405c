/**
 * A board's DMA around the fast engine: sets up the arbiter's block and the ports' records in the engine's memory, where questions are
 * answered (settle-code.ts), and reads there what the transfers did.
 *
 * Why it is exact: questions are looked at when nobody can move, so whoever asks later was woken by an answer and asks at the
 * clock of that answer or later. So all questions below the least clock of an answer that somebody waits for may be answered.
 */
import { beatTiming, burstsOf, edge, processorTimes, type PacedStream } from "../platform/arbiter.js";
import { Ddr, ddrNumbers } from "../platform/ddr.js";
import type { BoardValues } from "../platform/platform.js";
import { trace, type PackedTraces } from "../platform/packed-traces.js";
import { block, entry } from "./arbiter-block.js";
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

/** Bytes of the arbiter's block, with the transfers in the order in which they end behind it, and their traces before that. */
export const arbiterBytes = (streams: readonly PacedStream[], board: BoardValues): number =>
  block.ddr + ddrNumbers(board) * 8 + streams.length * entry.bytes + transfersOf(streams) * (trace.numbers * 8 + 4);

const transfersOf = (streams: readonly PacedStream[]): number =>
  streams.reduce((sum, { transfers }) => sum + transfers.length, 0);

/** What a design's module has for it. */
export interface PacingCode {
  /** A settlement (settle-code.ts); `fresh` is 1 at the begin of one. */
  readonly settle: (block: number, fresh: number) => void;
  /** Writes traces (trace-code.ts), and returns the address behind them. */
  readonly traces: (block: number) => number;
}

export class Pacing {
  readonly #ports: readonly PacedPort[];
  /** The engine's memory; all that is read here is aligned. */
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  /** Where the actors go that can go on, after their number. */
  readonly #woken: number;
  /** Addresses of the arbiter's block, and of the ports' entries in it. */
  readonly #block: number;
  readonly #entries: number;
  readonly #code: PacingCode;

  /**
   * `memory` is the engine's, which must not grow any more; `woken` is the address of its list of actors to wake, and `place` that of
   * `arbiterBytes` bytes for the arbiter.
   */
  constructor(
    ports: readonly PacedPort[],
    board: BoardValues,
    code: PacingCode,
    memory: WebAssembly.Memory,
    { woken, place }: { readonly woken: number; readonly place: number },
  ) {
    this.#ports = ports;
    this.#woken = woken >> 2;
    this.#words = new Int32Array(memory.buffer);
    this.#floats = new Float64Array(memory.buffer);
    this.#block = place;
    this.#code = code;
    const memoryState = place + block.ddr;
    const ddr = new Ddr(board, this.#floats.subarray(memoryState >> 3, (memoryState >> 3) + ddrNumbers(board)));
    this.#entries = memoryState + ddrNumbers(board) * 8;
    const end = this.#entries + ports.length * entry.bytes;
    this.#words.fill(0, place >> 2, memoryState >> 2);
    this.#put(place + block.woken, woken);
    this.#put(place + block.entries, this.#entries);
    this.#put(place + block.end, end);
    this.#put(place + block.traces, end);
    this.#put(place + block.order, end + transfersOf(ports.map(({ stream }) => stream)) * trace.numbers * 8);
    const { start, wait } = processorTimes(board);
    this.#putFloat(place + block.start, start);
    this.#putFloat(place + block.wait, wait);
    this.#putFloat(place + block.readLatency, board["hp.readLatency"]);
    this.#putFloat(place + block.writeLatency, board["hp.writeLatency"]);
    const numbers = { in: 0, out: 0 };
    ports.forEach((port, i) => {
      const { direction } = port.stream;
      const at = ddr.channel(numbers[direction]++, direction === "in");
      this.#writeRecord(port, i, { board, channel: memoryState + at * 8 });
    });
    this.#startFirst(start);
  }

  /** Write a number of 32 bits, or of 64. Plainly, one by one: this is done many times for each layer of a network. */
  #put(at: number, value: number): void {
    this.#words[at >> 2] = value;
  }
  #putFloat(at: number, value: number): void {
    this.#floats[at >> 3] = value;
  }

  #writeRecord(
    { stream, record, done, times, actor }: PacedPort,
    index: number,
    { board, channel }: { readonly board: BoardValues; readonly channel: number },
  ): void {
    const { beatClocks, gap, beatsPerBurst, outstanding } = beatTiming(stream, board);
    const { transfers, answers, asks, frees, firsts, end } = tablesOf(record, stream, burstsOf(stream, beatsPerBurst));
    this.#words.fill(0, record >> 2, transfers >> 2);
    this.#words.fill(0, firsts >> 2, end >> 2);
    this.#putFloat(record + pace.beatClocks, beatClocks);
    this.#putFloat(record + pace.gap, gap);
    this.#put(record + pace.beatsPerBurst, beatsPerBurst);
    this.#put(record + pace.outstanding, outstanding);
    this.#put(record + pace.transfers, transfers);
    this.#put(record + pace.answers, answers);
    this.#put(record + pace.asks, asks);
    this.#put(record + pace.frees, frees);
    this.#put(record + pace.firsts, firsts);
    let row = transfers;
    for (const { beats, step } of stream.transfers) {
      this.#put(row + transfer.beats, beats);
      this.#put(row + transfer.stream, index);
      this.#put(row + transfer.step, step);
      row += transfer.bytes;
    }
    const input = stream.direction === "in";
    const first = stream.transfers[0]?.beats;
    const at = this.#entries + index * entry.bytes;
    this.#words.fill(0, at >> 2, (at + entry.bytes) >> 2);
    this.#putFloat(at + entry.open, Infinity);
    this.#putFloat(at + entry.closing, Infinity);
    this.#put(at + entry.left, (first ?? 0) * stream.bytes);
    this.#put(at + entry.burst, beatsPerBurst * stream.bytes);
    this.#put(at + entry.width, stream.bytes);
    this.#put(at + entry.asks, asks);
    this.#put(at + entry.answers, answers);
    this.#put(at + entry.record, record);
    this.#put(at + entry.actor, actor);
    this.#put(at + entry.done, done);
    this.#put(at + entry.times, times);
    this.#put(at + entry.port, channel);
    this.#put(at + entry.reads, Number(input));
    this.#put(at + entry.back, input ? 0 : outstanding);
    this.#put(at + entry.endBeat, first ?? NEVER);
    this.#put(at + entry.next, transfers);
    this.#put(at + entry.taking, transfers);
    this.#put(at + entry.ending, transfers);
    this.#put(at + entry.last, row);
  }

  /** The program's first transfer on each stream is started in the order of the list. */
  #startFirst(start: number): void {
    let free = 0;
    const begun = this.#ports.filter(({ stream }) => stream.transfers.length > 0);
    begun.sort((a, b) => a.stream.transfers[0]!.step - b.stream.transfers[0]!.step);
    for (const { record } of begun) {
      const row = record + pace.bytes;
      this.#putFloat(row + transfer.issued, free);
      free += start;
      this.#putFloat(row + transfer.started, free);
      this.#put(row + transfer.clock, edge(free));
      this.#put(record + pace.begins, 1);
    }
    this.#putFloat(this.#block + block.processorFree, free);
  }

  /** From now on questions of clocks before `horizon` are answered. */
  limit(horizon: number): void {
    this.#putFloat(this.#block + block.horizon, horizon);
  }

  /**
   * Behind a run of the module, which has answered what it could. `poll` is the clock of the first open poll of the design, of one that polls; nothing
   * is answered yet then. Returns whether anybody can go on, or may poll.
   */
  settle(horizon: number, poll: number | undefined): boolean {
    const words = this.#words;
    if (this.#ports.length === 0) return false;
    if (poll === undefined) return words[this.#woken]! > 0;
    const answered = (this.#block + block.answered) >> 2;
    const earlier = words[answered]!;
    this.#put(this.#block + block.polls, 1);
    this.limit(Math.min(horizon, poll + 1));
    this.#code.settle(this.#block, 1);
    if (words[answered] === earlier) return words[this.#woken]! > 0;
    this.#ports.forEach(({ question }, i) => {
      const open = this.#floats[(this.#entries + i * entry.bytes + entry.open) >> 3]!;
      words[question >> 2] = open === Infinity ? NEVER : open;
    });
    return true;
  }

  /** True while a stream that has more to move waits for the processor to start its transfer. */
  starting(stream: string, clock: number): boolean {
    const { record, stream: paced } = this.#ports.find((port) => port.stream.name === stream)!;
    const words = this.#words;
    const number = words[(record + pace.transfer) >> 2]!;
    if (number >= paced.transfers.length) return false;
    if (number >= words[(record + pace.begins) >> 2]!) return true;
    return clock < words[(record + pace.bytes + number * transfer.bytes + transfer.clock) >> 2]!;
  }

  /** Bursts that the arbiter did by itself for sources that flow (flow-code.ts). */
  get flowed(): number {
    return this.#words[(this.#block + block.flowed) >> 2]!;
  }

  /** Somebody waits for an answer. */
  get waiting(): boolean {
    return this.#ports.some(({ record }) => this.#words[(record + pace.waits) >> 2] !== 0);
  }

  get streams(): readonly PacedStream[] {
    return this.#ports.map(({ stream }) => stream);
  }

  /** What the transfers did that have ended, by the streams' numbers here. */
  get traces(): PackedTraces {
    this.#answerAll();
    const start = this.#words[(this.#block + block.traces) >> 2]!;
    return this.#floats.slice(start >> 3, this.#code.traces(this.#block) >> 3);
  }

  /** All that was asked, whoever may ask before: the run is over. Nobody is woken. */
  #answerAll(): void {
    if (this.#ports.length === 0) return;
    const words = this.#words;
    this.limit(-Infinity);
    this.#code.settle(this.#block, 1);
    this.#ports.forEach((_, i) => {
      const at = this.#entries + i * entry.bytes;
      this.#put(at + entry.waitsFor, -1);
      this.#put(at + entry.begin, -1);
    });
    this.#putFloat(this.#block + block.before, Infinity);
    this.#code.settle(this.#block, 0);
    words[this.#woken] = 0;
  }
}
