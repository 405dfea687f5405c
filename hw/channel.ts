/**
 * Registered, latency-insensitive channels: FIFOs of depth D and L lanes with one producer and one consumer, in hardware
 * a valid/ready pair on both sides. Timing (language rule 2), with t the clock in which the process arrives:
 *
 *     pop i happens at  max(t, push_i + 1, pop_{i-L} + 1)
 *     push i happens at max(t, pop_{i-D} + 1, push_{i-L} + 1)
 *
 * A token is seen one clock after it was pushed, a slot is free one clock after it was popped, and an operation beyond
 * the lanes of its clock waits. The rings of times below are these formulas, literally; so nothing depends on the
 * order in which processes are evaluated within a clock.
 */
import { detached, type ClockContext } from "./context.js";
import { TandemError } from "./errors.js";
import type { Module } from "./module.js";
import type { Blocked, Operation, ProcessNode, Wait } from "./process.js";
import type { Type } from "./types.js";

export interface ChannelOptions {
  /** Tokens that it holds; 2 by default. Depth 1 runs at half rate. */
  readonly depth?: number;
  /** Operations a clock on each side; 1 by default. */
  readonly lanes?: number;
}

/** Knowledge that travels with a token, for the happens-before check of shared memories; opaque here. */
export type Snapshot = object;

const blockedResult = (value: Wait): IteratorYieldResult<Wait> => ({ done: false, value });

class Pop<V> implements Blocked, Operation<V>, Iterator<Wait, V, void> {
  readonly kind = "pop";
  readonly channel: Channel<V>;
  readyAt = 0;
  readonly #blocked: IteratorYieldResult<Wait>;
  readonly #done: IteratorReturnResult<V>;

  constructor(channel: Channel<V>) {
    this.channel = channel;
    this.#blocked = blockedResult(this);
    this.#done = { done: true, value: undefined as V };
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<Wait, V> {
    const { channel } = this;
    channel.consumedBy(channel.context.current);
    this.readyAt = channel.popReadyAt();
    if (this.readyAt > channel.context.now) return this.#blocked;
    this.#done.value = channel.take();
    return this.#done;
  }
}

class Push<V> implements Blocked, Operation<void>, Iterator<Wait, void, void> {
  readonly kind = "push";
  readonly channel: Channel<V>;
  readyAt = 0;
  /** Evaluated once, on first arrival, and held while the push waits (rule 3). */
  value: V = undefined as V;
  readonly #blocked: IteratorYieldResult<Wait>;
  readonly #done: IteratorReturnResult<void> = { done: true, value: undefined };

  constructor(channel: Channel<V>) {
    this.channel = channel;
    this.#blocked = blockedResult(this);
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<Wait, void> {
    const { channel } = this;
    channel.producedBy(channel.context.current);
    this.readyAt = channel.pushReadyAt();
    if (this.readyAt > channel.context.now) return this.#blocked;
    channel.put(this.value);
    return this.#done;
  }
}

export class Channel<V = unknown> {
  readonly type: Type<V>;
  readonly depth: number;
  readonly lanes: number;
  readonly owner: Module;
  readonly name: string;
  context: ClockContext = detached;

  /** The one producer and consumer: processes, or the name of what drives the port from outside. */
  producer: ProcessNode | undefined;
  consumer: ProcessNode | undefined;
  /** The process that waits for the other side, if one does. */
  popWaiter: ProcessNode | undefined;
  pushWaiter: ProcessNode | undefined;

  /** Tokens pushed and popped since reset. */
  pushed = 0;
  popped = 0;
  /** Most tokens held at the end of a clock, and the sum over tokens of the clocks that they stayed. */
  maxOccupancy = 0;
  occupancySum = 0;

  readonly #ring: number;
  readonly #values: V[];
  readonly #pushTime: number[];
  readonly #popTime: number[];
  /** Clock of the last push or pop; -1 before the first. */
  lastEvent = -1;
  readonly #pop: Pop<V>;
  readonly #push: Push<V>;
  readonly #flat: boolean;
  readonly #snapshots: (Snapshot | undefined)[];
  /** Set by an engine that checks memory hand-over: what the producer knows, and what the consumer learns. */
  release: (() => Snapshot | undefined) | undefined;
  acquire: ((snapshot: Snapshot) => void) | undefined;

