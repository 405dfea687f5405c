/**
 * Synchronous memories (block RAM). A read issued in clock t gives its word, `q`, in clock t + 1 and holds it until the
 * next read of that port (language rule 5). A port does one access a clock; reading and writing the same address
 * through one port in one clock gives the old word. Words start unwritten, and reading an unwritten word is an error.
 */
import { detached, type ClockContext } from "./context.js";
import { TandemError } from "./errors.js";
import type { Module } from "./module.js";
import type { Type } from "./types.js";

/** Observes every access; the kernel's happens-before check of memories that processes share. */
export interface AccessGuard {
  read(port: MemoryPort, address: number): void;
  write(port: MemoryPort, address: number): void;
}

export interface MemoryOptions<V> {
  /** Words present after configuration of the FPGA, from address 0. */
  readonly init?: readonly V[];
}

export class Memory<V = unknown> {
  readonly owner: Module;
  name = "";
  readonly type: Type<V>;
  /** Words. */
  readonly depth: number;
  readonly init: readonly V[] | undefined;
  readonly ports: MemoryPort<V>[] = [];
  readonly words: (V | undefined)[];
  context: ClockContext = detached;
  guard: AccessGuard | undefined;

  constructor(owner: Module, type: Type<V>, depth: number, options: MemoryOptions<V> = {}) {
    if (!Number.isInteger(depth) || depth < 1)
      throw new TandemError(`${owner.path}: a memory of depth ${depth}; it must have one word or more`);
    this.owner = owner;
    this.type = type;
    this.depth = depth;
    this.init = options.init;
    this.words = new Array<V | undefined>(depth).fill(undefined);
    this.reset();
  }

  get path(): string {
    return `${this.owner.path}.${this.name}`;
  }

  /** A port that reads and writes. */
  port(): ReadWritePort<V> {
    return this.#add(new MemoryPort(this, true, true));
  }
  readPort(): ReadPort<V> {
    return this.#add(new MemoryPort(this, true, false));
  }
  writePort(): WritePort<V> {
    return this.#add(new MemoryPort(this, false, true));
  }

  #add(port: MemoryPort<V>): MemoryPort<V> {
    this.ports.push(port);
    return port;
  }

  reset(): void {
    this.words.fill(undefined);
    for (const [i, word] of (this.init ?? []).entries()) this.words[i] = this.type.copy(word);
    for (const port of this.ports) port.reset();
  }
}

/** What a process sees of a port that only reads, only writes, or does both. */
export interface ReadPort<V> {
  read(address: number): void;
  readonly q: V;
}
export interface WritePort<V> {
  write(address: number, word: V): void;
}
export type ReadWritePort<V> = ReadPort<V> & WritePort<V>;

export class MemoryPort<V = unknown> implements ReadPort<V>, WritePort<V> {
  readonly memory: Memory<V>;
  readonly canRead: boolean;
  readonly canWrite: boolean;
  name = "";
  /** Accesses since reset. */
  reads = 0;
  writes = 0;
  #readClock = -1;
  #readAddress = -1;
  #writeClock = -1;
  #writeAddress = -1;
  #next: V | undefined;
  #held: V | undefined;

  constructor(memory: Memory<V>, canRead: boolean, canWrite: boolean) {
    this.memory = memory;
    this.canRead = canRead;
    this.canWrite = canWrite;
  }

  get path(): string {
    return `${this.memory.path}.${this.name || `port${this.memory.ports.indexOf(this)}`}`;
  }

  /** Issue a read; `q` has the word from the next clock on. */
  read(address: number): void {
    const { memory } = this;
    const { now } = memory.context;
    const word = memory.words[address];
    if (word === undefined) this.#noWord(address, "read");
    if (this.#readClock === now) this.#twice("reads", now);
    if (this.#writeClock === now && this.#writeAddress !== address) this.#twoAddresses(now);
    for (const other of memory.ports)
      if (other !== this && other.#writeClock === now && other.#writeAddress === address)
        this.#clash(other, address, now);
    memory.guard?.read(this, address);
    if (this.#readClock >= 0) this.#held = this.#next;
    // Old data, even where this port wrote the word in this same clock before the read stood in the text.
    this.#next = this.#writeClock === now ? this.#overwritten : word;
    this.#readClock = now;
    this.#readAddress = address;
    this.reads++;
  }

  #overwritten: V | undefined;

  /** The word of the last read that was issued before this clock. */
  get q(): V {
    const word = this.#readClock < this.memory.context.now ? this.#next : this.#held;
    if (word === undefined)
      throw new TandemError(`${this.path}: q is used before any read`, {
        hint: "A read issued in one clock gives q in the next: put a yield between them.",
      });
    return word;
  }

  /** For traces: what the port did in the present clock, and `q` where it has a word. Not part of the language. */
  get activity(): { read: number | undefined; write: number | undefined; q: V | undefined } {
    const { now } = this.memory.context;
    return {
      read: this.#readClock === now ? this.#readAddress : undefined,
      write: this.#writeClock === now ? this.#writeAddress : undefined,
      q: this.#readClock < now ? this.#next : this.#held,
    };
  }

  /** Write a word at the coming edge. */
  write(address: number, word: V): void {
    const { memory } = this;
    const { now } = memory.context;
    if (!Number.isInteger(address) || address < 0 || address >= memory.depth) this.#noWord(address, "write");
    if (this.#writeClock === now) this.#twice("writes", now);
    if (this.#readClock === now && this.#readAddress !== address) this.#twoAddresses(now);
    for (const other of memory.ports)
      if (
        other !== this &&
        ((other.#readClock === now && other.#readAddress === address) ||
          (other.#writeClock === now && other.#writeAddress === address))
      )
        this.#clash(other, address, now);
    memory.guard?.write(this, address);
    this.#overwritten = memory.words[address];
    memory.words[address] = memory.type.copy(word);
    this.#writeClock = now;
    this.#writeAddress = address;
    this.writes++;
  }

  #noWord(address: number, verb: string): never {
    const { depth } = this.memory;
    const inside = Number.isInteger(address) && address >= 0 && address < depth;
    throw new TandemError(
      inside
        ? `${this.path}: word ${address} is read, but was never written`
        : `${this.path}: ${verb} of address ${address}, outside 0..${depth - 1}`,
    );
  }

  #twice(verb: string, now: number): never {
    throw new TandemError(`${this.path} ${verb} twice in clock ${now}`, {
      hint: "A port does one access a clock: put a yield between them or add a port.",
    });
  }

  #twoAddresses(now: number): never {
    throw new TandemError(`${this.path} reads and writes two addresses in clock ${now}`, {
      hint: "One port has one address a clock: use a read port and a write port.",
    });
  }

  #clash(other: MemoryPort<V>, address: number, now: number): never {
    throw new TandemError(
      `${this.path} and ${other.path} meet at address ${address} in clock ${now}, and one of them writes`,
      { hint: "Hand the word over: let a token on a channel order the two accesses." },
    );
  }

  reset(): void {
    this.reads = this.writes = 0;
    this.#readClock = this.#writeClock = this.#readAddress = this.#writeAddress = -1;
    this.#next = this.#held = this.#overwritten = undefined;
  }
}
