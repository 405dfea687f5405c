/**
 * The static plan of a design for the fast engine: who uses which channel, port and signal, and where everything lies
 * in linear memory. *Actors* are what has a local time: the processes, then the grids (which push their results), then a
 * source for each outer input and a sink for each outer output.
 */
import { TandemError } from "../../hw/errors.js";
import type { Channel } from "../../hw/channel.js";
import type { Grid } from "../../hw/grid.js";
import type { DesignIr, ProcessIr } from "../../hw/ir/ir.js";
import type { MemoryPort } from "../../hw/memory.js";
import type { Signal } from "../../hw/signal.js";
import { frame } from "./frame.js";
import { Heap, layoutOf, writeValue, type Layout } from "./layout.js";
import { toldBy, toldBytes, type Askers, type Edge } from "./knowledge.js";
import { planMemories, type MemoryPlans, type PortGroup } from "./memory-plan.js";
import { expressionsWithin, statementsIn } from "../../hw/ir/walk.js";
import { ExtendedWords } from "./extended-words.js";
import { DesignSums } from "./sum-code.js";
import type { WasmModule } from "./wasm.js";

export interface ChannelPlan {
  readonly channel: Channel;
  readonly index: number;
  readonly layout: Layout;
  /** Slots of the rings, a power of two above the depth: the token that a push has ready also has one. */
  readonly slots: number;
  readonly producer: number;
  readonly consumer: number;
  /** Counts, and 1 where the side waits for the other. */
  readonly pushed: number;
  readonly popped: number;
  readonly pushWaits: number;
  readonly popWaits: number;
  /** Clocks that the sides stood waiting. */
  readonly pushStall: number;
  readonly popStall: number;
  readonly maxOccupancy: number;
  /** 64 bits: the sum over popped tokens of the clocks that they stayed. */
  readonly occupancySum: number;
  readonly pushTimes: number;
  readonly popTimes: number;
  readonly values: number;
  /** Places in `Plan.known` of what tokens tell of memory accesses, and the ring of it, `toldBytes` a slot. */
  readonly told: readonly number[];
  readonly knowledge: number;
}

export interface SignalPlan {
  readonly signal: Signal;
  readonly layout: Layout;
  /** The value seen, the value after the edge, and the clock of the last write. */
  readonly now: number;
  readonly next: number;
  readonly lastWrite: number;
}

export interface Environment {
  /**
   * Tokens to send or room for tokens, how many are done, and the address of the tokens, times and gaps. Tokens lie in columns:
   * `tokens` has an address for each leaf of the channel's type. Times are 0 where nobody asks for them.
   */
  readonly count: number;
  readonly done: number;
  readonly tokens: readonly number[];
  readonly times: number;
  readonly gaps: number;
  /**
   * A source's tokens come in pieces, which may stand anywhere, also in the same place: the number of the first token behind the piece at hand, which
   * `tokens` is for, and the address of the row of the next one: the number behind it, and where its columns would have token 0.
   */
  readonly end: number;
  readonly piece: number;
  /** Address of the pace of a board's DMA (pace-code.ts); 0 for none. */
  readonly pace: number;
}

const pow2Above = (n: number): number => 2 ** Math.ceil(Math.log2(n + 1));

export class Plan {
  readonly ir: DesignIr;
  readonly module: WasmModule;
  readonly heap = new Heap(64);
  readonly channels = new Map<Channel, ChannelPlan>();
  readonly ports: MemoryPlans["ports"];
  readonly memories: MemoryPlans["memories"];
  readonly portGroups: readonly PortGroup[];
  readonly words: MemoryPlans["any"];
  readonly signals = new Map<Signal, SignalPlan>();
  /** Sums of products that processes keep; there is a module to put their functions in. */
  readonly sums: DesignSums;
  /** Words of banks as operands of matrix products. */
  readonly extended: ExtendedWords;
  readonly environments = new Map<Channel, Environment>();
  readonly frames: number[] = [];
  readonly queue: number;
  readonly queueSlots: number;
  /** Actors that the outside has given what they wait for: how many, then which. */
  readonly woken: number;
  /** Where the address of the arbiter's block stands (arbiter-block.ts); 0 without a board. */
  readonly board: number;
  /** Error record: number, actor, clock, and a value. */
  readonly error: number;
  readonly errors: ((clock: number, value: number) => TandemError)[] = [];
  /** Processes that use shared memories, and their place in a vector of knowledge. */
  readonly observers: number[] = [];
  /** Per actor, the address of what it knows of every observer's count. */
  readonly known: number[] = [];
  /** By actor of a grid: what waves tell it. */
  readonly fedTold = new Map<number, readonly number[]>();
  readonly #constants = new Map<string, number>();
  /** Writes into the initial image of the memory. */
  readonly #initial: ((view: DataView) => void)[] = [];

