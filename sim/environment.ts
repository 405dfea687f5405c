/**
 * The outside of a design: sources that push tokens into its outer ports and sinks that take them, as fast as the port allows
 * or at the pace of a board's DMA (sim/platform/dma.ts), or with random stalls, which show what a design does when its
 * neighbours are slow. Same seed, same stalls.
 */
import { TandemError } from "../hw/index.js";
import { clocks, type Process, type ProcessNode } from "../hw/process.js";
import type { Kernel } from "./kernel/kernel.js";
import type { Pace } from "./platform/dma.js";

export interface RandomStalls {
  readonly seed: number;
  /** Chance, 0 to 1, that a token is held back. */
  readonly chance: number;
  /** Most clocks that it is held back. */
  readonly most: number;
}

/** Something that gives the next token, and undefined at its end. */
export type Supply = () => unknown;
/** Takes a token; false when it wants no more. */
export type Demand = (token: unknown) => boolean;

/** How a neighbour holds tokens back; as fast as the port allows where neither is given. */
export interface Holding {
  readonly stalls?: RandomStalls | undefined;
  readonly pace?: Pace | undefined;
}

/** Push what `supply` gives into the outer input `port`, at most one token a clock and lane. */
export function source(kernel: Kernel, port: string, supply: Supply, holding: Holding = {}): ProcessNode {
  const channel = kernel.design.inputs[port] ?? missing(kernel, port, "input");
  const { pace } = holding;
  const hold = holding.stalls && stallsOf(holding.stalls, port);
  return kernel.spawn(
    named(`to_${port}`, function* (): Process {
      for (let token = supply(); token !== undefined; token = supply()) {
        if (hold) yield* clocks(hold());
        if (pace) yield* paced(kernel, pace);
        yield* channel.push(token);
        pace?.moved(kernel.now);
      }
    }),
  );
}

/** Take tokens of the outer output `port` as long as `demand` wants them. */
export function sink(kernel: Kernel, port: string, demand: Demand, holding: Holding = {}): ProcessNode {
  const channel = kernel.design.outputs[port] ?? missing(kernel, port, "output");
  const { pace } = holding;
  const hold = holding.stalls && stallsOf(holding.stalls, port);
  return kernel.spawn(
    named(`from_${port}`, function* (): Process {
      for (;;) {
        if (hold) yield* clocks(hold());
        if (pace) yield* paced(kernel, pace);
        const token = yield* channel.pop();
        pace?.moved(kernel.now);
        if (!demand(token)) return;
      }
    }),
  );
}

/** Wait until the pace allows the next token. It is asked again after each wait: what it shares may have gone to others. */
function* paced(kernel: Kernel, pace: Pace): Process {
  for (let at = pace.next(kernel.now); at > kernel.now; at = pace.next(kernel.now)) yield* clocks(at - kernel.now);
}

/** Processes are known by the name of their body. */
function named(name: string, body: () => Process): () => Process {
  return Object.defineProperty(body, "name", { value: name });
}

function missing(kernel: Kernel, port: string, side: "input" | "output"): never {
  const { inputs, outputs, top } = kernel.design;
  const names = Object.keys(side === "input" ? inputs : outputs);
  throw new TandemError(`${top.path} has no outer ${side} "${port}"`, {
    hint: names.length > 0 ? `It has ${names.join(", ")}.` : `It has no ${side} at all.`,
  });
}

/** Clocks to hold back each token: a generator of its own for each port, so that ports do not disturb each other. */
export function stallsOf({ seed, chance, most }: RandomStalls, port: string): () => number {
  let hash = seed | 0;
  for (const character of port) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  const random = mulberry32(hash);
  return () => (random() < chance ? 1 + Math.floor(random() * most) : 0);
}

/** Small 32-bit generator with a period of 2^32 (Tommy Ettinger's Mulberry32, public domain): uniform in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
