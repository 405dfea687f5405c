/** A random outside for a network, and its run in both engines. */
import { clocks } from "../../../hw/process.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { stallTable, type Counters } from "../../../sim/kernel/counters.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { type Case } from "./network.js";
import { Random } from "./random.js";
import { inTwo, sendInPieces } from "./pieces.js";

export interface Outcome {
  readonly received: readonly unknown[];
  readonly clocks: number;
  readonly stalls: Readonly<Record<string, number>>;
  readonly counters: Counters;
}

/** What the outside does: tokens for each input, with gaps; gaps before each pop. */
export interface Outside {
  readonly inputs: Readonly<Record<string, readonly unknown[]>>;
  readonly gaps: readonly number[];
  readonly until: number | undefined;
}

const CAPACITY = 400;

export function outside(seed: number, { ir }: Case): Outside {
  const random = new Random(seed ^ 0x5eed);
  const value = (type: { kind: string; zero(): unknown; of?: unknown; length?: number; bits: number }): unknown => {
    const t = type as never as { kind: string; (x: unknown): unknown };
    if (type.kind === "int") return t(random.below(2 ** 31));
    if (type.kind === "bool") return random.chance(0.5);
    if (type.kind === "vec") return Array.from({ length: type.length! }, () => value(type.of as never));
    const { fields } = type as unknown as { fields: Record<string, never> };
    return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, value(field)]));
  };
  const inputs = Object.fromEntries(
    Object.entries(ir.design.inputs).map(([name, { type }]) => [
      name,
      Array.from({ length: random.below(80) }, () => value(type as never)),
    ]),
  );
  const slow = random.pick([1, 1, 4]);
  const gaps = Array.from({ length: CAPACITY }, () => random.below(slow));
  return { inputs, gaps, until: random.chance(0.8) ? 50 + random.below(300) : undefined };
}

export function inKernel({ top }: Case, { inputs, gaps, until }: Outside): Outcome {
  const kernel = new Kernel(top);
  for (const [name, values] of Object.entries(inputs)) {
    const channel = kernel.design.inputs[name]!;
    kernel.spawn(function* source() {
      for (const [i, value] of values.entries()) {
        yield* clocks(gaps[i]!);
        yield* channel.push(value);
      }
    });
  }
  const received: unknown[] = [];
  for (const channel of Object.values(kernel.design.outputs))
    kernel.spawn(function* sink() {
      for (const gap of gaps) {
        yield* clocks(gap);
        const value: unknown = yield* channel.pop();
        received.push([kernel.now, channel.type.copy(value)]);
      }
    });
  kernel.run({ until: until ?? 5000 });
  const { counters } = kernel;
  return { received, clocks: counters.clocks, stalls: stallTable(counters), counters };
}

export function inFast({ ir }: Case, { inputs, gaps, until }: Outside, split: boolean): Outcome {
  const engine = new FastEngine(ir);
  for (const [name, values] of Object.entries(inputs)) sendInPieces(engine, name, values, inTwo(values), gaps);
  for (const name of Object.keys(ir.design.outputs)) engine.output(name, CAPACITY, gaps);
  const end = until ?? 5000;
  if (split) engine.run({ until: Math.floor(end / 3) });
  engine.run({ until: end });
  const { counters } = engine;
  const received = Object.keys(ir.design.outputs).flatMap((name) =>
    engine.values(name).map(({ value, clock }) => [clock, value]),
  );
  return { received, clocks: counters.clocks, stalls: stallTable(counters), counters };
}

/** Without the order of the stalls, which is that of their first occurrence in the kernel. */
export const comparable = ({ received, clocks: n, stalls, counters }: Outcome): unknown => ({
  received,
  clocks: n,
  stalls,
  processes: counters.processes.map(({ path, busy, idle, estimated }) => ({ path, busy, idle, estimated })),
  channels: counters.channels,
  memories: counters.memories,
  grids: counters.grids,
});
