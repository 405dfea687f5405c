/**
 * A board's DMA around the fast engine: reads the questions that the ports have left in their records (pace-code.ts), has
 * them answered in the order of their clocks (sim/platform/arbiter.ts), and says who can go on.
 *
 * Why it is exact: questions are looked at when nobody can move, so whoever asks later was woken by an answer and asks at the
 * clock of that answer or later. So all questions below the least clock of an answer that somebody waits for may be answered.
 */
import { answerKind, beatTiming, burstsOf, DmaArbiter, type PacedStream } from "../platform/arbiter.js";
import { eighthEnds, PROGRESS_PARTS, tracesOf, type Moved, type TransferTrace } from "../platform/dma.js";
import type { BoardValues } from "../platform/platform.js";
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
  /** What the actor waits for: a burst, a transfer's begin, or neither (-1). */
  burst: number;
  begin: number;
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

export class Pacing {
  readonly #arbiter: DmaArbiter;
  readonly #ports: readonly PacedPort[];
  /** The engine's memory; all that is read here is aligned. */
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  /** Where the actors go that can go on, after their number. */
  readonly #woken: number;
  readonly #states: readonly PortState[];

  /** `memory` is the engine's, which must not grow any more; `woken` is the address of its list of actors to wake. */
  constructor(ports: readonly PacedPort[], board: BoardValues, memory: ArrayBuffer, woken: number) {
    this.#ports = ports;
    this.#woken = woken >> 2;
    this.#words = new Int32Array(memory);
    this.#floats = new Float64Array(memory);
    const streams = ports.map(({ stream }) => stream);
    this.#arbiter = new DmaArbiter(streams, board, (stream, bursts) => {
      const { answers, asks } = tablesOf(ports[stream]!.record, streams[stream]!, bursts);
      return { asks: new Float64Array(memory, asks, bursts), answers: new Float64Array(memory, answers, bursts) };
    });
    this.#states = ports.map((port, i) => this.#writeRecord(port, i));
  }

  #writeRecord({ stream, record, done, times, actor }: PacedPort, index: number): PortState {
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
      burst: -1,
      begin: -1,
      silence: 0,
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
    let woken = 0;
    const words = this.#words;
    const arbiter = this.#arbiter;
    // How long those are silent who wait for no answer, but for others.
    let others = Infinity;
    for (const state of this.#states) {
      this.#collect(state);
      if (state.burst < 0 && state.begin < 0 && state.silence < others) others = state.silence;
    }
    let answered = 0;
    let before = poll === undefined ? horizon : Math.min(horizon, poll + 1);
    for (let index = arbiter.answer(before); index >= 0; index = arbiter.answer(before)) {
      answered++;
      const state = this.#states[index]!;
      const number = arbiter.index;
      if (arbiter.kind === answerKind.burst) {
        words[state.record + ANSWERED] = number + 1;
        if (number !== state.burst) continue;
        state.burst = -1;
      } else {
        if (arbiter.kind === answerKind.end) continue;
        this.#begin(index, number);
        if (number !== state.begin) continue;
        state.begin = -1;
      }
      words[state.record + WAITS] = 0;
      words[this.#woken + ++woken] = state.actor;
      const { clock } = arbiter;
      const silence = poll === undefined ? Math.min(state.silence, others) : 0;
      if (clock + silence < before) before = clock + silence;
    }
    if (answered > 0 && poll !== undefined)
      this.#ports.forEach(({ question }, i) => {
        const open = arbiter.openOf(i);
        words[question >> 2] = open === Infinity ? NEVER : open;
      });
    words[this.#woken] = woken;
    return woken > 0 || (answered > 0 && poll !== undefined);
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
    state.burst = waits && begun ? words[record + BURST]! - state.back : -1;
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
