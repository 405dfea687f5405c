/**
 * What a run did over time, on the fast engine. The timeline's bins are exact: the engine is stopped at the end of each, and
 * the counters there are the kernel's. Why the arithmetic stood still is looked at in a sample of clocks: the engine is
 * stopped there too, and the chain of who waits for whom is followed to its root, as sim/profile/causes.ts does in
 * every clock. So the clocks of each stall are exact, and how they are split by root is estimated.
 */
import type { Channel } from "../../hw/channel.js";
import type { ProcessNode } from "../../hw/process.js";
import { mulberry32 } from "../environment.js";
import type { Counters } from "../kernel/counters.js";
import type { PacedStream } from "../platform/arbiter.js";
import { computing, type Cause, type ProcessCauses } from "../profile/causes.js";
import { binClocksOf, type Timeline } from "../profile/timeline.js";
import type { ImageEngine } from "./image-engine.js";

/** Clocks of each bin that are looked at. */
const SAMPLES = 16;

interface Watched {
  readonly node: ProcessNode;
  readonly index: number;
  /** By what it stalls on: samples by root. */
  readonly roots: Map<string, Map<string, number>>;
}

const keyOf = (channel: string, on: "pop" | "push"): string => `${on} ${channel}`;

/** Runs the engine, made ready as for the run of `clocks` clocks before, once more and records it. */
export function record(engine: ImageEngine, clocks: number, streams: readonly PacedStream[]): Timeline {
  const binClocks = binClocksOf(clocks);
  const bins = Math.ceil(clocks / binClocks);
  const { design } = engine;
  const random = mulberry32(clocks);
  const watched = computing(design).map((node): Watched => {
    return { node, index: design.processes.indexOf(node), roots: new Map() };
  });
  const snapshots: Counters[] = [];
  let samples = 0;
  for (let bin = 0; bin < bins; bin++) {
    const start = bin * binClocks;
    const end = Math.min(clocks, start + binClocks);
    if (watched.length > 0) {
      const step = (end - start) / SAMPLES;
      const at = Array.from({ length: SAMPLES }, (_, i) => Math.floor(start + (i + random()) * step) + 1);
      for (const clock of new Set(at)) {
        if (clock >= end) continue;
        engine.run({ until: clock });
        samples++;
        for (const each of watched) look(engine, each, streams, clock - 1);
      }
    }
    engine.run({ until: end });
    snapshots.push(engine.counters);
  }
  return {
    causes: watched.map((each) => causesOf(each, snapshots.at(-1)!)),
    samples,
    binClocks,
    bins,
    ...seriesOf(engine, snapshots, binClocks),
  };
}

function seriesOf(
  { design }: ImageEngine,
  snapshots: readonly Counters[],
  binClocks: number,
): Pick<Timeline, "processes" | "channels"> {
  const differences = (value: (counters: Counters) => number): number[] =>
    snapshots.map((counters, bin) => value(counters) - (bin > 0 ? value(snapshots[bin - 1]!) : 0));
  const last = snapshots.at(-1);
  const processes = design.processes.map(({ path }, i) => ({
    path,
    busy: differences(({ processes: all }) => all[i]!.busy),
    stalls: (last?.processes[i]!.stalls ?? []).map(({ channel, on }) => ({
      channel,
      on,
      clocks: differences(
        ({ processes: all }) =>
          all[i]!.stalls.find((stall) => stall.channel === channel && stall.on === on)?.clocks ?? 0,
      ),
    })),
  }));
  const channels = design.channels.map(({ path, depth }, i) => ({
    path,
    depth,
    held: differences((counters) => counters.channels[i]!.meanOccupancy * counters.clocks).map(
      (sum, bin) => sum / Math.min(binClocks, snapshots[bin]!.clocks - bin * binClocks),
    ),
  }));
  return { processes, channels };
}

/** Where a watched process stalls at the end of a clock, note the root of its chain. */
function look(engine: ImageEngine, { index, roots }: Watched, streams: readonly PacedStream[], clock: number): void {
  const start = engine.stands(index);
  if (start === "busy" || start === "ended") return;
  const key = keyOf(start.channel.path, start.on);
  const found = roots.get(key) ?? new Map<string, number>();
  roots.set(key, found);
  const root = rootOf(engine, start, streams, clock);
  found.set(root, (found.get(root) ?? 0) + 1);
}

function rootOf(
  engine: ImageEngine,
  start: { readonly channel: Channel; readonly on: "pop" | "push" },
  streams: readonly PacedStream[],
  clock: number,
): string {
  const { processes } = engine.design;
  let blocked = start;
  for (let steps = 0; steps <= processes.length; steps++) {
    const { channel, on } = blocked;
    const other = engine.userOf(channel, on === "pop" ? "push" : "pop");
    if (other === undefined) return edgeOf(engine, channel, streams, clock);
    const next = engine.stands(other);
    if (next === "ended") return "end:";
    if (next === "busy") return `process:${processes[other]!.path}`;
    blocked = next;
  }
  return "end:";
}

/** At the edge of the design, or at a grid, which is no process. */
function edgeOf(engine: ImageEngine, channel: Channel, streams: readonly PacedStream[], clock: number): string {
  const { inputs, outputs } = engine.design;
  const named = (ports: Readonly<Record<string, Channel>>): string | undefined =>
    Object.keys(ports).find((name) => ports[name] === channel);
  const incoming = named(inputs);
  const name = incoming ?? named(outputs);
  if (name === undefined) return `process:${channel.path}`;
  const beats = streams.find((stream) => stream.name === name)?.transfers.reduce((sum, each) => sum + each.beats, 0);
  if (incoming !== undefined && engine.sent(name) >= (beats ?? 0)) return "end:";
  return engine.waitsForStart(name, clock) ? `setup:${name}` : `stream:${name}`;
}

/** The clocks of a process by root; they add up to the run's. */
function causesOf({ node, roots }: Watched, { clocks, processes }: Counters): ProcessCauses {
  const { busy, stalls } = processes.find(({ path }) => path === node.path)!;
  const byRoot = new Map<string, number>();
  const add = (root: string, count: number): void => {
    if (count > 0) byRoot.set(root, (byRoot.get(root) ?? 0) + count);
  };
  add("busy:", busy);
  let left = clocks - busy;
  for (const { channel, on, clocks: stalled } of stalls) {
    left -= stalled;
    // A stall that no sample fell into is short: what it stands at is all that is known.
    const found = roots.get(keyOf(channel, on)) ?? new Map([[`process:${channel}`, 1]]);
    const total = [...found.values()].reduce((sum, count) => sum + count, 0);
    let before = 0;
    let given = 0;
    for (const [root, count] of found) {
      before += count;
      const until = Math.round((before * stalled) / total);
      add(root, until - given);
      given = until;
    }
  }
  add("end:", left);
  const causes = [...byRoot].map(([key, count]): Cause => {
    const colon = key.indexOf(":");
    return { root: key.slice(0, colon) as Cause["root"], name: key.slice(colon + 1), clocks: count };
  });
  return { process: node.path, causes };
}
