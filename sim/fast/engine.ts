/**
 * The fast engine: runs a compiled design (see docs/engines.md). Data, clocks, stalls and counters are those of the
 * kernel (sim/kernel), which stays the reference; there are no waveforms here, only results.
 */
import { TandemError } from "../../hw/errors.js";
import type { Channel } from "../../hw/channel.js";
import type { DesignIr } from "../../hw/ir/ir.js";
import type { Counters, ProcessCounters } from "../kernel/counters.js";
import { standsAt } from "./channel-code.js";
import { compile, type Compiled } from "./compile.js";
import { beatTiming, DmaArbiter, type PacedStream } from "../platform/arbiter.js";
import type { TransferTrace } from "../platform/dma.js";
import type { BoardValues } from "../platform/platform.js";
import { readValue, writeValue, type Layout } from "./layout.js";
import { paceBytes, Pacing } from "./pacing.js";
import { frame, type ChannelPlan } from "./plan.js";

/** The tokens of an outer port in the memory of the engine. */
export interface TokenBuffer {
  readonly count: number;
  readonly layout: Layout;
  /** The whole memory, and where the first token starts; token i stands at `start + i * layout.bytes`. */
  readonly bytes: Uint8Array;
  readonly start: number;
}

export interface FastRunOptions {
  /** Stop before this clock, whatever still moves. */
  readonly until?: number;
  /** Refuse to run longer. */
  readonly limit?: number;
}

interface Exports {
  readonly run: () => void;
  readonly head: WebAssembly.Global;
  readonly tail: WebAssembly.Global;
  readonly horizon: WebAssembly.Global;
}

const PAGE = 65536;
/** Clocks are 32-bit numbers here. */
const LAST_CLOCK = 2 ** 31 - 2 ** 20;

export class FastEngine {
  readonly design: DesignIr["design"];
  readonly #compiled: Compiled;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: Exports;
  readonly #image: Uint8Array;
  #view: DataView;
  /** End of what is in use: buffers of tokens are taken from here. */
  #top: number;
  #until = Infinity;
  #horizon = Infinity;
  readonly #received = new Map<string, { start: number; times: number }>();
  readonly #sent = new Map<string, { times: number }>();
  #pacing: Pacing | undefined;

