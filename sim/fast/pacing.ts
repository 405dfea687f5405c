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
import { answererIn, answering, block, entry } from "./arbiter-code.js";
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

/** A port as it is looked at all the time: places in the engine's memory as indices of 32-bit words. */
interface PortState {
  readonly index: number;
  readonly actor: number;
  readonly record: number;
  readonly done: number;
  readonly times: number;
  readonly input: boolean;
  readonly beatClocks: number;
  readonly beatsPerBurst: number;
  /** Of a source 0; a sink waits for the burst so many before the one at hand. */
  readonly back: number;
  /** Ended transfers that the arbiter knows of, and the beats by which the next transfer ends. */
  ended: number;
  endBeat: number;
  asked: number;
  /** The begin of a transfer for which the actor waits, or -1. */
  begin: number;
  /** Its entry in the arbiter's block, where the burst stands for which the actor waits. */
  readonly waitsFor: number;
  readonly quiet: number;
  /** After it can go on, it puts no question for so many clocks; infinity if it never will. */
  silence: number;
}

const NEVER = 0x7fffffff;
/** Fields of a record, as indices of its words. */
const at = Object.fromEntries(Object.entries(pace).map(([name, bytes]) => [name, bytes >> 2])) as typeof pace;
const [TRANSFER, BEAT, WITHIN, BURST, BEGUN] = [at.transfer, at.beat, at.within, at.burst, at.begun];
const [BEATS, ASKED, ANSWERED, BEGINS, WAITS] = [at.beats, at.asked, at.answered, at.begins, at.waits];

interface Tables {
  readonly transfers: number;
  readonly answers: number;
  readonly asks: number;
  readonly end: number;
}

/** Addresses of a port's tables. */
function tablesOf(record: number, stream: PacedStream, bursts: number): Tables {
  const transfers = record + pace.bytes;
  const answers = transfers + stream.transfers.length * transfer.bytes;
  const asks = answers + bursts * 8;
  return { transfers, answers, asks, end: asks + bursts * 8 };
}

/** Bytes that a port's record and tables take. */
export const paceBytes = (stream: PacedStream, board: BoardValues): number =>
  tablesOf(0, stream, burstsOf(stream, beatTiming(stream, board).beatsPerBurst)).end;

/** Bytes of the arbiter's block (arbiter-code.ts). */
export const arbiterBytes = (streams: number, board: BoardValues): number =>
  block.ddr + ddrNumbers(board) * 8 + streams * entry.bytes;

export class Pacing {
  readonly #arbiter: DmaArbiter;
  readonly #ports: readonly PacedPort[];
  /** The engine's memory; all that is read here is aligned. */
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  /** Where the actors go that can go on, after their number. */
  readonly #woken: number;
  readonly #states: readonly PortState[];
  /** The arbiter's block, and what answers there. */
  readonly #block: number;
  readonly #answer: (block: number) => number;

