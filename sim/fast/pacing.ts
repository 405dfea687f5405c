/**
 * A board's DMA around the fast engine: reads the questions that the ports have left in their records (pace-code.ts), has
 * them answered in the order of their clocks (sim/platform/arbiter.ts), and says who can go on.
 *
 * Why it is exact: questions are looked at when nobody can move, so whoever asks later was woken by an answer and asks at the
 * clock of that answer or later. So all questions below the least clock of an answer that somebody waits for may be answered.
 */
import type { DmaArbiter, PacedStream } from "../platform/arbiter.js";
import { eighthEnds, PROGRESS_PARTS, tracesOf, type Moved, type TransferTrace } from "../platform/dma.js";
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

interface PortState {
  /** Addresses of the tables. */
  readonly transfers: number;
  readonly answers: number;
  readonly asks: number;
  /** Questions and ended transfers that the arbiter knows of, and the beats by which the next transfer ends. */
  asked: number;
  ended: number;
  endBeat: number;
}

const NEVER = 0x7fffffff;

/** Bytes that a port's record and tables take. */
export function paceBytes({ transfers }: PacedStream, beatsPerBurst: number): number {
  const bursts = transfers.reduce((sum, { beats }) => sum + Math.ceil(beats / beatsPerBurst), 0);
  return pace.bytes + transfers.length * transfer.bytes + bursts * 12;
}

export class Pacing {
  readonly #arbiter: DmaArbiter;
  readonly #ports: readonly PacedPort[];
  /** The engine's memory; all that is read here is aligned. */
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  /** Actors that the last call of `settle` has given what they wait for. */
  readonly woken: number[] = [];
  readonly #states: readonly PortState[];

  /** `memory` is the engine's, which must not grow any more. */
  constructor(arbiter: DmaArbiter, ports: readonly PacedPort[], memory: ArrayBuffer) {
    this.#arbiter = arbiter;
    this.#ports = ports;
    this.#words = new Int32Array(memory);
    this.#floats = new Float64Array(memory);
    this.#states = ports.map((port, i) => this.#writeRecord(port, i));
  }