  constructor(owner: Module, name: string, type: Type<V>, options: ChannelOptions = {}) {
    this.owner = owner;
    this.name = name;
    this.type = type;
    this.depth = options.depth ?? 2;
    this.lanes = options.lanes ?? 1;
    if (!Number.isInteger(this.depth) || this.depth < 1 || !Number.isInteger(this.lanes) || this.lanes < 1)
      throw new TandemError(`${this.path}: depth ${this.depth}, lanes ${this.lanes}; both must be at least 1`);
    this.#ring = Math.max(this.depth, this.lanes);
    this.#values = new Array<V>(this.#ring);
    this.#pushTime = new Array<number>(this.#ring).fill(0);
    this.#popTime = new Array<number>(this.#ring).fill(0);
    this.#snapshots = new Array<Snapshot | undefined>(this.#ring).fill(undefined);
    this.#flat = type.kind === "int" || type.kind === "bool";
    this.#pop = new Pop(this);
    this.#push = new Push(this);
  }

  get path(): string {
    return `${this.owner.path}.${this.name}`;
  }

  /** Tokens held now. */
  get occupancy(): number {
    return this.pushed - this.popped;
  }

  /** Take the next token; waits until there is one. */
  pop(): Operation<V> {
    return this.#pop;
  }

  /** Add a token; waits until there is room. */
  push(value: V): Operation<void> {
    this.#push.value = value;
    return this.#push;
  }

  /** Polling: the next token if a pop could happen in this clock, else undefined. */
  tryPop(): V | undefined {
    this.consumedBy(this.context.current);
    return this.popReadyAt() <= this.context.now ? this.take() : undefined;
  }

  /** Polling: like `tryPop`, but the token stays. */
  peek(): V | undefined {
    this.consumedBy(this.context.current);
    return this.popReadyAt() <= this.context.now ? this.#values[this.popped % this.#ring] : undefined;
  }

  /** For traces: the token `ahead` places behind the next one; undefined where there is none. Not part of the language. */
  held(ahead = 0): V | undefined {
    return ahead < this.occupancy ? this.#values[(this.popped + ahead) % this.#ring] : undefined;
  }

  /** Polling: true if the token was taken in this clock. */
  tryPush(value: V): boolean {
    this.producedBy(this.context.current);
    if (this.pushReadyAt() > this.context.now) return false;
    this.put(value);
    return true;
  }

  popReadyAt(): number {
    const i = this.popped;
    if (i >= this.pushed) return Infinity;
    const seen = this.#pushTime[i % this.#ring]! + 1;
    if (i < this.lanes) return seen;
    const lane = this.#popTime[(i - this.lanes) % this.#ring]! + 1;
    return seen > lane ? seen : lane;
  }

  pushReadyAt(): number {
    const i = this.pushed;
    let at = 0;
    if (i >= this.depth) {
      if (this.popped <= i - this.depth) return Infinity;
      at = this.#popTime[(i - this.depth) % this.#ring]! + 1;
    }
    if (i < this.lanes) return at;
    const lane = this.#pushTime[(i - this.lanes) % this.#ring]! + 1;
    return at > lane ? at : lane;
  }

  /** The pop itself; the caller has checked `popReadyAt`. */
  take(): V {
    const { now } = this.context;
    this.#event(now);
    const slot = this.popped % this.#ring;
    this.#popTime[slot] = now;
    this.occupancySum += now - this.#pushTime[slot]!;
    this.popped++;
    if (this.acquire) {
      const snapshot = this.#snapshots[slot];
      if (snapshot) this.acquire(snapshot);
    }
    if (this.pushWaiter) {
      this.context.wake(this.pushWaiter, now + 1);
      this.pushWaiter = undefined;
    }
    return this.#values[slot]!;
  }

  /** The push itself; the caller has checked `pushReadyAt`. */
  put(value: V): void {
    const { now } = this.context;
    this.#event(now);
    const slot = this.pushed % this.#ring;
    this.#pushTime[slot] = now;
    this.#values[slot] = this.#flat ? value : this.type.copy(value);
    if (this.release) this.#snapshots[slot] = this.release();
    this.pushed++;
    if (this.popWaiter) {
      this.context.wake(this.popWaiter, now + 1);
      this.popWaiter = undefined;
    }
  }

