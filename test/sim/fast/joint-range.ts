/** A random outside for the designs of in-joint-range.ts, and their runs under both engines. */
import { clocks } from "../../../hw/index.js";
import type { FastEngine } from "../../../sim/fast/engine.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { randomRangesJobs, type InRanges, type RangesJob, type RangesOptions } from "./in-joint-range.js";
import type { Random } from "./random.js";
import { comparable } from "./comparable.js";

const ENOUGH = 400;

export interface RangesSetting {
  readonly jobs: readonly RangesJob[];
  /** Clocks before each token is taken. */
  readonly slow: readonly number[];
  readonly horizons: readonly (number | undefined)[];
}

export function rangesSetting(random: Random, options: RangesOptions): RangesSetting {
  const most = random.pick([0, 0, 3, 30]);
  const slow = Array.from({ length: ENOUGH }, () => (random.chance(0.2) ? random.below(most + 1) : 0));
  const horizons: (number | undefined)[] = [];
  for (let t = 0; random.chance(0.5) && horizons.length < 4;) horizons.push((t += 1 + random.below(600)));
  return { jobs: randomRangesJobs(random, options), slow, horizons: [...horizons, undefined] };
}

export function rangesInKernel(top: InRanges, { jobs, slow, horizons }: RangesSetting): unknown[] {
  const kernel = new Kernel(top);
  const { inputs, outputs } = kernel.design;
  kernel.spawn(function* source() {
    for (const job of jobs) yield* inputs["jobs"]!.push(job);
  });
  const seen: Record<string, unknown[]> = {};
  for (const [port, channel] of Object.entries(outputs)) {
    const values: unknown[] = (seen[port] = []);
    kernel.spawn(function* sink() {
      for (const gap of slow) {
        yield* clocks(gap);
        const value: unknown = yield* channel.pop();
        values.push({ value: channel.type.copy(value), clock: kernel.now });
      }
    });
  }
  return horizons.map((until) => {
    kernel.run(until === undefined ? {} : { until });
    const values = Object.fromEntries(Object.entries(seen).map(([port, list]) => [port, [...list]]));
    return { values, counters: comparable(kernel.counters) };
  });
}

export function rangesInFast(engine: FastEngine, { jobs, slow, horizons }: RangesSetting): unknown[] {
  const ports = Object.keys(engine.design.outputs);
  engine.send("jobs", jobs);
  for (const port of ports) engine.output(port, ENOUGH, slow);
  return horizons.map((until) => {
    engine.run(until === undefined ? {} : { until });
    const values = Object.fromEntries(ports.map((port) => [port, engine.values(port)]));
    return { values, counters: comparable(engine.counters) };
  });
}
