/**
 * What the DMA channels of a board share: the memory, and the processor that starts transfers. Channels put questions, each
 * with its clock: "a burst, please" and "my transfer is done". Questions are answered in the order of their clocks, those of
 * one clock in the order of the streams, and an answer is of use one clock after its question at the earliest. So the answers
 * do not depend on the order in which an engine simulates a clock, or on how far it runs ahead: an engine may ask at any time,
 * and a question may be answered as soon as nobody can put an earlier one.
 */
import { Ddr, ddrNumbers } from "./ddr.js";
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

/** The processor, as far as it serves the channels. */
class Dispatcher {
  readonly start: number;
  /** What a transfer costs beyond its register writes comes when its end is seen. */
  readonly wait: number;
  #free = 0;
  /** Clocks spent on starting transfers and on what belongs to their end. */
  busyClocks = 0;

  constructor(board: BoardValues) {
    const clocksPerUs = board["pl.clock"];
    this.start = board["dma.registers"] * board["driver.registerWrite"] * clocksPerUs;
    this.wait = Math.max(
      board["driver.registerRead"] * clocksPerUs,
      board["driver.transfer"] * clocksPerUs - this.start,
    );
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

/**
 * A stream's questions and answers, burst by burst over all its transfers. An engine may have them in its own memory: it
 * writes the questions there, and reads the answers.
 */
export interface Exchange {
  /** Clocks of the questions for bursts. */
  readonly asks: Float64Array;
  /** When a burst's first beat is there (`in`), or when it has left the channel (`out`); clocks with fractions. */
  readonly answers: Float64Array;
  /** Its state (see `channelState`), all of it, as numbers of 64 bits and of 32. */
  readonly floats: Float64Array;
  readonly ints: Int32Array;
}

/** What an engine has of an arbiter in its own memory. */
export interface ArbiterMemory {
  /** The state of the board's memory (ddr.ts). */
  readonly ddr: Float64Array;
  /** The place of a stream's questions and answers, of so many bursts each. */
  exchange(stream: number, bursts: number): Exchange;
}

/**
 * A channel's state, in bytes from its start: 64-bit clocks of its first open question and of that for the end of a transfer, infinity if there
 * is none; 32-bit numbers of questions for bursts, of answers to them, of bytes that are left of the transfer that the next answer is for,
 * and of a burst.
 */
export const channelState = { open: 0, closing: 8, asked: 16, answered: 20, left: 24, burst: 28, bytes: 32 } as const;

const [OPEN, CLOSING] = [channelState.open / 8, channelState.closing / 8];
const [ASKED, ANSWERED] = [channelState.asked / 4, channelState.answered / 4];
const [LEFT, BURST] = [channelState.left / 4, channelState.burst / 4];

/** Bursts of all transfers of a stream. */
export const burstsOf = ({ transfers }: PacedStream, beatsPerBurst: number): number =>
  transfers.reduce((sum, { beats }) => sum + Math.ceil(beats / beatsPerBurst), 0);

/** One channel, as the arbiter sees it. */
class Channel {
  readonly stream: PacedStream;
  /** The memory's number of its channel. */
  readonly port: number;
  readonly reads: boolean;
  readonly timing: BeatTiming;
  readonly begins: Begin[] = [];
  readonly asks: Float64Array;
  readonly answers: Float64Array;
  readonly #floats: Float64Array;
  readonly #ints: Int32Array;
  /** When transfers were done. */
  readonly done: number[] = [];
  /** The transfer that the next answer is for. */
  #transfer = 0;
  /** The burst that the last answer is for ends its transfer. */
  ends = false;

  constructor(stream: PacedStream, port: number, timing: BeatTiming, { asks, answers, floats, ints }: Exchange) {
    this.stream = stream;
    this.port = port;
    this.reads = stream.direction === "in";
    this.timing = timing;
    this.asks = asks;
    this.answers = answers;
    this.#floats = floats;
    this.#ints = ints;
    floats[OPEN] = Infinity;
    floats[CLOSING] = Infinity;
    ints[ASKED] = 0;
    ints[ANSWERED] = 0;
    ints[LEFT] = this.#bytesOf(0);
    ints[BURST] = timing.beatsPerBurst * stream.bytes;
  }

  #bytesOf(transfer: number): number {
    return (this.stream.transfers[transfer]?.beats ?? 0) * this.stream.bytes;
  }

  /** Questions for bursts, and how many of them are answered. */
  get asked(): number {
    return this.#ints[ASKED]!;
  }
  get answered(): number {
    return this.#ints[ANSWERED]!;
  }
  /** The clock of the open question for the end of a transfer; infinity if there is none. */
  get closing(): number {
    return this.#floats[CLOSING]!;
  }
  /** The least clock of an open question; infinity if there is none. */
  get open(): number {
    return this.#floats[OPEN]!;
  }

  askedUpTo(bursts: number): void {
    this.#ints[ASKED] = bursts;
    this.#look();
  }
  close(at: number): void {
    this.#floats[CLOSING] = at;
    this.#look();
  }
  /** The next question for a burst is answered; returns its number. */
  answer(at: number): number {
    const number = this.#ints[ANSWERED]!;
    this.answers[number] = at;
    this.#ints[ANSWERED] = number + 1;
    this.#look();
    return number;
  }

  #look(): void {
    const closing = this.#floats[CLOSING]!;
    const answered = this.#ints[ANSWERED]!;
    this.#floats[OPEN] = answered < this.#ints[ASKED]! ? Math.min(this.asks[answered]!, closing) : closing;
  }