  /** Occupancy counts at the end of a clock: settle the last one before the first event of another. */
  #event(now: number): void {
    if (now === this.lastEvent) return;
    if (this.occupancy > this.maxOccupancy) this.maxOccupancy = this.occupancy;
    this.lastEvent = now;
  }

  /** Clip the counters at the end of a run of `clocks` clocks; returns the mean and the greatest occupancy. */
  occupancyUntil(clocks: number): { mean: number; max: number } {
    let sum = this.occupancySum;
    for (let i = this.popped; i < this.pushed; i++) sum += clocks - this.#pushTime[i % this.#ring]!;
    return { mean: clocks > 0 ? sum / clocks : 0, max: Math.max(this.maxOccupancy, this.occupancy) };
  }

  consumedBy(process: ProcessNode | undefined): void {
    if (this.consumer === process || process === undefined) return;
    if (this.consumer !== undefined) this.#twoUsers("consumer", "popped", this.consumer, process);
    this.consumer = process;
  }

  producedBy(process: ProcessNode | undefined): void {
    if (this.producer === process || process === undefined) return;
    if (this.producer !== undefined) this.#twoUsers("producer", "pushed", this.producer, process);
    this.producer = process;
  }

  #twoUsers(side: string, verb: string, first: ProcessNode, second: ProcessNode): never {
    throw new TandemError(
      `Channel ${this.path} has one ${side}, but is ${verb} by both ${first.path} and ${second.path}`,
      { hint: "Give each process a channel of its own." },
    );
  }

  reset(): void {
    this.pushed = this.popped = this.maxOccupancy = this.occupancySum = 0;
    this.lastEvent = -1;
    this.popWaiter = this.pushWaiter = this.producer = this.consumer = undefined;
    this.#snapshots.fill(undefined);
  }
}

/** The consumer's end of a channel, as a port of a module. */
export class ChannelIn<V = unknown> {
  readonly type: Type<V>;
  readonly owner: Module;
  name = "";
  bound: Channel<V> | ChannelIn<V> | undefined;

  constructor(owner: Module, type: Type<V>) {
    this.owner = owner;
    this.type = type;
  }

  get path(): string {
    return `${this.owner.path}.${this.name}`;
  }

  /** The channel behind the port. */
  get channel(): Channel<V> {
    return this.bound instanceof Channel ? this.bound : resolve<V>(this);
  }

  /** Throws, with the path, where the port is not connected. */
  resolve(): void {
    resolve<V>(this);
  }

  pop(): Operation<V> {
    return this.channel.pop();
  }
  tryPop(): V | undefined {
    return this.channel.tryPop();
  }
  peek(): V | undefined {
    return this.channel.peek();
  }
}

/** The producer's end of a channel, as a port of a module. */
export class ChannelOut<V = unknown> {
  readonly type: Type<V>;
  readonly owner: Module;
  name = "";
  bound: Channel<V> | ChannelOut<V> | undefined;

  constructor(owner: Module, type: Type<V>) {
    this.owner = owner;
    this.type = type;
  }

  get path(): string {
    return `${this.owner.path}.${this.name}`;
  }

  get channel(): Channel<V> {
    return this.bound instanceof Channel ? this.bound : resolve<V>(this);
  }

  /** Throws, with the path, where the port is not connected. */
  resolve(): void {
    resolve<V>(this);
  }

  push(value: V): Operation<void> {
    return this.channel.push(value);
  }
  tryPush(value: V): boolean {
    return this.channel.tryPush(value);
  }
}

type Port<V> = ChannelIn<V> | ChannelOut<V>;

function resolve<V>(port: Port<V>): Channel<V> {
  let at: Channel<V> | Port<V> | undefined = port.bound;
  while (at && !(at instanceof Channel)) at = at.bound;
  if (!at)
    throw new TandemError(`Port ${port.path} is not connected`, {
      hint: `Connect it in the constructor of the parent: this.connect(producer.out, consumer.in).`,
    });
  // The chain is fixed after elaboration: remember its end.
  port.bound = at;
  return at;
}
