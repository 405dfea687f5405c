/**
 * What the DMA channels of a board share: the memory, and the processor that starts transfers. Channels put questions, each
 * with its clock: "a burst, please" and "my transfer is done". Questions are answered in the order of their clocks, those of
 * one clock in the order of the streams, and an answer is of use one clock after its question at the earliest. So the answers
 * do not depend on the order in which an engine simulates a clock, or on how far it runs ahead: an engine may ask at any time,
 * and a question may be answered as soon as nobody can put an earlier one.
 */
import { Ddr } from "./ddr.js";
import type { BoardValues } from "./platform.js";

/** A stream, with the lengths of its transfers in beats, and their places in the program's list of steps. */
export interface PacedStream {
  readonly name: string;
  /** `in`: memory to accelerator. */
  readonly direction: "in" | "out";
  /** Bytes in a beat. */
  readonly bytes: number;
  readonly transfers: readonly { readonly step: number; readonly beats: number }[];
}

/** When a transfer was started: clocks, with fractions, and the whole clock from which its channel acts. */
export interface Begin {
  readonly issued: number;
  readonly started: number;
  readonly clock: number;
}

/** The clock edge at or after a time; the sum of many fractions may lie a little above a whole clock. */
export const edge = (time: number): number => Math.ceil(time - 1e-9);

/** What the beats of a stream take, in clocks with fractions. */
export interface BeatTiming {
  readonly beatsPerBurst: number;
  readonly beatClocks: number;
  /** Lost after each burst. */
  readonly gap: number;
  /** Bursts that a channel may have under way. */
  readonly outstanding: number;
}

export function beatTiming({ bytes, direction }: PacedStream, board: BoardValues): BeatTiming {
  return {
    beatsPerBurst: Math.max(1, Math.floor((board["dma.burst"] * board["hp.width"]) / bytes)),
    beatClocks: Math.max(1, bytes / board["hp.width"]),
    gap: board[direction === "in" ? "dma.sendGap" : "dma.receiveGap"],
    outstanding: Math.max(1, Math.round(board["dma.outstanding"])),
  };
}

/** Clocks, with fractions, that the processor takes to start a transfer; what one costs beyond its register writes comes when its end is seen. */
export function processorTimes(board: BoardValues): { readonly start: number; readonly wait: number } {
  const clocksPerUs = board["pl.clock"];
  const start = board["dma.registers"] * board["driver.registerWrite"] * clocksPerUs;
  const wait = Math.max(board["driver.registerRead"] * clocksPerUs, board["driver.transfer"] * clocksPerUs - start);
  return { start, wait };
}

/** The processor, as far as it serves the channels. */
class Dispatcher {
  readonly start: number;
  readonly wait: number;
  #free = 0;
  /** Clocks spent on starting transfers and on what belongs to their end. */
  busyClocks = 0;

  constructor(board: BoardValues) {
    const { start, wait } = processorTimes(board);
    this.start = start;
    this.wait = wait;
  }

