/** Runs an example of the language in the kernel, with random tokens and random stalls at its outer ports. */
import { elaborate, type Module } from "../../../hw/index.js";
import type { Type } from "../../../hw/types.js";
import type { AnyType } from "../../../hw/frontend/types.js";
import { mulberry32, sink, source, stallsOf } from "../../../sim/environment.js";
import type { Counters } from "../../../sim/kernel/counters.js";
import { Kernel, type Replaced } from "../../../sim/kernel/kernel.js";
import type { RtlRun } from "../../../sim/rtl/simulate.js";

/** Tokens of an outer port, where any value of its type will not do. */
export type Tokens = Readonly<Record<string, (random: () => number) => unknown>>;

/** A module that stands for one construct of the language; made anew for each run. */
export interface Example {
  readonly name: string;
  readonly make: () => Module;
  readonly tokens: Tokens;
}

type Class = (new () => Module) & { readonly tokens?: Tokens };

export const example = (Class: Class): Example => ({
  name: Class.name,
  make: () => new Class(),
  tokens: Class.tokens ?? {},
});

export interface Run {
  /** Per output, the tokens with the clocks in which they left. */
  readonly outputs: Readonly<Record<string, readonly [number, unknown][]>>;
  readonly clocks: number;
  readonly counters: Counters;
}

export const TOKENS = 14;
export const HORIZON = 1500;

export function runExample({ make, tokens }: Example, seed: number, read?: (top: Module) => Replaced): Run {
  const top = make();
  const kernel = new Kernel(top, read?.(top));
  const random = mulberry32(seed);
  // Every other seed: nobody stalls.
  const holding = { stalls: seed % 2 === 0 ? undefined : { seed, chance: 0.3, most: 4 } };
  for (const [port, { type }] of Object.entries(kernel.design.inputs)) {
    const next = tokens[port] ?? ((r: () => number) => randomValue(type, r));
    const list = Array.from({ length: TOKENS }, () => next(random));
    source(kernel, port, () => list.shift(), holding);
  }
  const outputs: Record<string, [number, unknown][]> = {};
  for (const port of Object.keys(kernel.design.outputs)) {
    const seen: [number, unknown][] = (outputs[port] = []);
    sink(kernel, port, (token) => seen.push([kernel.now, structuredClone(token)]) > 0, holding);
  }
  const clocks = kernel.run({ until: HORIZON });
  return { outputs, clocks, counters: kernel.counters };
}

/** What `runExample` gives to an example and takes from it, as lists. */
export function streamsOf({ make, tokens }: Example, seed: number): RtlRun {
  const { inputs, outputs } = elaborate(make());
  const random = mulberry32(seed);
  const stalls = seed % 2 === 0 ? undefined : { seed, chance: 0.3, most: 4 };
  const gaps = (port: string, count: number): number[] =>
    stalls ? Array.from({ length: count }, stallsOf(stalls, port)) : [];
  const given: Record<string, { values: unknown[]; gaps: number[] }> = {};
  for (const [port, { type }] of Object.entries(inputs)) {
    const next = tokens[port] ?? ((r: () => number) => randomValue(type, r));
    given[port] = { values: Array.from({ length: TOKENS }, () => next(random)), gaps: gaps(port, TOKENS) };
  }
  const taken = Object.fromEntries(Object.keys(outputs).map((port) => [port, { gaps: gaps(port, HORIZON) }]));
  return { inputs: given, outputs: taken, until: HORIZON };
}

/** A value of a type; its corners come up often. */
export function randomValue(given: Type, random: () => number): unknown {
  const type = given as unknown as AnyType;
  switch (type.kind) {
    case "int": {
      const { min, max } = type;
      if (random() < 0.2) return random() < 0.5 ? min : max;
      const near = random() < 0.5;
      return near
        ? Math.min(max, Math.max(min, Math.floor(random() * 8)))
        : min + Math.floor(random() * (max - min + 1));
    }
    case "bool":
      return random() < 0.5;
    case "vec":
      return Array.from({ length: type.length }, () => randomValue(type.of, random));
    case "struct":
      return Object.fromEntries(Object.entries(type.fields).map(([name, of]) => [name, randomValue(of, random)]));
  }
}
