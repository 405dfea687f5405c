/**
 * What the DMA channels of a board share: the memory, and the processor that starts transfers. Channels put questions, each
 * with its clock: "a burst, please" and "my transfer is done". Questions are answered in the order of their clocks, those of
 * one clock in the order of the streams, and an answer is of use one clock after its question at the earliest. So the answers
 * do not depend on the order in which an engine simulates a clock, or on how far it runs ahead: an engine may ask at any time,
 * and a question may be answered as soon as nobody can put an earlier one.
 */
import { Ddr, type Direction } from "./ddr.js";
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

/** One channel, as the arbiter sees it. */
class Channel {
  readonly stream: PacedStream;
  readonly port: number;
  readonly timing: BeatTiming;
  readonly begins: Begin[] = [];
  /** Per burst, over all transfers: when its first beat is there (`in`), or when it has left the channel (`out`). */
  readonly answers: number[] = [];
  /** Clocks of the questions for bursts; the first that is not answered has the number of the answers. */
  readonly asked: number[] = [];
  /** When transfers were done, and the open question of the last of them. */
  readonly done: number[] = [];
  closing = Infinity;
  bytes = 0;
  /** The transfer and the burst in it that the next answer is for. */
  #transfer = 0;
  #burst = 0;

  constructor(stream: PacedStream, port: number, timing: BeatTiming) {
    this.stream = stream;
    this.port = port;
    this.timing = timing;
  }

  /** On to the next burst, of `bytes` bytes; true if it ends its transfer. */
  take(): boolean {
    const { beatsPerBurst } = this.timing;
    const left = this.stream.transfers[this.#transfer]!.beats - this.#burst * beatsPerBurst;
    const ends = left <= beatsPerBurst;
    this.#transfer += ends ? 1 : 0;
    this.#burst = ends ? 0 : this.#burst + 1;
    this.bytes = Math.min(left, beatsPerBurst) * this.stream.bytes;
    return ends;
  }
}

/** An answer, for who waits for it. */
export interface Answer {
  /** Index of the stream. */
  stream: number;
  /** Number of the burst answered, or of the transfer that begins; over all transfers. */
  kind: "burst" | "begin" | "end";
  index: number;
  /** No channel acts on it before this clock. */
  clock: number;
}

export class DmaArbiter {
  readonly ddr: Ddr;
  readonly #dispatcher: Dispatcher;
  readonly #channels: readonly Channel[];
  readonly #readLatency: number;
  readonly #writeLatency: number;
  /** Per stream, the least clock of its open questions; infinity if it has none. */
  readonly #open: Float64Array;
  /** The last answer: there are too many of them to make an object for each. */
  readonly #answer: Answer = { stream: 0, kind: "end", index: 0, clock: 0 };
  /** Transfers in the order in which they ended. */
  readonly ended: { readonly stream: number; readonly transfer: number }[] = [];

  constructor(streams: readonly PacedStream[], board: BoardValues) {
    this.ddr = new Ddr(board);
    this.#dispatcher = new Dispatcher(board);
    this.#readLatency = board["hp.readLatency"];
    this.#writeLatency = board["hp.writeLatency"];
    const ports = { in: 0, out: 0 };
    this.#channels = streams.map((stream) => new Channel(stream, ports[stream.direction]++, beatTiming(stream, board)));
    this.#open = new Float64Array(streams.length).fill(Infinity);
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
  /** Per burst: when its first beat is there (`in`), or when it has left the channel (`out`); clocks with fractions. */
  answers(stream: number): readonly number[] {
    return this.#channels[stream]!.answers;
  }
  /** When a transfer was done: the last beat of a read, the write's way to memory; undefined as long as it is not known. */
  done(stream: number, transfer: number): number | undefined {
    return this.#channels[stream]!.done[transfer];
  }
  /** Bursts that a stream has asked for. */
  asked(stream: number): number {
    return this.#channels[stream]!.asked.length;
  }

  /** Clocks of the processor's own work for the transfers, from the first register write to the end of the last wait. */
  get processorClocks(): number {
    return this.#dispatcher.busyClocks + this.#dispatcher.wait;
  }

  /** A channel wants its next burst. Its questions come in the order of their clocks. */
  ask(stream: number, clock: number): void {
    this.#channels[stream]!.asked.push(clock);
    if (clock < this.#open[stream]!) this.#open[stream] = clock;
  }

  /** The last beat of a transfer to the accelerator moved at `last`. */
  sent(stream: number, last: number): void {
    const channel = this.#channels[stream]!;
    channel.done.push(last + 1);
    channel.closing = last + 1;
    this.#open[stream] = Math.min(this.#open[stream]!, last + 1);
  }

  /** The least clock of an open question of a stream; infinity if it has none. */
  openOf(stream: number): number {
    return this.#open[stream]!;
  }

  /** Answer all questions of clocks before `now`. */
  settle(now: number): void {
    while (this.answer(now) !== undefined);
  }

  /** Answer the first open question of a clock before `now`, if there is one. What is returned holds until the next call. */
  answer(now: number): Readonly<Answer> | undefined {
    const open = this.#open;
    let first = -1;
    let clock = now;
    for (let i = 0; i < open.length; i++) {
      const at = open[i]!;
      if (at >= clock) continue;
      clock = at;
      first = i;
    }
    if (first < 0) return undefined;
    const channel = this.#channels[first]!;
    this.#answer.stream = first;
    if (channel.closing === clock) this.#close(channel, clock);
    else this.#burst(channel, clock);
    open[first] = Math.min(channel.asked[channel.answers.length] ?? Infinity, channel.closing);
    return this.#answer;
  }

  #burst(channel: Channel, clock: number): void {
    const ends = channel.take();
    const direction: Direction = channel.stream.direction === "in" ? "read" : "write";
    const { start, end } = this.ddr.burst(clock, channel.port, direction, channel.bytes);
    const at = Math.max(direction === "read" ? start + this.#readLatency : end, clock + 1);
    this.#answer.kind = "burst";
    this.#answer.index = channel.answers.push(at) - 1;
    this.#answer.clock = edge(at);
    if (direction === "read" || !ends) return;
    const done = at + this.#writeLatency;
    channel.done.push(done);
    channel.closing = edge(done);
  }

  #close({ stream: { transfers }, begins, done }: Channel, clock: number): void {
    const { stream } = this.#answer;
    this.#channels[stream]!.closing = Infinity;
    const transfer = done.length - 1;
    this.ended.push({ stream, transfer });
    this.#answer.index = transfer + 1;
    this.#answer.kind = transfer + 1 < transfers.length ? "begin" : "end";
    this.#answer.clock = Infinity;
    if (this.#answer.kind === "end") return;
    const begin = this.#dispatcher.restart(done[transfer]!);
    this.#answer.clock = Math.max(edge(begin.started), clock + 1);
    begins.push({ ...begin, clock: this.#answer.clock });
  }
}