  constructor(ir: DesignIr) {
    this.design = ir.design;
    this.#compiled = compile(ir);
    const { plan, bytes, pages } = this.#compiled;
    this.#memory = new WebAssembly.Memory({ initial: pages });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: this.#memory } });
    this.#exports = instance.exports as unknown as Exports;
    this.#view = new DataView(this.#memory.buffer);
    plan.writeInitial(this.#view);
    this.#image = new Uint8Array(this.#memory.buffer, 0, plan.heap.used).slice();
    this.#top = plan.heap.used;
  }

  /** Everything as after elaboration; buffers of tokens are dropped. */
  reset(): void {
    new Uint8Array(this.#memory.buffer).set(this.#image);
    this.#top = this.#compiled.plan.heap.used;
    this.#until = Infinity;
    this.#received.clear();
    this.#sent.clear();
    this.#pacing = undefined;
  }

  /**
   * Move the tokens of these outer ports at the pace of a board's DMA, in transfers of beats. After `input` and `output` have
   * made room for all of them, and before the first run.
   */
  pace(streams: readonly PacedStream[], board: BoardValues): void {
    const { plan } = this.#compiled;
    const records = streams.map((stream) => this.#take(paceBytes(stream, beatTiming(stream, board).beatsPerBurst)));
    const ports = streams.map((stream, i) => {
      const input = stream.direction === "in";
      const channel = this.#outer(stream.name, input ? this.design.inputs : this.design.outputs, stream.direction);
      const { done, pace } = plan.environments.get(channel)!;
      const { producer, consumer } = this.#plan(channel);
      const actor = input ? producer : consumer;
      const record = records[i]!;
      this.#view.setInt32(pace, record, true);
      const times = (input ? this.#sent : this.#received).get(stream.name)!.times;
      return { stream, record, done, times, actor, question: plan.frames[actor]! + frame.pollTime };
    });
    this.#pacing = new Pacing(new DmaArbiter(streams, board), ports, this.#view);
  }

  /** What the transfers did, after a run at a board's pace. */
  get transfers(): TransferTrace[] | undefined {
    return this.#pacing?.traces;
  }

  /** Room for `count` tokens that will be pushed into an outer input, each after as many clocks as its gap says. */
  input(port: string, count: number, gaps?: readonly number[]): TokenBuffer {
    const buffer = this.#buffer(this.#outer(port, this.design.inputs, "input"), count, gaps);
    this.#sent.set(port, { times: buffer.times });
    return buffer;
  }

  /** Take up to `count` tokens from an outer output; the gap is waited before each. */
  output(port: string, count: number, gaps?: readonly number[]): void {
    const { start, times } = this.#buffer(this.#outer(port, this.design.outputs, "output"), count, gaps);
    this.#received.set(port, { start, times });
  }

  /** The tokens that have left an outer output, as they lie in memory. Valid until the next `input`, `output` or `reset`. */
  received(port: string): TokenBuffer {
    const channel = this.#outer(port, this.design.outputs, "output");
    const { layout } = this.#plan(channel);
    const count = this.#i32(this.#compiled.plan.environments.get(channel)!.done);
    const start = this.#received.get(port)?.start ?? 0;
    return { count, layout, bytes: new Uint8Array(this.#memory.buffer), start };
  }

  /** Tokens of an outer input that were pushed. */
  sent(port: string): number {
    const channel = this.#outer(port, this.design.inputs, "input");
    return this.#i32(this.#compiled.plan.environments.get(channel)!.done);
  }

  /** Push these values into an outer input. */
  send(port: string, values: readonly unknown[], gaps?: readonly number[]): void {
    const { start, layout } = this.input(port, values.length, gaps);
    values.forEach((value, i) => writeValue(this.#view, start + i * layout.bytes, layout, value));
  }

  /** The values that have left an outer output, and the clock of each. */
  values(port: string): { value: unknown; clock: number }[] {
    const { count, layout, start } = this.received(port);
    const times = this.#received.get(port)?.times ?? 0;
    return Array.from({ length: count }, (_, i) => ({
      value: readValue(this.#view, start + i * layout.bytes, layout),
      clock: this.#i32(times + i * 4),
    }));
  }

  /** Run to quiescence, or to a horizon; returns the clocks passed since reset. */
  run(options: FastRunOptions = {}): number {
    const { plan, grids } = this.#compiled;
    const limit = Math.min(options.limit ?? LAST_CLOCK, LAST_CLOCK);
    this.#until = options.until ?? Infinity;
    const horizon = Math.min(this.#until, limit);
    this.#horizon = horizon;
    for (const { pushWaits, popWaits } of plan.channels.values()) {
      this.#view.setInt32(pushWaits, 0, true);
      this.#view.setInt32(popWaits, 0, true);
    }
    let queued = 0;
    plan.frames.forEach((at, actor) => {
      if (this.#i32(at + frame.resume) === -1) return;
      this.#view.setInt32(plan.queue + queued++ * 4, actor, true);
    });
    this.#exports.head.value = 0;
    this.#exports.tail.value = queued;
    this.#exports.horizon.value = horizon;
    for (const grid of grids) grid.wakeAll(this.#view);
    try {
      do this.#exports.run();
      while (this.#settle(horizon));
    } catch (cause) {
      throw this.#failure(cause);
    }
    for (const grid of grids) {
      const stuck = grid.stuck(this.#view, horizon);
      if (stuck) throw stuck;
    }
    if (horizon < this.#until && this.#latest() >= horizon)
      throw new TandemError(`${this.design.top.path}: still running after ${limit} clocks`, {
        hint: "Raise the limit, or look for a process that polls without end.",
      });
    return this.clocks;
  }

  /** Have the board's DMA answer; false if nobody can go on after that. */
  #settle(horizon: number): boolean {
    if (!this.#pacing) return false;
    const { plan, polling } = this.#compiled;
    let poll = LAST_CLOCK;
    for (const actor of polling) poll = Math.min(poll, this.#i32(plan.frames[actor]! + frame.pollTime));
    const { woken, answered } = this.#pacing.settle(horizon, poll);
    const { tail } = this.#exports;
    for (const actor of woken) {
      this.#view.setInt32(plan.queue + ((tail.value as number) & (plan.queueSlots - 1)) * 4, actor, true);
      tail.value = (tail.value as number) + 1;
    }
    return woken.length > 0 || (answered && polling.length > 0);
  }

  /** Nobody can move any more, whatever the horizon. */
  get quiescent(): boolean {
    if (this.#pacing?.waiting === true) return false;
    return this.#latest() < this.#horizon && !this.#compiled.grids.some((grid) => grid.leaves(this.#view));
  }

  /** Times that an actor was called in the last run: what a run costs beside what it does. */
  get switches(): number {
    return this.#exports.head.value as number;
  }

  /** Clocks passed: up to the last in which anything moved, or up to the horizon if that is where the run stopped. */
  get clocks(): number {
    // Who waits for the board's answer stands in the clocks up to the horizon.
    return this.#pacing?.waiting === true ? this.#until : Math.min(this.#latest(), this.#until);
  }

  get counters(): Counters {
    const { plan, grids } = this.#compiled;
    const { clocks } = this;
    return {
      clocks,
      processes: plan.ir.processes.map((_, actor) => this.#process(actor, clocks)),
      channels: this.design.channels.map((channel) => this.#channel(this.#plan(channel), clocks)),
      memories: plan.memories.map(({ memory, ports }) => ({
        path: memory.path,
        reads: ports.reduce((sum, port) => sum + this.#i32(port.reads), 0),
        writes: ports.reduce((sum, port) => sum + this.#i32(port.writes), 0),
      })),
      grids: grids.map((grid) => grid.counters(this.#view, this.#until)),
    };
  }

  /** Who waits for what, since which clock. */
  get stalled(): { process: string; on: "pop" | "push"; channel: string; since: number }[] {
    return this.#compiled.plan.ir.processes.flatMap(({ node }, actor) => {
      const waits = this.stands(actor);
      const since = this.#i32(this.#compiled.plan.frames[actor]! + frame.time);
      return typeof waits === "string"
        ? []
        : [{ process: node.path, on: waits.on, channel: waits.channel.path, since }];
    });
  }

  /** What process `index` does at the end of the last clock before the horizon. */
  stands(index: number): "busy" | "ended" | { readonly on: "pop" | "push"; readonly channel: Channel } {
    const at = this.#compiled.plan.frames[index]!;
    if (this.#i32(at + frame.resume) === -1) return "ended";
    const code = this.#i32(at + frame.standsAt);
    if (code === 0 || this.#i32(at + frame.resume) <= 0) return "busy";
    return { on: (code - 1) % 2 === 1 ? "push" : "pop", channel: this.design.channels[Math.floor((code - 1) / 2)]! };
  }

  /** The process that pushes into or pops from a channel; undefined if it is none of the design's. */
  userOf(channel: Channel, side: "pop" | "push"): number | undefined {
    const { producer, consumer } = this.#plan(channel);
    const actor = side === "push" ? producer : consumer;
    return actor >= 0 && actor < this.design.processes.length ? actor : undefined;
  }

  /** True while an outer port waits for the board's processor to start its transfer. */
  waitsForStart(port: string, clock: number): boolean {
    return this.#pacing?.starting(port, clock) ?? false;
  }

  /** Tokens in an outer channel. */
  occupancy(channel: Channel): number {
    const { pushed, popped } = this.#plan(channel);
    return this.#i32(pushed) - this.#i32(popped);
  }

  /** The clock after the last in which anything moved. */
  #latest(): number {
    const { plan } = this.#compiled;
    let last = 0;
    for (const at of plan.frames) last = Math.max(last, this.#i32(at + frame.time));
    for (const { pushed, popped, pushTimes, popTimes, slots } of plan.channels.values())
      for (const [count, times] of [
        [pushed, pushTimes],
        [popped, popTimes],
      ] as const)
        last = Math.max(last, this.#i32(times + ((this.#i32(count) - 1) & (slots - 1)) * 4) + 1);
    return last;
  }

  #process(actor: number, clocks: number): ProcessCounters {
    const { plan } = this.#compiled;
    const at = plan.frames[actor]!;
    const time = this.#i32(at + frame.time);
    const ended = this.#i32(at + frame.resume) === -1;
    const stands = ended || this.#i32(at + frame.resume) === 0 ? 0 : this.#i32(at + frame.standsAt);
    const stalls: { channel: string; on: "pop" | "push"; clocks: number }[] = [];
    let passed = 0;
    for (const channel of plan.channels.values())
      for (const on of ["pop", "push"] as const) {
        if ((on === "pop" ? channel.consumer : channel.producer) !== actor) continue;
        const before = this.#i32(on === "pop" ? channel.popStall : channel.pushStall);
        passed += before;
        const now = stands === standsAt(channel, on) ? Math.max(0, clocks - time) : 0;
        if (before + now > 0) stalls.push({ channel: channel.channel.path, on, clocks: before + now });
      }
    // Time passes at a yield or at a wait, and nowhere else.
    const busy = time - passed - (ended || stands !== 0 ? 0 : Math.max(0, time - clocks));
    const stalled = stalls.reduce((sum, stall) => sum + stall.clocks, 0);
    return {
      path: plan.ir.processes[actor]!.node.path,
      busy,
      stalls,
      idle: Math.max(0, clocks - busy - stalled),
      estimated: this.#i32(at + frame.estimated),
    };
  }

  #channel(channel: ChannelPlan, clocks: number): Counters["channels"][number] {
    const pushed = this.#i32(channel.pushed);
    const popped = this.#i32(channel.popped);
    let sum = Number(this.#view.getBigInt64(channel.occupancySum, true));
    for (let i = popped; i < pushed; i++) sum += clocks - this.#i32(channel.pushTimes + (i & (channel.slots - 1)) * 4);
    return {
      path: channel.channel.path,
      pushed,
      popped,
      meanOccupancy: clocks > 0 ? sum / clocks : 0,
      maxOccupancy: Math.max(this.#i32(channel.maxOccupancy), pushed - popped),
    };
  }

  #i32(address: number): number {
    return this.#view.getInt32(address, true);
  }
  #plan(channel: Channel): ChannelPlan {
    return this.#compiled.plan.channels.get(channel)!;
  }

  #outer(port: string, ports: Readonly<Record<string, Channel>>, side: string): Channel {
    const channel = ports[port];
    if (channel) return channel;
    const names = Object.keys(ports);
    throw new TandemError(`${this.design.top.path} has no outer ${side} "${port}"`, {
      hint: names.length > 0 ? `It has ${names.join(", ")}.` : `It has no ${side} at all.`,
    });
  }

  #buffer(channel: Channel, count: number, gaps?: readonly number[]): TokenBuffer & { times: number } {
    const { layout } = this.#plan(channel);
    const { environments, frames, channels } = this.#compiled.plan;
    const environment = environments.get(channel)!;
    const start = this.#take(count * layout.bytes);
    const times = this.#take(count * 4);
    const gapsAt = gaps ? this.#take(count * 4) : 0;
    gaps?.slice(0, count).forEach((gap, i) => this.#view.setInt32(gapsAt + i * 4, gap, true));
    for (const [at, value] of [
      [environment.count, count],
      [environment.done, 0],
      [environment.tokens, start],
      [environment.times, times],
      [environment.gaps, gapsAt],
    ] as const)
      this.#view.setInt32(at, value, true);
    const { producer, consumer } = channels.get(channel)!;
    for (const actor of [producer, consumer])
      if (actor >= this.#compiled.plan.sourceActor(0)) this.#view.setInt32(frames[actor]! + frame.resume, 0, true);
    return { count, layout, bytes: new Uint8Array(this.#memory.buffer), start, times };
  }

  #take(bytes: number): number {
    const at = Math.ceil(this.#top / 16) * 16;
    this.#top = at + bytes;
    // Copies go by 16 bytes, and may reach beyond the last token.
    const missing = this.#top + 16 - this.#memory.buffer.byteLength;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / PAGE));
      this.#view = new DataView(this.#memory.buffer);
    }
    return at;
  }

  /** What stopped the simulation. */
  #failure(cause: unknown): unknown {
    const { plan } = this.#compiled;
    const number = this.#i32(plan.error);
    if (number === 0) return cause;
    return plan.errors[number - 1]!(this.#i32(plan.error + 8), this.#i32(plan.error + 12));
  }
}
