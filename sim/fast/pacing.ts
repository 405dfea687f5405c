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
  readonly #view: DataView;
  readonly #states: readonly PortState[];

  /** `view` shows the engine's memory, which must not grow any more. */
  constructor(arbiter: DmaArbiter, ports: readonly PacedPort[], view: DataView) {
    this.#arbiter = arbiter;
    this.#ports = ports;
    this.#view = view;
    this.#states = ports.map((port, i) => this.#writeRecord(port, i));
  }

  #writeRecord({ stream, record }: PacedPort, index: number): PortState {
    const view = this.#view;
    const { beatClocks, gap, beatsPerBurst, outstanding } = this.#arbiter.timing(index);
    const bursts = stream.transfers.reduce((sum, { beats }) => sum + Math.ceil(beats / beatsPerBurst), 0);
    const transfers = record + pace.bytes;
    const answers = transfers + stream.transfers.length * transfer.bytes;
    const asks = answers + bursts * 8;
    for (let at = record; at < transfers; at += 4) view.setInt32(at, 0, true);
    view.setFloat64(record + pace.beatClocks, beatClocks, true);
    view.setFloat64(record + pace.gap, gap, true);
    for (const [field, value] of Object.entries({ beatsPerBurst, outstanding, transfers, answers, asks }))
      view.setInt32(record + pace[field as "asks"], value, true);
    stream.transfers.forEach(({ beats }, i) =>
      view.setInt32(transfers + i * transfer.bytes + transfer.beats, beats, true),
    );
    const state = { transfers, answers, asks, asked: 0, ended: 0, endBeat: stream.transfers[0]?.beats ?? Infinity };
    if (stream.transfers.length > 0) this.#begin(index, 0, state);
    return state;
  }

  #begin(index: number, number: number, { transfers }: { readonly transfers: number }): void {
    const { clock, started } = this.#arbiter.begins(index)[number]!;
    const at = transfers + number * transfer.bytes;
    this.#view.setInt32(at + transfer.clock, clock, true);
    this.#view.setFloat64(at + transfer.started, started, true);
    this.#view.setInt32(this.#ports[index]!.record + pace.begins, number + 1, true);
  }

  /**
   * Answer what can be answered of clocks before `horizon` (and not after `poll`, the clock of the first open poll of the
   * design). Returns the actors that can go on, and whether anything was answered at all.
   */
  settle(horizon: number, poll: number): { readonly woken: number[]; readonly answered: boolean } {
    this.#ports.forEach((port, i) => this.#collect(port, i));
    const woken: number[] = [];
    let answered = false;
    for (let before = Math.min(horizon, poll + 1); ; answered = true) {
      const answer = this.#arbiter.answer(before);
      if (!answer) break;
      const { stream, kind, index, clock } = answer;
      const { record, actor } = this.#ports[stream]!;
      const state = this.#states[stream]!;
      if (kind === "burst") {
        this.#view.setFloat64(state.answers + index * 8, this.#arbiter.answers(stream)[index]!, true);
        this.#view.setInt32(record + pace.answered, index + 1, true);
      } else if (kind === "begin") this.#begin(stream, index, state);
      else continue;
      if (this.#view.getInt32(record + pace.waits, true) === 0 || !this.#waitsFor(stream, kind, index)) continue;
      this.#view.setInt32(record + pace.waits, 0, true);
      woken.push(actor);
      before = Math.min(before, clock);
    }
    if (answered)
      this.#ports.forEach(({ question }, i) => {
        const open = this.#arbiter.openOf(i);
        this.#view.setInt32(question, open === Infinity ? NEVER : open, true);
      });
    return { woken, answered };
  }

  /** An actor waits for the oldest answer that it needs: a later one is of no use to it. */
  #waitsFor(stream: number, kind: "burst" | "begin", index: number): boolean {
    const { record } = this.#ports[stream]!;
    const field = (name: "transfer" | "burst" | "begun" | "outstanding"): number =>
      this.#view.getInt32(record + pace[name], true);
    if (kind === "begin") return field("begun") === 0 && field("transfer") === index;
    const needed = this.#ports[stream]!.stream.direction === "in" ? 0 : field("outstanding");
    return field("begun") === 1 && field("burst") - needed === index;
  }

  /** New questions of a port. */
  #collect({ stream, record, done, times }: PacedPort, index: number): void {
    const view = this.#view;
    const state = this.#states[index]!;
    const asked = view.getInt32(record + pace.asked, true);
    for (; state.asked < asked; state.asked++)
      this.#arbiter.ask(index, view.getInt32(state.asks + state.asked * 4, true));
    const moved = view.getInt32(done, true);
    if (moved < state.endBeat) return;
    // The next transfer has not begun, so no more than one can have ended.
    if (stream.direction === "in") this.#arbiter.sent(index, view.getInt32(times + (state.endBeat - 1) * 4, true));
    state.endBeat += stream.transfers[++state.ended]?.beats ?? Infinity;
  }

  /** True while a stream that has more to move waits for the processor to start its transfer. */
  starting(stream: string, clock: number): boolean {
    const index = this.#ports.findIndex((port) => port.stream.name === stream);
    const { record, stream: paced } = this.#ports[index]!;
    const number = this.#view.getInt32(record + pace.transfer, true);
    if (number >= paced.transfers.length) return false;
    const begin = this.#arbiter.begins(index)[number];
    return begin === undefined || clock < begin.clock;
  }

  /** Somebody waits for an answer. */
  get waiting(): boolean {
    return this.#ports.some(({ record }) => this.#view.getInt32(record + pace.waits, true) !== 0);
  }

  get traces(): TransferTrace[] {
    this.#ports.forEach((port, i) => this.#collect(port, i));
    this.#arbiter.settle(Infinity);
    const streams = this.#ports.map(({ stream }) => stream);
    return tracesOf(this.#arbiter, streams, (stream, number): Moved => {
      const { times } = this.#ports[stream]!;
      const before = streams[stream]!.transfers.slice(0, number).reduce((sum, { beats }) => sum + beats, 0);
      const { beats } = streams[stream]!.transfers[number]!;
      const clock = (beat: number): number => this.#view.getInt32(times + (before + beat) * 4, true);
      const eighths = Array.from({ length: PROGRESS_PARTS }, (_, part) => clock(eighthEnds(part, beats) - 1));
      return { first: clock(0), last: clock(beats - 1), eighths };
    });
  }
}
