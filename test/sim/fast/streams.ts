/** A design between sources and sinks that have their own pace, under both engines: what the specifications of the fast engine compare. */
import { clocks, type Module } from "../../../hw/index.js";
import type { FastEngine } from "../../../sim/fast/engine.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { comparable } from "./comparable.js";
import { inTwo, sendInPieces } from "./pieces.js";

export interface Streams {
  /** Tokens of each outer input. */
  readonly inputs: Readonly<Record<string, readonly unknown[]>>;
  /** Clocks before each token of an input; none where it has no list. */
  readonly gaps?: Readonly<Record<string, readonly number[] | undefined>>;
  /** For each outer output, the clocks before each token that is taken; one more is never taken. */
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  /** Clocks at which a run is interrupted; the last is quiescence, if that is ever reached. */
  readonly horizons?: readonly (number | undefined)[];
}

/** What is seen at an interruption: the tokens so far of each output with their clocks, and all counters. */
export interface Shown {
  readonly seen: Readonly<Record<string, readonly unknown[]>>;
  readonly counters: unknown;
}

const QUIESCENCE = [undefined];

export function inKernel(top: Module, { inputs, gaps, outputs, horizons = QUIESCENCE }: Streams): Shown[] {
  const kernel = new Kernel(top);
  for (const [port, tokens] of Object.entries(inputs))
    kernel.spawn(function* source() {
      for (const [i, token] of tokens.entries()) {
        yield* clocks(gaps?.[port]?.[i] ?? 0);
        yield* kernel.design.inputs[port]!.push(token);
      }
    });
  const seen = Object.entries(outputs).map(([port, slow]): [string, unknown[]] => {
    const values: unknown[] = [];
    const channel = kernel.design.outputs[port]!;
    kernel.spawn(function* sink() {
      for (const gap of slow) {
        yield* clocks(gap);
        const value: unknown = channel.type.copy(yield* channel.pop());
        values.push({ value, clock: kernel.now });
      }
    });
    return [port, values];
  });
  return horizons.map((until) => {
    kernel.run(until === undefined ? {} : { until });
    const soFar = Object.fromEntries(seen.map(([port, values]) => [port, [...values]]));
    return { seen: soFar, counters: comparable(kernel.counters) };
  });
}

/** The engine stands at reset. */
export function inFast(engine: FastEngine, { inputs, gaps, outputs, horizons = QUIESCENCE }: Streams): Shown[] {
  for (const [port, tokens] of Object.entries(inputs)) {
    const before = gaps?.[port];
    sendInPieces(engine, port, tokens, inTwo(tokens), before?.some((gap) => gap > 0) ? before : undefined);
  }
  for (const [port, slow] of Object.entries(outputs)) engine.output(port, slow.length, slow);
  return horizons.map((until) => {
    engine.run(until === undefined ? {} : { until });
    const seen = Object.fromEntries(Object.keys(outputs).map((port) => [port, engine.values(port)]));
    return { seen, counters: comparable(engine.counters) };
  });
}

/** What a run shows, or how it failed, as text. */
export function outcome(run: () => unknown): string {
  try {
    return JSON.stringify(run());
  } catch (error) {
    return String(error);
  }
}