  /**
   * `memory` is the engine's, which must not grow any more; `woken` is the address of its list of actors to wake, and `place` that of
   * `arbiterBytes` bytes for the arbiter.
   */
  constructor(
    ports: readonly PacedPort[],
    board: BoardValues,
    memory: WebAssembly.Memory,
    { woken, place }: { readonly woken: number; readonly place: number },
  ) {
    this.#ports = ports;
    this.#woken = woken >> 2;
    this.#words = new Int32Array(memory.buffer);
    this.#floats = new Float64Array(memory.buffer);
    this.#block = place;
    this.#answer = answererIn(memory);
    const { buffer } = memory;
    const streams = ports.map(({ stream }) => stream);
    const entries = place + block.ddr + ddrNumbers(board) * 8;
    this.#arbiter = new DmaArbiter(streams, board, {
      ddr: new Float64Array(buffer, place + block.ddr, ddrNumbers(board)),
      exchange: (stream, bursts): Exchange => {
        const { answers, asks } = tablesOf(ports[stream]!.record, streams[stream]!, bursts);
        const at = entries + stream * entry.bytes;
        return {
          asks: new Float64Array(buffer, asks, bursts),
          answers: new Float64Array(buffer, answers, bursts),
          floats: new Float64Array(buffer, at, channelState.bytes / 8),
          ints: new Int32Array(buffer, at, channelState.bytes / 4),
        };
      },
    });
    const fields = { woken, entries, end: entries + streams.length * entry.bytes, answered: 0 };
    for (const [field, value] of Object.entries(fields)) this.#words[(place + block[field as "woken"]) >> 2] = value;
    this.#floats[(place + block.readLatency) >> 3] = board["hp.readLatency"];
    this.#states = ports.map((port, i) => this.#writeRecord(port, i, entries + i * entry.bytes));
  }

  #writeRecord({ stream, record, done, times, actor }: PacedPort, index: number, at: number): PortState {
    const { beatClocks, gap, beatsPerBurst, outstanding } = this.#arbiter.timing(index);
    const { transfers, answers, asks } = tablesOf(record, stream, burstsOf(stream, beatsPerBurst));
    this.#words.fill(0, record >> 2, transfers >> 2);
    this.#floats[(record + pace.beatClocks) >> 3] = beatClocks;
    this.#floats[(record + pace.gap) >> 3] = gap;
    for (const [field, value] of Object.entries({ beatsPerBurst, outstanding, transfers, answers, asks }))
      this.#words[(record + pace[field as "asks"]) >> 2] = value;
    stream.transfers.forEach(({ beats }, i) => {
      this.#words[(transfers + i * transfer.bytes + transfer.beats) >> 2] = beats;
    });
    if (stream.transfers.length > 0) this.#begin(index, 0);
    const input = stream.direction === "in";
    const port = this.#block + block.ddr + 8 * this.#arbiter.portOf(index);
    const fields = { asks, answers, port, record, reads: Number(input), waitsFor: -1, actor };
    for (const [field, value] of Object.entries(fields)) this.#words[(at + entry[field as "asks"]) >> 2] = value;
    return {
      index,
      actor,
      record: record >> 2,
      done: done >> 2,
      times: times >> 2,
      input,
      beatClocks,
      beatsPerBurst,
      back: input ? 0 : outstanding,
      ended: 0,
      endBeat: stream.transfers[0]?.beats ?? Infinity,
      asked: 0,
      begin: -1,
      silence: 0,
      waitsFor: (at + entry.waitsFor) >> 2,
      quiet: (at + entry.quiet) >> 3,
    };
  }

  #begin(index: number, number: number): void {
    const { clock, started } = this.#arbiter.begins(index)[number]!;
    const { record } = this.#ports[index]!;
    const place = record + pace.bytes + number * transfer.bytes;
    this.#words[(place + transfer.clock) >> 2] = clock;
    this.#floats[(place + transfer.started) >> 3] = started;
    this.#words[(record >> 2) + BEGINS] = number + 1;
  }

  /**
   * Answer what can be answered of clocks before `horizon`; `poll` is the clock of the first open poll of the design, and
   * undefined if it never polls. Returns whether anybody can go on, or may poll.
   */
  settle(horizon: number, poll: number | undefined): boolean {
    const words = this.#words;
    const floats = this.#floats;
    const arbiter = this.#arbiter;
    // How long those are silent who wait for no answer, but for others.
    let others = Infinity;
    for (const state of this.#states) {
      this.#collect(state);
      if (words[state.waitsFor]! < 0 && state.begin < 0 && state.silence < others) others = state.silence;
    }
    for (const state of this.#states) floats[state.quiet] = poll === undefined ? Math.min(state.silence, others) : 0;
    const before = (this.#block + block.before) >> 3;
    const earlier = words[(this.#block + block.answered) >> 2]!;
    words[this.#woken] = 0;
    floats[before] = poll === undefined ? horizon : Math.min(horizon, poll + 1);
    let own = 0;
    while (this.#ports.length > 0 && this.#answer(this.#block) === answering.other) {
      own++;
      this.#answerOne(before);
    }
    const answered = words[(this.#block + block.answered) >> 2]! - earlier + own;
    if (answered > 0 && poll !== undefined)
      this.#ports.forEach(({ question }, i) => {
        const open = arbiter.openOf(i);
        words[question >> 2] = open === Infinity ? NEVER : open;
      });
    return words[this.#woken]! > 0 || (answered > 0 && poll !== undefined);
  }

  /** Answer the first question, which is not one of those that come all the time; `before` is the place of the clock. */
  #answerOne(before: number): void {
    const words = this.#words;
    const arbiter = this.#arbiter;
    const index = arbiter.answer(this.#floats[before]!);
    const state = this.#states[index]!;
    const number = arbiter.index;
    if (arbiter.kind === answerKind.burst) {
      words[state.record + ANSWERED] = number + 1;
      if (number !== words[state.waitsFor]) return;
      words[state.waitsFor] = -1;
    } else {
      if (arbiter.kind === answerKind.end) return;
      this.#begin(index, number);
      if (number !== state.begin) return;
      state.begin = -1;
    }
    words[state.record + WAITS] = 0;
    words[this.#woken + ++words[this.#woken]!] = state.actor;
    const until = arbiter.clock + this.#floats[state.quiet]!;
    if (until < this.#floats[before]!) this.#floats[before] = until;
  }

  /** New questions of a port, and what its actor waits for: the oldest answer that it needs. */
  #collect(state: PortState): void {
    const words = this.#words;
    const { index, record } = state;
    const asked = words[record + ASKED]!;
    if (asked !== state.asked) {
      state.asked = asked;
      this.#arbiter.askedUpTo(index, asked);
    }
    if (words[state.done]! >= state.endBeat) {
      // The next transfer has not begun, so no more than one can have ended.
      if (state.input) this.#arbiter.sent(index, words[state.times + state.endBeat - 1]!);
      state.endBeat += this.#ports[index]!.stream.transfers[++state.ended]?.beats ?? Infinity;
    }
    const begun = words[record + BEGUN] !== 0;
    const waits = words[record + WAITS] !== 0;
    words[state.waitsFor] = waits && begun ? words[record + BURST]! - state.back : -1;
    state.begin = waits && !begun ? words[record + TRANSFER]! : -1;
    state.silence = begun ? this.#silence(state) : state.endBeat === Infinity ? Infinity : 0;
  }

  /**
   * A question comes with the last beat of a burst, at the earliest. A beat takes `beatClocks`; what is lost of them where the
   * first beat is late (sim/platform/dma.ts) is less than a clock.
   */
  #silence({ record, beatsPerBurst, beatClocks }: PortState): number {
    const words = this.#words;
    const left = Math.min(beatsPerBurst - words[record + WITHIN]!, words[record + BEATS]! - words[record + BEAT]!);
    return left < 2 ? 0 : Math.max(0, Math.floor((left - 1) * beatClocks) - 1);
  }

  /** True while a stream that has more to move waits for the processor to start its transfer. */
  starting(stream: string, clock: number): boolean {
    const index = this.#ports.findIndex((port) => port.stream.name === stream);
    const { record, stream: paced } = this.#ports[index]!;
    const number = this.#words[(record >> 2) + TRANSFER]!;
    if (number >= paced.transfers.length) return false;
    const begin = this.#arbiter.begins(index)[number];
    return begin === undefined || clock < begin.clock;
  }

  /** Somebody waits for an answer. */
  get waiting(): boolean {
    return this.#ports.some(({ record }) => this.#words[(record >> 2) + WAITS] !== 0);
  }

  get traces(): TransferTrace[] {
    for (const state of this.#states) this.#collect(state);
    this.#arbiter.settle(Infinity);
    const streams = this.#ports.map(({ stream }) => stream);
    const firsts = streams.map(({ transfers }) => {
      let sum = 0;
      return transfers.map(({ beats }) => (sum += beats) - beats);
    });
    return tracesOf(this.#arbiter, streams, (stream, number): Moved => {
      const { times } = this.#ports[stream]!;
      const before = firsts[stream]![number]!;
      const { beats } = streams[stream]!.transfers[number]!;
      const clock = (beat: number): number => this.#words[(times >> 2) + before + beat]!;
      const eighths = Array.from({ length: PROGRESS_PARTS }, (_, part) => clock(eighthEnds(part, beats) - 1));
      return { first: clock(0), last: clock(beats - 1), eighths };
    });
  }
}