  begin(at: number): { issued: number; started: number } {
    const issued = Math.max(at, this.#free);
    this.#free = issued + this.start;
    this.busyClocks += this.start;
    return { issued, started: this.#free };
  }

  /** The next transfer of a channel whose last one was done at `done`. */
  restart(done: number): { issued: number; started: number } {
    this.#free = Math.max(done, this.#free) + this.wait;
    this.busyClocks += this.wait;
    return this.begin(this.#free);
  }
}

/** Bursts of all transfers of a stream. */
export const burstsOf = ({ transfers }: PacedStream, beatsPerBurst: number): number =>
  transfers.reduce((sum, { beats }) => sum + Math.ceil(beats / beatsPerBurst), 0);

/** One channel, as the arbiter sees it: its questions and answers, burst by burst over all its transfers. */
class Channel {
  readonly stream: PacedStream;
  /** The memory's number of its channel. */
  readonly port: number;
  readonly reads: boolean;
  readonly timing: BeatTiming;
  readonly begins: Begin[] = [];
  /** Clocks of the questions for bursts. */
  readonly asks: number[] = [];
  /** When a burst's first beat is there (`in`), or when it has left the channel (`out`); clocks with fractions. */
  readonly answers: number[] = [];
  /** When transfers were done. */
  readonly done: number[] = [];
  /** The clock of the open question for the end of a transfer; infinity if there is none. */
  closing = Infinity;
  /** The burst that the last answer is for ends its transfer. */
  ends = false;
  /** The transfer that the next answer is for, and what is left of it in bytes. */
  #transfer = 0;
  #left: number;

  constructor(stream: PacedStream, port: number, timing: BeatTiming) {
    this.stream = stream;
    this.port = port;
    this.reads = stream.direction === "in";
    this.timing = timing;
    this.#left = this.#bytesOf(0);
  }

  #bytesOf(transfer: number): number {
    return (this.stream.transfers[transfer]?.beats ?? 0) * this.stream.bytes;
  }

  /** The least clock of an open question; infinity if there is none. */
  get open(): number {
    return Math.min(this.asks[this.answers.length] ?? Infinity, this.closing);
  }

  /** On to the next burst; returns its bytes. */
  take(): number {
    const [bytes, burst] = [this.#left, this.timing.beatsPerBurst * this.stream.bytes];
    this.ends = bytes <= burst;
    this.#left = this.ends ? this.#bytesOf(++this.#transfer) : bytes - burst;
    return this.ends ? bytes : burst;
  }
}

/** Of the kernel; the fast engine has a twin of it (sim/fast/arbiter-code.ts). */
export class DmaArbiter {
  readonly ddr: Ddr;
  readonly #dispatcher: Dispatcher;
  readonly #channels: readonly Channel[];
  readonly #readLatency: number;
  readonly #writeLatency: number;
  /** Transfers in the order in which they ended. */
  readonly ended: { readonly stream: number; readonly transfer: number }[] = [];

  constructor(streams: readonly PacedStream[], board: BoardValues) {
    this.ddr = new Ddr(board);
    this.#dispatcher = new Dispatcher(board);
    this.#readLatency = board["hp.readLatency"];
    this.#writeLatency = board["hp.writeLatency"];
    const ports = { in: 0, out: 0 };
    this.#channels = streams.map((stream) => {
      const port = this.ddr.channel(ports[stream.direction]++, stream.direction === "in");
      return new Channel(stream, port, beatTiming(stream, board));
    });
    // The program's first transfer on each channel is started in the order of the list.
    this.#channels
      .filter(({ stream }) => stream.transfers.length > 0)
      .sort((a, b) => a.stream.transfers[0]!.step - b.stream.transfers[0]!.step)
      .forEach(({ begins }) => {
        const begin = this.#dispatcher.begin(0);
        begins.push({ ...begin, clock: edge(begin.started) });
      });
  }

  timing(stream: number): BeatTiming {
    return this.#channels[stream]!.timing;
  }
  begins(stream: number): readonly Begin[] {
    return this.#channels[stream]!.begins;
  }
  /** The answer to a question for a burst; undefined as long as there is none. */
  answerTo(stream: number, burst: number): number | undefined {
    return this.#channels[stream]!.answers[burst];
  }
  /** When a transfer was done: the last beat of a read, the write's way to memory; undefined as long as it is not known. */
  done(stream: number, transfer: number): number | undefined {
    return this.#channels[stream]!.done[transfer];
  }
  /** Bursts that a stream has asked for. */
  asked(stream: number): number {
    return this.#channels[stream]!.asks.length;
  }

  /** Clocks of the processor's own work for the transfers, from the first register write to the end of the last wait. */
  get processorClocks(): number {
    return this.#dispatcher.busyClocks + this.#dispatcher.wait;
  }

  /** A channel wants its next burst. Its questions come in the order of their clocks. */
  ask(stream: number, clock: number): void {
    this.#channels[stream]!.asks.push(clock);
  }

  /** The last beat of a transfer to the accelerator moved at `last`. */
  sent(stream: number, last: number): void {
    this.#channels[stream]!.closing = last + 1;
  }

  /** The least clock of an open question of a stream; infinity if it has none. */
  openOf(stream: number): number {
    return this.#channels[stream]!.open;
  }

  /** Answer all questions of clocks before `now`. */
  settle(now: number): void {
    while (this.#answer(now));
  }

  /** Answer the first open question of a clock before `now`; false if there is none. */
  #answer(now: number): boolean {
    let first = -1;
    let clock = now;
    this.#channels.forEach(({ open }, stream) => {
      if (open >= clock) return;
      clock = open;
      first = stream;
    });
    if (first < 0) return false;
    const channel = this.#channels[first]!;
    if (channel.closing === clock) this.#close(channel, first, clock);
    else this.#burst(channel, clock);
    return true;
  }

  #burst(channel: Channel, clock: number): void {
    const { ddr } = this;
    const { reads } = channel;
    ddr.burst(clock, channel.port, reads, channel.take());
    const at = Math.max(reads ? ddr.start + this.#readLatency : ddr.end, clock + 1);
    channel.answers.push(at);
    if (reads || !channel.ends) return;
    const done = at + this.#writeLatency;
    channel.done.push(done);
    channel.closing = edge(done);
  }

  #close(channel: Channel, stream: number, clock: number): void {
    const { done, begins } = channel;
    if (channel.reads) done.push(clock);
    channel.closing = Infinity;
    const transfer = done.length - 1;
    this.ended.push({ stream, transfer });
    if (transfer + 1 === channel.stream.transfers.length) return;
    const begin = this.#dispatcher.restart(done[transfer]!);
    begins.push({ ...begin, clock: Math.max(edge(begin.started), clock + 1) });
  }
}