  #writeRecord({ stream, record }: PacedPort, index: number): PortState {
    const { beatClocks, gap, beatsPerBurst, outstanding } = this.#arbiter.timing(index);
    const bursts = stream.transfers.reduce((sum, { beats }) => sum + Math.ceil(beats / beatsPerBurst), 0);
    const transfers = record + pace.bytes;
    const answers = transfers + stream.transfers.length * transfer.bytes;
    const asks = answers + bursts * 8;
    this.#words.fill(0, record >> 2, transfers >> 2);
    this.#floats[(record + pace.beatClocks) >> 3] = beatClocks;
    this.#floats[(record + pace.gap) >> 3] = gap;
    for (const [field, value] of Object.entries({ beatsPerBurst, outstanding, transfers, answers, asks }))
      this.#words[(record + pace[field as "asks"]) >> 2] = value;
    stream.transfers.forEach(({ beats }, i) => {
      this.#words[(transfers + i * transfer.bytes + transfer.beats) >> 2] = beats;
    });
    const state = { transfers, answers, asks, asked: 0, ended: 0, endBeat: stream.transfers[0]?.beats ?? Infinity };
    if (stream.transfers.length > 0) this.#begin(index, 0, state);
    return state;
  }

  #begin(index: number, number: number, { transfers }: { readonly transfers: number }): void {
    const { clock, started } = this.#arbiter.begins(index)[number]!;
    const at = transfers + number * transfer.bytes;
    this.#words[(at + transfer.clock) >> 2] = clock;
    this.#floats[(at + transfer.started) >> 3] = started;
    this.#words[(this.#ports[index]!.record + pace.begins) >> 2] = number + 1;
  }

  /**
   * Answer what can be answered of clocks before `horizon`; `poll` is the clock of the first open poll of the design, and
   * undefined if it never polls. Returns how many were answered; `woken` has the actors that can go on.
   */
  settle(horizon: number, poll: number | undefined): number {
    const { woken } = this;
    woken.length = 0;
    for (let i = 0; i < this.#ports.length; i++) this.#collect(this.#ports[i]!, i);
    let answered = 0;
    let before = poll === undefined ? horizon : Math.min(horizon, poll + 1);
    for (; ; answered++) {
      const answer = this.#arbiter.answer(before);
      if (!answer) break;
      const { stream, kind, index, clock } = answer;
      const { record, actor } = this.#ports[stream]!;
      const state = this.#states[stream]!;
      if (kind === "burst") {
        this.#floats[(state.answers >> 3) + index] = this.#arbiter.answers(stream)[index]!;
        this.#words[(record + pace.answered) >> 2] = index + 1;
      } else if (kind === "begin") this.#begin(stream, index, state);
      else continue;
      const waits = (record + pace.waits) >> 2;
      if (this.#words[waits] === 0 || !this.#waitsFor(stream, kind, index)) continue;
      this.#words[waits] = 0;
      woken.push(actor);
      before = Math.min(before, clock);
    }
    if (answered > 0 && poll !== undefined)
      this.#ports.forEach(({ question }, i) => {
        const open = this.#arbiter.openOf(i);
        this.#words[question >> 2] = open === Infinity ? NEVER : open;
      });
    return answered;
  }

  /** An actor waits for the oldest answer that it needs: a later one is of no use to it. */
  #waitsFor(stream: number, kind: "burst" | "begin", index: number): boolean {
    const { record } = this.#ports[stream]!;
    const begun = this.#field(record, "begun");
    if (kind === "begin") return begun === 0 && this.#field(record, "transfer") === index;
    const needed = this.#ports[stream]!.stream.direction === "in" ? 0 : this.#field(record, "outstanding");
    return begun === 1 && this.#field(record, "burst") - needed === index;
  }

  #field(record: number, name: keyof typeof pace): number {
    return this.#words[(record + pace[name]) >> 2]!;
  }

  /** New questions of a port. */
  #collect({ stream, record, done, times }: PacedPort, index: number): void {
    const state = this.#states[index]!;
    const asked = this.#field(record, "asked");
    for (; state.asked < asked; state.asked++) this.#arbiter.ask(index, this.#words[(state.asks >> 2) + state.asked]!);
    if (this.#words[done >> 2]! < state.endBeat) return;
    // The next transfer has not begun, so no more than one can have ended.
    if (stream.direction === "in") this.#arbiter.sent(index, this.#words[(times >> 2) + state.endBeat - 1]!);
    state.endBeat += stream.transfers[++state.ended]?.beats ?? Infinity;
  }

  /** True while a stream that has more to move waits for the processor to start its transfer. */
  starting(stream: string, clock: number): boolean {
    const index = this.#ports.findIndex((port) => port.stream.name === stream);
    const { record, stream: paced } = this.#ports[index]!;
    const number = this.#field(record, "transfer");
    if (number >= paced.transfers.length) return false;
    const begin = this.#arbiter.begins(index)[number];
    return begin === undefined || clock < begin.clock;
  }

  /** Somebody waits for an answer. */
  get waiting(): boolean {
    return this.#ports.some(({ record }) => this.#field(record, "waits") !== 0);
  }

  get traces(): TransferTrace[] {
    this.#ports.forEach((port, i) => this.#collect(port, i));
    this.#arbiter.settle(Infinity);
    const streams = this.#ports.map(({ stream }) => stream);
    return tracesOf(this.#arbiter, streams, (stream, number): Moved => {
      const { times } = this.#ports[stream]!;
      const before = streams[stream]!.transfers.slice(0, number).reduce((sum, { beats }) => sum + beats, 0);
      const { beats } = streams[stream]!.transfers[number]!;
      const clock = (beat: number): number => this.#words[(times >> 2) + before + beat]!;
      const eighths = Array.from({ length: PROGRESS_PARTS }, (_, part) => clock(eighthEnds(part, beats) - 1));
      return { first: clock(0), last: clock(beats - 1), eighths };
    });
  }
}
