/** Bounded first-in first-out channels and their ports (IEEE 1666-2011 clauses 6.23-6.26, sc_fifo). */
import { PrimitiveChannel, type PortLike, type PortRole } from "./channel.js";
import type { Parent } from "./context.js";
import { Event } from "./event.js";
import { Port } from "./port.js";
import type { Wait } from "./process.js";
import { message, Severity } from "./report.js";
import { wait } from "./wait.js";

export interface FifoIn<T> {
  /** Waits for a value: `const x = yield* fifo.read()`. */
  read(): Generator<Wait, T, void>;
  /** A value, or undefined if there is none now. */
  tryRead(): T | undefined;
  readonly available: number;
  readonly dataWrittenEvent: Event;
}
export interface FifoOut<T> {
  /** Waits for room: `yield* fifo.write(x)`. */
  write(value: T): Generator<Wait, void, void>;
  /** False if there is no room now. */
  tryWrite(value: T): boolean;
  readonly free: number;
  readonly dataReadEvent: Event;
}

/** What is written in a delta cycle can be read in the next; a place freed in one can be written in the next. */
export class Fifo<T> extends PrimitiveChannel implements FifoIn<T>, FifoOut<T> {
  readonly capacity: number;
  readonly dataWrittenEvent: Event;
  readonly dataReadEvent: Event;
  private readonly items: (T | undefined)[];
  private first = 0;
  /** Values stored, seen by readers, read and written in this delta cycle. */
  private stored = 0;
  private readable = 0;
  private reads = 0;
  private writes = 0;
  private reader: PortLike | undefined;
  private writerPort: PortLike | undefined;

  constructor(parent: Parent, leaf?: string, capacity = 16) {
    super(parent, leaf, "fifo");
    if (!(capacity >= 1)) this.context.reports.report(Severity.Error, message.INVALID_FIFO_SIZE);
    this.capacity = capacity;
    this.items = new Array<T | undefined>(capacity).fill(undefined);
    this.dataReadEvent = new Event(this.context, null);
    this.dataWrittenEvent = new Event(this.context, null);
  }
  get kind(): string {
    return "sc_fifo";
  }
  get available(): number {
    return this.readable - this.reads;
  }
  get free(): number {
    return this.capacity - this.readable - this.writes;
  }

  *read(): Generator<Wait, T, void> {
    while (this.readable === this.reads) yield wait(this.dataWrittenEvent);
    return this.take();
  }
  tryRead(): T | undefined {
    return this.readable === this.reads ? undefined : this.take();
  }
  private take(): T {
    const at = this.first;
    const value = this.items[at] as T;
    this.items[at] = undefined;
    this.first = at + 1 === this.capacity ? 0 : at + 1;
    this.stored--;
    this.reads++;
    this.requestUpdate();
    return value;
  }

  *write(value: T): Generator<Wait, void, void> {
    while (this.capacity - this.readable === this.writes) yield wait(this.dataReadEvent);
    this.put(value);
  }
  tryWrite(value: T): boolean {
    if (this.capacity - this.readable === this.writes) return false;
    this.put(value);
    return true;
  }
  private put(value: T): void {
    let at = this.first + this.stored;
    if (at >= this.capacity) at -= this.capacity;
    this.items[at] = value;
    this.stored++;
    this.writes++;
    this.requestUpdate();
  }

  update(): void {
    if (this.reads > 0) this.notifyUnlessPending(this.dataReadEvent);
    if (this.writes > 0) this.notifyUnlessPending(this.dataWrittenEvent);
    this.readable = this.stored;
    this.reads = 0;
    this.writes = 0;
  }
  private notifyUnlessPending(event: Event): void {
    if (event.pending === 0) event.notifyNextDelta();
  }

  override registerPort(port: PortLike, role: PortRole): void {
    const reports = this.context.reports;
    if (role === "fifo in") {
      if (this.reader !== undefined) {
        reports.report(
          Severity.Error,
          message.MORE_THAN_ONE_FIFO_READER,
          this.bothPorts(this.reader, port),
          port.boundAt,
        );
      }
      this.reader = port;
    } else if (role === "fifo out") {
      if (this.writerPort !== undefined) {
        const text = this.bothPorts(this.writerPort, port);
        reports.report(Severity.Error, message.MORE_THAN_ONE_FIFO_WRITER, text, port.boundAt);
      }
      this.writerPort = port;
    } else reports.report(Severity.Error, message.BIND_IF_TO_PORT, "sc_fifo<T> port not recognized", port.boundAt);
  }
  /** Accellera's library leaves these names out; a modeller needs them. */
  private bothPorts(first: PortLike, second: PortLike): string {
    return this.context.reports.terse ? "" : `fifo '${this.name}', ports '${first.name}' and '${second.name}'`;
  }
}

export class FifoInPort<T> extends Port<FifoIn<T>> {
  constructor(parent: Parent, leaf?: string) {
    super(parent, leaf, { role: "fifo in" });
  }
  override get kind(): string {
    return "sc_fifo_in";
  }
  read(): Generator<Wait, T, void> {
    return this.channel.read();
  }
  tryRead(): T | undefined {
    return this.channel.tryRead();
  }
  get available(): number {
    return this.channel.available;
  }
  get dataWrittenEvent(): Event {
    return this.channel.dataWrittenEvent;
  }
}

export class FifoOutPort<T> extends Port<FifoOut<T>> {
  constructor(parent: Parent, leaf?: string) {
    super(parent, leaf, { role: "fifo out" });
  }
  override get kind(): string {
    return "sc_fifo_out";
  }
  write(value: T): Generator<Wait, void, void> {
    return this.channel.write(value);
  }
  tryWrite(value: T): boolean {
    return this.channel.tryWrite(value);
  }
  get free(): number {
    return this.channel.free;
  }
  get dataReadEvent(): Event {
    return this.channel.dataReadEvent;
  }
}
