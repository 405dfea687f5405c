/** Bounded first-in first-out channels and their ports (IEEE 1666-2011 clauses 6.23-6.26, sc_fifo). */
import { PrimitiveChannel, type PortLike, type PortRole } from "./channel.js";
import type { Parent } from "./context.js";
import { Event } from "./event.js";
import { Port } from "./port.js";
import { WAIT, type Wait } from "./process.js";
import { message, Severity } from "./report.js";
import { wait } from "./wait.js";

/** Something that blocks: to be written after `yield*`, at once. */
export interface Blocking<T> {
  [Symbol.iterator](): Iterator<Wait, T, void>;
}

export interface FifoIn<T> {
  /** Waits for a value: `const x = yield* fifo.read()`. */
  read(): Blocking<T>;
  /** A value, or undefined if there is none now. */
  tryRead(): T | undefined;
  readonly available: number;
  readonly dataWrittenEvent: Event;
}
export interface FifoOut<T> {
  /** Waits for room: `yield* fifo.write(x)`. */
  write(value: T): Blocking<void>;
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
  private readonly reading = new Reading(this);
  private readonly writing = new Writing(this);
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

  read(): Blocking<T> {
    return this.reading;
  }
  tryRead(): T | undefined {
    return this.readable === this.reads ? undefined : this.take();
  }
  /** The next value; there must be one. */
  take(): T {
    const at = this.first;
    const value = this.items[at] as T;
    this.items[at] = undefined;
    this.first = at + 1 === this.capacity ? 0 : at + 1;
    this.stored--;
    this.reads++;
    this.requestUpdate();
    return value;
  }

  write(value: T): Blocking<void> {
    if (this.capacity - this.readable === this.writes) return new Writing(this, value);
    this.writing.value = value;
    return this.writing;
  }
  tryWrite(value: T): boolean {
    if (this.capacity - this.readable === this.writes) return false;
    this.put(value);
    return true;
  }
  /** Stores a value; there must be room. */
  put(value: T): void {
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

const WAITING: IteratorResult<Wait, never> = { done: false, value: WAIT };

/**
 * What `yield* fifo.read()` runs on. A generator for every read would be garbage at every read and a second one to
 * resume at every wait; this one object serves all reads, as it remembers nothing of them: woken, it looks again.
 */
class Reading<T> implements Blocking<T>, Iterator<Wait, T, void> {
  private readonly fifo: Fifo<T>;
  private readonly result: { done: true; value: T } = { done: true, value: undefined as T };
  constructor(fifo: Fifo<T>) {
    this.fifo = fifo;
  }
  [Symbol.iterator](): this {
    return this;
  }
  next(): IteratorResult<Wait, T> {
    const { fifo } = this;
    if (fifo.available === 0) {
      wait(fifo.dataWrittenEvent);
      return WAITING;
    }
    this.result.value = fifo.take();
    return this.result;
  }
  /** A kill or reset of the thread that waits. */
  throw(error: unknown): never {
    throw error;
  }
}

/** The same for `yield* fifo.write(x)`. Who has to wait for room gets one of its own, which keeps the value. */
class Writing<T> implements Blocking<void>, Iterator<Wait, void, void> {
  value: T | undefined;
  private readonly fifo: Fifo<T>;
  private static readonly result: IteratorResult<Wait, void> = { done: true, value: undefined };
  constructor(fifo: Fifo<T>, value?: T) {
    this.fifo = fifo;
    this.value = value;
  }
  [Symbol.iterator](): this {
    return this;
  }
  next(): IteratorResult<Wait, void> {
    const { fifo } = this;
    if (fifo.free === 0) {
      wait(fifo.dataReadEvent);
      return WAITING;
    }
    fifo.put(this.value as T);
    return Writing.result;
  }
  throw(error: unknown): never {
    throw error;
  }
}

export class FifoInPort<T> extends Port<FifoIn<T>> {
  constructor(parent: Parent, leaf?: string) {
    super(parent, leaf, { role: "fifo in" });
  }
  override get kind(): string {
    return "sc_fifo_in";
  }
  read(): Blocking<T> {
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
  write(value: T): Blocking<void> {
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
