/**
 * The fast engine: runs a compiled design (see docs/engines.md). Data, clocks, stalls and counters are those of the
 * kernel (sim/kernel), which stays the reference; there are no waveforms here, only results.
 */
import { TandemError } from "../../hw/errors.js";
import type { Channel } from "../../hw/channel.js";
import type { Elaborated } from "../../hw/elaborate.js";
import type { Counters } from "../kernel/counters.js";
import { counterNames, type CounterNames } from "../kernel/packed-counters.js";
import { countersIn } from "./counts.js";
import { GridView } from "./grid-view.js";
import type { ChannelImage, EngineImage } from "./image.js";
import type { PacedStream } from "../platform/arbiter.js";
import { tracesIn, type Traces } from "../platform/packed-traces.js";
import type { BoardValues } from "../platform/platform.js";
import { columnBytes, layoutOf, readLeaves, writeLeaves, type Layout } from "./layout.js";
import { arbiterBytes, paceBytes, Pacing, type PacingCode } from "./pacing.js";
import { frame } from "./frame.js";
import { placePristine, pristineBytes, type Pristine } from "./pristine.js";
import type { Environment } from "./plan.js";

/** The tokens of an outer port in the memory of the engine, in columns: one array for each leaf of the channel's type. */
export interface TokenBuffer {
  readonly count: number;
  readonly layout: Layout;
  /** The whole memory, and where each column starts; leaf j of token i stands at `starts[j] + i * columnBytes(layout.leaves[j])`. */
  readonly bytes: Uint8Array;
  readonly starts: readonly number[];
}

/** Tokens of a buffer that are pushed one after the other: so many, from number `from` on. */
export interface Piece {
  readonly from: number;
  readonly tokens: number;
}

/** Tokens that are pushed one after the other, and the address of the first of them in each column; two pieces may be the same tokens. */
export interface PlacedPiece {
  readonly tokens: number;
  readonly starts: readonly number[];
}

/** What an outer port needs memory for: the tokens of its buffer, and how many move. */
export interface Room {
  readonly held: number;
  readonly moved: number;
}

export interface FastRunOptions {
  /** Stop before this clock, whatever still moves. */
  readonly until?: number;
  /** Refuse to run longer. */
  readonly limit?: number;
}

interface Outer {
  readonly layout: Layout;
  readonly environment: Environment;
  readonly actors: readonly number[];
}

interface Exports extends PacingCode {
  readonly run: () => void;
  /** Of run-code.ts. */
  readonly restore: (start: number, end: number) => void;
  readonly begin: (horizon: number) => void;
  readonly latest: () => number;
  readonly counts: (clocks: number) => number;
  readonly head: WebAssembly.Global;
}

const PAGE = 65536;
/** The system's pages, or some part of them. */
const TOUCH = 4096;
/** Addresses of what is taken are multiples of this. */
const ALIGNED = 16;
/** Clocks are 32-bit numbers here. */
const LAST_CLOCK = 2 ** 31 - 2 ** 20;

/** A run stopped with an error whose text the image does not hold: it was kept without. Compile the design, and run again. */
export class UnknownFailure extends Error {}

/** Bytes of the clocks of so many tokens: series of them are stored four at once. */
const timesBytes = (tokens: number): number => tokens * 4 + 12;

const leafAddresses = ({ layout, starts }: TokenBuffer, token: number): number[] =>
  layout.leaves.map((leaf, i) => starts[i]! + token * columnBytes(leaf));

export class ImageEngine {
  readonly design: Elaborated;
  /** The paths of what is counted. */
  readonly names: CounterNames;
  readonly #compiled: EngineImage;
  readonly #channels: ReadonlyMap<Channel, ChannelImage>;
  readonly #environments: ReadonlyMap<Channel, Environment>;
  readonly #outers = new Map<Channel, Outer>();
  readonly #grids: readonly GridView[];
  readonly #memory: WebAssembly.Memory;
  readonly #exports: Exports;
  readonly #pristine: Pristine;
  #view: DataView<ArrayBuffer>;
  /** The same memory, for what is aligned. */
  #words: Int32Array;
  /** End of what is in use: buffers of tokens are taken from here. */
  #top: number;
  /** Memory up to there has been written to. */
  #touched = 0;
  #until = Infinity;
  #horizon = Infinity;
  readonly #received = new Map<string, { starts: readonly number[]; times: number }>();
  #pacing: Pacing | undefined;