  constructor(ir: DesignIr, module: WasmModule) {
    this.ir = ir;
    this.module = module;
    this.sums = new DesignSums(ir, this.heap, module);
    this.extended = new ExtendedWords(this.heap, module);
    this.error = this.heap.take(16);
    const { design } = ir;
    const inputs = Object.values(design.inputs);
    const outputs = Object.values(design.outputs);
    const actors = ir.processes.length + ir.cells.length + inputs.length + outputs.length;
    for (let i = 0; i < actors; i++) this.frames.push(this.heap.take(frame.bytes));
    this.queueSlots = pow2Above(actors);
    this.queue = this.heap.take(this.queueSlots * 4);
    this.woken = this.heap.take(actors * 4 + 4);
    this.board = this.heap.take(4);

    const producers = new Map<Channel, number>();
    const consumers = new Map<Channel, number>();
    const portUsers = new Map<MemoryPort, number>();
    ir.processes.forEach((process, actor) => this.#users(process, actor, producers, consumers, portUsers));
    ir.cells.forEach(({ grid }, i) => this.#use(producers, grid.results.channel, ir.processes.length + i, "push"));
    inputs.forEach((channel, i) => this.#use(producers, channel, this.sourceActor(i), "push"));
    outputs.forEach((channel, i) => this.#use(consumers, channel, this.sinkActor(i), "pop"));

    const askers = this.#askers(portUsers);
    this.observers.push(...askers.keys());
    const told = this.#told(producers, consumers, askers);
    for (let actor = 0; actor < actors; actor++) {
      this.known.push(this.heap.take(Math.ceil(this.observers.length / 4) * 16));
      const own = this.observers.indexOf(actor);
      if (own >= 0) this.initially((view) => view.setInt32(this.known[actor]! + own * 4, 1, true));
    }
    design.channels.forEach((channel, index) => {
      const producer = producers.get(channel) ?? -1;
      const consumer = consumers.get(channel) ?? -1;
      this.channels.set(channel, this.#channel(channel, index, producer, consumer, told.get(channel) ?? []));
    });
    const { memories, ports, groups, any } = planMemories(
      design.memories,
      ir.processes,
      portUsers,
      this.heap,
      (write) => this.initially(write),
    );
    this.memories = memories;
    this.ports = ports;
    this.portGroups = groups;
    this.words = any;
    for (const signal of design.signals) this.#signal(signal);
    for (const channel of [...inputs, ...outputs]) {
      const { leaves } = layoutOf(channel.type);
      const at = this.heap.take(28 + leaves.length * 4);
      this.environments.set(channel, {
        count: at,
        done: at + 4,
        times: at + 8,
        gaps: at + 12,
        pace: at + 16,
        end: at + 20,
        piece: at + 24,
        tokens: leaves.map((_, i) => at + 28 + i * 4),
      });
    }
  }

  sourceActor(i: number): number {
    return this.ir.processes.length + this.ir.cells.length + i;
  }
  sinkActor(i: number): number {
    return this.sourceActor(Object.keys(this.ir.design.inputs).length + i);
  }
  gridActor(grid: Grid): number {
    return this.ir.processes.length + this.ir.cells.findIndex((cell) => cell.grid === grid);
  }

  initially(write: (view: DataView) => void): void {
    this.#initial.push(write);
  }
  writeInitial(view: DataView): void {
    for (const write of this.#initial) write(view);
  }

  /** Address of 16 bytes that stay as they are: one load, where to make them takes several instructions of the machine. */
  constant(bytes: readonly number[]): number {
    const name = bytes.join();
    const at = this.#constants.get(name) ?? this.heap.take(16);
    if (!this.#constants.has(name)) this.initially((view) => bytes.forEach((byte, i) => view.setUint8(at + i, byte)));
    this.#constants.set(name, at);
    return at;
  }

  #use(users: Map<Channel, number>, channel: Channel, actor: number, side: "push" | "pop"): void {
    const before = users.get(channel);
    if (before !== undefined && before !== actor) {
      const [role, verb] = side === "push" ? ["producer", "pushed"] : ["consumer", "popped"];
      const name = (id: number): string => this.ir.processes[id]?.node.path ?? "the outside";
      throw new TandemError(
        `Channel ${channel.path} has one ${role}, but is ${verb} by both ${name(before)} and ${name(actor)}`,
        { hint: "Give each process a channel of its own." },
      );
    }
    users.set(channel, actor);
  }

  #users(
    process: ProcessIr,
    actor: number,
    producers: Map<Channel, number>,
    consumers: Map<Channel, number>,
    portUsers: Map<MemoryPort, number>,
  ): void {
    const port = (part: MemoryPort): void => {
      const before = portUsers.get(part);
      if (before !== undefined && before !== actor)
        throw new TandemError(
          `${part.path} is used by both ${this.ir.processes[before]!.node.path} and ${process.node.path}`,
          { hint: "A port belongs to one process." },
        );
      portUsers.set(part, actor);
    };
    for (const stmt of statementsIn(process.body)) {
      if (stmt.kind === "pop" || stmt.kind === "tryPop" || stmt.kind === "peek")
        for (const channel of stmt.channel.parts) this.#use(consumers, channel, actor, "pop");
      else if (stmt.kind === "push" || stmt.kind === "tryPush")
        for (const channel of stmt.channel.parts) this.#use(producers, channel, actor, "push");
      else if (stmt.kind === "read" || stmt.kind === "write") stmt.port.parts.forEach(port);
    }
    for (const expr of expressionsWithin(process.body)) if (expr.kind === "q") expr.port.parts.forEach(port);
  }

  /** Processes that use a memory which another one uses too, each with those. */
  #askers(portUsers: ReadonlyMap<MemoryPort, number>): Askers {
    const found = new Map<number, Set<number>>();
    for (const memory of this.ir.design.memories) {
      const users = new Set(memory.ports.map((port) => portUsers.get(port)).filter((user) => user !== undefined));
      for (const user of users)
        for (const other of users) if (other !== user) found.set(user, (found.get(user) ?? new Set()).add(other));
    }
    return new Map([...found].sort(([a], [b]) => a - b));
  }

  /** What the tokens of each channel have to tell; what waves tell goes to `fedTold`. */
  #told(
    producers: ReadonlyMap<Channel, number>,
    consumers: ReadonlyMap<Channel, number>,
    askers: Askers,
  ): ReadonlyMap<Channel, readonly number[]> {
    const edges: (Edge & { channel?: Channel })[] = [];
    for (const [channel, from] of producers) {
      const to = consumers.get(channel);
      if (to !== undefined) edges.push({ from, to, channel });
    }
    this.ir.processes.forEach(({ body }, from) => {
      for (const stmt of statementsIn(body))
        if (stmt.kind === "feed") edges.push({ from, to: this.gridActor(stmt.grid) });
    });
    const found = new Map<Channel, readonly number[]>();
    toldBy(edges, askers).forEach((told, i) => {
      const { channel, to } = edges[i]!;
      if (channel) found.set(channel, told);
      else this.fedTold.set(to, told);
    });
    return found;
  }

  #channel(channel: Channel, index: number, producer: number, consumer: number, told: readonly number[]): ChannelPlan {
    const layout = layoutOf(channel.type);
    const slots = pow2Above(Math.max(channel.depth, channel.lanes));
    const at = this.heap.take(48);
    const pushTimes = this.heap.take(slots * 4);
    const popTimes = this.heap.take(slots * 4);
    this.initially((view) => {
      for (let i = 0; i < slots; i++) {
        view.setInt32(pushTimes + i * 4, -1, true);
        view.setInt32(popTimes + i * 4, -1, true);
      }
    });
    return {
      channel,
      index,
      layout,
      slots,
      producer,
      consumer,
      pushed: at,
      popped: at + 4,
      pushWaits: at + 8,
      popWaits: at + 12,
      pushStall: at + 16,
      popStall: at + 20,
      maxOccupancy: at + 24,
      occupancySum: at + 32,
      pushTimes,
      popTimes,
      values: this.heap.take(slots * layout.bytes),
      told,
      knowledge: this.heap.take(slots * toldBytes(told)),
    };
  }

  #signal(signal: Signal): void {
    const layout = layoutOf(signal.type);
    const now = this.heap.take(layout.bytes);
    const next = this.heap.take(layout.bytes);
    const lastWrite = this.heap.take(4, 4);
    this.initially((view) => {
      writeValue(view, now, layout, signal.initial);
      writeValue(view, next, layout, signal.initial);
      view.setInt32(lastWrite, -1, true);
    });
    this.signals.set(signal, { signal, layout, now, next, lastWrite });
  }
}
