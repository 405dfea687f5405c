/**
 * A compiled design as an engine needs it: the module's bytes, the memory as after reset, and the addresses that are read from
 * outside. Plain data: it can be kept in a file (cache.ts) and run without reading the design's source again.
 */
import type { TandemError } from "../../hw/errors.js";
import type { Compiled } from "./compile.js";
import type { GridImage } from "./grid-view.js";
import type { ChannelPlan, Environment } from "./plan.js";

/** Of a channel, in the order of the design's. */
export type ChannelImage = Omit<ChannelPlan, "channel" | "layout">;

export interface EngineImage {
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly pages: number;
  /** The memory that is in use, as after reset. */
  readonly initial: Uint8Array;
  /** Long runs of one byte in it: start, end, and the byte; -1 for bytes that may be anything. */
  readonly fills: readonly (readonly [number, number, number])[];
  /** Addresses of the actors' frames: processes, grids, sources, sinks. */
  readonly frames: readonly number[];
  readonly woken: number;
  readonly board: number;
  readonly error: number;
  /** Where a run's counters are packed (run-code.ts). */
  readonly packed: number;
  /** Processes that poll. */
  readonly polling: readonly number[];
  /** Addresses of the counts of rounds (rounds-code.ts), and of how many of them were done in leaps. */
  readonly rounds: readonly {
    readonly rounds: number;
    readonly leapt: number;
    readonly ranged: number;
    readonly repeated: number;
  }[];
  readonly channels: readonly ChannelImage[];
  /** Per outer port by name: inputs, then outputs. */
  readonly environments: Readonly<Record<string, Environment>>;
  readonly grids: readonly GridImage[];
  /** What stops a run, by number from 1; absent in an image that was kept. */
  readonly errors?: readonly ((clock: number, value: number) => TandemError)[];
}

export function imageOf({ plan, packed, grids, polling, rounds, bytes, pages }: Compiled): EngineImage {
  const { design } = plan.ir;
  const initial = new Uint8Array(Math.ceil(plan.heap.used / 16) * 16);
  plan.writeInitial(new DataView(initial.buffer));
  const ports = Object.entries({ ...design.inputs, ...design.outputs });
  return {
    wasm: bytes,
    pages,
    initial,
    fills: fillsOf(initial, [...plan.words.filter(([start, end]) => end - start >= LONG), ...plan.extended.places]),
    frames: plan.frames,
    woken: plan.woken,
    board: plan.board,
    error: plan.error,
    packed,
    polling,
    rounds,
    channels: design.channels.map((each): ChannelImage => {
      const { channel: _channel, layout: _layout, ...numbers } = plan.channels.get(each)!;
      return numbers;
    }),
    environments: Object.fromEntries(ports.map(([name, channel]) => [name, plan.environments.get(channel)!])),
    grids: grids.map(({ image }) => image),
    errors: plan.errors,
  };
}

/** Bytes from which a run is worth a fill of its own. */
const LONG = 4096;

/** The runs in `bytes`, in their order; `any`: parts of it, in their order, that may be anything. */
export function fillsOf(
  bytes: Uint8Array,
  any: readonly (readonly [start: number, end: number])[] = [],
): [number, number, number][] {
  const fills: [number, number, number][] = [];
  let at = 0;
  for (const [from, to] of [...any, [bytes.length, bytes.length] as const]) {
    for (let start = at, end; start < from; start = end) {
      const byte = bytes[start]!;
      for (end = start + 1; end < from && bytes[end] === byte;) end++;
      if (end - start >= LONG) fills.push([start, end, byte]);
    }
    if (to > from) fills.push([from, to, -1]);
    at = to;
  }
  return fills;
}
