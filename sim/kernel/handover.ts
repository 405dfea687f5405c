/**
 * The happens-before check of memories that processes share (language rule 5): a word written by one process may be read
 * by another only after a token has travelled from the writer, pushed after the write in its program order. Clock
 * numbers do not count: what is early enough today may not be once a stall moves it.
 *
 * Vector clocks (Mattern 1989), with the epochs of FastTrack (Flanagan and Freund, PLDI 2009): an access is known by its
 * process and that process's count of releases, and only pushes make snapshots.
 */
import { TandemError, type Elaborated } from "../../hw/index.js";
import type { AccessGuard, Memory, MemoryPort } from "../../hw/memory.js";
import type { ClockContext } from "../../hw/context.js";
import type { ProcessNode } from "../../hw/process.js";

type Knowledge = number[];

/** What a process knows of the others' progress. */
class Observer {
  readonly node: ProcessNode;
  readonly known: Knowledge;
  #snapshot: Knowledge | undefined;
  /** The own count that the last snapshot holds: accesses after it need a higher one. */
  #released = 0;

  constructor(node: ProcessNode, processes: number) {
    this.node = node;
    this.known = new Array<number>(processes).fill(0);
    this.known[node.index] = 1;
  }

  access(): number {
    const me = this.node.index;
    if (this.known[me] === this.#released) this.known[me]++;
    this.#snapshot = undefined;
    return this.known[me]!;
  }

  /** What a token of this process carries; a new snapshot only where something was done or learned since the last. */
  release(): Knowledge {
    if (this.#snapshot) return this.#snapshot;
    this.#released = this.known[this.node.index]!;
    return (this.#snapshot = this.known.slice());
  }

  acquire(snapshot: Knowledge): void {
    for (let i = 0; i < snapshot.length; i++)
      if (snapshot[i]! > this.known[i]!) {
        this.known[i] = snapshot[i]!;
        this.#snapshot = undefined;
      }
  }
}

interface Epoch {
  process: number;
  release: number;
}

/** Last write and last reads of every word of one memory. */
class WordHistory implements AccessGuard {
  readonly #handover: Handover;
  readonly #memory: Memory;
  readonly #writers: Int16Array;
  readonly #writeEpochs: Float64Array;
  /** By port: one process uses a port. */
  readonly #readEpochs: Map<MemoryPort, { process: number; epochs: Float64Array }> = new Map();

  constructor(handover: Handover, memory: Memory) {
    this.#handover = handover;
    this.#memory = memory;
    this.#writers = new Int16Array(memory.depth).fill(-1);
    this.#writeEpochs = new Float64Array(memory.depth);
  }

  read(port: MemoryPort, address: number): void {
    const me = this.#handover.observer(port);
    const writer = this.#writers[address]!;
    if (writer >= 0)
      this.#ordered(me, { process: writer, release: this.#writeEpochs[address]! }, "written", address, port);
    let record = this.#readEpochs.get(port);
    if (!record) {
      record = { process: me.node.index, epochs: new Float64Array(this.#memory.depth) };
      this.#readEpochs.set(port, record);
    } else if (record.process !== me.node.index) this.#twoUsers(port, record.process, me.node);
    record.epochs[address] = me.access();
  }

  write(port: MemoryPort, address: number): void {
    const me = this.#handover.observer(port);
    const writer = this.#writers[address]!;
    if (writer >= 0)
      this.#ordered(me, { process: writer, release: this.#writeEpochs[address]! }, "written", address, port);
    for (const { process, epochs } of this.#readEpochs.values())
      if (epochs[address]! > 0) this.#ordered(me, { process, release: epochs[address]! }, "read", address, port);
    this.#writers[address] = me.node.index;
    this.#writeEpochs[address] = me.access();
  }

  #ordered(me: Observer, earlier: Epoch, what: string, address: number, port: MemoryPort): void {
    if (earlier.process === me.node.index || me.known[earlier.process]! >= earlier.release) return;
    const other = this.#handover.processes[earlier.process]!.path;
    throw new TandemError(
      `${port.path}: ${me.node.path} uses word ${address}, which ${other} has ${what} without handing it over`,
      { hint: `Let ${other} push a token after its access, and ${me.node.path} pop it before this one.` },
    );
  }

  #twoUsers(port: MemoryPort, first: number, second: ProcessNode): never {
    const name = this.#handover.processes[first]!.path;
    throw new TandemError(`${port.path} is used by both ${name} and ${second.path}`, {
      hint: "A port belongs to one process.",
    });
  }
}

export class Handover {
  readonly processes: readonly ProcessNode[];
  readonly #context: ClockContext;
  readonly #observers: Observer[];

  constructor(design: Elaborated, context: ClockContext) {
    this.#context = context;
    this.processes = design.processes;
    this.#observers = design.processes.map((node) => new Observer(node, design.processes.length));
    if (design.memories.length === 0) return;
    for (const memory of design.memories) memory.guard = new WordHistory(this, memory);
    for (const channel of design.channels) {
      let last: object | undefined;
      channel.release = () => this.snapshot();
      channel.acquire = (snapshot) => {
        const { current } = this.#context;
        if (snapshot === last || !current || current.index < 0) return;
        last = snapshot;
        this.#observers[current.index]!.acquire(snapshot as Knowledge);
      };
    }
  }

  /** What the process at work knows; undefined for the environment. */
  snapshot(): Knowledge | undefined {
    const { current } = this.#context;
    return current && current.index >= 0 ? this.#observers[current.index]!.release() : undefined;
  }

  observer(port: MemoryPort): Observer {
    const { current } = this.#context;
    const observer = current && this.#observers[current.index];
    if (!observer) throw new TandemError(`${port.path} is used outside any clocked process`);
    return observer;
  }
}