  /** On to the next burst; returns its bytes. */
  take(): number {
    const [bytes, burst] = [this.#ints[LEFT]!, this.#ints[BURST]!];
    this.ends = bytes <= burst;
    this.#ints[LEFT] = this.ends ? this.#bytesOf(++this.#transfer) : bytes - burst;
    return this.ends ? bytes : burst;
  }
}

/** Kinds of an answer: a burst's time, the begin of the next transfer, or that there is none. */
export const answerKind = { burst: 0, begin: 1, end: 2 } as const;

function ownMemory(board: BoardValues): ArbiterMemory {
  return {
    ddr: new Float64Array(ddrNumbers(board)),
    exchange: (_, bursts) => {
      const state = new ArrayBuffer(channelState.bytes);
      return {
        asks: new Float64Array(bursts),
        answers: new Float64Array(bursts),
        floats: new Float64Array(state),
        ints: new Int32Array(state),
      };
    },
  };
}

export class DmaArbiter {
  readonly ddr: Ddr;
  readonly #dispatcher: Dispatcher;
  readonly #channels: readonly Channel[];
  readonly #readLatency: number;
  readonly #writeLatency: number;
  /**
   * The last answer, in fields of its own: there are too many to make an object for each. Its kind; the number of the burst,
   * or of the transfer that begins, over all transfers; the clock before which no channel acts on it.
   */
  kind: number = answerKind.end;
  index = 0;
  clock = 0;
  /** Transfers in the order in which they ended. */
  readonly ended: { readonly stream: number; readonly transfer: number }[] = [];

  constructor(streams: readonly PacedStream[], board: BoardValues, memory: ArbiterMemory = ownMemory(board)) {
    this.ddr = new Ddr(board, memory.ddr);
    this.#dispatcher = new Dispatcher(board);
    this.#readLatency = board["hp.readLatency"];
    this.#writeLatency = board["hp.writeLatency"];
    const ports = { in: 0, out: 0 };
    this.#channels = streams.map((stream, i) => {
      const timing = beatTiming(stream, board);
      const place = memory.exchange(i, burstsOf(stream, timing.beatsPerBurst));
      const port = this.ddr.channel(ports[stream.direction]++, stream.direction === "in");
      return new Channel(stream, port, timing, place);
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
  /** The place of a stream's port in the state of the board's memory. */
  portOf(stream: number): number {
    return this.#channels[stream]!.port;
  }
  begins(stream: number): readonly Begin[] {
    return this.#channels[stream]!.begins;
  }
  /** The answer to a question for a burst; undefined as long as there is none. */
  answerTo(stream: number, burst: number): number | undefined {
    const { answered, answers } = this.#channels[stream]!;
    return burst < answered ? answers[burst] : undefined;
  }
  /** When a transfer was done: the last beat of a read, the write's way to memory; undefined as long as it is not known. */
  done(stream: number, transfer: number): number | undefined {
    return this.#channels[stream]!.done[transfer];
  }
  /** Bursts that a stream has asked for. */
  asked(stream: number): number {
    return this.#channels[stream]!.asked;
  }

  /** Clocks of the processor's own work for the transfers, from the first register write to the end of the last wait. */
  get processorClocks(): number {
    return this.#dispatcher.busyClocks + this.#dispatcher.wait;
  }

  /** A channel wants its next burst. Its questions come in the order of their clocks. */
  ask(stream: number, clock: number): void {
    const channel = this.#channels[stream]!;
    channel.asks[channel.asked] = clock;
    channel.askedUpTo(channel.asked + 1);
  }

  /** A channel has asked for so many bursts in all; the clocks stand in its exchange. */
  askedUpTo(stream: number, bursts: number): void {
    this.#channels[stream]!.askedUpTo(bursts);
  }

  /** The last beat of a transfer to the accelerator moved at `last`. */
  sent(stream: number, last: number): void {
    this.#channels[stream]!.close(last + 1);
  }

  /** The least clock of an open question of a stream; infinity if it has none. */
  openOf(stream: number): number {
    return this.#channels[stream]!.open;
  }

  /** Answer all questions of clocks before `now`. */
  settle(now: number): void {
    while (this.answer(now) >= 0);
  }

  /** Answer the first open question of a clock before `now`; returns its stream, and -1 if there is none. */
  answer(now: number): number {
    const channels = this.#channels;
    let first = -1;
    let clock = now;
    for (let i = 0; i < channels.length; i++) {
      const at = channels[i]!.open;
      if (at >= clock) continue;
      clock = at;
      first = i;
    }
    if (first < 0) return -1;
    const channel = channels[first]!;
    if (channel.closing === clock) this.#close(channel, first, clock);
    else this.#burst(channel, clock);
    return first;
  }

  #burst(channel: Channel, clock: number): void {
    const { ddr } = this;
    const { reads } = channel;
    ddr.burst(clock, channel.port, reads, channel.take());
    const at = Math.max(reads ? ddr.start + this.#readLatency : ddr.end, clock + 1);
    this.kind = answerKind.burst;
    this.index = channel.answer(at);
    this.clock = edge(at);
    if (reads || !channel.ends) return;
    const done = at + this.#writeLatency;
    channel.done.push(done);
    channel.close(edge(done));
  }

  #close(channel: Channel, stream: number, clock: number): void {
    const { done, begins } = channel;
    if (channel.reads) done.push(clock);
    channel.close(Infinity);
    const transfer = done.length - 1;
    this.ended.push({ stream, transfer });
    this.index = transfer + 1;
    this.kind = transfer + 1 < channel.stream.transfers.length ? answerKind.begin : answerKind.end;
    this.clock = Infinity;
    if (this.kind === answerKind.end) return;
    const begin = this.#dispatcher.restart(done[transfer]!);
    this.clock = Math.max(edge(begin.started), clock + 1);
    begins.push({ ...begin, clock: this.clock });
  }
}
