/**
 * The DMA engines of a program on a board: when each beat may move at the earliest. One channel (AXI DMA in simple mode,
 * PG021) per stream, on the four HP ports in turn; one processor that starts transfers, sees their end and starts the next.
 *
 * An engine (kernel, fast) asks for the time of a beat when it has arrived at it, in order of time over all streams; what is
 * shared (memory, processor) is asked for once per burst and once per transfer, not per beat. Reads run ahead of the design
 * by as many bursts as a channel may have in flight; writes wait for room in the channel's FIFO.
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
  /** The clock (at least `now`) at which the next beat may move, asked by a process that stands at clock `now`. */
  next(now: number): number;
  /** The beat moved at `now`. */
  moved(now: number): void;
  /** True while the channel waits for the processor to start it. */
  setup(now: number): boolean;
}

export const PROGRESS_PARTS = 8;

/** The processor, as far as it serves the channels. */
class Dispatcher {
  readonly #start: number;
  readonly #wait: number;
  #free = 0;
  /** Clocks spent on starting transfers and on what belongs to their end. */
  busyClocks = 0;

  constructor(board: BoardValues) {
    const clocksPerUs = board["pl.clock"];
    this.#start = board["dma.registers"] * board["driver.registerWrite"] * clocksPerUs;
    // What a transfer costs beyond its register writes comes when its end is seen.
    this.#wait = Math.max(
      board["driver.registerRead"] * clocksPerUs,
      board["driver.transfer"] * clocksPerUs - this.#start,
    );
  }

  start(at: number): { issued: number; started: number } {
    const issued = Math.max(at, this.#free);
    this.#free = issued + this.#start;
    this.busyClocks += this.#start;
    return { issued, started: this.#free };
  }

  /** The next transfer of a channel whose last one was done at `done`. */
  restart(done: number): { issued: number; started: number } {
    const seen = Math.max(done, this.#free) + this.#wait;
    this.busyClocks += this.#wait;
    this.#free = seen;
    return this.start(seen);
  }

  get waitClocks(): number {
    return this.#wait;
  }
}

/** The first whole clock at or after `at`. Sums of fractions err in their last bits, which must not cost a clock. */
const edge = (at: number): number => Math.ceil(at - 1e-9);

/** Where the beat that moved at `now` began: beats move on whole clocks, but fractions of a clock must not get lost. */
const busyFrom = (free: number, now: number): number => (now - free < 1 ? free : now);

interface Channel {
  readonly stream: PacedStream;
  readonly port: number;
  readonly beatsPerBurst: number;
}

abstract class ChannelPace implements Pace {
  protected readonly stream: PacedStream;
  readonly #dispatcher: Dispatcher;
  protected readonly traces: TransferTrace[];
  protected readonly beatsPerBurst: number;
  /** Index of the transfer, and beats of it that have moved. */
  protected at = 0;
  protected beat = 0;
  protected issue: { issued: number; started: number } | undefined;
  #first = 0;
  #eighths: number[] = [];

  constructor({ stream, beatsPerBurst }: Channel, dispatcher: Dispatcher, traces: TransferTrace[]) {
    this.stream = stream;
    this.#dispatcher = dispatcher;
    this.traces = traces;
    this.beatsPerBurst = beatsPerBurst;
  }

  protected get beats(): number {
    return this.stream.transfers[this.at]!.beats;
  }

  /** The program's first transfer on each channel is started in the order of the list. */
  startFirst(): void {
    this.begin(this.#dispatcher.start(0));
  }

  protected begin(issue: { issued: number; started: number }): void {
    this.issue = issue;
    this.#eighths = [];
  }

  abstract next(now: number): number;

  setup(now: number): boolean {
    return this.issue !== undefined && now < edge(this.issue.started);
  }

  moved(now: number): void {
    if (this.beat === 0) this.#first = now;
    this.beat++;
    this.record(now);
  }

  protected record(now: number): void {
    const reached = Math.floor((this.beat * PROGRESS_PARTS) / this.beats);
    while (this.#eighths.length < reached) this.#eighths.push(now);
  }

  /** The transfer is over; the next one, if there is one, is started once the processor has seen that. */
  protected end(last: number, done: number): void {
    const { step, beats } = this.stream.transfers[this.at]!;
    const { name, direction, bytes } = this.stream;
    this.traces.push({
      stream: name,
      direction,
      step,
      bytes: beats * bytes,
      ...this.issue!,
      first: this.#first,
      last,
      done,
      eighths: this.#eighths,
    });
    this.at++;
    this.beat = 0;
    this.issue = undefined;
    if (this.at < this.stream.transfers.length) this.begin(this.#dispatcher.restart(done));
  }

  /** Bytes of burst `index` of the transfer at hand. */
  protected burstBytes(index: number): number {
    return Math.min(this.beatsPerBurst, this.beats - index * this.beatsPerBurst) * this.stream.bytes;
  }
}

/** Memory to accelerator: bursts are asked for ahead. */
class SendPace extends ChannelPace {
  readonly #burst: (at: number, direction: Direction, bytes: number) => { start: number; end: number };
  readonly #latency: number;
  readonly #gap: number;
  readonly #ahead: number;
  readonly #beatClocks: number;
  /** When the first beat of each burst asked for is there, oldest first. */
  #ready: number[] = [];
  #asked = 0;
  #free = 0;

  constructor(channel: Channel, ddr: Ddr, dispatcher: Dispatcher, traces: TransferTrace[], board: BoardValues) {
    super(channel, dispatcher, traces);
    this.#burst = (at, direction, bytes) => ddr.burst(at, channel.port, direction, bytes);
    this.#latency = board["hp.readLatency"];
    this.#gap = board["dma.sendGap"];
    this.#ahead = Math.max(1, Math.round(board["dma.outstanding"]));
    this.#beatClocks = Math.max(1, channel.stream.bytes / board["hp.width"]);
  }

  protected override begin(issue: { issued: number; started: number }): void {
    super.begin(issue);
    this.#asked = 0;
    this.#ready = [];
    this.#free = issue.started;
  }

  next(now: number): number {
    // Asked for at the clock at which the channel runs, never in the past of the memory's order.
    const started = edge(this.issue!.started);
    if (now < started) return started;
    const current = Math.floor(this.beat / this.beatsPerBurst);
    const bursts = Math.ceil(this.beats / this.beatsPerBurst);
    while (this.#asked < Math.min(bursts, current + this.#ahead)) {
      const { start } = this.#burst(now, "read", this.burstBytes(this.#asked));
      this.#ready.push(start + this.#latency);
      this.#asked++;
    }
    const within = this.beat % this.beatsPerBurst;
    return Math.max(now, edge(Math.max(this.#ready[0]! + within * this.#beatClocks, this.#free)));
  }

  override moved(now: number): void {
    super.moved(now);
    this.#free = busyFrom(this.#free, now) + this.#beatClocks;
    if (this.beat % this.beatsPerBurst === 0 || this.beat === this.beats) {
      this.#ready.shift();
      this.#free += this.#gap;
    }
    if (this.beat === this.beats) this.end(now, now + 1);
  }
}

/** Accelerator to memory: a burst is written once it is complete. */
class ReceivePace extends ChannelPace {
  readonly #burst: (at: number, direction: Direction, bytes: number) => { start: number; end: number };
  readonly #latency: number;
  readonly #gap: number;
  readonly #room: number;
  readonly #beatClocks: number;
  /** When bursts under way leave the FIFO, oldest first. */
  #leaving: number[] = [];
  #free = 0;

  constructor(channel: Channel, ddr: Ddr, dispatcher: Dispatcher, traces: TransferTrace[], board: BoardValues) {
    super(channel, dispatcher, traces);
    this.#burst = (at, direction, bytes) => ddr.burst(at, channel.port, direction, bytes);
    this.#latency = board["hp.writeLatency"];
    this.#gap = board["dma.receiveGap"];
    this.#room = Math.max(1, Math.round(board["dma.outstanding"]));
    this.#beatClocks = Math.max(1, channel.stream.bytes / board["hp.width"]);
  }

  protected override begin(issue: { issued: number; started: number }): void {
    super.begin(issue);
    this.#free = issue.started;
    this.#leaving = [];
  }

  next(now: number): number {
    let at = Math.max(now, this.#free);
    if (this.beat % this.beatsPerBurst === 0 && this.#leaving.length >= this.#room)
      at = Math.max(at, this.#leaving[0]!);
    return edge(at);
  }

  override moved(now: number): void {
    const index = Math.floor(this.beat / this.beatsPerBurst);
    super.moved(now);
    this.#free = busyFrom(this.#free, now) + this.#beatClocks;
    if (this.beat % this.beatsPerBurst !== 0 && this.beat !== this.beats) return;
    this.#leaving = this.#leaving.filter((at) => at > now);
    const { end } = this.#burst(now + 1, "write", this.burstBytes(index));
    this.#leaving.push(end);
    this.#free += this.#gap;
    if (this.beat === this.beats) this.end(now, end + this.#latency);
  }
}

export class DmaTiming {
  readonly ddr: Ddr;
  /** Transfers that have ended, in the order in which they did. */
  readonly transfers: TransferTrace[] = [];
  readonly #dispatcher: Dispatcher;
  readonly #paces = new Map<string, Pace>();

  constructor(streams: readonly PacedStream[], board: BoardValues) {
    this.ddr = new Ddr(board);
    this.#dispatcher = new Dispatcher(board);
    const ports = { in: 0, out: 0 };
    const channels = streams.map((stream) => {
      const beatsPerBurst = Math.max(1, Math.floor((board["dma.burst"] * board["hp.width"]) / stream.bytes));
      const channel = { stream, port: ports[stream.direction]++, beatsPerBurst };
      const Kind = stream.direction === "in" ? SendPace : ReceivePace;
      const pace = new Kind(channel, this.ddr, this.#dispatcher, this.transfers, board);
      this.#paces.set(stream.name, pace);
      return { stream, pace };
    });
    channels
      .filter(({ stream }) => stream.transfers.length > 0)
      .sort((a, b) => a.stream.transfers[0]!.step - b.stream.transfers[0]!.step)
      .forEach(({ pace }) => pace.startFirst());
  }

  pace(stream: string): Pace {
    return this.#paces.get(stream)!;
  }

  /** Clocks of the processor's own work for the transfers, from the first register write to the end of the last wait. */
  get processorClocks(): number {
    return this.#dispatcher.busyClocks + this.#dispatcher.waitClocks;
  }
}
