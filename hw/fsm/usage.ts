/**
 * How often the sides of channels have been used in a clock, on the way to a step (language rule 2: beyond the lanes of its
 * clock an operation waits). Kept in one of two ways: as an interval for each side, which forgets what goes together, or,
 * where that does not show that a loop takes a clock, as the set of all combinations of counts.
 */
import type { Channel } from "../channel.js";
import { TandemError } from "../errors.js";
import type { Node } from "./graph.js";
import { where } from "./unroll.js";

/** Operations on one side of a channel so far in this clock. */
export interface Interval {
  readonly min: number;
  readonly max: number;
}
export type Side = "pop" | "push";
export type Usage = ReadonlyMap<Channel, { readonly pop: Interval; readonly push: Interval }>;

const none: Interval = { min: 0, max: 0 };
const idle = { pop: none, push: none };
export const usageOf = (usage: Usage, channel: Channel, side: Side): Interval => usage.get(channel)?.[side] ?? none;

export interface Operation {
  readonly side: Side;
  readonly channels: readonly Channel[];
  /** It goes on where it is not ready. */
  readonly polls: boolean;
}

/** The operation of a step, if it uses a channel. */
export function operationOf(node: Node): Operation | undefined {
  if (node.kind === "pop" || node.kind === "push")
    return { side: node.kind, channels: node.channel.parts, polls: false };
  if (node.kind !== "action") return undefined;
  const { action } = node;
  if (action.kind === "tryPop") return { side: "pop", channels: action.channel.parts, polls: true };
  if (action.kind === "tryPush") return { side: "push", channels: action.channel.parts, polls: true };
  return undefined;
}

/** A way to keep usage. */
export interface Domain<U> {
  /** At the begin of a clock. */
  readonly begin: U;
  /** After the node; undefined where its operation can never be ready, as the lanes are used up on every way here. */
  after(node: Node, before: U): U | undefined;
  join(a: U, b: U): U;
  intervals(usage: U): Usage;
}

/** True where the lanes of every channel that the operation may take are used up on every way here. */
export function isUsedUp(node: Node, usage: Usage): boolean {
  const operation = operationOf(node);
  if (!operation || operation.polls) return false;
  return operation.channels.every((channel) => usageOf(usage, channel, operation.side).min >= channel.lanes);
}

export const INTERVALS: Domain<Usage> = {
  begin: new Map(),
  intervals: (usage) => usage,
  after(node, usage) {
    if (isUsedUp(node, usage)) return undefined;
    const operation = operationOf(node);
    if (!operation) return usage;
    const { side, channels, polls } = operation;
    const after = new Map(usage);
    const certain = channels.length === 1 && !polls;
    for (const channel of channels) {
      const { min, max } = usageOf(usage, channel, side);
      const next = { min: certain ? min + 1 : min, max: Math.min(max + 1, channel.lanes) };
      after.set(channel, { ...(usage.get(channel) ?? idle), [side]: next });
    }
    return after;
  },
  join(a, b) {
    const joined = new Map<Channel, { pop: Interval; push: Interval }>();
    const join = (x: Interval, y: Interval): Interval => ({ min: Math.min(x.min, y.min), max: Math.max(x.max, y.max) });
    for (const channel of new Set([...a.keys(), ...b.keys()])) {
      const x = a.get(channel) ?? idle;
      const y = b.get(channel) ?? idle;
      joined.set(channel, { pop: join(x.pop, y.pop), push: join(x.push, y.push) });
    }
    return joined;
  },
};

/** Counts of one way to a step; what is not there is 0. */
type Counts = ReadonlyMap<Channel, { readonly pop: number; readonly push: number }>;
/** By a text that tells them apart. */
type Ways = ReadonlyMap<string, Counts>;

const mostWays = 1024;
const unused = { pop: 0, push: 0 };

/** Counts never shrink within a clock and no way goes beyond the lanes: a loop without an edge comes to its end. */
export class Combinations implements Domain<Ways> {
  readonly begin: Ways = new Map([["", new Map()]]);
  readonly #ids = new Map<Channel, number>();

  #add(ways: Map<string, Counts>, counts: Counts): void {
    const words = [...counts].map(([channel, { pop, push }]) => `${this.#id(channel)}:${pop}:${push}`);
    ways.set(words.sort().join(" "), counts);
  }

  #id(channel: Channel): number {
    const id = this.#ids.get(channel) ?? this.#ids.size;
    this.#ids.set(channel, id);
    return id;
  }

  after(node: Node, ways: Ways): Ways | undefined {
    const operation = operationOf(node);
    if (!operation) return ways;
    const { side, channels, polls } = operation;
    const after = new Map<string, Counts>();
    for (const counts of ways.values()) {
      if (polls) this.#add(after, counts);
      for (const channel of channels) {
        const before = counts.get(channel) ?? unused;
        if (before[side] >= channel.lanes) continue;
        this.#add(after, new Map(counts).set(channel, { ...before, [side]: before[side] + 1 }));
      }
    }
    if (after.size > mostWays)
      throw new TandemError(`${where(node.at)}: too many combinations of channels are used in one clock`, {
        hint: "Put a yield between the operations, or in the loop around them.",
      });
    return after.size === 0 ? undefined : after;
  }

  join(a: Ways, b: Ways): Ways {
    return new Map([...a, ...b]);
  }

  intervals(ways: Ways): Usage {
    const all = [...ways.values()];
    const channels = new Set(all.flatMap((counts) => [...counts.keys()]));
    const interval = (channel: Channel, side: Side): Interval => {
      const list = all.map((counts) => (counts.get(channel) ?? unused)[side]);
      return { min: Math.min(...list), max: Math.max(...list) };
    };
    return new Map(
      [...channels].map((channel) => [channel, { pop: interval(channel, "pop"), push: interval(channel, "push") }]),
    );
  }
}
