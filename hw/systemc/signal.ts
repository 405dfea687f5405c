/** Signals and buffers (IEEE 1666-2011 clauses 6.4 and 6.6, sc_signal and sc_buffer). */
import { PrimitiveChannel, type PortLike, type PortRole } from "./channel.js";
import type { Parent } from "./context.js";
import { Event } from "./event.js";
import type { ScObject } from "./object.js";
import type { Process, ResetTarget } from "./process.js";
import { message, Severity } from "./report.js";

/** `one`: one process writes. `many`: several may, one in a delta cycle. `unchecked`: whoever comes. */
export type WriterPolicy = "one" | "many" | "unchecked";

const [ONE, MANY, UNCHECKED] = [0, 1, 2];

/** Values that are not compared with `===`, such as fixed-point numbers and vectors. */
interface Comparable {
  equals(other: unknown): boolean;
}

/** What a reader of a signal sees; ports lead to this. */
export interface SignalIn<T> {
  read(): T;
  /** True in the delta cycle after the value changed (for a buffer: after it was written). */
  readonly event: boolean;
  readonly valueChangedEvent: Event;
  readonly posedgeEvent: Event;
  readonly negedgeEvent: Event;
  readonly defaultEvent: Event;
  addReset(target: ResetTarget): void;
}
export interface SignalInOut<T> extends SignalIn<T> {
  write(value: T): void;
}

export class Signal<T> extends PrimitiveChannel implements SignalInOut<T> {
  protected current: T;
  protected next: T;
  readonly policy: WriterPolicy;
  private writer: Process | null = null;
  private writerNumber = 0;
  private outputPort: PortLike | undefined;
  private changed: Event | null = null;
  private rose: Event | null = null;
  private fell: Event | null = null;
  private changeStamp = -1;
  private resets: ResetTarget[] | null = null;
  /** 0 if nobody has asked for an edge or has a reset here. */
  private watchers = 0;
  private readonly compares: boolean;
  /** The policy as a number. */
  private readonly writers: number;

  /** `initial` is the value before simulation, and sets the type. */
  constructor(
    parent: Parent,
    leaf: string | undefined,
    initial: T,
    policy: WriterPolicy = "one",
    defaultLeaf = "signal",
  ) {
    super(parent, leaf, defaultLeaf);
    this.current = initial;
    this.next = initial;
    this.policy = policy;
    this.writers = policy === "one" ? ONE : policy === "many" ? MANY : UNCHECKED;
    this.compares = typeof initial === "object" && initial !== null && "equals" in initial;
  }

  get kind(): string {
    return "sc_signal";
  }
  read(): T {
    return this.current;
  }
  get value(): T {
    return this.current;
  }
  set value(value: T) {
    this.write(value);
  }

  /** Takes effect in the update phase; the last write of a delta cycle counts. */
  write(value: T): void {
    const changes = typeof value === "number" ? value !== this.next : this.differs(value, this.next);
    if (this.writerNumber !== this.context.runningNumber) this.checkWriter();
    this.next = value;
    if (changes || this.writers === MANY) this.requestUpdate();
  }

  update(): void {
    if (this.writers === MANY) this.forgetWriter();
    const { next, current } = this;
    if (typeof next === "number" ? next !== current : this.differs(next, current)) this.change();
  }

  /** For all but numbers: one comparison that meets numbers and other values is several times slower than two. */
  private differs(a: T, b: T): boolean {
    if (typeof a === "boolean") return (a as unknown) === true ? (b as unknown) !== true : (b as unknown) !== false;
    return this.compares ? !(a as Comparable).equals(b) : a !== b;
  }

  /** The value becomes visible, and the events are notified. */
  protected change(): void {
    const value = this.next;
    if (this.changed !== null) this.changed.notifyNextDelta();
    this.changeStamp = this.context.changeStamp;
    this.current = value;
    if (this.watchers !== 0) this.notifyWatchers(value);
  }
  private notifyWatchers(value: T): void {
    if (this.resets !== null) this.notifyResets();
    if (this.rose !== null && isHigh(value)) this.rose.notifyNextDelta();
    else if (this.fell !== null && isLow(value)) this.fell.notifyNextDelta();
  }

  get event(): boolean {
    return this.changeStamp === this.context.changeStamp;
  }
  /** True in the delta cycle after a rise, for a boolean signal. */
  get posedge(): boolean {
    return this.event && isHigh(this.current);
  }
  get negedge(): boolean {
    return this.event && isLow(this.current);
  }

  get valueChangedEvent(): Event {
    return (this.changed ??= new Event(this.context, null));
  }
  get posedgeEvent(): Event {
    this.watchers = 1;
    return (this.rose ??= new Event(this.context, null));
  }
  get negedgeEvent(): Event {
    this.watchers = 1;
    return (this.fell ??= new Event(this.context, null));
  }
  override get defaultEvent(): Event {
    return this.valueChangedEvent;
  }

  addReset(target: ResetTarget): void {
    this.watchers = 1;
    (this.resets ??= []).push(target);
    target.process.resetSources.push(this);
    if (isHigh(this.current) === target.level) target.process.initiallyInReset(target.async);
  }
  removeReset(process: Process): void {
    this.resets = this.resets?.filter((target) => target.process !== process) ?? null;
  }
  private notifyResets(): void {
    const value = isHigh(this.current);
    for (const { process, async, level } of this.resets!) process.resetChanged(async, level === value);
  }

  override registerPort(port: PortLike, role: PortRole): void {
    if (role !== "out" || this.policy !== "one") return;
    if (this.outputPort !== undefined) this.secondDriver(this.outputPort, port, port.boundAt);
    else this.outputPort = port;
  }

  private forgetWriter(): void {
    this.writer = null;
    this.writerNumber = 0;
  }
  private checkWriter(): void {
    const writer = this.context.running;
    if (this.writers === UNCHECKED) {
      this.writerNumber = this.context.runningNumber;
      return;
    }
    if (this.writer === null || writer !== null) this.writerNumber = this.context.runningNumber;
    if (this.writer === null) this.writer = writer;
    else if (writer !== null) {
      const first = this.writer;
      this.writer = writer;
      this.secondDriver(first, writer);
    }
  }

  private secondDriver(first: ScObject, second: ScObject, location?: string): void {
    let text = `\n signal \`${this.name}' (${this.kind})`;
    text += `\n first driver \`${first.name}' (${first.kind})`;
    text += `\n second driver \`${second.name}' (${second.kind})`;
    if (this.policy === "many") text += `\n conflicting write in delta cycle ${this.context.deltaCount}`;
    this.context.reports.report(Severity.Error, message.MORE_THAN_ONE_SIGNAL_DRIVER, text, location);
  }
}

function isHigh(value: unknown): boolean {
  return value === true || value === "1";
}
function isLow(value: unknown): boolean {
  return value === false || value === "0";
}

/** A signal whose every write is an event, even of the same value. */
export class Buffer<T> extends Signal<T> {
  constructor(parent: Parent, leaf: string | undefined, initial: T, policy: WriterPolicy = "one") {
    super(parent, leaf, initial, policy, "buffer");
  }
  override get kind(): string {
    return "sc_buffer";
  }
  override write(value: T): void {
    super.write(value);
    this.requestUpdate();
  }
  override update(): void {
    this.change();
  }
}