  /** `module` is the image's, compiled already. */
  constructor(design: Elaborated, image: EngineImage, module = new WebAssembly.Module(image.wasm)) {
    this.design = design;
    this.#compiled = image;
    this.#channels = new Map(design.channels.map((channel, i) => [channel, image.channels[i]!]));
    this.#environments = new Map(
      [...Object.entries(design.inputs), ...Object.entries(design.outputs)].map(([name, channel]) => [
        channel,
        image.environments[name]!,
      ]),
    );
    this.#grids = image.grids.map((grid) => new GridView(grid));
    const start = image.initial.length;
    this.#memory = new WebAssembly.Memory({ initial: image.pages + Math.ceil(pristineBytes(image) / PAGE) });
    this.#pristine = placePristine(this.#memory.buffer, image, start);
    this.#top = this.#pristine.top;
    this.#exports = new WebAssembly.Instance(module, { env: { memory: this.#memory } }).exports as unknown as Exports;
    this.names = counterNames(design);
    this.#view = new DataView(this.#memory.buffer);
    this.#words = new Int32Array(this.#memory.buffer);
  }

  /**
   * Memory for the buffers of outer ports, by name, for so many bytes beside, and for the tables of a board's DMA, before they are asked for. It is written to: a system
   * gives memory when it is first touched, which takes as long as a copy of it several times over.
   */
  reserve(
    rooms: Readonly<Record<string, Room>>,
    beside: number,
    streams: readonly PacedStream[] = [],
    board?: BoardValues,
  ): void {
    const ports = { ...this.design.inputs, ...this.design.outputs };
    const buffers = Object.entries(rooms).reduce((sum, [port, { held, moved }]) => {
      const columns = layoutOf(ports[port]!.type).leaves.reduce((total, leaf) => total + columnBytes(leaf), 0);
      return sum + held * columns + moved * 4 + PAGE / 16;
    }, this.#pristine.top + beside);
    const tables = board
      ? streams.reduce((sum, stream) => sum + paceBytes(stream, board) + 16, arbiterBytes(streams, board) + 16)
      : 0;
    this.#grow(buffers + tables);
    const bytes = new Uint8Array(this.#memory.buffer);
    // Most of what the design has at reset is zeros that nobody has written yet. To read them first would be one more fault for each page.
    for (; this.#touched < bytes.length; this.#touched += TOUCH) Atomics.compareExchange(bytes, this.#touched, 0, 0);
  }

  /** Everything as after elaboration; buffers of tokens are dropped. */
  reset(): void {
    const { start, end, top } = this.#pristine;
    this.#exports.restore(start, end);
    this.#top = top;
    this.#until = Infinity;
    this.#received.clear();
    this.#pacing = undefined;
  }

  /**
   * Move the tokens of these outer ports at the pace of a board's DMA, in transfers of beats. After `input` and `output` have
   * made room for all of them, and before the first run.
   */
  pace(streams: readonly PacedStream[], board: BoardValues): void {
    const records = streams.map((stream) => this.#take(paceBytes(stream, board)));
    const place = this.#take(arbiterBytes(streams, board));
    const ports = streams.map((stream, i) => {
      const input = stream.direction === "in";
      const channel = this.#outer(stream.name, input ? this.design.inputs : this.design.outputs, stream.direction);
      const { done, pace, count, times: timesAt } = this.#compiled.environments[stream.name]!;
      const { producer, consumer } = this.#plan(channel);
      const actor = input ? producer : consumer;
      const record = records[i]!;
      if (input) {
        const at = this.#take(timesBytes(this.#i32(count)));
        this.#view.setInt32(timesAt, at, true);
      }
      this.#view.setInt32(pace, record, true);
      const times = this.#i32(timesAt);
      return { stream, record, done, times, actor, question: this.#compiled.frames[actor]! + frame.pollTime };
    });
    const { woken, board: at } = this.#compiled;
    this.#view.setInt32(at, place, true);
    this.#pacing = new Pacing(ports, board, this.#exports, this.#memory, { woken, place });
  }

  /** What the transfers did, after a run at a board's pace. */
  get transfers(): Traces | undefined {
    return this.#pacing && tracesIn(this.#pacing.streams, this.#pacing.traces);
  }

  /** The whole memory, until more is taken or asked for. */
  get memory(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer);
  }

  /** The address of so many bytes, which are whose who takes them until the next reset. */
  take(bytes: number): number {
    return this.#take(bytes);
  }

  /** The address of so many bytes that are the first to be taken behind the next reset. What is put there before stays there, unless there is a run. */
  atReset(bytes: number): number {
    const at = Math.ceil(this.#pristine.top / ALIGNED) * ALIGNED;
    this.#grow(at + bytes);
    return at;
  }

  /** Push tokens that stand in memory that was taken into an outer input, each after as many clocks as its gap says. */
  source(port: string, pieces: readonly PlacedPiece[], gaps?: readonly number[]): void {
    this.#source(this.#outer(port, this.design.inputs, "input"), pieces, gaps);
  }

  /**
   * Room for `count` tokens that will be pushed into an outer input, each after as many clocks as its gap says; or for what is pushed piece by
   * piece, where some tokens go more than once.
   */
  input(port: string, count: number, gaps?: readonly number[], pieces?: readonly Piece[]): TokenBuffer {
    const channel = this.#outer(port, this.design.inputs, "input");
    const { layout } = this.#outerOf(channel);
    const starts = this.#columns(channel, count);
    const placed = (pieces ?? [{ from: 0, tokens: count }]).map(({ from, tokens }) => ({
      tokens,
      starts: layout.leaves.map((leaf, i) => starts[i]! + from * columnBytes(leaf)),
    }));
    this.#source(channel, placed, gaps);
    return { count, layout, bytes: this.memory, starts };
  }

  /** Take up to `count` tokens from an outer output; the gap is waited before each. */
  output(port: string, count: number, gaps?: readonly number[]): void {
    const channel = this.#outer(port, this.design.outputs, "output");
    const { environment } = this.#outerOf(channel);
    const starts = this.#columns(channel, count);
    const times = this.#take(timesBytes(count));
    this.#begin(channel, count, gaps);
    environment.tokens.forEach((at, i) => {
      this.#words[at >> 2] = starts[i]!;
    });
    this.#words[environment.times >> 2] = times;
    this.#received.set(port, { starts, times });
  }

  /** The tokens that have left an outer output, as they lie in memory. Valid until the next `input`, `output` or `reset`. */
  received(port: string): TokenBuffer {
    const channel = this.#outer(port, this.design.outputs, "output");
    const count = this.#i32(this.#compiled.environments[port]!.done);
    const layout = layoutOf(channel.type);
    const starts = this.#received.get(port)?.starts ?? [];
    return { count, layout, bytes: this.memory, starts };
  }

  /** Tokens of an outer input that were pushed. */
  sent(port: string): number {
    this.#outer(port, this.design.inputs, "input");
    return this.#i32(this.#compiled.environments[port]!.done);
  }

  /** Push these values, or pieces of them, into an outer input. */
  send(port: string, values: readonly unknown[], gaps?: readonly number[], pieces?: readonly Piece[]): void {
    const buffer = this.input(port, values.length, gaps, pieces);
    values.forEach((value, i) => writeLeaves(this.#view, leafAddresses(buffer, i), buffer.layout, value));
  }

  /** The values that have left an outer output, and the clock of each. */
  values(port: string): { value: unknown; clock: number }[] {
    const buffer = this.received(port);
    const times = this.#received.get(port)?.times ?? 0;
    return Array.from({ length: buffer.count }, (_, i) => ({
      value: readLeaves(this.#view, leafAddresses(buffer, i), buffer.layout),
      clock: this.#i32(times + i * 4),
    }));
  }

  /** Run to quiescence, or to a horizon; returns the clocks passed since reset. */
  run(options: FastRunOptions = {}): number {
    const limit = Math.min(options.limit ?? LAST_CLOCK, LAST_CLOCK);
    this.#until = options.until ?? Infinity;
    const horizon = Math.min(this.#until, limit);
    this.#horizon = horizon;
    this.#exports.begin(horizon);
    for (const grid of this.#grids) grid.wakeAll(this.#view);
    this.#pacing?.limit(horizon);
    try {
      do this.#exports.run();
      while (this.#settle(horizon));
    } catch (cause) {
      throw this.#failure(cause);
    }
    for (const grid of this.#grids) {
      const stuck = grid.stuck(this.#view, horizon);
      if (stuck) throw stuck;
    }
    if (horizon < this.#until && this.#exports.latest() >= horizon)
      throw new TandemError(`${this.design.top.path}: still running after ${limit} clocks`, {
        hint: "Raise the limit, or look for a process that polls without end.",
      });
    return this.clocks;
  }

  /** Have the board's DMA answer; false if nobody can go on after that. */
  #settle(horizon: number): boolean {
    if (!this.#pacing) return false;
    const { frames, polling } = this.#compiled;
    let poll: number | undefined;
    for (const actor of polling) poll = Math.min(poll ?? LAST_CLOCK, this.#i32(frames[actor]! + frame.pollTime));
    return this.#pacing.settle(horizon, poll);
  }

  /** Nobody can move any more, whatever the horizon. */
  get quiescent(): boolean {
    if (this.#pacing?.waiting === true) return false;
    return this.#exports.latest() < this.#horizon && !this.#grids.some((grid) => grid.leaves(this.#view));
  }

  /** Rounds that processes did in step since reset (see docs/engines.md). */
  get rounds(): number {
    return this.#compiled.rounds.reduce((sum, { rounds }) => sum + this.#i32(rounds), 0);
  }
  /** How many of them were done in leaps. */
  get leapt(): number {
    return this.#compiled.rounds.reduce((sum, { leapt }) => sum + this.#i32(leapt), 0);
  }

  /** How many of these were done many at once. */
  get ranged(): number {
    return this.#compiled.rounds.reduce((sum, { ranged }) => sum + this.#i32(ranged), 0);
  }
  /** Of the rounds in leaps, those with the waits of an earlier run of rounds. */
  get repeated(): number {
    return this.#compiled.rounds.reduce((sum, { repeated }) => sum + this.#i32(repeated), 0);
  }

  /** Bursts of a board's DMA that needed nobody but its arbiter. */
  get flowed(): number {
    return this.#pacing?.flowed ?? 0;
  }

  /** Times that an actor was called in the last run: what a run costs beside what it does. */
  get switches(): number {
    return this.#exports.head.value as number;
  }

  /** Clocks passed: up to the last in which anything moved, or up to the horizon if that is where the run stopped. */
  get clocks(): number {
    // Who waits for the board's answer stands in the clocks up to the horizon.
    return this.#pacing?.waiting === true ? this.#until : Math.min(this.#exports.latest(), this.#until);
  }

  /** Of the run that is over; they stay what they are. */
  get counters(): Counters {
    const { clocks } = this;
    const [start, end] = [this.#compiled.packed, this.#exports.counts(clocks)];
    return countersIn(this.#view, { start, end, until: this.#until }, this.#grids, this.names);
  }

  /** Who waits for what, since which clock. */
  get stalled(): { process: string; on: "pop" | "push"; channel: string; since: number }[] {
    return this.design.processes.flatMap(({ path: process }, actor) => {
      const waits = this.stands(actor);
      const since = this.#i32(this.#compiled.frames[actor]! + frame.time);
      return typeof waits === "string" ? [] : [{ process, on: waits.on, channel: waits.channel.path, since }];
    });
  }

  /** What process `index` does at the end of the last clock before the horizon. */
  stands(index: number): "busy" | "ended" | { readonly on: "pop" | "push"; readonly channel: Channel } {
    const at = this.#compiled.frames[index]!;
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

  #i32(address: number): number {
    return this.#words[address >> 2]!;
  }
  #plan(channel: Channel): ChannelImage {
    return this.#channels.get(channel)!;
  }

  #outer(port: string, ports: Readonly<Record<string, Channel>>, side: string): Channel {
    const channel = ports[port];
    if (channel) return channel;
    const names = Object.keys(ports);
    throw new TandemError(`${this.design.top.path} has no outer ${side} "${port}"`, {
      hint: names.length > 0 ? `It has ${names.join(", ")}.` : `It has no ${side} at all.`,
    });
  }

  /** Addresses of the columns of so many tokens. */
  #columns(channel: Channel, count: number): number[] {
    return this.#outerOf(channel).layout.leaves.map((leaf) => this.#take(count * columnBytes(leaf)));
  }

  /** An outer port stands in front of the first of so many tokens. */
  #begin(channel: Channel, moved: number, gaps?: readonly number[]): void {
    const { environment, actors } = this.#outerOf(channel);
    const gapsAt = gaps ? this.#take(moved * 4) : 0;
    const words = this.#words;
    gaps?.slice(0, moved).forEach((gap, i) => {
      words[(gapsAt >> 2) + i] = gap;
    });
    words[environment.count >> 2] = moved;
    words[environment.done >> 2] = 0;
    words[environment.times >> 2] = 0;
    words[environment.gaps >> 2] = gapsAt;
    for (const actor of actors) words[(this.#compiled.frames[actor]! + frame.resume) >> 2] = 0;
  }

  /** A source of these pieces, with a table of them. */
  #source(channel: Channel, pieces: readonly PlacedPiece[], gaps?: readonly number[]): void {
    const { environment, layout } = this.#outerOf(channel);
    const row = 1 + layout.leaves.length;
    const table = this.#take(pieces.length * row * 4);
    this.#begin(
      channel,
      pieces.reduce((sum, { tokens }) => sum + tokens, 0),
      gaps,
    );
    const words = this.#words;
    let [at, end] = [table >> 2, 0];
    for (const { tokens, starts } of pieces) {
      if (tokens === 0) continue;
      layout.leaves.forEach((leaf, i) => {
        // Where the column would have the port's token 0.
        words[at + 1 + i] = starts[i]! - end * columnBytes(leaf);
      });
      end += tokens;
      words[at] = end;
      at += row;
    }
    words[environment.end >> 2] = 0;
    words[environment.piece >> 2] = table;
  }

  /** An outer channel: how its tokens lie, where its environment's frame is, and the actors that are its environment. */
  #outerOf(channel: Channel): Outer {
    const known = this.#outers.get(channel);
    if (known) return known;
    const { producer, consumer } = this.#plan(channel);
    const first = this.design.processes.length + this.#grids.length;
    const outer = {
      layout: layoutOf(channel.type),
      environment: this.#environments.get(channel)!,
      actors: [producer, consumer].filter((actor) => actor >= first),
    };
    this.#outers.set(channel, outer);
    return outer;
  }

  #take(bytes: number): number {
    const at = Math.ceil(this.#top / ALIGNED) * ALIGNED;
    this.#top = at + bytes;
    this.#grow(this.#top);
    return at;
  }

  #grow(end: number): void {
    // Copies go by 16 bytes, and may reach beyond the last token.
    const missing = end + 16 - this.#memory.buffer.byteLength;
    if (missing <= 0) return;
    this.#memory.grow(Math.ceil(missing / PAGE));
    this.#view = new DataView(this.#memory.buffer);
    this.#words = new Int32Array(this.#memory.buffer);
  }

  /** What stopped the simulation. */
  #failure(cause: unknown): unknown {
    const { error, errors } = this.#compiled;
    const number = this.#i32(error);
    if (number === 0) return cause;
    if (!errors) return new UnknownFailure(`error ${number}`);
    return errors[number - 1]!(this.#i32(error + 8), this.#i32(error + 12));
  }
}
