/**
 * Modules: the live objects of a design. A constructor runs: it makes instances, widths and connections. The bodies of the
 * processes are generators, which the kernel resumes and the compiler reads as source: a subclass with processes says
 * where it stands with `static readonly source = import.meta.url`.
 */
import { Channel, ChannelIn, ChannelOut, type ChannelOptions } from "./channel.js";
import { TandemError } from "./errors.js";
import { Grid, type Cell } from "./grid.js";
import { Memory, MemoryPort, type MemoryOptions } from "./memory.js";
import { estimated, ProcessNode, type Process } from "./process.js";
import { Signal } from "./signal.js";
import type { Type } from "./types.js";

/** Parts that get their name from the field that holds them. */
type Named = ChannelIn | ChannelOut | Memory | MemoryPort | Signal | Grid;

export abstract class Module {
  readonly parent: Module | null;
  readonly name: string;
  readonly children: Module[] = [];
  readonly processes: ProcessNode[] = [];
  readonly channels: Channel[] = [];
  readonly memories: Memory[] = [];
  readonly signals: Signal[] = [];
  readonly grids: Grid[] = [];
  readonly ports: (ChannelIn | ChannelOut)[] = [];

  constructor(parent: Module | null, name: string) {
    this.parent = parent;
    this.name = name;
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name))
      throw new TandemError(`Module name "${name}": expected a letter, then letters, digits or _`);
    if (parent?.children.some((child) => child.name === name))
      throw new TandemError(`${parent.path} has two children named "${name}"`);
    parent?.children.push(this);
  }

  get path(): string {
    return this.parent ? `${this.parent.path}.${this.name}` : this.name;
  }

  /** Declare a clocked process, on the clock and reset of the design. */
  protected clocked(body: () => Process): void {
    this.processes.push(new ProcessNode(this, body));
  }

  protected channelIn<V>(type: Type<V>): ChannelIn<V> {
    return this.#keep(this.ports, new ChannelIn(this, type));
  }

  protected channelOut<V>(type: Type<V>): ChannelOut<V> {
    return this.#keep(this.ports, new ChannelOut(this, type));
  }

  /** A channel between two processes of this module, or from one to itself. */
  protected channel<V>(type: Type<V>, options: ChannelOptions & { name: string }): Channel<V> {
    return this.#keep(this.channels, new Channel(this, options.name, type, options));
  }

  /**
   * Join two ports: a child's output to a child's input makes a channel; a port of this module and the like port of a
   * child become one.
   */
  protected connect<V>(
    from: ChannelOut<V> | ChannelIn<V>,
    to: ChannelIn<V> | ChannelOut<V>,
    options?: ChannelOptions,
  ): void {
    nameParts(from.owner);
    nameParts(to.owner);
    if (from.type.name !== to.type.name)
      throw new TandemError(`${from.path} (${from.type.name}) is connected to ${to.path} (${to.type.name})`, {
        hint: "Both ends of a channel have one type.",
      });
    if (from instanceof ChannelOut && to instanceof ChannelIn) {
      const name = from.owner === this ? from.name : `${from.owner.name}_${from.name}`;
      const channel = new Channel<V>(this, name, from.type, options);
      this.channels.push(channel);
      bindOnce(from, channel);
      bindOnce(to, channel);
    } else if (from instanceof ChannelIn && to instanceof ChannelIn) bindOnce(to, from);
    else if (from instanceof ChannelOut && to instanceof ChannelOut) bindOnce(from, to);
    else throw new TandemError(`${from.path} cannot drive ${to.path}: an input cannot drive an output`);
  }

  protected memory<V>(type: Type<V>, depth: number, options?: MemoryOptions<V>): Memory<V> {
    return this.#keep(this.memories, new Memory(this, type, depth, options));
  }

  protected signal<V>(type: Type<V>, initial?: V): Signal<V> {
    return this.#keep(this.signals, new Signal(this, type, initial));
  }

  protected grid<W, N, S, E>(rows: number, cols: number, cell: Cell<W, N, S, E>): Grid<W, N, S, E> {
    return this.#keep(this.grids, new Grid(this, rows, cols, cell));
  }

  /** Simulation only: `n` clocks for hardware that is not yet written (rule 8). Use as `yield* this.estimate(n)`. */
  protected estimate(n: number): Process {
    return estimated(n);
  }

  #keep<T>(list: unknown[], part: T): T {
    list.push(part);
    return part;
  }
}

function bindOnce<V>(port: { bound: unknown; path: string }, target: Channel<V> | ChannelIn<V> | ChannelOut<V>): void {
  if (port.bound) throw new TandemError(`Port ${port.path} is connected twice`);
  port.bound = target;
}

/** The module's own lists of its parts, which are no fields of the design. */
const lists = new Set(["children", "processes", "channels", "memories", "signals", "grids", "ports"]);

/** Give the parts of a module the names of the fields that hold them; arrays give `name0`, `name1`, ... */
export function nameParts(module: Module): void {
  for (const [field, value] of Object.entries(module)) {
    if (lists.has(field)) continue;
    const parts: [string, unknown][] = Array.isArray(value)
      ? value.map((v, i) => [`${field}${i}`, v])
      : [[field, value]];
    for (const [name, part] of parts) {
      if (!isNamed(part)) continue;
      if (part.name === "") part.name = name;
      if (part instanceof Grid && part.results.name === "") part.results.name = `${name}_results`;
    }
  }
}

const isNamed = (part: unknown): part is Named =>
  part instanceof ChannelIn ||
  part instanceof ChannelOut ||
  part instanceof Memory ||
  part instanceof MemoryPort ||
  part instanceof Signal ||
  part instanceof Grid;
